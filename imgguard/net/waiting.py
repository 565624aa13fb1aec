"""How long a server asks to be left alone (RFC 9110, section 10.2.3)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from imgguard.net.exchange import Answer

LONGEST_WAIT = 86_400.0
"""Seconds. Of `Retry-After`: what asks for more is not waited for longer."""

_SECOND = timedelta(seconds=1)


def seconds_to_wait(answer: Answer, *, now: datetime) -> float | None:
    """What `Retry-After` says: seconds, or those until a date; None for what is neither."""
    text = (answer.header("retry-after") or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    until = (at.replace(tzinfo=at.tzinfo or UTC) - now) / _SECOND
    return min(max(0.0, until), LONGEST_WAIT)
