"""A stranger's server, name server and network, played in this process."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

from imgguard.net.addresses import Address

type Script = Callable[["Visit"], None]

PUBLIC = "93.184.215.14"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def response(
    body: bytes = b"", *, status: str = "200 OK", length: int | None = None, **headers: str
) -> Callable[["Visit"], None]:
    """A script that answers in full; underscores in names of headers stand for hyphens."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return raw("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)


def raw(data: bytes) -> Script:
    def script(visit: Visit) -> None:
        visit.send(data)

    return script


def redirect(location: str, status: str = "302 Found") -> Script:
    return response(status=status, Location=location)


class Visit:
    """One connection: the request that came, and ways to answer it badly."""

    def __init__(self, server: "Server", connection: socket.socket, request: bytes) -> None:
        self.server = server
        self.request = request
        self._connection = connection

    @property
    def path(self) -> str:
        return self.request.split(b" ")[1].decode()

    @property
    def headers(self) -> dict[str, str]:
        lines = self.request.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def drip(self, data: bytes, *, pause: float = 0.02) -> None:
        """One byte at a time."""
        for at in range(len(data)):
            self.send(data[at : at + 1])
            self.wait(pause)

    def flood(self, block: bytes) -> None:
        """Until the client goes away."""
        while not self.server.stopped.is_set():
            self.send(block)

    def reset(self) -> None:
        """Break off without a goodbye."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def read_rest(self) -> None:
        self.request += b"".join(_rest(self._connection, self.request))

    def wait(self, seconds: float) -> None:
        if self.server.stopped.wait(seconds):
            raise ConnectionError


class Server:
    """Listens on loopback and plays one script for each connection, in a thread of its own.

    One that does not ``read_bodies`` leaves them where they are. ``greet`` is played instead of a script by a server
    that is none of HTTP, on the bare connection.
    """

    def __init__(
        self,
        script: Script,
        *,
        tls: ssl.SSLContext | None = None,
        greet: Callable[[socket.socket], None] | None = None,
        read_bodies: bool = True,
    ) -> None:
        self._script = script
        self._tls = tls
        self._greet = greet
        self._read_bodies = read_bodies
        self.visits: list[Visit] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(2)
        self._listener.close()
        for thread in self._threads[1:]:
            thread.join(2)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(2)
        with contextlib.suppress(OSError), contextlib.ExitStack() as closing:
            closing.callback(connection.close)
            if self._greet is not None:
                self._greet(connection)
                return
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                closing.callback(connection.close)
            visit = Visit(self, connection, _receive(connection, read_body=self._read_bodies))
            self.visits.append(visit)
            self._script(visit)
            # A socket that is closed with bytes unread resets the connection, and what was sent may be lost.
            connection.shutdown(socket.SHUT_WR)
            connection.recv(65_536)


def _receive(connection: socket.socket, *, read_body: bool) -> bytes:
    """One request, with what is there of its body or all of it."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    return data + b"".join(_rest(connection, data)) if read_body else data


def _rest(connection: socket.socket, data: bytes) -> Iterator[bytes]:
    """The body's bytes that ``data``, a request's beginning, lacks."""
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    missing = int(lengths[0]) - len(body) if lengths else 0
    while missing > 0:
        received = _some(connection)
        missing -= len(received)
        yield received


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(65_536)
    if not received:
        raise ConnectionError
    return received


class Names:
    """A name server: each question gets the next of a name's answers, and the last again and again."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self._answers = {name: list(turns) for name, turns in answers.items()}
        self.asked: list[str] = []

    def __call__(self, name: str, *, seconds: float) -> Sequence[Address]:
        self.asked.append(name)
        turns = self._answers.get(name, [""])
        answer = turns.pop(0) if len(turns) > 1 else turns[0]
        return [ip_address(text) for text in answer.split()]


class Wire:
    """A network on which every address, whichever it is, leads to one server; it remembers which were called."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.called: list[str] = []

    def __call__(self, address: Address, port: int, *, seconds: float) -> socket.socket:
        self.called.append(str(address))
        return socket.create_connection(("127.0.0.1", self._server.port), timeout=seconds)


class StillClock:
    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
