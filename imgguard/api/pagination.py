"""Lists, a page at a time. A cursor says where to go on; what it is made of is nobody's business but this module's."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from imgguard.errors import InvalidCursor

LONGEST_PAGE = 500
_CHECK_BYTES = 8


class PageOf[Item: BaseModel](BaseModel):
    """``next_cursor`` is null on the last page."""

    items: list[Item]
    next_cursor: str | None


class PageAsked(BaseModel):
    """Which page, and how long."""

    cursor: str | None
    limit: int

    def after(self, kind: str, **filters: str | None) -> str:
        """The id behind which the page begins; empty for the first. Raises InvalidCursor."""
        return "" if self.cursor is None else decoded(self.cursor, kind, filters)


def _page(
    cursor: Annotated[
        str | None, Query(max_length=500, description="`next_cursor` of the page before.", examples=["Y3Vyc29y"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="Most items on the page.")] = 100,
) -> PageAsked:
    return PageAsked(cursor=cursor, limit=limit)


PageDep = Annotated[PageAsked, Depends(_page)]


def encoded(after: str, kind: str, filters: Mapping[str, str | None]) -> str:
    """A cursor for the list ``kind`` under ``filters``."""
    body = json.dumps([kind, after, _given(filters)], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_check(body) + body).decode().rstrip("=")


def decoded(cursor: str, kind: str, filters: Mapping[str, str | None]) -> str:
    """The id in it. Raises InvalidCursor for one that was altered or is of another list.

    It is checked, not signed: whoever could make one up would see only what may be seen anyway, since services ask
    the actor, never the cursor.
    """
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidCursor("this is not a cursor") from None
    check, body = data[:_CHECK_BYTES], data[_CHECK_BYTES:]
    if check != _check(body):
        raise InvalidCursor("this is not a cursor")
    found_kind, after, found_filters = json.loads(body)
    if found_kind != kind or found_filters != _given(filters):
        raise InvalidCursor("the cursor is of another list, or of the same one with other filters")
    return str(after)


def _given(filters: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in sorted(filters.items()) if value is not None}


def _check(body: bytes) -> bytes:
    return hashlib.sha256(b"imgguard cursor" + body).digest()[:_CHECK_BYTES]


def page_of[Record](
    records: Iterable[Record], asked: PageAsked, kind: str, *, key: Callable[[Record], str], **filters: str | None
) -> tuple[list[Record], str | None]:
    """The page of ``records``, which come in the order of their ids, and the cursor of the next one."""
    after = asked.after(kind, **filters)
    behind = (record for record in records if key(record) > after)
    return cut(list(islice(behind, asked.limit + 1)), asked, kind, key=key, **filters)


def page_answer(views: Iterable[BaseModel], cursor: str | None, **further: object) -> Response:
    """Models that are what is to be sent already, and need not be validated once more. ``further`` is plain JSON."""
    return JSONResponse({"items": [view.model_dump(mode="json") for view in views], "next_cursor": cursor, **further})


def cut[Record](
    records: list[Record], asked: PageAsked, kind: str, *, key: Callable[[Record], str], **filters: str | None
) -> tuple[list[Record], str | None]:
    """As `page_of`, when one more than the page takes was read from where it begins."""
    page = records[: asked.limit]
    return page, encoded(key(page[-1]), kind, filters) if len(records) > len(page) else None
