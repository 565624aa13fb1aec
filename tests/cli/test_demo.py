"""The demo: where its store is, what it never deletes, and that its exit code says whether the answers were right."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgguard.cli import demo, samples
from imgguard.services import checking
from imgguard.services.contract import CheckLine
from imgguard.services.packets import packet_in

Run = Callable[..., Any]
COPY, HONEST, OTHER = "copy-mirrored-mug.jpg", "unrelated-watch.jpg", "unrelated-sandals.jpg"
KNOWN: dict[str, dict[str, Any]] = {
    COPY: {"verdict": "copy", "original": "mug.jpg"},
    HONEST: {"verdict": "no_match", "original": None},
    OTHER: {"verdict": "no_match", "original": None},
}


@pytest.fixture
def folder(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A few of the samples, which the demo takes for all."""
    folder = tmp_path / "checkout" / "sample_images"
    for name in ("originals/mug.jpg", "originals/scissors.jpg", *(f"listings/{name}" for name in KNOWN)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(samples / name, folder / name)
    known(folder, KNOWN)
    monkeypatch.setattr("imgguard.cli.samples.CHECKOUT", tmp_path / "checkout")
    return folder


def known(folder: Path, truth: dict[str, dict[str, Any]]) -> None:
    (folder / "expected.json").write_text(json.dumps(truth))


@pytest.fixture
def play(cli: Run, tmp_path: Path) -> Run:
    """``imgguard demo`` with its output in ``tmp_path / "out"``."""
    return lambda *arguments, **more: cli(
        "demo", "--profile", "quick", "--output", tmp_path / "out", *arguments, **more
    )


def test_right_answers(folder: Path, home: Path, play: Run, cli: Run, tmp_path: Path) -> None:
    done = play()
    assert done.code == 0, done.err
    assert "1 of 1 copies found, with the right original." in done.out
    assert "0 of 2 honest pictures taken for a copy." in done.out
    assert str(tmp_path / "out" / "report.html") in done.out
    assert COPY in (tmp_path / "out" / "report.html").read_text()
    assert list((tmp_path / "out" / "evidence").glob("*.png"))
    # The home that was named is the one that was used, and the demo may use it again.
    assert (home / demo.MARKER).exists()
    assert not (tmp_path / "out" / "home").exists()
    assert {line["owner"] for line in cli("list", "--json").lines} == {demo.OWNER}
    assert cli("check", folder / "listings" / COPY, "--quiet").code == 0
    again = play("--json")
    assert (again.code, [line["file"] for line in again.lines]) == (0, sorted(KNOWN))
    assert cli("stats", "--json").line["findings"] == len(KNOWN)


def test_it_ends_with_a_packet_that_promises_no_more_than_it_proves(
    folder: Path, home: Path, play: Run, cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMGGUARD_TIMESTAMP_AUTHORITIES", "http://127.0.0.1:9/never-asked")
    done = play()
    assert done.code == 0, done.err
    path = tmp_path / "out" / "packet.asice"
    packet = packet_in(path.read_bytes())
    assert [one.listing.file_name for one in packet.findings] == [COPY]
    assert [one.file.name for one in packet.references] == ["mug.jpg"]
    assert {bound.trust.value for one in packet.references for bound in one.existed_no_later_than} == {"self_issued"}
    lines = done.out.splitlines()
    (first,) = [number for number, line in enumerate(lines) if line.startswith("Packet:")]
    assert "SELF-ISSUED, NOT INDEPENDENT" in lines[first]
    assert lines[first + 1].startswith("Proven:   No byte of this packet has changed since it was sealed")
    assert "ORIGIN NOT VERIFIED" in lines[first + 2]
    assert cli("packet", "verify", path).code == 0
    assert cli("log", "show", "--json").line["leaves"] == {"finding": 3, "packet": 1, "registration": 2}


def test_without_a_copy_there_is_no_packet(folder: Path, play: Run, tmp_path: Path) -> None:
    (folder / "listings" / COPY).unlink()
    known(folder, {name: KNOWN[name] for name in (HONEST, OTHER)})
    done = play()
    assert "Packet:" not in done.out
    assert not (tmp_path / "out" / "packet.asice").exists()


def test_a_packet_that_does_not_verify_fails(folder: Path, play: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(path: Path, data: bytes) -> None:
        path.write_bytes(data[:-1])

    monkeypatch.setattr("imgguard.cli.demo_packet.write_packet", damaged)
    done = play()
    assert done.code == 4
    assert "does not verify" in done.err
    assert "Proven:   nothing" in done.out


def test_a_home_behind_the_command(folder: Path, play: Run, home: Path, tmp_path: Path) -> None:
    lines = play("--json", "--home", tmp_path / "behind").lines
    assert [line["file"] for line in lines] == sorted(KNOWN)
    assert (tmp_path / "behind" / demo.MARKER).exists()
    assert not home.exists()


def test_without_a_home_the_store_is_beside_the_report(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from imgguard.cli.app import run

    assert run(["demo", "--profile", "quick", "--quiet", "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "home" / demo.MARKER).exists()
    assert capsys.readouterr().err == ""


def test_a_store_that_people_went_on_with_is_left_alone(folder: Path, play: Run, cli: Run, samples: Path) -> None:
    assert play("--quiet").code == 0
    assert cli("register", samples / "originals" / "fork.jpg", "--owner", "Ann", "--quiet").code == 0
    before = cli("list", "--json").lines
    done = play()
    assert (done.code, done.out) == (2, "")
    assert "of Ann" in done.err
    assert "--output" in done.err
    assert cli("list", "--json").lines == before


def test_pictures_of_ones_own_under_the_name_of_the_demo_are_left_alone(
    folder: Path, play: Run, cli: Run, samples: Path
) -> None:
    assert play("--quiet").code == 0
    assert cli("register", samples / "originals" / "fork.jpg", "--owner", demo.OWNER, "--quiet").code == 0
    done = play()
    assert done.code == 2
    assert "fork.jpg of Sample Studio" in done.err
    assert len(cli("list", "--json").lines) == 3


def test_what_is_no_store_of_a_demo_is_left_alone(folder: Path, store: Path, play: Run) -> None:
    before = sorted(store.rglob("*"))
    assert play().code == 2
    (store / demo.MARKER).touch()
    (store / "diary.txt").write_text("mine")
    assert play().code == 2
    assert sorted(path for path in store.rglob("*") if path.name not in (demo.MARKER, "diary.txt")) == before


def test_a_store_that_cannot_be_read_is_left_alone(folder: Path, store: Path, play: Run) -> None:
    (store / demo.MARKER).touch()
    (store / "imgguard.sqlite3").write_bytes(b"not a database" * 1000)
    done = play()
    assert done.code == 2
    assert "left alone" in done.err
    assert (store / "imgguard.sqlite3").read_bytes()[:14] == b"not a database"


def test_an_honest_picture_taken_for_a_copy_fails(folder: Path, play: Run) -> None:
    known(folder, KNOWN | {COPY: {"verdict": "same_product", "original": "mug.jpg"}})
    done = play()
    assert done.code == 4
    assert f"taken for a copy, but known to be none: {COPY}" in done.err
    assert "1 of 3 honest pictures taken for a copy" in done.out
    assert play("--json", "--quiet").code == 4


def test_too_few_copies_found_fails(folder: Path, play: Run) -> None:
    missed = {name: {"verdict": "copy", "original": "scissors.jpg"} for name in (HONEST, OTHER)}
    known(folder, KNOWN | missed)
    done = play()
    assert done.code == 4
    assert f"1 of 3 copies found, at least 2 are expected; missed: {OTHER}, {HONEST}" in done.err


def test_a_copy_found_with_the_wrong_original_is_not_found() -> None:
    match = dict.fromkeys(("reference_id", "relation", "owner", "hamming_distance", "agreement", "query_coverage"))
    match |= dict.fromkeys(("reference_coverage", "transform", "query_region", "reference_region", "evidence"))
    match |= {"file": "scissors.jpg", "verdict": "copy", "log10_likelihood_ratio": 3.0, "strength": "strong"}
    match |= {"reasons": [], "cosine_similarity": 0.9, "inlier_count": 9, "edits": []}
    line = dict.fromkeys(CheckLine.model_fields) | {"file": COPY, "verdict": "copy", "reasons": [], "matches": [match]}
    found = samples.score([CheckLine.model_validate(line)], KNOWN)
    assert (found.missed, found.accused) == ((COPY,), ())


def test_what_is_rejected_is_named_and_fails(folder: Path, play: Run) -> None:
    (folder / "originals" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    done = play("--quiet")
    assert done.code == 4
    assert "broken.jpg is rejected" in done.err
    assert "1 of 1 copies found" in done.out


def test_a_bug_is_a_bug(folder: Path, play: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(checking, "examine", broken)
    done = play()
    assert done.code == 70
    assert "This is a bug" in done.err


def test_a_missing_dependency_is_not_a_wrong_answer(folder: Path, play: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGGUARD_WEIGHTS", "custom")
    monkeypatch.setenv("IMGGUARD_WEIGHTS_PATH", str(folder / "none.onnx"))
    monkeypatch.setenv("IMGGUARD_WEIGHTS_SHA256", "0" * 64)
    done = play()
    assert done.code == 3
    assert "[weights_unavailable]" in done.err


def test_samples_without_their_truth_are_no_samples(folder: Path, play: Run) -> None:
    (folder / "expected.json").unlink()
    assert play().code == 2
