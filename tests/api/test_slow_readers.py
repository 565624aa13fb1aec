"""A client that reads a byte now and then, and the server that `imgguard serve` runs: over real sockets."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
import uvicorn
from fastapi import FastAPI, Response

from imgguard.api import downloads
from imgguard.api.downloads import Download, written
from imgguard.cli import lingering
from imgguard.cli.lingering import Lingering
from imgguard.cli.serve import server_of

MEGABYTES = 16
BYTES = MEGABYTES * 1_048_576


class Closing:
    """A connection that is being closed, and its transport."""

    def __init__(self, left: int) -> None:
        self.transport: Any = self
        self.left = left
        self.is_cut = False

    def is_closing(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return self.left

    def abort(self) -> None:
        self.is_cut = True


class Sent:
    """What is held of a download."""

    def __init__(self) -> None:
        self.turns = 0
        self.file: IO[bytes] | None = None

    def app(self, folder: Path) -> FastAPI:
        app = FastAPI()

        @asynccontextmanager
        async def turn() -> AsyncIterator[None]:
            self.turns += 1
            try:
                yield
            finally:
                self.turns -= 1

        async def make() -> IO[bytes]:
            self.file = written(["a" * 1_048_576] * MEGABYTES, folder)
            return self.file

        @app.get("/download")
        async def download() -> Response:
            return Download(make, turn=turn(), media_type="text/csv", name="a.csv")

        @app.get("/whole")
        async def whole() -> Response:
            return Response(b"a" * BYTES)

        return app


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def listening(app: FastAPI) -> Iterator[tuple[uvicorn.Server, tuple[str, int]]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = server_of(app, listener)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        yield server, listener.getsockname()
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@contextmanager
def reading_slowly(address: tuple[str, int], path: str) -> Iterator[None]:
    """A byte in a twentieth of a second, while inside."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.connect(address)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        is_over = threading.Event()

        def read() -> None:
            while not is_over.wait(0.05):
                try:
                    client.recv(1)
                except OSError:
                    return

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


def test_a_download_is_held_no_longer_than_its_deadline_and_the_connection_no_longer_than_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(downloads, "WRITE_SECONDS", 1.0)
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 2.0)
    sent = Sent()
    with listening(sent.app(tmp_path)) as (server, address), reading_slowly(address, "/download"):
        until(lambda: sent.turns == 1)
        until(lambda: sent.turns == 0)
        assert sent.file is not None
        assert sent.file.closed
        assert len(server.server_state.connections) == 1
        until(lambda: not server.server_state.connections)
    assert [line for line in caplog.messages if "bytes were taken" in line]
    assert [line for line in caplog.messages if "a connection was cut" in line]


def test_an_answer_that_was_made_in_memory_has_the_same_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 0.5)
    with listening(Sent().app(tmp_path)) as (server, address), reading_slowly(address, "/whole"):
        until(lambda: len(server.server_state.connections) == 1)
        until(lambda: not server.server_state.connections)


def test_who_reads_64_kib_in_time_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 19.0, 38.0, 57.0, 58.5])
    monkeypatch.setattr(lingering, "monotonic", lambda: next(times))
    one, watch = Closing(200_000), Lingering()
    for left, is_cut in ((200_000, False), (134_000, False), (68_000, False), (20_000, False), (20_000, True)):
        one.left = left
        watch.cut([one])
        assert one.is_cut is is_cut


def test_who_reads_on_is_sent_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 0.0)
    with listening(Sent().app(tmp_path)) as (_, address), socket.create_connection(address) as client:
        client.sendall(b"GET /download HTTP/1.1\r\nHost: localhost\r\n\r\n")
        got = 0
        while got < BYTES:
            data = client.recv(1_048_576)
            assert data
            got += len(data)
