"""Connections whose answer is over for the service, and whose clients do not take the rest of it."""

import asyncio
import logging
from collections.abc import Iterable
from time import monotonic
from typing import Protocol

LINGER_SECONDS = 20.0
"""How long a client may take to read the next 64 KiB, or what is left: as for a download while it is sent."""

_CHUNK = 65_536
_log = logging.getLogger("imgguard.api")


class Connection(Protocol):
    """As uvicorn has them."""

    transport: asyncio.Transport


class Lingering:
    """For one event loop. A connection that is closed stays open until all of its buffer is sent, however long that
    takes: 64 KiB for somebody who reads a byte a second, most of a day."""

    def __init__(self) -> None:
        self._marks: dict[Connection, tuple[float, int]] = {}

    def cut(self, connections: Iterable[Connection]) -> None:
        """Those among all ``connections`` that are closing too slowly. To be called again and again."""
        now, marks = monotonic(), dict[Connection, tuple[float, int]]()
        for one in connections:
            if not one.transport.is_closing():
                continue
            left = one.transport.get_write_buffer_size()
            since, before = self._marks.get(one, (now, left))
            marks[one] = (now, left) if before - left >= _CHUNK else (since, before)
            if now - marks[one][0] >= LINGER_SECONDS:
                _log.warning("read_too_slowly: a connection was cut with %d bytes to be sent", left)
                one.transport.abort()
        self._marks = marks
