"""Evidence pictures as files."""

import re
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from PIL import Image

from imgguard.errors import ConfigurationError
from imgguard.imaging.image import Pixels


def write_evidence(pictures: Mapping[str, Pixels], *, folder: Path, stem: str) -> dict[str, Path]:
    """Each picture as ``<folder>/<stem>-<name>.png``; returns name -> path. The same input gives the same bytes.

    ``stem`` is best a finding's id; characters other than letters, digits, dot, dash and underscore become
    underscores, so that no name leads out of ``folder``. A file appears whole or not at all, and replaces an earlier
    one of that name. Raises ConfigurationError when the folder cannot be written.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", stem).lstrip(".")[:120] or "evidence"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return {name: _write(picture, target=folder / f"{safe}-{name}.png") for name, picture in pictures.items()}
    except OSError as error:
        raise ConfigurationError(
            f"evidence pictures cannot be written to {folder}: {error.strerror or error}",
            hint="Choose a folder that exists or can be made, with room and the right to write.",
        ) from error


def _write(picture: Pixels, *, target: Path) -> Path:
    """One PNG, by way of a temporary name beside it. No fsync: it can be drawn again from the finding at any time."""
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        Image.fromarray(picture).save(part, format="PNG", compress_level=2)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target
