"""A connection to an address that was checked, and to no other, which keeps to the deadline and to its bytes.

This is httpcore's seam for networks: httpcore speaks HTTP, and every byte it reads or writes passes through here.
"""

import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, override

import httpcore

from imgguard.errors import FetchFailed
from imgguard.net.addresses import Address
from imgguard.net.policy import MAX_HEADER_BYTES, Deadline

_ATTEMPTS = 3
"""Addresses of one name that are tried: enough where one of IPv4 and IPv6 does not work."""
_FRAMING = 65_536
"""Bytes of framing (chunk sizes, trailers) granted to every body, besides one per byte of it."""


class Connect(Protocol):
    """Opens a TCP connection. Raises OSError."""

    def __call__(self, address: Address, port: int, *, seconds: float) -> socket.socket: ...


def connect(address: Address, port: int, *, seconds: float) -> socket.socket:
    """The `Connect` of the system."""
    opened = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        opened.settimeout(seconds)
        opened.connect((str(address), port))
    except BaseException:
        opened.close()
        raise
    return opened


class GuardedStream(httpcore.NetworkStream):
    """A connected socket that reads ``allowance`` bytes at most. Every call raises FetchFailed past the deadline."""

    def __init__(self, connected: socket.socket, *, deadline: Deadline, connect_seconds: float) -> None:
        self._socket = connected
        self._deadline = deadline
        self._connect_seconds = connect_seconds
        self._allowance = MAX_HEADER_BYTES
        self._is_body = False

    def expect_body(self, max_bytes: int) -> None:
        """The headers are over; from now on count what a body of ``max_bytes`` takes on the wire."""
        self._allowance = 2 * max_bytes + _FRAMING
        self._is_body = True

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._allowance <= 0:
            raise FetchFailed("too many bytes" if self._is_body else f"headers of more than {MAX_HEADER_BYTES} bytes")
        self._socket.settimeout(self._deadline.remaining())
        try:
            received = self._socket.recv(min(max_bytes, self._allowance))
        except TimeoutError as error:
            raise self._deadline.missed() from error
        except OSError as error:
            raise FetchFailed("the connection broke") from error
        self._allowance -= len(received)
        return received

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            # Not sendall: over TLS it would grant the whole time to each part anew.
            while rest:
                self._socket.settimeout(self._deadline.remaining())
                rest = rest[self._socket.send(rest) :]
        except TimeoutError as error:
            raise self._deadline.missed() from error
        except OSError as error:
            # httpcore goes on to read: a server may answer before it has taken everything, and close.
            raise httpcore.WriteError("the connection broke") from error

    @override
    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            self._socket.settimeout(min(self._connect_seconds, self._deadline.remaining()))
            self._socket = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except ssl.SSLCertVerificationError as error:
            raise FetchFailed(f"the server's certificate is not valid: {error.verify_message}") from error
        except TimeoutError as error:
            raise FetchFailed("no TLS connection in time") from error
        except OSError as error:
            raise FetchFailed("no TLS connection can be made") from error
        return self

    @override
    def get_extra_info(self, info: str) -> Any:
        return self._socket if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket) else None

    @override
    def close(self) -> None:
        self._socket.close()


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to the first of ``addresses`` that answers, whatever host it is asked for; ``close`` when done."""

    def __init__(
        self, addresses: Sequence[Address], *, deadline: Deadline, connect_seconds: float, connect: Connect
    ) -> None:
        self._addresses = addresses[:_ATTEMPTS]
        self._deadline = deadline
        self._connect_seconds = connect_seconds
        self._connect = connect
        self.address: Address | None = None
        self.stream: GuardedStream | None = None

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: OSError | None = None
        for address in self._addresses:
            try:
                seconds = min(self._connect_seconds, self._deadline.remaining())
                connected = self._connect(address, port, seconds=seconds)
            except OSError as error:
                failure = error
                continue
            self.address = address
            self.stream = GuardedStream(connected, deadline=self._deadline, connect_seconds=self._connect_seconds)
            return self.stream
        reason = "no answer in time" if isinstance(failure, TimeoutError) else failure and failure.strerror
        raise FetchFailed(f"no connection can be made: {reason or 'unknown reason'}") from failure

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()
