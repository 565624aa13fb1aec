"""Work of signing in, apart from all else, since it must not take the threads of other requests: passwords are slow on
purpose, and an identity provider can be slow for any reason."""

from collections.abc import Callable

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Request

from imgguard.errors import Overloaded

AT_ONCE = 2
WAITING = 16
"""Beyond that many, at some 100 ms each on two cores, people would wait for longer than they like."""


AT_PROVIDER = 4
"""Each waits for ten seconds at most; where the provider is quick, these serve hundreds a minute."""


def limiter(at_once: int = AT_ONCE) -> CapacityLimiter:
    """One for each application, and each kind of work."""
    return CapacityLimiter(at_once)


async def apart[Result](request: Request, work: Callable[[], Result], *, at_provider: bool = False) -> Result:
    """What ``work`` returns: on passwords, or ``at_provider``. Raises Overloaded when too many wait, and what ``work``
    raises."""
    slots: CapacityLimiter = request.app.state.at_provider if at_provider else request.app.state.passwords
    if slots.statistics().tasks_waiting >= WAITING:
        raise Overloaded("too many are signing in at the same time", retry_after=2.0)
    return await run_sync(work, limiter=slots)
