"""Files that are made when they are asked for: written first, then sent, so that nothing but the file is held for those
who read slowly."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import IO

from anyio import fail_after
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from imgguard.errors import InputError, StoreUnavailable

MOST_BYTES = 250_000_000
"""Of one file; the result of the ten thousand pictures that a feed may have has some ten million."""

SEND_SECONDS = 300.0
WRITE_SECONDS = 20.0
"""How long a client may take to read the next 64 KiB."""

_CHUNK = 65_536
_log = logging.getLogger("imgguard.api")


class Download(StreamingResponse):
    """The file that ``make`` makes, sent within `SEND_SECONDS`, and closed; all of it in ``turn``.

    What goes wrong before the first byte is sent is told as a problem.
    """

    def __init__(
        self,
        make: Callable[[], Awaitable[IO[bytes]]],
        *,
        turn: AbstractAsyncContextManager[None],
        media_type: str,
        name: str,
    ) -> None:
        fields = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(iter(()), media_type=media_type, headers=fields)
        self._make = make
        self._turn = turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._turn:
            with await self._make() as file:
                self.headers["Content-Length"] = str(file.seek(0, 2))
                file.seek(0)
                self.body_iterator = iterate_in_threadpool(iter(partial(file.read, _CHUNK), b""))
                began = monotonic()
                try:
                    with fail_after(SEND_SECONDS):
                        await super().__call__(scope, receive, partial(_send_in_time, send))
                except TimeoutError:  # the server closes the connection, since there is less than was announced
                    request_id, total = scope.get("state", {}).get("request_id"), self.headers["Content-Length"]
                    told = "%s: read_too_slowly: after %.0f seconds at most %d of %s bytes were taken"
                    _log.warning(told, request_id, monotonic() - began, file.tell(), total)


async def _send_in_time(send: Send, message: Message) -> None:
    with fail_after(WRITE_SECONDS):
        await send(message)


def written(texts: Iterable[str], folder: Path) -> IO[bytes]:
    """A file in ``folder`` with no name there, which is gone when it is closed, however the process ends.

    Raises InputError beyond `MOST_BYTES`, StoreUnavailable when it cannot be written, and what ``texts`` raises.
    """
    size = 0
    try:
        with ExitStack() as closing:
            file = closing.enter_context(TemporaryFile(dir=folder))
            for text in texts:
                size += file.write(text.encode())
                if size > MOST_BYTES:
                    raise InputError(
                        f"the result has more than {MOST_BYTES} bytes, the limit", hint="Make several feeds of it."
                    )
            file.flush()
            closing.pop_all()
            return file
    except OSError as error:
        raise StoreUnavailable(f"the result cannot be written: {error.strerror}") from error
