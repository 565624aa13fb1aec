"""What is particular to the blob store on a local disk."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imgguard.errors import DigestMismatch, NotFound, StoreUnavailable
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


def test_damage_of_the_same_length_is_repaired_by_storing_again(root: Path) -> None:
    store = LocalBlobStore(root)
    digest = store.put(b"picture")
    (root / digest[:2] / digest[2:4] / digest).write_bytes(b"pictura")
    assert store.put(b"picture") == digest
    assert store.get(digest) == b"picture"


def test_what_is_whole_is_not_written_again(root: Path) -> None:
    store = LocalBlobStore(root)
    data = os.urandom(3_000_000)
    digest = store.put(data)
    before = (root / digest[:2] / digest[2:4] / digest).stat()
    store.put(data)
    assert (root / digest[:2] / digest[2:4] / digest).stat() == before
    assert abs(datetime.now(UTC) - store.stored_at(digest)) < timedelta(minutes=1)
    with pytest.raises(NotFound):
        store.stored_at("0" * 64)


WRITER = """
import os, pathlib, sys
from imgguard.storage import blobs
def wait(descriptor):
    print("writing", flush=True)
    sys.stdin.readline()
    real(descriptor)
real, os.fsync = os.fsync, wait
store = blobs.LocalBlobStore(pathlib.Path(sys.argv[1]))
print(store.put(b"picture"), flush=True)
"""


@pytest.fixture
def writer(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of storing a picture; each line that it is sent lets it go on with the next fsync."""
    LocalBlobStore(root)
    command = [sys.executable, "-c", WRITER, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def test_only_leftovers_of_dead_writers_are_swept(root: Path, writer: subprocess.Popen[str]) -> None:
    """Whatever its process id is in our view: the writer may run in another container, or on another host."""
    (left,) = (root / ".tmp").iterdir()
    left = left.rename(left.with_name("4194305-00ff"))  # an id that no process here can have
    strange = root / ".tmp" / "strange"
    strange.write_bytes(b"half a pict")
    LocalBlobStore(root)
    assert list((root / ".tmp").iterdir()) == [left]
    writer.kill()
    writer.wait()
    LocalBlobStore(root)
    assert list((root / ".tmp").iterdir()) == []


def test_a_sweep_during_a_write_harms_nothing(root: Path, writer: subprocess.Popen[str]) -> None:
    LocalBlobStore(root)
    out, _ = writer.communicate("\n" * 10)
    digest = out.split()[-1]
    assert LocalBlobStore(root).get(digest) == b"picture"


def test_a_leftover_that_cannot_be_removed_stops_nothing(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    LocalBlobStore(root)
    (root / ".tmp" / "stuck").mkdir()
    store = LocalBlobStore(root)
    assert "stuck" in caplog.text
    assert store.get(store.put(b"picture")) == b"picture"


def test_every_name_on_the_way_to_a_blob_is_synced(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a power cut could take the folders away, with everything acknowledged in them."""
    synced: list[Path] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    store = LocalBlobStore(root)
    assert {root.parent, root.parent.parent} <= set(synced)
    digest = store.put(b"picture")
    folders = [root / digest[:2] / digest[2:4], root / digest[:2], root]
    assert synced[-3:] == folders
    store.put(b"picture")  # whoever stored it may not have come that far
    assert synced[-3:] == folders


def test_a_write_that_fails_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalBlobStore(root)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="No space"):
        store.put(b"picture")
    assert list(store.digests()) == []
    assert list((root / ".tmp").iterdir()) == []


def test_a_root_that_is_a_file(root: Path) -> None:
    root.parent.mkdir()
    root.write_text("")
    with pytest.raises(StoreUnavailable):
        LocalBlobStore(root)
