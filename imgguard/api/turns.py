"""Whose turn it is, where work holds up others: so many at a time, and so many of them for one organisation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from imgguard.errors import Overloaded


class Turns:
    """``most`` at a time, ``each`` of one organisation; ``busy`` is said to those who have waited too long.

    For one event loop.
    """

    def __init__(self, most: int, *, each: int, busy: str) -> None:
        self._all = asyncio.Semaphore(most)
        self._each = each
        self._busy = busy
        self._own: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, organisation_id: str, *, patience: float) -> AsyncIterator[None]:
        """Inside, it is the organisation's turn. Raises Overloaded after ``patience`` seconds."""
        own = self._own.setdefault(organisation_id, asyncio.Semaphore(self._each))
        async with AsyncExitStack() as taken:
            try:
                async with asyncio.timeout(patience):
                    for turns in (own, self._all):  # who waits for their own takes nothing from others
                        await taken.enter_async_context(turns)
            except TimeoutError:
                raise Overloaded(self._busy, retry_after=2.0) from None
            yield
