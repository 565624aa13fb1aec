"""The operator's rules, and the clock that holds one fetch to them."""

import time
from dataclasses import dataclass

from imgguard import __version__
from imgguard.errors import FetchFailed
from imgguard.net.addresses import Network
from imgguard.net.urls import STANDARD_PORTS

MAX_HEADER_BYTES = 32_768
"""Of one response, interim responses included. Servers' own limits on what they take are 8 to 16 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPolicy:
    """``seconds`` is wall-clock time for all of one fetch, ``connect_seconds`` for each connection with its TLS."""

    seconds: float = 20.0
    connect_seconds: float = 5.0
    max_bytes: int = 64_000_000
    redirects: int = 5
    allowed_networks: tuple[Network, ...] = ()
    extra_ports: frozenset[int] = frozenset()
    contact: str | None = None

    @property
    def ports(self) -> frozenset[int]:
        return STANDARD_PORTS | self.extra_ports

    @property
    def user_agent(self) -> str:
        return f"imgguard/{__version__}" + (f" (+{self.contact})" if self.contact else "")


class Deadline:
    """The end of one fetch, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, more than 0. Raises FetchFailed when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.missed()
        return left

    def missed(self) -> FetchFailed:
        return FetchFailed(f"not done within {self._seconds:g} s")
