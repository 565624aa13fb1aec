"""Pictures that are sent: their bytes, no more than may be, and what they are called."""

import unicodedata
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from fastapi import UploadFile

from imgguard.api.problems import Refused
from imgguard.services.jobs import Input
from imgguard.services.views import base_name

LONGEST_NAME = 255
"""Characters; what file systems take."""

MOST_FILES = 1000
"""In one request; the parser of forms takes no more."""

_UNNAMED = "image"


def file_name(given: str | None) -> str:
    """What a picture is called from now on: no folders, composed (NFC), and nothing in it that cannot be seen."""
    name = unicodedata.normalize("NFC", base_name(given) or "")
    shown = "".join(character for character in name if character.isprintable()).strip()
    if len(shown) > LONGEST_NAME:  # keeps what kind of file it says it is
        suffix = PurePosixPath(shown).suffix[:20]
        shown = shown[: LONGEST_NAME - len(suffix)] + suffix
    return shown if shown.strip(".") else _UNNAMED


async def picture(upload: UploadFile, *, most: int) -> Input:
    """What was sent, whatever type it claims to have: the decoder finds that out. Raises Refused (413)."""
    data = await upload.read(most + 1)
    if len(data) > most:
        raise Refused(
            413,
            f"a picture has more than {most} bytes",
            hint="Reduce it, or have the operator raise IMGGUARD_MAX_IMAGE_BYTES.",
        )
    return Input(file=file_name(upload.filename), data=data)


async def pictures(uploads: list[UploadFile], *, most: int) -> list[Input]:
    """All of them, in their order. Raises Refused (413)."""
    return [await picture(upload, most=most) for upload in uploads]


def of_url(url: str) -> Input:
    """What ``url`` delivers. Whether it may be fetched is decided by whoever fetches it."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        path = ""
    return Input(file=file_name(path), url=url)


def form_example(**fields: Any) -> dict[str, Any]:
    """``openapi_extra`` of a route that takes a form."""
    return {"requestBody": {"content": {"multipart/form-data": {"example": fields}}}}
