"""When a request is sent again, and after how long. Knows nothing of HTTP but the field `Retry-After`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from secrets import SystemRandom

_uniform = SystemRandom().uniform


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """At most ``attempts`` times in all. Pauses double from ``first_pause`` to ``longest_pause`` seconds, less up to a
    half by chance, so that clients that were refused together do not come back together.

    A server that asks for more than ``longest_wait`` seconds is taken at its word: it is not asked again.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = 15.0
    longest_wait: float = 60.0

    def pause(
        self, attempt: int, *, retry_after: float | None = None, uniform: Callable[[float, float], float] = _uniform
    ) -> float | None:
        """Seconds to wait after the ``attempt``, which counts from 1; None to give up."""
        if attempt >= self.attempts:
            return None
        pause = min(self.first_pause * 2 ** (attempt - 1), self.longest_pause)
        if retry_after is None:
            return uniform(pause / 2, pause)
        if retry_after > self.longest_wait:
            return None
        return retry_after + uniform(0, pause / 2)  # never earlier than asked for


def retry_after_of(field: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds from the field `Retry-After` (RFC 9110, 10.2.3), a number or a date; None when it cannot be read."""
    if field is None:
        return None
    text = field.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
