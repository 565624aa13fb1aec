"""ETag, If-Match and If-None-Match (RFC 9110, section 13) on objects that can be changed."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
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


class Changing:
    """A lock for each object that is being changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def of(self, object_id: str) -> Iterator[None]:
        with self._lock:
            own, count = self._held.get(object_id, (threading.Lock(), 0))
            self._held[object_id] = own, count + 1
        try:
            with own:
                yield
        finally:
            with self._lock:
                own, count = self._held[object_id]
                if count == 1:
                    del self._held[object_id]
                else:
                    self._held[object_id] = own, count - 1


def changing(request: Request, object_id: str) -> AbstractContextManager[None]:
    """Held while a condition on the object is checked and the change is made, so that no other request changes it in
    between. A command on the machine itself still can."""
    locks: Changing = request.app.state.changing
    return locks.of(object_id)
