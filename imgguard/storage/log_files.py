"""The LogFiles port on a local file system."""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imgguard.errors import ConfigurationError, InputError, NotFound, StoreUnavailable
from imgguard.provenance.keys import parse_pem
from imgguard.storage.folders import make_folder, sync_folder
from imgguard.storage.locks import file_lock

CHECKPOINT = "checkpoint"
_TEMPORARY = ".writing"
_LOCK = ".lock"
_FILE_MODE = 0o600
_LONGEST_KEY = 10_000

_PATH = re.compile(r"tile/(?:entries|[0-9]|[1-5][0-9]|6[0-3])(?:/x[0-9]{3})*/[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?")
"""Of tiles and bundles, and nothing that leads elsewhere."""


def read_key(path: Path) -> Ed25519PrivateKey:
    """The private key in the file. Raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            return parse_pem(file.read(_LONGEST_KEY))
    except OSError as error:
        raise ConfigurationError(f"the key of the log cannot be read: {path}: {error.strerror}") from error
    except InputError as error:
        raise ConfigurationError(f"{path}: {error.detail}", hint=error.advice) from error


class LocalLogFiles:
    """Below ``root``, as any web server could give them out: temporary file, fsync, rename; `settle` syncs folders."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unsettled: set[Path] = set()
        self._within = threading.Lock()

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._within:
            try:
                make_folder(self._root)
            except OSError as error:
                raise _unavailable(self._root, error) from error
            with file_lock(self._root / _LOCK):
                try:
                    yield
                finally:
                    self._unsettled.clear()

    def read(self, path: str) -> bytes:
        try:
            return self._place(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound(f"the log has no {path}", hint="Read the checkpoint, then what belongs to it.") from error
        except OSError as error:
            raise _unavailable(self._root / path, error) from error

    def write(self, path: str, data: bytes) -> None:
        target, temporary = self._place(path), self._root / _TEMPORARY
        try:
            make_folder(target.parent)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(target)
        except OSError as error:
            raise _unavailable(target, error) from error
        self._unsettled.add(target.parent)

    def settle(self) -> None:
        folders = {
            above for one in self._unsettled for above in (one, *one.parents) if above.is_relative_to(self._root)
        }
        for folder in sorted(folders, reverse=True):
            try:
                sync_folder(folder)
            except OSError as error:
                raise _unavailable(folder, error) from error
        self._unsettled.clear()

    def discard(self, path: str) -> None:
        partial = self._place(path)
        partial = partial.with_name(partial.name + ".p")
        try:
            shutil.rmtree(partial)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unavailable(partial, error) from error
        self._unsettled.discard(partial)

    def _place(self, path: str) -> Path:
        if path != CHECKPOINT and not _PATH.fullmatch(path):  # never a path made of something else
            raise NotFound(f"the log has no {path[:80]!r}", hint="Read the checkpoint, then what belongs to it.")
        return self._root / path


def _unavailable(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"{path}: {error.strerror or error}")
