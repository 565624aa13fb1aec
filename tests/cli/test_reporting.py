"""The report and the evidence of a check: known to be writable beforehand, bounded, and no reason to lose a finding."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from imgguard.cli import report as cli_report
from imgguard.cli.report import Report
from imgguard.errors import ConfigurationError
from imgguard.evidence.packing import Packed
from imgguard.services import checking
from imgguard.services.checking import Checked
from imgguard.services.contract import CheckLine
from imgguard.services.illustration import Illustration
from imgguard.verdict.finding import Verdict

Run = Callable[..., Any]
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "check.schema.json").read_text())
COPY = "copy-mirrored-mug.jpg"
AT = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize("name", [".", "folder", "file/page.html", "x" * 300])
@pytest.mark.parametrize("option", ["--report", "--evidence"])
def test_a_place_that_cannot_be_written_is_known_before_the_work(
    store: Path, cli: Run, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, name: str
) -> None:
    if option == "--evidence" and name in (".", "folder"):
        pytest.skip("a folder is what this option wants")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*.part"))
    done = cli("check", samples / "listings" / COPY, "--json", option, name)
    assert (done.code, done.out) == (2, "")
    assert "[configuration]" in done.err
    assert cli("stats", "--json").line["findings"] == 0
    assert sorted(tmp_path.rglob("*.part")) == before


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            ConfigurationError("cannot write to e: No space left on device"),
            4,
            "No space left on device [configuration]",
        ),
        (ZeroDivisionError("boom"), 70, "This is a bug"),
    ],
)
def test_a_finding_is_not_lost_when_its_pictures_are(
    store: Path,
    cli: Run,
    samples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(checking, "illustrate", Mock(side_effect=error))
    paths = [samples / "listings" / COPY, samples / "originals" / "mug.jpg"]
    done = cli("check", *paths, "--json", "--evidence", tmp_path / "e", "--report", tmp_path / "page.html")
    assert done.code == code
    for line in done.lines:
        Draft202012Validator(SCHEMA).validate(line)
        assert (line["verdict"], line["error"]) == ("copy", None)
        assert [match["evidence"] for match in line["matches"]] == [{}] * len(line["matches"])
        assert cli("show", line["finding_id"], "--json").code == 0
    assert said in done.err
    assert done.err.count("no pictures of") == 1  # the second one has the same reason
    assert "No pictures of 2 checked" in done.err
    assert "mug.jpg" in (tmp_path / "page.html").read_text()


def checked(verdict: Verdict, number: int, illustration: Illustration | None = None) -> Checked:
    values = dict.fromkeys(CheckLine.model_fields) | {
        "file": f"{verdict}-{number}.jpg",
        "verdict": verdict,
        "reasons": [],
        "matches": [],
    }
    return Checked(line=CheckLine.model_validate(values), checked_at=AT, illustration=illustration)


def test_a_page_lists_so_many_and_what_matters_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_report, "MOST_LISTED", 4)
    page = Report(tmp_path / "page.html")
    page.add(checked(Verdict.COPY, 0))
    for number in range(1, 11):
        page.add(checked(Verdict.NO_MATCH, number))
    page.add(checked(Verdict.SAME_PRODUCT, 11))
    page.add(checked(Verdict.COPY, 12))
    page.write("Check")
    text = page.path.read_text()
    listed = [name for name in ("copy-0", "no_match-1", "same_product-11", "copy-12") if f"{name}.jpg" in text]
    assert listed == ["copy-0", "no_match-1", "same_product-11", "copy-12"]
    assert "no_match-2.jpg" not in text
    assert "13 pictures checked" in text
    assert "9 are left out" in text
    assert text.index("no_match-1.jpg") < text.index("copy-12.jpg")  # in the order of the inputs


def test_a_page_says_when_each_picture_was_checked(tmp_path: Path) -> None:
    page = Report(tmp_path / "page.html")
    page.add(checked(Verdict.NO_MATCH, 1))
    page.write("Check")
    assert "3 February 2024, 04:05:06 UTC" in page.path.read_text()


def test_all_pictures_of_a_page_are_held_packed(tmp_path: Path) -> None:
    picture = np.zeros((600, 600, 3), np.uint8)
    page = Report(tmp_path / "page.html")
    drawn = Illustration(query=picture, pictures={"aligned": picture}, flip=(picture, picture))
    page.add(checked(Verdict.COPY, 1, drawn))
    (entry,) = page._entries
    held = [entry.query, *entry.pictures.values(), *(entry.flip or ())]
    assert len(held) == 4
    assert all(isinstance(one, Packed) for one in held)


def test_two_runs_may_write_the_same_report(store: Path, process: Run, samples: Path, tmp_path: Path) -> None:
    planted = tmp_path / "theirs"
    planted.write_text("theirs")
    (tmp_path / ".page.html.part").symlink_to(planted)  # a name that could be foreseen
    done = process("check", samples / "listings" / COPY, "--report", tmp_path / "page.html", "--quiet", home=store)
    assert done.code == 0, done.err
    assert planted.read_text() == "theirs"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == [
        ".page.html.part",
        "page.html",
        "theirs",
    ]
