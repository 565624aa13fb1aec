"""The BlobStore port on a local file system."""

import fcntl
import hashlib
import logging
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from imgguard.errors import DigestMismatch, NotFound, StoreUnavailable
from imgguard.ports.blobs import StoredFile
from imgguard.storage.folders import PRIVATE, make_folder, sync_folder

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = ".tmp"
_FILE_MODE = 0o600
_CHUNK = 1 << 20

_log = logging.getLogger(__name__)


class LocalBlobStore:
    """``aa/bb/<sha256>`` below ``root``; originals are private, so nobody but the owner of the process reads them.

    A blob appears under its name only when all of it is on the disk: temporary file, fsync, rename, fsync of folders.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._temporary = root / _TEMPORARY
        try:
            make_folder(root)
            make_folder(self._temporary)
            _sweep(self._temporary)
        except OSError as error:
            raise _unavailable(root, error) from error

    def put(self, data: bytes) -> str:
        """Store ``data`` (unless it is there, whole) and return its SHA-256. Raises StoreUnavailable."""
        sha256 = hashlib.sha256(data).hexdigest()
        target = self._path(sha256)
        try:
            if not _holds(target, data):
                self._write(target, data)
            self._settle(target)
        except OSError as error:
            raise _unavailable(target, error) from error
        return sha256

    def _settle(self, target: Path) -> None:
        """Have its name on the disk: each folder holds that of the one before. Also when another process renamed the
        file: that one may not have come as far as this, and what is acknowledged has to be durable."""
        for folder in (target.parent, target.parent.parent, self._root):
            sync_folder(folder)

    def _write(self, target: Path, data: bytes) -> None:
        with _temporary_file(self._temporary) as (temporary, descriptor):
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            _make_parents(target)
            temporary.replace(target)

    def put_file(self, file: IO[bytes]) -> StoredFile:
        """Store what is left to be read of ``file``, and return what that was. Raises StoreUnavailable."""
        digest, length = hashlib.sha256(), 0
        try:
            with _temporary_file(self._temporary) as (temporary, descriptor):
                with os.fdopen(descriptor, "wb", closefd=False) as copy:
                    while chunk := file.read(_CHUNK):
                        digest.update(chunk)
                        length += copy.write(chunk)
                    copy.flush()
                    os.fsync(descriptor)
                target = self._path(digest.hexdigest())
                _make_parents(target)
                temporary.replace(target)  # whatever was there: if not the same bytes, it was damaged
            self._settle(target)
        except OSError as error:
            raise _unavailable(self._root, error) from error
        return StoredFile(sha256=target.name, byte_length=length)

    def opened(self, sha256: str) -> IO[bytes]:
        """The file with that digest, at its beginning; the caller closes it. Raises NotFound, DigestMismatch,
        StoreUnavailable."""
        target = self._path(sha256)
        try:
            with ExitStack() as closing:
                file = closing.enter_context(target.open("rb"))
                found = hashlib.file_digest(file, "sha256").hexdigest()
                if found != sha256:
                    raise DigestMismatch(f"{target} has SHA-256 {found}")
                file.seek(0)
                closing.pop_all()
                return file
        except FileNotFoundError as error:
            raise NotFound(f"no stored file with SHA-256 {sha256}") from error
        except OSError as error:
            raise _unavailable(target, error) from error

    def get(self, sha256: str) -> bytes:
        """The bytes with that digest. Raises NotFound, DigestMismatch, StoreUnavailable."""
        target = self._path(sha256)
        try:
            data = target.read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"no stored file with SHA-256 {sha256}") from error
        except OSError as error:
            raise _unavailable(target, error) from error
        if (found := hashlib.sha256(data).hexdigest()) != sha256:
            raise DigestMismatch(f"{target} has SHA-256 {found}")
        return data

    def delete(self, sha256: str) -> None:
        """Remove the bytes; those that are not there are no error. Raises StoreUnavailable."""
        target = self._path(sha256)
        try:
            target.unlink(missing_ok=True)
            if target.parent.is_dir():
                sync_folder(target.parent)
        except OSError as error:
            raise _unavailable(target, error) from error

    def stored_at(self, sha256: str) -> datetime:
        """When the bytes were stored. Raises NotFound, StoreUnavailable."""
        target = self._path(sha256)
        try:
            return datetime.fromtimestamp(target.stat().st_mtime, UTC)
        except FileNotFoundError as error:
            raise NotFound(f"no stored file with SHA-256 {sha256}") from error
        except OSError as error:
            raise _unavailable(target, error) from error

    def digests(self) -> Iterator[str]:
        """Every stored digest, in order."""
        try:
            for first in sorted(self._root.glob("[0-9a-f][0-9a-f]")):
                for second in sorted(first.glob("[0-9a-f][0-9a-f]")):
                    yield from sorted(path.name for path in second.iterdir() if _SHA256.fullmatch(path.name))
        except OSError as error:
            raise _unavailable(self._root, error) from error

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):  # never a path made of something else
            raise NotFound(f"{sha256!r} is not a SHA-256 digest in lower-case hexadecimal")
        return self._root / sha256[:2] / sha256[2:4] / sha256


def _make_parents(target: Path) -> None:
    for folder in (target.parent.parent, target.parent):  # not parents=True, which would forget the mode
        folder.mkdir(mode=PRIVATE, exist_ok=True)


def _holds(path: Path, data: bytes) -> bool:
    """Whether the file is there with exactly these bytes: the right length alone says nothing of damage."""
    view, start = memoryview(data), 0
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != len(data):
                return False
            while chunk := file.read(_CHUNK):
                if chunk != view[start : start + len(chunk)]:
                    return False
                start += len(chunk)
    except FileNotFoundError:
        return False
    return start == len(data)


@contextmanager
def _temporary_file(folder: Path) -> Iterator[tuple[Path, int]]:
    """A new file to write to, and its descriptor; gone afterwards unless it was renamed.

    Its lock says that the writer lives. The kernel lets go of it when the writer ends, however it ends and whichever
    container or host it ran on, which a process id in the name would not tell.
    """
    while True:
        path = folder / secrets.token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                try:
                    yield path, descriptor
                finally:
                    path.unlink(missing_ok=True)
                return
            # A sweep came between creation and lock.
        finally:
            os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove temporary files whose writer is dead. They may hold bytes that were to be erased, so none may linger."""
    for path in folder.iterdir():
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        except OSError as error:
            _log.warning("the temporary file %s cannot be removed: %s", path, error.strerror)
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except BlockingIOError:  # its writer lives
            continue
        except OSError as error:
            _log.warning("the temporary file %s cannot be removed: %s", path, error.strerror)
        finally:
            os.close(descriptor)


def _unavailable(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"{path}: {error.strerror or error}")
