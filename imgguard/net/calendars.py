"""Requests to calendars of OpenTimestamps: servers of the operator's choice, by https.

What goes there is a salted digest; what comes back is held against what was asked by whoever reads it. All else is as
with timestamp authorities: addresses that were checked, no redirects, and bounds of time and bytes.
"""

import ssl

import httpcore

from imgguard.errors import CalendarUnavailable, FetchFailed, FetchRefused
from imgguard.net.connection import Connect, connect
from imgguard.net.exchange import Answer, Call, Message, exchange
from imgguard.net.operators import ALL_PORTS, operators_addresses
from imgguard.net.policy import Deadline, FetchPolicy
from imgguard.net.resolving import Resolver, SystemResolver
from imgguard.net.urls import parse_url
from imgguard.net.waiting import seconds_to_wait
from imgguard.ports import Clock
from imgguard.provenance.opentimestamps import LONGEST_ANSWER


class RemoteCalendar:
    """A Calendar at ``url``. Thread safe. ``resolve``, ``connect`` and ``tls`` are the system's; tests give others.
    Raises FetchRefused for a URL that is none."""

    def __init__(
        self,
        url: str,
        policy: FetchPolicy,
        *,
        clock: Clock,
        resolve: Resolver | None = None,
        connect: Connect = connect,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._target = parse_url(url, ports=ALL_PORTS)
        self._policy = policy
        self._clock = clock
        self._resolve = resolve or SystemResolver()
        self._connect = connect
        self._tls = tls or httpcore.default_ssl_context()

    @property
    def name(self) -> str:
        """The host, which is what people know it by."""
        return self._target.hostname

    @property
    def url(self) -> str:
        """As `parse_url` writes it, without a slash at the end."""
        return self._target.url.rstrip("/")

    def submit(self, commitment: bytes) -> bytes:
        """What it answers, not read yet. Raises CalendarUnavailable."""
        found = self._asked("digest", Message(method="POST", body=commitment))
        if found is None:
            raise CalendarUnavailable(f"there is no calendar at {self.url}: it answered with status 404")
        return found

    def upgrade(self, commitment: bytes) -> bytes | None:
        """What it says of the message of its promise, not read yet; None while it has nothing new. Raises
        CalendarUnavailable."""
        return self._asked(f"timestamp/{commitment.hex()}", Message())

    def _asked(self, path: str, message: Message) -> bytes | None:
        target = parse_url(f"{self.url}/{path}", ports=ALL_PORTS)
        deadline = Deadline(self._policy.seconds)
        try:
            call = Call(
                addresses=operators_addresses(target, self._policy, resolve=self._resolve, deadline=deadline),
                policy=self._policy,
                deadline=deadline,
                connect=self._connect,
                tls=self._tls,
            )
            with exchange(target, message, call) as answer:
                return None if answer.status == 404 else self._body(answer)
        except (FetchFailed, FetchRefused) as error:
            raise CalendarUnavailable(f"the calendar {self.name}: {error.detail}") from error

    def _body(self, answer: Answer) -> bytes:
        if answer.status != 200:
            raise CalendarUnavailable(
                f"the calendar {self.name} answered with status {answer.status}",
                retry_after=seconds_to_wait(answer, now=self._clock.now()),
            )
        return answer.body(max_bytes=LONGEST_ANSWER)
