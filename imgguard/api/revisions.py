"""ETag, If-Match and If-None-Match (RFC 9110, section 13) on objects that can be changed."""

import hashlib
from contextlib import AbstractContextManager
from typing import Annotated

from fastapi import Header, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from imgguard.errors import StaleRevision

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=500,
        description="`ETag` of the object as it was read: it is changed only if it still is like that.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=500, description="`ETag` of what is known: 304 if it still is like that."),
]


def etag_of(shown: BaseModel) -> str:
    """A strong one: of what is shown, so that it changes with everything the caller can see."""
    return f'"{hashlib.sha256(shown.model_dump_json().encode()).hexdigest()[:32]}"'


def _names(field: str, etag: str) -> bool:
    return field.strip() == "*" or etag in (part.strip() for part in field.split(","))


def require_match(field: str | None, shown: BaseModel) -> None:
    """Raises StaleRevision when ``field`` names another revision than that of ``shown``."""
    if field is not None and not _names(field, etag_of(shown)):
        raise StaleRevision("the object was changed since it was read")


def tagged(shown: BaseModel, *, known: str | None = None, status: int = 200) -> Response:
    """``shown`` with its ETag; 304 without it when that is among the ``known``."""
    etag = etag_of(shown)
    if known is not None and _names(known.replace("W/", ""), etag):
        return Response(status_code=304, headers={"ETag": etag})
    return JSONResponse(shown.model_dump(mode="json"), status_code=status, headers={"ETag": etag})


def changing(request: Request) -> AbstractContextManager[object]:
    """Held while a condition is checked and the change is made, so that no other request comes between. A command on
    the machine itself still can."""
    lock: AbstractContextManager[object] = request.app.state.changing
    return lock
