"""What arguments come to: no name of a file ends a run, and what is no text, or empty, is refused."""

import os
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from imgguard.cli.inputs import expand

Run = Callable[..., Any]
OWNER = "Sample Studio"


def listed(monkeypatch: pytest.MonkeyPatch, data: bytes, *, null: bool = False) -> list[str]:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(data)))
    return [str(path) for path in expand(["-"], null=null)]


def test_a_list_is_split_at_newlines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed(monkeypatch, b"a\rb.jpg\nc\x0bd\x85.jpg\n\nlast.jpg") == ["a\rb.jpg", "c\x0bd\udc85.jpg", "last.jpg"]
    assert listed(monkeypatch, b"a.jpg\r\nb.jpg\r\n\r\n") == ["a.jpg", "b.jpg"]
    assert listed(monkeypatch, b"a\r\0b\n.jpg\0", null=True) == ["a\r", "b\n.jpg"]


def test_a_name_that_no_file_can_have_is_a_line_with_an_error(store: Path, cli: Run, samples: Path) -> None:
    good = samples / "listings" / "unrelated-watch.jpg"
    done = cli("check", "x" * 300 + ".jpg", good, "--json", "--profile", "quick")
    assert done.code == 4
    assert [line["verdict"] for line in done.lines] == ["error", "no_match"]
    assert done.lines[0]["error"] == {"code": "invalid_input", "detail": "cannot read the file: File name too long"}


def test_a_file_in_a_folder_that_may_not_be_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refused)  # what root is never refused
    monkeypatch.setattr(Path, "is_dir", refused)
    assert expand(["closed/a.jpg"]) == [Path("closed/a.jpg")]


def test_a_subfolder_that_cannot_be_read_is_an_input_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/1.jpg", "b/2.jpg", "c/3.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    real = os.scandir

    def scandir(path: Any = ".") -> Any:
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert expand([str(tmp_path)]) == [tmp_path / "a/1.jpg", tmp_path / "b", tmp_path / "c/3.jpg"]


@pytest.mark.parametrize(
    "command",
    [
        ["show", b"ref_\xff"],
        ["remove", b"ref_\xff"],
        ["list", "--owner", b"\xff"],
        ["register", "x.jpg", "--owner", b"\xff"],
        ["admin", "members", "--organisation", b"\xff"],
        ["admin", "audit", "--about", b"\xff"],
        ["admin", "password", "--email", b"\xff"],
        ["admin", "key", "create", "--email", b"\xff"],
        ["admin", "key", "revoke", b"\xff"],
        ["admin", "create", "--organisation", b"\xff", "--email", "a@b.ch"],
    ],
)
def test_ids_and_owners_are_text(process: Run, store: Path, command: list[Any]) -> None:
    done = process(*command, home=store)
    assert (done.code, done.out) == (2, "")
    assert "\\u{dcff}" in done.err
    assert "[configuration]" in done.err


def test_an_owner_is_the_same_however_it_is_typed(cli: Run, samples: Path) -> None:
    composed, decomposed = "Caf\u00e9 Z\u00fcrich", "Cafe\u0301 Zu\u0308rich"
    mug = samples / "originals" / "mug.jpg"
    assert cli("register", mug, "--owner", f" {decomposed} ", "--json").line["status"] == "registered"
    assert cli("register", mug, "--owner", composed, "--json").line["status"] == "duplicate"
    for name in (composed, decomposed, f"{composed} "):
        assert [line["owner"] for line in cli("list", "--owner", name, "--json").lines] == [composed]
    assert cli("list", "--owner", " ").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "x.jpg", "--evidence", ""],
        ["check", "x.jpg", "--report", ""],
        ["list", "--home", ""],
        ["demo", "--output", ""],
        ["compare", "", "x.jpg"],
    ],
)
def test_an_empty_path_is_refused(
    cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # which an empty path would mean
    done = cli(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "empty" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_comparison_needs_no_store(cli: Run, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    original = samples / "originals" / "mug.jpg"
    done = cli("compare", original, original, "--profile", "quick", "--json", at=tmp_path / "file" / "home")
    assert (done.code, done.line["verdict"]) == (0, "copy")
    cli("compare", original, tmp_path / "none.jpg", at=tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_report_never_takes_the_place_of_a_picture(cli: Run, samples: Path, tmp_path: Path) -> None:
    picture = tmp_path / "mug.jpg"
    picture.write_bytes((samples / "originals" / "mug.jpg").read_bytes())
    done = cli("check", picture, "--report", picture)
    assert done.code == 2
    assert "not named like a page" in done.err
    assert picture.read_bytes() == (samples / "originals" / "mug.jpg").read_bytes()


def test_a_mistyped_setting_is_told(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGGUARD_PROFIL", "quick")
    done = cli("config", "show")
    assert done.code == 0
    assert "IMGGUARD_PROFIL is not a setting; is it IMGGUARD_PROFILE?" in done.err


def test_compare_keeps_its_answer_when_pictures_cannot_be_drawn(
    cli: Run, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("no ink")

    monkeypatch.setattr("imgguard.services.comparison.draw_evidence", fail)
    mug = samples / "originals" / "mug.jpg"
    done = cli("compare", mug, mug, "--evidence", tmp_path, "--json")
    assert done.code == 4
    assert done.line["verdict"] == "copy"
    assert done.line["match"]["evidence"] == {}
    assert "no pictures of it" in done.err
