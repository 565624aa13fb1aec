"""From answers to figures, on a handful of made-up ones whose figures can be counted on one's fingers."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from imgguard.bench import metrics
from imgguard.bench.summary import summarise
from imgguard.bench.trial import Trial
from imgguard.verdict.calibration import Calibration


@pytest.fixture(scope="module")
def figures(trials: list[Trial], calibration: Calibration) -> dict[str, Any]:
    return summarise(trials, calibration)


def test_recall_at_zero_counts_what_is_above_the_worst_negative(figures: dict[str, Any]) -> None:
    own = figures["methods"]["imgguard"]
    assert own["threshold_zero"] == 0.5
    assert own["recall_zero"]["hits"] == 3  # two found, one doubted; the one that was no candidate is missed
    assert own["recall_no_wrong_reference"]["hits"] == 2  # a wrong reference reached 2.0
    assert figures["methods"]["sscd"]["recall_zero"]["hits"] == 0


def test_shipped_threshold_counts_verdicts(figures: dict[str, Any]) -> None:
    found = figures["shipped"]
    assert (found["recall"]["hits"], found["recall"]["count"]) == (2, 4)
    assert found["accused"]["hits"] == 0
    assert found["wrong_reference"]["hits"] == 1
    assert found["inconclusive_copies"]["hits"] == 1
    assert found["inconclusive_negatives"]["hits"] == 1


def test_candidates_and_overlap(figures: dict[str, Any]) -> None:
    assert [figures["candidate_recall"][k]["hits"] for k in ("1", "10", "50")] == [2, 3, 4]
    assert figures["iou"] == {"n": 2, "mean": pytest.approx(0.9)}


def test_a_copy_that_was_no_candidate_costs_in_cllr(figures: dict[str, Any]) -> None:
    assert figures["cllr"] == pytest.approx(metrics.cllr(np.array([3.0, 3.0, -3.0, 1.0]), np.array([0.5, -2.0])))


def test_rows_per_edit(figures: dict[str, Any]) -> None:
    rows = {row["edit"]: row for row in figures["edits"]}
    assert list(rows) == ["crop_40", "blur", "paste_10"]
    assert rows["paste_10"]["n"] == 2
    assert rows["paste_10"]["imgguard"] == 0.5
    assert rows["paste_10"]["shipped"]["hits"] == 0
    assert rows["paste_10"]["inconclusive"] == 0.5
    assert rows["paste_10"]["iou"]["mean"] is None
    assert rows["crop_40"]["named"] == ["cropped"]


def test_sets(figures: dict[str, Any]) -> None:
    assert {row["set"]: row["n"] for row in figures["copy_sets"]} == {"clothing": 3, "grocery": 1}
    (grocery,) = figures["negative_sets"]
    assert grocery["verdicts"] == {"copy": 0, "same_product": 1, "no_match": 0, "inconclusive": 1}
    assert grocery["highest"] == 0.5


def test_everything_is_plain_json(figures: dict[str, Any]) -> None:
    assert json.loads(json.dumps(figures, allow_nan=False)) is not None


def test_a_profile_without_baselines_reports_itself_alone(trials: list[Trial], calibration: Calibration) -> None:
    bare = [replace(trial, baselines={}) for trial in trials]
    assert list(summarise(bare, calibration)["methods"]) == ["imgguard"]
