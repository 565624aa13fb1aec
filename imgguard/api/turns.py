"""Whose turn it is, where work holds up others: so many at a time, and so many of them for one organisation."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from imgguard.errors import Overloaded


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRoom:
    """How many may wait: in all, and of one organisation."""

    most: int
    each: int


class Turns:
    """``most`` at a time, ``each`` of one organisation; ``busy`` is said to those who have waited too long, and at once
    to those for whom there is no ``room`` to wait in.

    For one event loop.
    """

    def __init__(self, most: int, *, each: int, busy: str, room: WaitingRoom | None = None) -> None:
        self._all = asyncio.Semaphore(most)
        self._each = each
        self._busy = busy
        self._room = room
        self._waiting: Counter[str] = Counter()
        self._own: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, organisation_id: str, *, patience: float) -> AsyncIterator[None]:
        """Inside, it is the organisation's turn. Raises Overloaded after ``patience`` seconds, or without room."""
        own = self._own.setdefault(organisation_id, asyncio.Semaphore(self._each))
        async with AsyncExitStack() as taken:
            with self._seat(organisation_id):
                try:
                    async with asyncio.timeout(patience):
                        for turns in (own, self._all):  # who waits for their own takes nothing from others
                            await taken.enter_async_context(turns)
                except TimeoutError:
                    raise Overloaded(self._busy, retry_after=2.0) from None
            yield

    @contextmanager
    def _seat(self, organisation_id: str) -> Iterator[None]:
        """While it waits. Raises Overloaded."""
        room, waiting = self._room, self._waiting
        if room is not None and (waiting.total() >= room.most or waiting[organisation_id] >= room.each):
            raise Overloaded(self._busy, retry_after=10.0)
        waiting[organisation_id] += 1
        try:
            yield
        finally:
            waiting[organisation_id] -= 1
            if not waiting[organisation_id]:
                del waiting[organisation_id]
