"""The page, the pictures and the floors, from a made-up run."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from imgguard.bench import floors, report
from imgguard.bench.__main__ import main, options_of, samples_of
from imgguard.bench.tables import Table, console, markdown
from imgguard.bench.targets import TARGETS, outcomes


def test_targets_are_held_against_the_figures(results: dict[str, Any]) -> None:
    found = {outcome.target.key: outcome.reached for outcome in outcomes(results)}
    assert found["recall_zero"] is False
    assert found["iou"] is True
    assert found["quick_no_match"] is False
    assert found["thorough_copy"] is None
    assert found["registration"] is True
    assert found["million_recall"] is True
    assert found["log_append"] is True
    assert found["log_proof"] is False
    assert found["log_share"] is True
    assert found["packet_build"] is True
    assert found["packet_drawn"] is False
    assert found["packet_verify"] is True
    assert found["service_rate"] is False  # the lowest of several clients counts, one client alone does not
    assert found["service_p95"] is True
    assert found["service_start"] is True
    assert found["service_bytes"] is False


def test_nothing_measured_is_nothing_reached() -> None:
    assert {outcome.reached for outcome in outcomes({})} == {None}


def test_a_small_log_says_nothing_of_a_large_one(results: dict[str, Any]) -> None:
    results["log"] = results["log"] | {"leaves": 1000}
    assert {outcome.reached for outcome in outcomes(results) if outcome.target.key.startswith("log_")} == {None}


def test_page_tells_what_was_missed_and_why(results: dict[str, Any]) -> None:
    page = report.page_of(results, {"cllr": "Two in four are missed."})
    assert "| Cllr | ≤ 0.05 |" in page
    assert "**no** | Two in four are missed. |" in page
    assert "| `paste_10` | 2 | 0.500 | 0.000 |" in page
    assert "`grocery/b.jpg`" in page
    assert "| 1,000,000 | 4.00 / 6.00 |" in page
    assert "NaN" not in page
    assert "nan" not in page.lower().split()
    for line in page.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


@pytest.mark.parametrize("part", report.SECTIONS)
def test_page_of_one_part(part: str, results: dict[str, Any]) -> None:
    headings = re.findall(r"^## (\w+)", report.page_of({part: results[part]}, {}), flags=re.MULTILINE)
    assert len(headings) == 3  # what is measured, targets, and the part


def test_terminal_shows_every_table(results: dict[str, Any]) -> None:
    text = report.printed(results)
    assert "Per edit" in text
    assert "Search among many references" in text
    assert "`" not in text


def test_another_model_is_announced(results: dict[str, Any]) -> None:
    assert "Not the model that ships" not in report.page_of(results, {})
    results["speed"]["made"] = json.loads(json.dumps(results["speed"]["made"]))
    results["speed"]["made"]["calibration"]["sha256"] = "c" * 64
    assert "Not the model that ships" in report.page_of(results, {})


def test_written_twice_is_the_same_and_renders_again(results: dict[str, Any], tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    paths = report.write(results, first)
    report.write(results, second)
    names = [path.relative_to(first) for path in paths]
    assert [str(name) for name in names if name.suffix == ".svg"] == [
        f"benchmarks/{name}.svg" for name in ("det", "tippett", "edits")
    ]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    before = {name: (first / name).read_bytes() for name in names}
    assert main(["--render", str(first)]) == 0
    assert {name: (first / name).read_bytes() for name in names} == before


def test_reasons_that_were_written_are_kept(results: dict[str, Any], tmp_path: Path) -> None:
    report.write(results, tmp_path)
    reasons = tmp_path / report.REASONS
    assert set(json.loads(reasons.read_text())) >= {"recall_zero", "cllr"}
    reasons.write_text('{"cllr": "Because."}')
    report.write(results, tmp_path)
    assert "Because." in (tmp_path / "benchmarks.md").read_text()


def test_every_page_link_exists(results: dict[str, Any], tmp_path: Path) -> None:
    report.write(results, tmp_path)
    linked = re.findall(r"\]\(([^)]+)\)", (tmp_path / "benchmarks.md").read_text())
    assert linked
    assert [name for name in linked if not (tmp_path / name).is_file()] == []


def test_floors(results: dict[str, Any]) -> None:
    found = {floor.text.split(" >=")[0].split(" <=")[0]: floor.held for floor in floors.floors(results)}
    assert found["recall at the shipped threshold"] is False
    assert found["false accusations in 2 at the shipped threshold"] is True
    assert found["cost of `no_match`, quick (inferences)"] is True
    assert floors.floors({}) == []


def test_floors_are_below_the_targets() -> None:
    limits = {target.key: target.limit for target in TARGETS}
    assert limits["recall_zero"] > floors.RECALL_SHIPPED
    assert limits["candidate_10"] > floors.CANDIDATES_AT_10
    assert limits["registration"] > floors.REGISTRATION
    assert floors.COST_FACTOR > 1


def test_samples_follow_from_the_options() -> None:
    sample, quick = samples_of(options_of([]))
    assert (sample.per_edit, sample.negatives, sample.thin) == (10, 300, 1)
    assert quick is not None
    assert quick.per_edit < sample.per_edit
    full, _ = samples_of(options_of(["--full"]))
    assert (full.per_edit, full.negatives) == (60, None)
    small, none = samples_of(options_of(["--floors", "--per-edit", "2"]))
    assert (small.per_edit, small.negatives, none) == (2, floors.SAMPLE_NEGATIVES, None)


def test_unknown_part(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options_of(["--only", "beauty"])
    assert "accuracy, speed, scale, log, packets, service" in capsys.readouterr().err


def test_missing_images_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMGGUARD_DATA", str(tmp_path))
    model = tmp_path / "model.json"
    model.write_text(
        json.dumps(
            {"features": [], "trees": [], "baseline": 0, "slope": 1, "intercept": 0, "cap": 3}
            | {"copy_threshold": 1, "reject_threshold": 0, "unaligned": -1}
        )
    )
    assert main(["--only", "accuracy", "--calibration", str(model)]) == 2
    assert "no manifest.csv" in capsys.readouterr().err


def test_tables_escape_and_align() -> None:
    table = Table(title="T", header=("a", "b"), rows=(("x|y", "1"), ("`z`", "**22**")), note="N")
    assert markdown(table).splitlines()[2] == "| x\\|y | 1 |"
    assert console(table).splitlines()[2:] == ["a     b", "x|y   1", "z    22"]
