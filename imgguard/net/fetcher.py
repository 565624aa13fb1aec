"""The Fetcher and Poster ports: strangers' URLs, which may be built to reach what only the operator can reach.

For every URL, the first and each that a redirect names:

1. the URL is parsed once, strictly, into scheme, host, port and path;
2. the host is resolved once, and every address it has must be allowed; one that is not refuses them all;
3. the connection goes to an address that was checked, while TLS checks the certificate against the host's name;
4. time, headers, bytes and redirects are bounded by what arrives, not by what the server announces.
"""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import httpcore

from imgguard.errors import FetchFailed, FetchRefused
from imgguard.net.addresses import Address, canonical, may_connect
from imgguard.net.connection import Connect, connect
from imgguard.net.content import check_content
from imgguard.net.exchange import Answer, Call, Message, exchange
from imgguard.net.policy import Deadline, FetchPolicy
from imgguard.net.resolving import Resolver, SystemResolver
from imgguard.net.urls import Target, parse_url, redirected
from imgguard.ports import Accept, CheckedUrl, Clock, Fetched, Posted, Redirect

_ANSWER_BYTES = 4_096
"""Of the answer to a message: enough to tell an operator why it was turned down."""


class SafeFetcher:
    """Safe to share between threads. ``resolve``, ``connect`` and ``tls`` are the system's; tests give others."""

    def __init__(
        self,
        policy: FetchPolicy,
        *,
        clock: Clock,
        resolve: Resolver | None = None,
        connect: Connect = connect,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._resolve = resolve or SystemResolver()
        self._connect = connect
        self._tls = tls or httpcore.default_ssl_context()

    def fetch(self, url: str, *, accept: Accept, max_bytes: int) -> Fetched:
        """At most ``max_bytes``, nor more than the policy allows. Raises FetchRefused, FetchFailed."""
        started_at = self._clock.now()
        deadline = Deadline(self._policy.seconds)
        target = parse_url(url, ports=self._policy.ports)
        redirects: list[Redirect] = []
        while True:
            with self._exchange(target, Message(), deadline, self._checked_addresses(target, deadline)) as answer:
                location = answer.location
                if location is None:
                    _check_status(answer.status)
                    data = answer.body(max_bytes=min(max_bytes, self._policy.max_bytes))
                    return Fetched(
                        url=url,
                        redirects=tuple(redirects),
                        final_url=target.url,
                        address=answer.address,
                        status=answer.status,
                        declared_type=answer.declared_type,
                        media_type=check_content(data, accept),
                        data=data,
                        started_at=started_at,
                        finished_at=self._clock.now(),
                    )
                redirects.append(Redirect(url=target.url, address=answer.address, status=answer.status))
            target = self._follow(target, location, redirects)

    def check_url(self, url: str) -> CheckedUrl:
        """The URL in its normal form, if messages may be posted to it. Raises FetchRefused, FetchFailed."""
        target = parse_url(url, ports=self._policy.ports)
        if target.scheme != "https" or not isinstance(target.host, str):
            self._postable_addresses(target, Deadline(self._policy.seconds))
        return CheckedUrl(target.url)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Raises FetchRefused, FetchFailed; ValueError for a header that the request has or may not have."""
        started_at = self._clock.now()
        target = parse_url(url, ports=self._policy.ports)
        deadline = Deadline(self._policy.seconds)
        addresses = self._postable_addresses(target, deadline)
        message = Message(method="POST", headers=headers, body=body)
        with self._exchange(target, message, deadline, addresses) as answer:
            return Posted(
                url=target.url,
                address=answer.address,
                status=answer.status,
                answer=answer.beginning(max_bytes=_ANSWER_BYTES),
                retry_after=answer.header("retry-after"),
                started_at=started_at,
                finished_at=self._clock.now(),
            )

    def _follow(self, target: Target, location: str, redirects: Sequence[Redirect]) -> Target:
        if len(redirects) > self._policy.redirects:
            raise FetchFailed(f"more than {self._policy.redirects} redirects, the limit")
        following = redirected(target, location, ports=self._policy.ports)
        if any(following.url == earlier.url for earlier in redirects):
            raise FetchFailed("the redirects lead in a circle")
        return following

    @contextmanager
    def _exchange(
        self, target: Target, message: Message, deadline: Deadline, addresses: Sequence[Address]
    ) -> Iterator[Answer]:
        call = Call(
            addresses=addresses,
            policy=self._policy,
            deadline=deadline,
            connect=self._connect,
            tls=self._tls,
        )
        with exchange(target, message, call) as answer:
            yield answer

    def _postable_addresses(self, target: Target, deadline: Deadline) -> Sequence[Address]:
        """Those of the target's host. Raises FetchRefused as for a fetch, and for http beyond the networks that the
        operator allows: whoever is on the way would read what is sent."""
        addresses = self._checked_addresses(target, deadline)
        inside = self._policy.allowed_networks
        if target.scheme != "https" and not all(any(address in network for network in inside) for address in addresses):
            raise FetchRefused("messages go over https only", hint="Give an address that begins with https://.")
        return addresses

    def _checked_addresses(self, target: Target, deadline: Deadline) -> Sequence[Address]:
        """Those of the target's host. Raises FetchRefused unless there are some and all may be connected to.

        A name that does not exist is refused in the same words, so that nobody learns which names exist inside.
        """
        if not isinstance(target.host, str):
            addresses: Sequence[Address] = (target.host,)
        else:
            found = self._resolve(target.host, seconds=deadline.remaining())
            addresses = tuple(canonical(address) for address in found)
        if not addresses or not all(may_connect(address, self._policy.allowed_networks) for address in addresses):
            raise FetchRefused(f"{target.hostname} has no address that may be fetched from")
        return addresses


def _check_status(status: int) -> None:
    if not 200 <= status < 300:
        raise FetchFailed(f"the server answered with status {status}")
