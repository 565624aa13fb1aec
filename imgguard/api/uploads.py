"""Pictures and feeds that are sent: their bytes, no more than may be, and what they are called."""

from typing import Any

from fastapi import UploadFile

from imgguard.api.problems import Refused
from imgguard.services.file_names import file_name, name_of_url
from imgguard.services.jobs import Input

MOST_FILES = 1000
"""In one request; the parser of forms takes no more."""


async def picture(upload: UploadFile, *, most: int) -> Input:
    """What was sent, whatever type it claims to have: the decoder finds that out. Raises Refused (413)."""
    data = await _read(upload, "a picture", most=most, setting="IMGGUARD_MAX_IMAGE_BYTES")
    return Input(file=file_name(upload.filename), data=data)


async def feed(upload: UploadFile, *, most: int) -> bytes:
    """The bytes of a product feed. Raises Refused (413)."""
    return await _read(upload, "a feed", most=most, setting="IMGGUARD_FEED_MAX_BYTES")


async def _read(upload: UploadFile, what: str, *, most: int, setting: str) -> bytes:
    data = await upload.read(most + 1)
    if len(data) > most:
        raise Refused(
            413, f"{what} has more than {most} bytes", hint=f"Reduce it, or have the operator raise {setting}."
        )
    return data


async def pictures(uploads: list[UploadFile], *, most: int) -> list[Input]:
    """All of them, in their order. Raises Refused (413)."""
    return [await picture(upload, most=most) for upload in uploads]


def of_url(url: str) -> Input:
    """What ``url`` delivers. Whether it may be fetched is decided by whoever fetches it."""
    return Input(file=name_of_url(url), url=url)


def form_example(**fields: Any) -> dict[str, Any]:
    """``openapi_extra`` of a route that takes a form."""
    return {"requestBody": {"content": {"multipart/form-data": {"example": fields}}}}
