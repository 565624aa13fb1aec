"""How often a caller may ask: token buckets in memory. Knows nothing of HTTP but the form of its two fields."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

_MOST_SUBJECTS = 100_000
"""Buckets that are kept; about 20 MB. Beyond, the one that was asked for least recently starts anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``quota`` requests within ``window`` seconds, all at once if one likes."""

    name: str
    quota: int
    window: int = 60

    @property
    def field(self) -> str:
        """As `RateLimit-Policy` says it (draft-ietf-httpapi-ratelimit-headers-10)."""
        return f'"{self.name}";q={self.quota};w={self.window}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What was decided about one request. ``retry_after`` is 0 when it is admitted."""

    policy: Policy
    is_admitted: bool
    remaining: int
    full_after: float
    retry_after: float

    @property
    def field(self) -> str:
        """As `RateLimit` says it: what remains, and after how many seconds all of it is there again."""
        return f'"{self.policy.name}";r={self.remaining};t={math.ceil(self.full_after)}'


class Buckets:
    """One bucket for each subject. Thread safe. ``seconds`` is a clock that never goes back."""

    def __init__(self, policy: Policy, *, seconds: Callable[[], float]) -> None:
        self.policy = policy
        self._seconds = seconds
        self._lock = threading.Lock()
        self._levels: dict[str, tuple[float, float]] = {}  # what was left, and when; least recently used first

    def take(self, subject: str) -> Allowance:
        """Count one request of ``subject``, if it is admitted: one that is refused costs nothing."""
        quota, rate = self.policy.quota, self.policy.quota / self.policy.window
        with self._lock:
            now = self._seconds()
            level, since = self._levels.pop(subject, (float(quota), now))
            level = min(float(quota), level + (now - since) * rate)
            is_admitted = level >= 1
            level -= is_admitted
            self._levels[subject] = (level, now)
            self._forget(now)
        return Allowance(
            policy=self.policy,
            is_admitted=is_admitted,
            remaining=int(level),
            full_after=(quota - level) / rate,
            retry_after=0.0 if is_admitted else (1 - level) / rate,
        )

    def _forget(self, now: float) -> None:
        """Those that have filled up again are as good as new; a call forgets a few, so none takes long."""
        for _ in range(2):
            oldest = next(iter(self._levels))
            is_full = now - self._levels[oldest][1] >= self.policy.window
            if not is_full and len(self._levels) <= _MOST_SUBJECTS:
                return
            del self._levels[oldest]

    def __len__(self) -> int:
        return len(self._levels)
