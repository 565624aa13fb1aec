"""Checks: the contract, evidence, exit codes, error lines, order."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

Run = Callable[..., Any]
OWNER = "Sample Studio"
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "check.schema.json").read_text())
COPY = "copy-mirrored-mug.jpg"
OTHER = "unrelated-watch.jpg"


def test_a_copy_by_the_contract(store: Path, cli: Run, samples: Path) -> None:
    done = cli("check", samples / "listings" / COPY, "--json")
    assert done.code == 0
    line = done.line
    Draft202012Validator(SCHEMA).validate(line)
    assert list(line) == list(SCHEMA["properties"])
    assert list(line["matches"][0]) == list(SCHEMA["$defs"]["Match"]["properties"])
    assert line["verdict"] == "copy"
    assert (line["width"], line["height"]) == (700, 700)
    assert line["timings_ms"]["total"] > 0
    best = line["matches"][0]
    assert (best["owner"], best["file"]) == (OWNER, str(samples / "originals" / "mug.jpg"))
    assert best["transform"]["mirrored"]
    assert best["evidence"] is None
    ratios = [match["log10_likelihood_ratio"] for match in line["matches"]]
    assert ratios == sorted(ratios, reverse=True)


def test_an_unrelated_picture(store: Path, cli: Run, samples: Path) -> None:
    line = cli("check", samples / "listings" / OTHER, "--json", "--profile", "quick").line
    Draft202012Validator(SCHEMA).validate(line)
    assert line["verdict"] == "no_match"
    assert line["matches"] == []


def test_an_empty_store_matches_nothing(cli: Run, samples: Path) -> None:
    line = cli("check", samples / "listings" / COPY, "--json").line
    assert (line["verdict"], line["reasons"]) == ("no_match", ["no_candidate"])


def test_failed_inputs_have_their_line_in_order(store: Path, cli: Run, samples: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    good = [samples / "listings" / COPY, samples / "listings" / OTHER]
    paths = [tmp_path / "none.jpg", good[0], broken, good[1]] * 2
    done = cli("check", *paths, "--json", "--exit-code")
    assert done.code == 4
    assert [line["file"] for line in done.lines] == [str(path) for path in paths]
    assert [line["verdict"] for line in done.lines] == ["error", "copy", "error", "no_match"] * 2
    for line in done.lines:
        Draft202012Validator(SCHEMA).validate(line)
        assert list(line) == list(SCHEMA["properties"])
        assert (line["verdict"] == "error") == (line["error"] is not None) == (line["finding_id"] is None)


@pytest.mark.parametrize(("name", "code"), [(COPY, 1), (OTHER, 0)])
def test_exit_code_on_request(store: Path, cli: Run, samples: Path, name: str, code: int) -> None:
    assert cli("check", samples / "listings" / name, "--exit-code", "--quiet").code == code
    assert cli("check", samples / "listings" / name, "--quiet").code == 0


def test_a_limit_is_an_error_of_the_input(
    store: Path, cli: Run, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMGGUARD_MAX_IMAGE_BYTES", "1000")
    line = cli("check", samples / "listings" / COPY, "--json").line
    assert line["error"]["code"] == "image_too_large"


def test_evidence_and_report(store: Path, cli: Run, samples: Path, tmp_path: Path) -> None:
    folder, page = tmp_path / "evidence", tmp_path / "pages" / "report.html"
    paths = [samples / "listings" / COPY, samples / "listings" / OTHER, tmp_path / "none.jpg"]
    done = cli("check", *paths, "--json", "--evidence", folder, "--report", page)
    copied, other, _ = done.lines
    Draft202012Validator(SCHEMA).validate(copied)
    pictures = copied["matches"][0]["evidence"]
    assert {"side_by_side", "aligned", "difference", "agreement", "keypoints"} <= set(pictures)
    for path in pictures.values():
        assert Path(path).parent == folder
        with Image.open(path) as picture:
            assert picture.width <= 1500
    assert other["matches"] == []
    text = page.read_text()
    assert text.count("data:image/webp") > 5
    assert COPY in text
    assert "none.jpg" in text


def test_a_finding_is_shown_again_with_new_pictures(store: Path, cli: Run, samples: Path, tmp_path: Path) -> None:
    line = cli("check", samples / "listings" / COPY, "--json", "--evidence", tmp_path / "first").line
    again = cli("show", line["finding_id"], "--json").line
    evidence = line["matches"][0].pop("evidence")
    assert again["matches"][0].pop("evidence") is None
    assert again == {**line, "timings_ms": None}
    drawn = cli("show", line["finding_id"], "--json", "--evidence", tmp_path / "again").line
    for name, path in drawn["matches"][0]["evidence"].items():
        assert Path(path).read_bytes() == Path(evidence[name]).read_bytes(), name
    assert "Likely copy" in cli("show", line["finding_id"]).out


def test_a_query_is_kept_for_its_time_only(
    store: Path, cli: Run, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMGGUARD_QUERY_RETENTION_DAYS", "0")
    line = cli("check", samples / "listings" / COPY, "--json").line
    assert not list(store.rglob(line["sha256"]))
    done = cli("show", line["finding_id"], "--evidence", tmp_path)
    assert done.code == 4
    assert "[not_found]" in done.err
    assert cli("show", line["finding_id"]).code == 0


def test_human_output(store: Path, cli: Run, samples: Path) -> None:
    done = cli("check", samples / "listings" / COPY, samples / "listings" / OTHER)
    header, first, second = done.out.splitlines()
    assert header.split("  ")[0] == "Verdict"
    assert first.startswith("Likely copy")
    assert "mirrored" in first
    assert second.startswith("No match")
    assert "1 likely copy, 1 no match in" in done.err
    assert cli("check", samples / "listings" / OTHER, "--quiet").err == ""


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["stats"], ["--version"]])
def test_a_broken_pipe_is_silent(store: Path, command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = Path(sys.executable).with_name("imgguard")
    done = subprocess.run([program, "--home", store, *command], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_store_that_cannot_be_used_ends_the_run(process: Run, store: Path, samples: Path) -> None:
    (store / "imgguard.sqlite3").write_bytes(b"not a database" * 1000)
    done = process("check", samples / "listings" / COPY, "--json", home=store)
    assert done.code == 3
    assert "[store_unavailable]" in done.err
    assert "Traceback" not in done.err


def test_compare(cli: Run, samples: Path, tmp_path: Path) -> None:
    schema = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "compare.schema.json").read_text())
    original = samples / "originals" / "mug.jpg"
    done = cli("compare", samples / "listings" / COPY, original, "--json", "--exit-code", "--evidence", tmp_path / "e")
    Draft202012Validator(schema).validate(done.line)
    assert done.code == 1
    assert (done.line["verdict"], done.line["match"]["reference_id"]) == ("copy", None)
    assert done.line["match"]["evidence"]
    same = cli("compare", original, original, "--json").line
    assert (same["match"]["relation"], same["match"]["reasons"][0]) == ("identical", "identical_bytes")
    missing = cli("compare", tmp_path / "none.jpg", original, "--json")
    Draft202012Validator(schema).validate(missing.line)
    assert (missing.code, missing.line["error"]["code"]) == (4, "invalid_input")
    human = cli("compare", samples / "listings" / OTHER, tmp_path / "none.jpg")
    assert (human.code, human.out) == (4, "")
    assert "none.jpg" in human.err


def test_compare_says_what_check_says(store: Path, cli: Run, samples: Path) -> None:
    listing, original = samples / "listings" / COPY, samples / "originals" / "mug.jpg"
    checked = cli("check", listing, "--json").line["matches"][0]
    compared = cli("compare", listing, original, "--json").line["match"]
    for field in ("reference_id", "owner"):
        del checked[field], compared[field]
    assert compared == checked


def test_other_files_than_images_named_in_a_folder_are_left_alone(store: Path, cli: Run, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing")
    done = cli("check", folder)
    assert done.code == 2
    assert "no images" in done.err


@pytest.mark.parametrize("kind", ["working_copy", "keypoints", "pdq"])
def test_a_damaged_descriptor_costs_its_picture_and_is_told(store: Path, cli: Run, samples: Path, kind: str) -> None:
    import sqlite3

    with sqlite3.connect(store / "imgguard.sqlite3") as database:
        database.execute(
            "UPDATE descriptors SET data = x'00' WHERE kind = ? AND content_number ="
            " (SELECT content_number FROM refs WHERE file LIKE '%mug.jpg')",
            [kind],
        )
    database.close()
    done = cli("check", samples / "listings" / COPY, samples / "originals" / "scissors.jpg", "--json")
    assert done.code == 0
    Draft202012Validator(SCHEMA).validate(done.lines[0])
    assert done.lines[0]["verdict"] == "inconclusive"
    assert "reference_damaged" in done.lines[0]["reasons"]
    assert done.lines[1]["verdict"] == "copy"
    assert "warning: a candidate was passed over" in done.err
    assert "could not be compared" in cli("show", done.lines[0]["finding_id"]).out
    found = {line["title"]: line for line in cli("doctor", "--deep", "--json").lines}
    assert found["Descriptors"]["status"] == "problem"
    assert "damaged" in found["Descriptors"]["detail"]


def test_a_folder_for_evidence_that_is_a_file(store: Path, cli: Run, samples: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    shutil.copy(samples / "listings" / COPY, file)
    assert cli("check", samples / "listings" / COPY, "--evidence", file).code == 2
