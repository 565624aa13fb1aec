"""Files that are made when they are asked for, and clients that do not read them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import pytest
from starlette.types import Message

from imgguard.api import downloads
from imgguard.api.downloads import Download, written
from imgguard.errors import InputError, StoreUnavailable

pytestmark = pytest.mark.anyio
SIZE = 300_000


class Sending:
    """One download of `SIZE` bytes, with what is held for it."""

    def __init__(self, folder: Path) -> None:
        self.file = written(["a" * SIZE], folder)
        self.has_turn = False
        self.sent: list[Message] = []

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self.has_turn = True
        yield
        self.has_turn = False

    async def _make(self) -> IO[bytes]:
        assert self.has_turn
        return self.file

    async def to(self, read: Callable[[], object], *, leaves: bool = False) -> None:
        """``read`` gives what the client does before it takes the next piece; ``leaves``: it goes at once."""

        async def receive() -> Message:
            if not leaves:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            assert self.has_turn
            assert not self.file.closed
            await read()  # type: ignore[misc]
            self.sent.append(message)

        download = Download(self._make, turn=self._turn(), media_type="text/csv", name="a.csv")
        await download(
            {"type": "http", "asgi": {"spec_version": "2.3"}, "state": {"request_id": "req_1"}}, receive, send
        )

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    def is_over(self) -> bool:
        return self.file.closed and not self.has_turn


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[Sending]:
    made = Sending(tmp_path)
    yield made
    made.file.close()


async def test_a_file_is_sent_in_pieces(sending: Sending) -> None:
    await sending.to(lambda: asyncio.sleep(0))
    assert sending.body == b"a" * SIZE
    assert (b"content-length", str(SIZE).encode()) in sending.sent[0]["headers"]
    assert max(len(message.get("body", b"")) for message in sending.sent) <= 65_536
    assert sending.is_over()


async def test_who_does_not_read_holds_nothing_for_long(
    sending: Sending, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(downloads, "WRITE_SECONDS", 0.05)
    async with asyncio.timeout(5):
        await sending.to(lambda: asyncio.sleep(60))
    assert sending.body == b""
    assert sending.is_over()
    assert "req_1: read_too_slowly: after 0 seconds" in caplog.text


async def test_who_reads_a_little_at_a_time_has_a_deadline(sending: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "SEND_SECONDS", 0.3)
    async with asyncio.timeout(5):
        await sending.to(lambda: asyncio.sleep(0.1))
    assert 0 < len(sending.body) < SIZE
    assert sending.sent[-1].get("more_body")  # so the server does not take it for whole
    assert sending.is_over()


async def test_who_goes_away_is_sent_no_more(sending: Sending) -> None:
    async with asyncio.timeout(5):
        await sending.to(lambda: asyncio.sleep(60), leaves=True)
    assert sending.is_over()


def test_a_file_has_no_name(tmp_path: Path) -> None:
    with written(["ä", "b"], tmp_path) as file:
        assert list(tmp_path.iterdir()) == []
        file.seek(0)
        assert file.read() == "äb".encode()


def test_a_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST_BYTES", 10)
    written(["a" * 10], tmp_path).close()
    endless = iter(lambda: "a", "")
    with pytest.raises(InputError, match="more than 10 bytes"):
        written(endless, tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        written(["a"], tmp_path / "none")
