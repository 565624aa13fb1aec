"""Requests to an identity provider: a server of the operator's own choice, which may be down, slow or broken.

Unlike strangers' servers it may be in a private network. All else is as strict: TLS is verified, and without it nothing
but this machine itself is reached; no redirect is followed; time and bytes are bounded by what arrives; and the
addresses at which clouds hand out secrets are not connected to, whatever a document names.
"""

import json
import ssl
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlencode

import httpcore

from imgguard.errors import FetchFailed, FetchRefused, IdentityProviderUnavailable
from imgguard.net.addresses import canonical, may_connect
from imgguard.net.connection import Connect, connect
from imgguard.net.exchange import Call, Message, exchange
from imgguard.net.policy import Deadline, FetchPolicy
from imgguard.net.resolving import Resolver, SystemResolver
from imgguard.net.urls import Target, parse_url

SECONDS = 10.0
"""For all that one step of signing in asks of the provider, while a person waits."""
MAX_BYTES = 500_000
"""Of one answer. The largest key sets in use have some 20 kB."""

_PORTS = range(1, 65_536)
_EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))

type Json = dict[str, Any]


def endpoint(url: object) -> Target:
    """Where ``url`` leads. Raises IdentityProviderUnavailable unless it is an https one, or http on this machine."""
    if not isinstance(url, str):
        raise IdentityProviderUnavailable("the identity provider's document lacks an endpoint")
    try:
        target = parse_url(url, ports=_PORTS)
    except FetchRefused as error:
        raise IdentityProviderUnavailable(f"an endpoint of the identity provider: {error.detail}") from error
    if target.scheme != "https" and not _names_this_machine(target):
        raise IdentityProviderUnavailable("an endpoint of the identity provider is not an https address")
    return target


def _names_this_machine(target: Target) -> bool:
    return target.host == "localhost" if isinstance(target.host, str) else target.host.is_loopback


class ProviderRequests:
    """Thread safe. ``policy`` gives the time for connections and what is said in `User-Agent`."""

    def __init__(
        self,
        policy: FetchPolicy,
        *,
        resolve: Resolver | None = None,
        connect: Connect = connect,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._resolve = resolve or SystemResolver()
        self._connect = connect
        self._tls = tls or httpcore.default_ssl_context()

    def deadline(self) -> Deadline:
        """For all requests of one step together."""
        return Deadline(self._policy.seconds)

    def get(self, target: Target, deadline: Deadline, *, bearer: str | None = None) -> Json:
        """The JSON object there. Raises IdentityProviderUnavailable."""
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        status, told = self._exchange(target, Message(headers=headers), deadline)
        if status != 200 or told is None:
            raise IdentityProviderUnavailable(f"the identity provider answered with status {status}, or with no JSON")
        return told

    def post(
        self, target: Target, form: Mapping[str, str], deadline: Deadline, *, authorisation: str | None = None
    ) -> tuple[int, Json]:
        """The status, and the JSON object that came with it. Raises IdentityProviderUnavailable."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if authorisation is not None:
            headers["Authorization"] = authorisation
        message = Message(method="POST", headers=headers, body=urlencode(form).encode("ascii"))
        status, told = self._exchange(target, message, deadline)
        if told is None:
            raise IdentityProviderUnavailable(f"the identity provider answered with status {status}, and with no JSON")
        return status, told

    def _exchange(self, target: Target, message: Message, deadline: Deadline) -> tuple[int, Json | None]:
        try:
            call = self._call(target, deadline)
            with exchange(target, message, call) as answer:
                return answer.status, _object(answer.body(max_bytes=MAX_BYTES))
        except (FetchFailed, FetchRefused, ValueError) as error:
            reason = error.detail if isinstance(error, FetchFailed | FetchRefused) else "a value cannot be sent"
            raise IdentityProviderUnavailable(f"the identity provider at {target.authority}: {reason}") from error

    def _call(self, target: Target, deadline: Deadline) -> Call:
        if isinstance(target.host, str):
            found = self._resolve(target.host, seconds=deadline.remaining())
            addresses = tuple(canonical(address) for address in found)
        else:
            addresses = (target.host,)
        if not addresses or not all(may_connect(address, _EVERYWHERE) for address in addresses):
            raise FetchFailed("the host has no address that may be connected to")
        if target.scheme != "https" and not all(address.is_loopback for address in addresses):
            raise FetchFailed("the host is not this machine itself, and TLS is not spoken")
        return Call(addresses=addresses, policy=self._policy, deadline=deadline, connect=self._connect, tls=self._tls)


def _object(data: bytes) -> Json | None:
    """None for all that is not a JSON object."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
