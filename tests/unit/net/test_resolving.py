"""Names to addresses, in time."""

import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from imgguard.errors import FetchFailed
from imgguard.net.resolving import SystemResolver

Entry = tuple[int, int, int, str, tuple[Any, ...]]


def answer(*addresses: str) -> list[Entry]:
    return [(0, 0, 0, "", (address, 0)) for address in addresses]


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """No name is resolved before the event is set."""
    release = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[Entry]:
        release.wait(5)
        return answer("8.8.8.8")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield release
    release.set()


def test_all_addresses_once_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def getaddrinfo(name: bytes, *_: object, **__: object) -> list[Entry]:
        asked.append(name)
        return answer("2606:4700::1", "8.8.8.8", "::ffff:8.8.8.8", "fe80::1%1")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    found = SystemResolver()("shop.example", seconds=1)
    assert found == [ip_address("2606:4700::1"), ip_address("8.8.8.8"), ip_address("fe80::1%1")]
    assert asked == [b"shop.example"]


def test_the_real_resolver() -> None:
    assert ip_address("127.0.0.1") in SystemResolver()("127.0.0.1", seconds=1)


def test_no_such_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", raising(socket.gaierror(socket.EAI_NONAME, "unknown")))
    assert SystemResolver()("shop.example", seconds=1) == ()


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_AGAIN, "later"), OSError("odd"), UnicodeError("odd")])
def test_no_answer_at_present(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", raising(error))
    with pytest.raises(FetchFailed, match="at present"):
        SystemResolver()("shop.example", seconds=1)


def raising(error: Exception) -> Any:
    def getaddrinfo(*_: object, **__: object) -> list[Entry]:
        raise error

    return getaddrinfo


def test_a_slow_name_server(stuck: threading.Event) -> None:
    start = time.monotonic()
    with pytest.raises(FetchFailed, match="in time"):
        SystemResolver()("shop.example", seconds=0.1)
    assert time.monotonic() - start < 0.5


def test_slow_names_do_not_pile_up(stuck: threading.Event) -> None:
    resolve = SystemResolver(look_ups=2)
    for _ in range(2):
        with pytest.raises(FetchFailed, match="in time"):
            resolve("shop.example", seconds=0.02)
    with pytest.raises(FetchFailed, match="too many"):
        resolve("shop.example", seconds=0.02)
    stuck.set()
    assert resolve("shop.example", seconds=1) == [ip_address("8.8.8.8")]
