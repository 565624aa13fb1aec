"""What is particular to the blob store on a local disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imgguard.errors import DigestMismatch, StoreUnavailable
from imgguard.storage import blobs as module
from imgguard.storage.blobs import LocalBlobStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "home" / "originals"


def test_files_are_private_and_lie_under_their_digest(root: Path) -> None:
    before = os.umask(0)
    try:
        digest = LocalBlobStore(root).put(b"picture")
    finally:
        os.umask(before)
    assert (root / digest[:2] / digest[2:4] / digest).read_bytes() == b"picture"
    for path in root.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_altered_bytes_are_told(root: Path) -> None:
    store = LocalBlobStore(root)
    digest = store.put(b"picture")
    (root / digest[:2] / digest[2:4] / digest).write_bytes(b"pictura")
    with pytest.raises(DigestMismatch, match=digest):
        store.get(digest)


def test_a_blob_cut_short_is_written_again(root: Path) -> None:
    store = LocalBlobStore(root)
    digest = store.put(b"picture")
    (root / digest[:2] / digest[2:4] / digest).write_bytes(b"pic")
    assert store.put(b"picture") == digest
    assert store.get(digest) == b"picture"


def test_leftovers_of_dead_processes_are_swept(root: Path) -> None:
    LocalBlobStore(root)
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    left, strange = root / ".tmp" / f"{int(dead.stdout)}-00ff", root / ".tmp" / "strange"
    alive = root / ".tmp" / f"{os.getpid()}-00ff"
    for path in (left, strange, alive):
        path.write_bytes(b"half a pict")
    LocalBlobStore(root)
    assert sorted((root / ".tmp").iterdir()) == [alive]


def test_a_write_that_fails_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalBlobStore(root)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="No space"):
        store.put(b"picture")
    assert list(store.digests()) == []
    assert list((root / ".tmp").iterdir()) == []


def test_a_root_that_is_a_file(root: Path) -> None:
    root.parent.mkdir()
    root.write_text("")
    with pytest.raises(StoreUnavailable):
        LocalBlobStore(root)
