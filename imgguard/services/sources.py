"""The files that are handed in: read within the limits, and named so that any name can be stored and printed."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from imgguard.errors import ImageTooLarge, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One input. ``file`` is its path as the caller gave it, as valid Unicode."""

    path: Path
    file: str


def source_of(path: Path) -> Source:
    """``path`` with a printable name: bytes that are no UTF-8 become ``\\xNN``, since no JSON text can hold them."""
    return Source(path=path, file=os.fsencode(path).decode("utf-8", "backslashreplace"))


def read(source: Source, *, max_bytes: int) -> bytes:
    """The bytes of a regular file; at most ``max_bytes``. Raises InputError, ImageTooLarge."""
    try:
        # Without blocking: opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the file: {_said(error)}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError("not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(descriptor).st_size
        if size > max_bytes:
            raise ImageTooLarge(f"{size} bytes, the limit is {max_bytes}")
        try:
            data = file.read(max_bytes + 1)
        except OSError as error:
            raise InputError(f"cannot read the file: {_said(error)}") from error
    if len(data) > max_bytes:
        raise ImageTooLarge(f"more than {max_bytes} bytes, the limit")
    return data


def _said(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
