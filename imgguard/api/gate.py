"""What is settled before anything else is looked at: who connects, under which name, and with how large a body."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imgguard.api.problems import Refused, of_refusal
from imgguard.net.addresses import Address, Network, canonical
from imgguard.settings import Settings

LARGEST_JSON = 1_000_000
"""Bytes of a body that is neither a form with files nor a picture."""

_AROUND_PROOF = 100_000
"""Bytes of a form beside the file in it."""

_AROUND_PACKET = 1_200_000
"""Bytes of a form beside the packet in it: of a trust file, most of all."""

_PROOFS = re.compile(r"/v1/references/[^/]+/proofs")
_PACKETS = "/v1/packets/verify"
"""Where files may be larger than pictures: they go to the disk, and are never decoded here."""

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY_NAME = frozenset({"/healthz", "/readyz"})
"""Asked by load balancers, by whatever address they have; they tell nothing that a name would protect."""

_KEY = re.compile(r"imgguard_[0-9a-hjkmnp-tv-z]{26}_")
_SECRETS = frozenset({"access_token", "api_key", "authorization", "csrf_token", "password", "token"})
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?", re.ASCII)


def host_name(field: str) -> str | None:
    """The name or address in a field ``Host``, without port and brackets; None when it has another form."""
    found = _HOST.fullmatch(field.lower())
    return None if found is None else found[1] or found[2].rstrip(".")


def client_address(peer: str, forwarded: Iterable[str], proxies: tuple[Network, ...]) -> str:
    """Who asks: the peer, or, if that is a proxy of ours, whom the last one of ours names in ``X-Forwarded-For``.

    Read from the right, since every proxy appends the address it was asked from and all before it can be invented.
    """
    address = _address(peer)
    named = [part.strip() for field in forwarded for part in field.split(",")]
    while address is not None and any(address in network for network in proxies) and named:
        before = _address(named.pop())
        if before is None:  # not an address: the proxy, as the last one that is known
            break
        address = before
    return peer if address is None else str(address)


def _address(text: str) -> Address | None:
    try:
        return canonical(ip_address(text.strip("[]").partition("%")[0]))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Under which names the service answers, and which networks its proxies are in."""

    hosts: frozenset[str]
    proxies: tuple[Network, ...]

    @classmethod
    def of(cls, settings: Settings, hosts: Iterable[str] = ()) -> "Names":
        public = settings.public_url
        own = {host_name(public.partition("://")[2])} if public else set()
        named = {host.lower().strip("[]") for host in hosts} | {host for host in own if host}
        return cls(hosts=_HERE | settings.extra_hosts | named, proxies=settings.proxy_networks)


class Gate:
    """ASGI middleware. Puts ``address`` (of who asks) and ``is_local`` (nobody between) into the request's state."""

    def __init__(
        self, app: ASGIApp, *, names: Names, max_bytes: int, max_proof_bytes: int = 0, max_packet_bytes: int = 0
    ) -> None:
        self._app = app
        self._names = names
        self._max_bytes = max_bytes
        self._max_with_proof = max(max_bytes, max_proof_bytes + _AROUND_PROOF)
        self._max_with_packet = max(max_bytes, max_packet_bytes + _AROUND_PACKET)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        self._note_address(scope, headers)
        try:
            self._check_name(scope, headers)
            _check_query(scope)
            limit = self._limit(scope, headers)
            _check_length(headers, limit)
        except Refused as refusal:
            await of_refusal(scope, refusal)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)

    def _note_address(self, scope: Scope, headers: Headers) -> None:
        peer = (scope.get("client") or ("",))[0]
        forwarded = headers.getlist("x-forwarded-for")
        address = client_address(peer, forwarded, self._names.proxies)
        near = _address(peer)
        scope["state"]["address"] = address
        scope["state"]["is_local"] = (
            near is not None and near.is_loopback and not forwarded and "forwarded" not in headers
        )

    def _check_name(self, scope: Scope, headers: Headers) -> None:
        """A page elsewhere can have its own name lead here (DNS rebinding); then that name is in the field Host."""
        fields = headers.getlist("host")
        name = host_name(fields[0]) if len(fields) == 1 else None
        if name not in self._names.hosts and scope["path"] not in _ANY_NAME:
            raise Refused(421, "the service does not answer under this name")

    def _limit(self, scope: Scope, headers: Headers) -> int:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        has_files = kind == "multipart/form-data" or kind.startswith("image/")
        if kind == "multipart/form-data" and _PROOFS.fullmatch(scope["path"]):
            return self._max_with_proof
        if kind == "multipart/form-data" and scope["path"] == _PACKETS:
            return self._max_with_packet
        return self._max_bytes if has_files else min(LARGEST_JSON, self._max_bytes)


def _check_query(scope: Scope) -> None:
    query = scope["query_string"].decode("latin-1")
    if not query:
        return
    names = {name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)}
    if _KEY.search(query) or names & _SECRETS:
        raise Refused(
            400,
            "a secret was sent in the query string, where logs and histories keep it",
            hint="Revoke it, make a new one, and send that in the field Authorization.",
        )


def _too_large(limit: int) -> Refused:
    return Refused(413, f"the body has more than {limit} bytes", headers={"Connection": "close"})


def _check_length(headers: Headers, limit: int) -> None:
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise Refused(400, "Content-Length is not a number", headers={"Connection": "close"})
    if int(length) > limit:
        raise _too_large(limit)


def _counted(receive: Receive, limit: int) -> Receive:
    """``receive``, raising Refused as soon as more than ``limit`` bytes of the body came: lengths can lie, or lack."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _too_large(limit)
        return message

    return counted
