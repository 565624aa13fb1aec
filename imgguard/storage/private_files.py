"""Files of the home folder that hold keys: made once, whole, for this user alone."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from imgguard.storage.folders import sync_folder

FILE_MODE = 0o600


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The bytes of ``path``, which is made of ``make()`` when it is not there.

    Several processes may do so at the same time: the first to link its file is the one that counts. Raises OSError.
    """
    if not path.exists():
        _make(path, make())
    return path.read_bytes()


def _make(path: Path, data: bytes) -> None:
    made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(made, path)
        except FileExistsError:
            return
        sync_folder(path.parent)
    finally:
        made.unlink()
