"""The BlobStore port on a local file system."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from imgguard.errors import DigestMismatch, NotFound, StoreUnavailable

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = ".tmp"
_FILE_MODE = 0o600
_FOLDER_MODE = 0o700


class LocalBlobStore:
    """``aa/bb/<sha256>`` below ``root``; originals are private, so nobody but the owner of the process reads them.

    A blob appears under its name only when all of it is on the disk: temporary file, fsync, rename, fsync of folders.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._temporary = root / _TEMPORARY
        try:
            root.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            self._temporary.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            _sweep(self._temporary)
        except OSError as error:
            raise _unavailable(root, error) from error

    def put(self, data: bytes) -> str:
        """Store ``data`` (unless it is there) and return its SHA-256. Raises StoreUnavailable."""
        sha256 = hashlib.sha256(data).hexdigest()
        target = self._path(sha256)
        try:
            if _size(target) == len(data):
                # Whoever renamed it may not have come as far as this; what is acknowledged has to be on the disk.
                _sync_folder(target.parent)
            else:
                self._write(target, data)
        except OSError as error:
            raise _unavailable(target, error) from error
        return sha256

    def _write(self, target: Path, data: bytes) -> None:
        temporary = self._temporary / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            for folder in (target.parent.parent, target.parent):  # not parents=True, which would forget the mode
                folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        for folder in (target.parent, target.parent.parent, self._root):  # each holds the name of the one before
            _sync_folder(folder)

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
                _sync_folder(target.parent)
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


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove temporary files whose writer is dead. They may hold bytes that were to be erased, so none may linger.

    A process id can have been given to another process since: such a file waits for a later sweep.
    """
    for path in folder.iterdir():
        writer = path.name.partition("-")[0]
        if not writer.isdecimal() or not _is_alive(int(writer)):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _unavailable(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"{path}: {error.strerror or error}")
