"""Requests to timestamp authorities (RFC 3161, section 3.4): servers of the operator's choice, by http too.

What goes there is a digest, which tells nothing; what comes back is signed, and held against the request. So the way
need not be secret. All else is as with strangers' servers: the address that was checked is the one connected to, those
that are not public are for the operator to allow, no redirect is followed, and time and bytes are bounded.
"""

import secrets
import ssl

import httpcore

from imgguard.errors import FetchFailed, FetchRefused, TimestampAuthorityUnavailable, TimestampInvalid
from imgguard.net.connection import Connect, connect
from imgguard.net.exchange import Call, Message, exchange
from imgguard.net.operators import ALL_PORTS, operators_addresses
from imgguard.net.policy import Deadline, FetchPolicy
from imgguard.net.resolving import Resolver, SystemResolver
from imgguard.net.urls import parse_url
from imgguard.net.waiting import seconds_to_wait
from imgguard.ports import Clock
from imgguard.provenance.timestamp_requests import QUERY, REPLY
from imgguard.provenance.timestamps import MAX_TOKEN_BYTES, Digest, read_response, request_for


class RemoteAuthority:
    """A TimestampAuthority at ``url``. Thread safe. ``resolve``, ``connect`` and ``tls`` are the system's; tests give
    others. Raises FetchRefused for a URL that is none."""

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
        return self._target.url

    def stamp(self, digest: Digest) -> bytes:
        """The token, held against the request only. Raises TimestampAuthorityUnavailable, TimestampRefused."""
        request = request_for(digest, nonce=secrets.randbits(64))
        try:
            return read_response(self._post(request), request)
        except (FetchFailed, FetchRefused, TimestampInvalid) as error:
            raise TimestampAuthorityUnavailable(f"the timestamp authority {self.name}: {error.detail}") from error

    def _post(self, request: bytes) -> bytes:
        deadline = Deadline(self._policy.seconds)
        call = Call(
            addresses=operators_addresses(self._target, self._policy, resolve=self._resolve, deadline=deadline),
            policy=self._policy,
            deadline=deadline,
            connect=self._connect,
            tls=self._tls,
        )
        message = Message(method="POST", headers={"Content-Type": QUERY}, body=request)
        with exchange(self._target, message, call) as answer:
            if answer.status != 200:
                raise TimestampAuthorityUnavailable(
                    f"the timestamp authority {self.name} answered with status {answer.status}",
                    retry_after=seconds_to_wait(answer, now=self._clock.now()),
                )
            declared = (answer.declared_type or "").partition(";")[0].strip().lower()
            if declared != REPLY:
                raise FetchFailed("it answered with something else than a timestamp response")
            return answer.body(max_bytes=MAX_TOKEN_BYTES)
