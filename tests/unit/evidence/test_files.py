"""Files that appear whole or not at all, also in folders that others write to."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from imgguard.errors import ConfigurationError
from imgguard.evidence import files
from imgguard.evidence.files import check_file, check_folder, replacing, write_evidence


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text("old")
    with replacing(target) as file:
        file.write(b"new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_what_fails_underway_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text("old")

    def fail() -> None:
        with replacing(target) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("theirs")
    target = tmp_path / "page.html"
    target.symlink_to(other)
    with replacing(target) as file:
        file.write(b"new")
    assert (other.read_text(), target.read_text(), target.is_symlink()) == ("theirs", "new", False)


def test_a_link_at_the_temporary_name_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.write_text("theirs")
    (tmp_path / ".planted.part").symlink_to(other)
    monkeypatch.setattr(files, "_part", lambda target: target.with_name(".planted.part"))
    with pytest.raises(FileExistsError), replacing(tmp_path / "page.html"):
        pass
    assert other.read_text() == "theirs"
    assert (tmp_path / ".planted.part").is_symlink()


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    target, together = tmp_path / "page.html", threading.Barrier(2, timeout=5)

    def write(text: bytes) -> None:
        with replacing(target) as file:
            file.write(text)
            together.wait()

    threads = [threading.Thread(target=write, args=(text,)) for text in (b"one", b"two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_text() in {"one", "two"}
    assert list(tmp_path.iterdir()) == [target]


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 250 + ".html")
    check_file(target)
    with replacing(target) as file:
        file.write(b"new")


@pytest.mark.parametrize("name", [".", "..", "folder", "file/page.html", "x" * 300, "pipe"])
def test_where_no_file_can_be_is_known_beforehand(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigurationError):
        check_file(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


def test_where_a_file_can_be_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "old.html").write_text("old")
    check_file(tmp_path / "old.html")
    check_file(tmp_path / "made" / "page.html")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["made", "old.html"]
    assert (tmp_path / "old.html").read_text() == "old"


def test_a_folder_that_cannot_be_written_is_known_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_folder(tmp_path / "a" / "b")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError):
        check_folder(tmp_path / "file")

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files, "_probe", refused)  # what root is never refused
    with pytest.raises(ConfigurationError, match="Permission denied"):
        check_folder(tmp_path / "a")


def test_evidence_is_written_whole(tmp_path: Path) -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    written = write_evidence({"aligned": picture}, folder=tmp_path / "e", stem="../fnd_1")
    assert list(written.values()) == list((tmp_path / "e").iterdir())
    assert written["aligned"].parent == tmp_path / "e"
