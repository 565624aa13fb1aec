"""Pictures on their way to the server: read as they are sent, and from the beginning again when sent again."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import IO, cast

type Source = str | os.PathLike[str] | bytes | IO[bytes]
"""A path, the bytes themselves, or a file that is open for reading bytes."""

_IN_MEMORY = 4_000_000


class _LaterFile:
    """A file that is opened when it is read: a thousand of them can wait their turn.

    Has what httpx asks of files: `read`, `tell`, and `seek` to the beginning or to the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = path.stat().st_size
        self._file: IO[bytes] | None = None
        self._left = self._size

    def read(self, size: int = -1) -> bytes:
        """No more than the file had at first: the length was told to the server by then."""
        if self._file is None:
            self._file = self._path.open("rb")
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        if not data:
            self._file.close()
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            return self._size
        if offset:
            raise io.UnsupportedOperation("only to the beginning")
        self.close()
        return 0

    def tell(self) -> int:
        return 0

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._left = None, self._size


@contextmanager
def opened(source: Source, *, file: str | None = None) -> Iterator[tuple[str, bytes | IO[bytes]]]:
    """Name and content of ``source``. Raises OSError, TypeError for a file that was opened as text."""
    file = None if file is None else _text(file)
    if isinstance(source, bytes | bytearray | memoryview):
        yield file or "image", bytes(source)
        return
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        later = _LaterFile(path)
        try:
            yield file or _text(path.name), cast(IO[bytes], later)
        finally:
            later.close()
        return
    if isinstance(source, io.TextIOBase):
        raise TypeError("open the file for reading bytes, not text")
    name = file or _name_of(source)
    if source.seekable() and source.tell() == 0:
        yield name, source
        return
    with SpooledTemporaryFile[bytes](max_size=_IN_MEMORY) as copy:  # it could not be sent again from where it stands
        copyfileobj(source, copy)
        copy.seek(0)
        yield name, cast(IO[bytes], copy)


def _name_of(source: IO[bytes]) -> str:
    name = getattr(source, "name", None)
    return _text(Path(name).name) if isinstance(name, str) and name else "image"


def _text(name: str) -> str:
    """Bytes that are no UTF-8 become ``\\xNN``, since no header can hold them."""
    return os.fsencode(name).decode("utf-8", "backslashreplace") or "image"
