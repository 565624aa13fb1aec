"""The measures against values worked out by hand, and what must always hold of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from imgguard.bench import metrics

scores = st.lists(st.floats(-5, 5), min_size=1, max_size=40).map(lambda values: np.array(values, dtype=np.float64))


def test_wilson_is_the_published_interval() -> None:
    found = metrics.rate(8, 10)  # Agresti and Coull 1998 and every calculator: .490 to .943
    assert (round(found.low, 3), round(found.high, 3)) == (0.490, 0.943)


def test_wilson_at_the_ends_and_of_nothing() -> None:
    assert metrics.rate(0, 300).low == 0.0
    assert metrics.rate(0, 300).high == pytest.approx(0.01264, abs=1e-5)
    assert metrics.rate(20, 20).high == 1.0
    nothing = metrics.rate(0, 0)
    assert math.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (0.0, 1.0)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_contains_the_share(counts: tuple[int, int]) -> None:
    found = metrics.rate(*counts)
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0


def test_recall_at_zero_false_accusations_needs_more_than_the_worst_negative() -> None:
    positive, negative = np.array([3.0, 2.0, 1.0, -np.inf]), np.array([2.0, 0.5, 0.1])
    threshold = metrics.threshold_for(negative, accused=0)
    assert threshold == 2.0
    assert metrics.recall_above(positive, threshold).hits == 1  # equal is not above
    assert metrics.recall_above(positive, metrics.threshold_for(negative, accused=1)).hits == 3
    assert metrics.threshold_for(negative, accused=3) == -np.inf


@given(scores, st.integers(0, 5))
def test_a_swept_threshold_accuses_no_more_than_it_may(negative: metrics.Scores, accused: int) -> None:
    assert (negative > metrics.threshold_for(negative, accused=accused)).sum() <= accused


def test_one_in_a_thousand_is_rounded() -> None:
    assert [metrics.accused_at_a_thousandth(count) for count in (300, 993, 2400)] == [0, 1, 2]


def test_micro_average_precision_by_hand() -> None:
    # Ranking: right .9 (precision 1), wrong .8, right .7 (2/3), wrong .1; a third copy is never found.
    found = metrics.micro_average_precision(np.array([0.9, 0.7, -np.inf]), np.array([0.8, 0.1]), copies=3)
    assert found == pytest.approx((1 + 2 / 3) / 3)


def test_micro_average_precision_counts_ties_against() -> None:
    assert metrics.micro_average_precision(np.array([1.0]), np.array([1.0]), copies=1) == pytest.approx(0.5)


def test_cllr_of_known_values() -> None:
    zeros, certain = np.zeros(4), np.full(4, 12.0)
    assert metrics.cllr(zeros, zeros) == pytest.approx(1.0)
    assert metrics.cllr(certain, -certain) == pytest.approx(0.0, abs=1e-9)
    one = metrics.cllr(np.array([1.0]), np.array([-1.0]))  # log2(1.1) on both sides
    assert one == pytest.approx(math.log2(1.1))
    assert metrics.cllr(np.array([-3.0]), np.array([-12.0])) == pytest.approx(math.log2(1001) / 2)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.1, 5)), min_size=1, max_size=30))
def test_pooling_is_isotonic_regression(pairs: list[tuple[float, float]]) -> None:
    values, weights = np.array(pairs, dtype=np.float64).T
    expected = IsotonicRegression().fit(np.arange(len(values)), values, sample_weight=weights)
    assert metrics.pooled(values, weights) == pytest.approx(expected.predict(np.arange(len(values))), abs=1e-6)


@given(scores, scores)
def test_cllr_min_is_the_best_of_all_calibrations(positive: metrics.Scores, negative: metrics.Scores) -> None:
    least = metrics.cllr_min(positive, negative)
    assert -1e-9 <= least <= metrics.cllr(positive, negative) + 1e-6
    assert least <= 1 + 1e-9
    assert metrics.cllr_min(2 * positive, 2 * negative) == pytest.approx(least)


def test_cllr_min_of_separated_and_of_equal_scores() -> None:
    assert metrics.cllr_min(np.array([1.0, 2.0]), np.array([-1.0])) == pytest.approx(0.0)
    assert metrics.cllr_min(np.zeros(3), np.zeros(5)) == pytest.approx(1.0)


def test_bootstrap_draws_whole_groups() -> None:
    values = np.array([0.0] * 10 + [1.0] * 10)
    groups = ["a"] * 10 + ["b"] * 10
    found = metrics.grouped_bootstrap(groups, lambda chosen: float(values[chosen].mean()), rounds=200)
    assert (found.low, found.high) == (0.0, 1.0)  # both groups, or one of them twice: never in between but at one half
    again = metrics.grouped_bootstrap(groups, lambda chosen: float(values[chosen].mean()), rounds=200)
    assert found == again


def test_bootstrap_of_what_is_never_a_number() -> None:
    assert math.isnan(metrics.grouped_bootstrap(["a"], lambda _: float("nan"), rounds=3).low)


@given(scores, scores)
def test_error_curve_runs_from_all_missed_to_all_accused(positive: metrics.Scores, negative: metrics.Scores) -> None:
    curve = metrics.detection_error_tradeoff(positive, negative)
    assert curve.x[0] == 0.0
    assert curve.x[-1] == 1.0
    assert curve.y[-1] == 0.0
    assert list(curve.x) == sorted(curve.x)
    assert list(curve.y) == sorted(curve.y, reverse=True)


def test_tippett_by_hand() -> None:
    curve = metrics.tippett(np.array([2.0, -1.0, 1.0, 0.0]))
    assert curve.x == (-1.0, 0.0, 1.0, 2.0)
    assert curve.y == (1.0, 0.75, 0.5, 0.25)
