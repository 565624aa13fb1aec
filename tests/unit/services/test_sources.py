"""Reading what is handed in."""

import os
from pathlib import Path

import pytest

from imgguard.errors import ImageTooLarge, InputError
from imgguard.services.sources import read, source_of


def test_the_bytes_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read(source_of(path), max_bytes=5) == b"12345"
    with pytest.raises(ImageTooLarge, match="5 bytes, the limit is 4"):
        read(source_of(path), max_bytes=4)


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "loop", tmp_path / "none", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(InputError):
            read(source_of(path), max_bytes=100)


def test_a_file_without_permission_names_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        read(source_of(tmp_path / "a"), max_bytes=1)


def test_any_name_can_be_stored_and_printed() -> None:
    assert source_of(Path(os.fsdecode(b"a\xff.jpg"))).file == "a\\xff.jpg"
    assert source_of(Path("Ärmel/裙子.jpg")).file == "Ärmel/裙子.jpg"
