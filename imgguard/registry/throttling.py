"""How failed attempts to sign in slow the next ones down."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """``free`` failures cost nothing; each further one doubles the wait, from a second up to ``longest``.

    ``memory`` after the last failure everything is forgotten.
    """

    free: int
    longest: timedelta
    memory: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long to wait after that many failures in a row."""
        if failures <= self.free:
            return timedelta()
        # 2**30 seconds is more than any limit waits; a larger power would only cost time to compute.
        return min(timedelta(seconds=2 ** min(failures - self.free - 1, 30)), self.longest)
