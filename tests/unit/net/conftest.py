"""Servers that end with the test, certificates, and fetchers that may reach loopback."""

import ssl
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from typing import Any

import pytest
import trustme

from imgguard.net.fetcher import SafeFetcher
from imgguard.net.policy import FetchPolicy

from .hostile import PUBLIC, Names, Script, Server, StillClock, Wire

type Serve = Callable[..., Server]
type MakeFetcher = Callable[..., SafeFetcher]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def serve(script: Script, **options: Any) -> Server:
        servers.append(Server(script, **options))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """A client's context that trusts ``authority`` and nobody else."""
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    assert context.check_hostname
    return context


@pytest.fixture(scope="session")
def shop_tls(authority: trustme.CA) -> ssl.SSLContext:
    """The context of a server whose certificate names shop.example."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(context)
    return context


@pytest.fixture
def local(trusting: ssl.SSLContext) -> MakeFetcher:
    """A fetcher that really connects, and may to loopback, which the operator allows."""

    def make(server: Server, *, names: Names | None = None, **policy: Any) -> SafeFetcher:
        policy = {
            "seconds": 0.6,
            "connect_seconds": 0.4,
            "allowed_networks": (IPv4Network("127.0.0.0/8"),),
            "extra_ports": frozenset({server.port}),
            **policy,
        }
        return SafeFetcher(
            FetchPolicy(**policy),
            clock=StillClock(),
            resolve=names or Names({"shop.example": ["127.0.0.1"]}),
            tls=trusting,
        )

    return make


@pytest.fixture
def public(trusting: ssl.SSLContext) -> MakeFetcher:
    """A fetcher with nothing allowed, on a wire that leads every address to the server."""

    def make(wire: Wire, *, names: Names | None = None, **policy: Any) -> SafeFetcher:
        return SafeFetcher(
            FetchPolicy(**{"seconds": 0.6, "connect_seconds": 0.4, **policy}),
            clock=StillClock(),
            resolve=names or Names({"shop.example": [PUBLIC]}),
            connect=wire,
            tls=trusting,
        )

    return make
