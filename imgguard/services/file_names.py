"""What files are called from now on, whatever they were called by strangers."""

import unicodedata
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from imgguard.services.views import base_name

LONGEST_NAME = 255
"""Characters; what file systems take."""

UNNAMED = "image"


def file_name(given: str | None, *, unnamed: str = UNNAMED) -> str:
    """No folders, composed (NFC), and nothing in it that cannot be seen; ``unnamed`` when nothing is left."""
    name = unicodedata.normalize("NFC", base_name(given) or "")
    shown = "".join(character for character in name if character.isprintable()).strip()
    if len(shown) > LONGEST_NAME:  # keeps what kind of file it says it is
        suffix = PurePosixPath(shown).suffix[:20]
        shown = shown[: LONGEST_NAME - len(suffix)] + suffix
    return shown if shown.strip(".") else unnamed


def name_of_url(url: str, *, unnamed: str = UNNAMED) -> str:
    """The last part of its path."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        path = ""
    return file_name(path, unnamed=unnamed)
