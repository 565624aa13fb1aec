"""Work on passwords, apart from all else: it is slow on purpose, and must not take the threads of other requests."""

from collections.abc import Callable

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Request

from imgguard.errors import Overloaded

AT_ONCE = 2
WAITING = 16
"""Beyond that many, at some 100 ms each on two cores, people would wait for longer than they like."""


def limiter() -> CapacityLimiter:
    """One for each application."""
    return CapacityLimiter(AT_ONCE)


async def apart[Result](request: Request, work: Callable[[], Result]) -> Result:
    """What ``work`` returns. Raises Overloaded when too many wait, and what ``work`` raises."""
    slots: CapacityLimiter = request.app.state.passwords
    if slots.statistics().tasks_waiting >= WAITING:
        raise Overloaded("too many are signing in at the same time", retry_after=2.0)
    return await run_sync(work, limiter=slots)
