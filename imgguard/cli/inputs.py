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
    """Names on stdin, read as bytes: file names need not be text in any encoding."""
    data = sys.stdin.buffer.read()
    separated = data.split(b"\0") if null else data.splitlines()
    return (os.fsdecode(name) for name in separated if name)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, subfolders, names in path.walk():
        subfolders.sort()
        for name in sorted(names):
            if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                yield folder / name
