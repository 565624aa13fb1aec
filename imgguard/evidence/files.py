"""Pictures and pages as files: each appears whole or not at all, and takes the place of an earlier one."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

from PIL import Image

from imgguard.errors import ConfigurationError
from imgguard.imaging.image import Pixels


def write_evidence(pictures: Mapping[str, Pixels], *, folder: Path, stem: str) -> dict[str, Path]:
    """Each picture as ``<folder>/<stem>-<name>.png``; returns name -> path. The same input gives the same bytes.

    ``stem`` is best a finding's id; characters other than letters, digits, dot, dash and underscore become
    underscores, so that no name leads out of ``folder``. Raises ConfigurationError when the folder cannot be written.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", stem).lstrip(".")[:120] or "evidence"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return {name: _write(picture, target=folder / f"{safe}-{name}.png") for name, picture in pictures.items()}
    except OSError as error:
        raise _refused(folder, error) from error


def _write(picture: Pixels, *, target: Path) -> Path:
    with replacing(target) as file:
        Image.fromarray(picture).save(file, format="PNG", compress_level=2)
    return target


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which becomes ``target`` at the end, unless something is raised meanwhile. Raises OSError.

    Its temporary name cannot be foreseen, and no link is followed: the folder may be one that others write to, and two
    runs may write the same file. No fsync: what is written here can be made again.
    """
    part = _part(target)
    with part.open("xb") as file:
        try:
            yield file
            file.flush()
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def check_file(target: Path) -> None:
    """Make the folder of ``target``. Raises ConfigurationError unless a file can be written there."""
    try:
        if target.is_dir():
            raise ConfigurationError(f"{target} is a folder", hint="Give the name of a file.")
        if target.exists() and not target.is_file():
            raise ConfigurationError(f"{target} is not a regular file", hint="Give the name of a file.")
        target.parent.mkdir(parents=True, exist_ok=True)
        _probe(target)
    except OSError as error:
        raise _refused(target, error) from error


def check_folder(folder: Path) -> None:
    """Make ``folder``. Raises ConfigurationError unless files can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _probe(folder / "probe")
    except OSError as error:
        raise _refused(folder, error) from error


def _probe(target: Path) -> None:
    part = _part(target)
    part.open("xb").close()
    part.unlink()


def _part(target: Path) -> Path:
    return target.with_name(f".{uuid4().hex}.part")


def _refused(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"cannot write to {path}: {error.strerror or error}",
        hint="Choose a place with room, that exists or can be made, and that you may write to.",
    )
