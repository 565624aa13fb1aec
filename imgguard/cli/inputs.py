"""PATH arguments -> files."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from imgguard.errors import ConfigurationError

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".avif", ".heic"}
    | {".heif", ".hif"}
)
"""What is picked from a folder. A file that is named explicitly is taken whatever its name."""


def expand(arguments: Iterable[str], *, null: bool = False) -> list[Path]:
    """Every file meant, in order. What does not exist is kept: it becomes a line with an error, not the end.

    Raises ConfigurationError when nothing is meant, so that a mistyped folder does not pass for success.
    """
    arguments = list(arguments)
    if arguments.count("-") > 1:
        raise ConfigurationError("stdin can be read only once", hint="Give - once.")
    paths = [path for argument in arguments for path in _meant(argument, null=null)]
    if not paths and "-" not in arguments:
        raise ConfigurationError(
            "no images in the given folders", hint=f"Looked for {' '.join(sorted(IMAGE_SUFFIXES))}"
        )
    return paths


def _meant(argument: str, *, null: bool) -> Iterator[Path]:
    if argument == "-":
        for name in _listed(null=null):
            yield from _files(Path(name))
    elif not argument:
        raise ConfigurationError("a path is empty", hint="Leave it out, or give . for the current folder.")
    else:
        yield from _files(Path(argument))


def _listed(*, null: bool) -> Iterator[str]:
    """Names on stdin, read as bytes: file names need not be text in any encoding, and may hold a carriage return."""
    data = sys.stdin.buffer.read()
    separated = data.split(b"\0") if null else [line.removesuffix(b"\r") for line in data.split(b"\n")]
    return (os.fsdecode(name) for name in separated if name)


def _files(path: Path) -> Iterator[Path]:
    """``path``, or the images below it. A folder that cannot be read is one of them, so that it is not passed over."""
    if not _is_folder(path):
        yield path
        return
    unread: list[Path] = []
    for folder, subfolders, names in path.walk(on_error=lambda error: unread.append(Path(error.filename))):
        yield from unread
        unread.clear()
        subfolders.sort()
        for name in sorted(names):
            if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                yield folder / name
    yield from unread


def _is_folder(path: Path) -> bool:
    """Also of names that the system refuses to look up, too long ones for example: reading them says why."""
    try:
        return path.is_dir()
    except OSError:
        return False
