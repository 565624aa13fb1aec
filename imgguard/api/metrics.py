"""Numbers for Prometheus. Each application has its own registry: nothing is shared through the module."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from imgguard.errors import ImgguardError

MEDIA_TYPE = CONTENT_TYPE_LATEST

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class PoolStatus(Protocol):
    """What the service wants to know of the processes that do the heavy work."""

    @property
    def restarts(self) -> int:
        """How many had to be started again."""
        ...

    def alive(self) -> int:
        """How many there are."""
        ...


class Metrics:
    """Thread safe. ``queue`` says how many pictures wait or are worked on, by priority; ``stamps`` how many timestamps
    are waited for, and for how many seconds the oldest of their checkpoints has been."""

    def __init__(
        self,
        *,
        pool: PoolStatus | None = None,
        queue: Callable[[], Mapping[str, int]] | None = None,
        stamps: Callable[[], tuple[int, float]] | None = None,
    ) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "imgguard_http_requests",
            "Requests that were answered.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self._latency = Histogram(
            "imgguard_http_request_seconds",
            "From the first byte of a request to the last one of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._in_flight = Gauge(
            "imgguard_http_requests_in_flight", "Requests that are being answered.", registry=self._registry
        )
        self._checks = Counter(
            "imgguard_checks", "Checks that were answered at once, by verdict.", ["verdict"], registry=self._registry
        )
        self._queue = queue
        self._waiting = Gauge(
            "imgguard_queue_items", "Pictures that wait or are worked on.", ["priority"], registry=self._registry
        )
        self._stamps = stamps
        self._unstamped = Gauge(
            "imgguard_timestamps_waiting", "Timestamp tokens that are waited for.", registry=self._registry
        )
        self._unstamped_seconds = Gauge(
            "imgguard_timestamps_oldest_seconds",
            "Since the oldest checkpoint was signed that waits for a timestamp; 0 when none does.",
            registry=self._registry,
        )
        if pool is not None:
            alive = Gauge("imgguard_workers", "Worker processes that are alive.", registry=self._registry)
            alive.set_function(lambda: float(pool.alive()))
            restarts = Gauge("imgguard_worker_restarts", "Workers that were started again.", registry=self._registry)
            restarts.set_function(lambda: float(pool.restarts))

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        with self._in_flight.track_inprogress():
            yield

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered; ``status`` 0: not to the end. Unknown methods are one: anybody can invent some."""
        self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def checked(self, verdict: str) -> None:
        """A check was answered while the request waited. Of others nobody here hears the end."""
        self._checks.labels(verdict).inc()

    def page(self) -> bytes:
        """In the text format of Prometheus."""
        if self._queue is not None:
            self._look_at(self._queue)
        if self._stamps is not None:
            try:
                count, seconds = self._stamps()
            except ImgguardError:
                self._unstamped.set(math.nan)
                self._unstamped_seconds.set(math.nan)
            else:
                self._unstamped.set(count)
                self._unstamped_seconds.set(seconds)
        return generate_latest(self._registry)

    def _look_at(self, queue: Callable[[], Mapping[str, int]]) -> None:
        try:
            found = queue()
        except ImgguardError:  # the other numbers are wanted most when the database is away
            for priority in ("interactive", "bulk"):
                self._waiting.labels(priority).set(math.nan)
            return
        for priority, count in found.items():
            self._waiting.labels(priority).set(count)
