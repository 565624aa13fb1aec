"""What an attempt to send a message comes to: it has arrived, is tried again, or is given up. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from imgguard.errors import FetchFailed, FetchRefused
from imgguard.ports import Attempt, ClaimedDelivery, Posted

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After each attempt that failed; some three days together, so that a receiver may be down over a weekend."""

PATIENCE = timedelta(days=5)
"""How long a webhook may do nothing but fail before it is disabled."""

SLOW = timedelta(seconds=5)
"""What takes longer counts as a failure for whose turn it is next, also when it has arrived."""

_LONGEST_ASKED = timedelta(hours=24)
"""Of `Retry-After`: what asks for more is not waited for longer."""
_GONE = 410
_LATER = frozenset({429, 503})
_LONGEST_REASON = 300


def attempt_of(
    claimed: ClaimedDelivery,
    outcome: Posted | FetchRefused | FetchFailed,
    *,
    began: datetime,
    at: datetime,
    lot: Callable[[], float],
) -> Attempt:
    """Of one that lasted from ``began`` to ``at``. ``lot`` draws from 0 to 1: pauses are up to a fifth longer than
    those in `PAUSES`, so that messages that failed together do not all come together again."""
    is_slow = at - began > SLOW
    if isinstance(outcome, Posted) and 200 <= outcome.status < 300:
        return Attempt(at=at, status=outcome.status, error=None, is_slow=is_slow)
    status, reason = _failure(outcome)
    if status == _GONE:
        because = "the receiver answered 410 Gone: it wants no more messages"
        return Attempt(at=at, status=status, error=reason, is_slow=is_slow, disable_because=because)
    since = claimed.webhook.failing_since
    is_hopeless = since is not None and at - since >= PATIENCE
    return Attempt(
        at=at,
        status=status,
        error=reason,
        is_slow=is_slow,
        next_at=_next_at(claimed, outcome, at=at, lot=lot),
        disable_because=f"all attempts have failed for {PATIENCE.days} days" if is_hopeless else None,
    )


def _failure(outcome: Posted | FetchRefused | FetchFailed) -> tuple[int | None, str]:
    if not isinstance(outcome, Posted):
        return None, outcome.detail[:_LONGEST_REASON]
    if 300 <= outcome.status < 400:
        return outcome.status, f"the receiver answered {outcome.status}: redirects are not followed"
    return outcome.status, f"the receiver answered {outcome.status}"


def _next_at(
    claimed: ClaimedDelivery, outcome: Posted | FetchRefused | FetchFailed, *, at: datetime, lot: Callable[[], float]
) -> datetime | None:
    done = claimed.delivery.attempts
    if done >= len(PAUSES):
        return None
    next_at = at + PAUSES[done] * (1 + lot() / 5)
    if isinstance(outcome, Posted) and outcome.status in _LATER:
        next_at = max(next_at, at + min(_asked(outcome.retry_after, at), _LONGEST_ASKED))
    return next_at


def _asked(retry_after: str | None, at: datetime) -> timedelta:
    """What `Retry-After` (RFC 9110, section 10.2.3) says: seconds or a date; nothing, if it says neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return timedelta()
    return (until if until.tzinfo is not None else until.replace(tzinfo=UTC)) - at
