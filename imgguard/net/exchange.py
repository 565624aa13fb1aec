"""One request and its response, over a connection of its own: no cookies, no proxies, nothing kept."""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpcore

from imgguard.errors import FetchFailed
from imgguard.net.addresses import Address
from imgguard.net.connection import Connect, GuardedStream, PinnedBackend
from imgguard.net.policy import Deadline, FetchPolicy
from imgguard.net.urls import Target

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OURS = frozenset({"host", "user-agent", "accept", "accept-encoding", "connection", "content-length"})
_HOP_BY_HOP = frozenset({"transfer-encoding", "te", "trailer", "upgrade", "expect", "keep-alive"})
_SHOWN = 200
"""Longest value of a header that is passed on, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent to a target."""

    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How it is sent: to the ``addresses`` that were checked, and under which rules."""

    addresses: Sequence[Address]
    policy: FetchPolicy
    deadline: Deadline
    connect: Connect
    tls: ssl.SSLContext


class Answer:
    """A response whose body has not been read yet."""

    def __init__(self, response: httpcore.Response, *, address: Address, stream: GuardedStream) -> None:
        self.status = response.status
        self.address = str(address)
        self._response = response
        self._stream = stream

    def header(self, name: str) -> str | None:
        """All values of a header as one; None when there is none."""
        values = [value for key, value in self._response.headers if key.lower() == name.encode("ascii")]
        return b", ".join(values).decode("utf-8", "replace").strip() if values else None

    @property
    def location(self) -> str | None:
        """Where it redirects to; None when it does not."""
        return self.header("location") if self.status in _REDIRECTS else None

    @property
    def declared_type(self) -> str | None:
        declared = self.header("content-type")
        return None if declared is None else declared[:_SHOWN]

    def body(self, *, max_bytes: int) -> bytes:
        """All of it. Raises FetchFailed when it is compressed, cut short, or announced or found too long."""
        if (self.header("content-encoding") or "identity").lower() != "identity":
            raise FetchFailed("the server sent compressed data, which was not asked for")
        if int(self.header("content-length") or 0) > max_bytes:
            raise FetchFailed(f"the server announces more than {max_bytes} bytes, the limit")
        data = bytearray()
        self._read(data, max_bytes)
        if len(data) > max_bytes:
            raise FetchFailed(f"more than {max_bytes} bytes, the limit")
        return bytes(data)

    def beginning(self, *, max_bytes: int) -> bytes:
        """At most ``max_bytes``, undecoded; what came, when not all comes: the status has arrived and stands."""
        data = bytearray()
        with suppress(FetchFailed, httpcore.ProtocolError):
            self._read(data, max_bytes)
        return bytes(data[:max_bytes])

    def _read(self, data: bytearray, max_bytes: int) -> None:
        """Add to ``data``, until the end or until there are more than ``max_bytes``."""
        self._stream.expect_body(max_bytes)
        for chunk in self._response.iter_stream():
            data += chunk
            if len(data) > max_bytes:
                break


@contextmanager
def exchange(target: Target, message: Message, call: Call) -> Iterator[Answer]:
    """Send a message; the connection lasts as long as the context. Raises FetchFailed, also while the body is read."""
    backend = PinnedBackend(
        call.addresses, deadline=call.deadline, connect_seconds=call.policy.connect_seconds, connect=call.connect
    )
    request = httpcore.Request(
        message.method,
        httpcore.URL(scheme=target.scheme, host=target.hostname, port=target.port, target=target.path),
        headers=_headers(target, message, user_agent=call.policy.user_agent),
        content=message.body,
    )
    connection = httpcore.HTTPConnection(request.url.origin, ssl_context=call.tls, network_backend=backend)
    try:
        response = connection.handle_request(request)
        assert backend.address is not None
        assert backend.stream is not None
        yield Answer(response, address=backend.address, stream=backend.stream)
    except httpcore.ProtocolError as error:
        raise FetchFailed("the server does not answer in proper HTTP") from error
    finally:
        backend.close()


def _headers(target: Target, message: Message, *, user_agent: str) -> list[tuple[bytes, bytes]]:
    """Ours and the caller's. Raises ValueError for one of the caller's that would change what is sent, or how."""
    headers = {
        "Host": target.authority,
        "User-Agent": user_agent,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    if message.method != "GET":
        headers["Content-Length"] = str(len(message.body))
    for name, value in message.headers.items():
        if name.lower() in _OURS | _HOP_BY_HOP or not (name + value).isprintable() or not (name + value).isascii():
            raise ValueError(f"the header {name!r} cannot be sent")
        headers[name] = value
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
