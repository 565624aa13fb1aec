"""What is asked of a calendar of OpenTimestamps over the network, and which answers are taken."""

import ssl
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

import pytest
from ots_files import promise_of

from imgguard.errors import CalendarUnavailable, FetchRefused
from imgguard.net.calendars import RemoteCalendar
from imgguard.net.policy import FetchPolicy
from imgguard.ports import Calendar

from .conftest import Serve
from .hostile import PUBLIC, Names, Server, StillClock, Visit, raw, redirect, response

COMMITMENT = bytes(range(32))
ANSWER = promise_of(COMMITMENT)

type MakeCalendar = Callable[..., RemoteCalendar]


@pytest.fixture
def asking(trusting: ssl.SSLContext) -> MakeCalendar:
    """One on loopback, which the operator allows unless the test says otherwise."""

    def make(server: Server, *, path: str = "", names: Names | None = None, **policy: Any) -> RemoteCalendar:
        policy = {
            "seconds": 0.6,
            "connect_seconds": 0.4,
            "allowed_networks": (IPv4Network("127.0.0.0/8"),),
            **policy,
        }
        return RemoteCalendar(
            f"https://shop.example:{server.port}{path}",
            FetchPolicy(**policy),
            clock=StillClock(),
            resolve=names or Names({"shop.example": ["127.0.0.1"]}),
            tls=trusting,
        )

    return make


@pytest.mark.parametrize("path", ["", "/", "/ots/"])
def test_a_commitment_is_handed_in(serve: Serve, asking: MakeCalendar, shop_tls: ssl.SSLContext, path: str) -> None:
    server = serve(response(ANSWER), tls=shop_tls)
    calendar: Calendar = asking(server, path=path)
    assert calendar.submit(COMMITMENT) == ANSWER
    assert calendar.name == "shop.example"
    assert calendar.url == f"https://shop.example:{server.port}{path.rstrip('/')}"
    (visit,) = server.visits
    head, _, body = visit.request.partition(b"\r\n\r\n")
    assert head.startswith(f"POST {path.rstrip('/')}/digest HTTP/1.1\r\n".encode())
    assert body == COMMITMENT


def test_a_promise_is_asked_for_by_its_message(serve: Serve, asking: MakeCalendar, shop_tls: ssl.SSLContext) -> None:
    server = serve(response(ANSWER), tls=shop_tls)
    assert asking(server).upgrade(COMMITMENT) == ANSWER
    assert server.visits[0].request.startswith(f"GET /timestamp/{COMMITMENT.hex()} HTTP/1.1\r\n".encode())


def test_no_block_yet_is_no_failure(serve: Serve, asking: MakeCalendar, shop_tls: ssl.SSLContext) -> None:
    server = serve(response(b"Pending confirmation in Bitcoin blockchain", status="404 Not Found"), tls=shop_tls)
    assert asking(server).upgrade(COMMITMENT) is None
    with pytest.raises(CalendarUnavailable, match="there is no calendar"):
        asking(server).submit(COMMITMENT)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (response(bytes(10_001)), "10000 bytes"),
        (raw(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(20_000)), "10000 bytes"),
        (lambda visit: (visit.send(b"HTTP/1.1 200 OK\r\n\r\n"), visit.flood(bytes(4096))), "10000 bytes"),
        (lambda visit: visit.flood(b"HTTP/1.1 200 OK\r\n"), "."),
        (response(ANSWER, length=len(ANSWER) + 10), "."),
        (response(ANSWER, Content_Encoding="gzip"), "compressed"),
        (redirect("https://elsewhere.example/"), "status 302"),
        (response(status="500 Broken"), "status 500"),
        (lambda visit: visit.reset(), "."),
        (lambda visit: visit.wait(5), "not done within"),
    ],
    ids=[
        "too much",
        "too much, unannounced",
        "endless",
        "endless headers",
        "cut short",
        "compressed",
        "redirect",
        "error",
        "reset",
        "silence",
    ],
)
@pytest.mark.parametrize("method", ["submit", "upgrade"])
def test_what_is_no_answer(
    serve: Serve,
    asking: MakeCalendar,
    shop_tls: ssl.SSLContext,
    script: Callable[[Visit], None],
    reason: str,
    method: str,
) -> None:
    calendar = asking(serve(script, tls=shop_tls))
    with pytest.raises(CalendarUnavailable, match=rf"shop\.example.*{reason}"):
        getattr(calendar, method)(COMMITMENT)


def test_when_to_ask_again(serve: Serve, asking: MakeCalendar, shop_tls: ssl.SSLContext) -> None:
    server = serve(response(status="503 Busy", Retry_After="120"), tls=shop_tls)
    with pytest.raises(CalendarUnavailable, match="status 503") as caught:
        asking(server).submit(COMMITMENT)
    assert caught.value.retry_after == 120


def test_inside_only_where_the_operator_allows_it(serve: Serve, asking: MakeCalendar, shop_tls: ssl.SSLContext) -> None:
    server = serve(response(ANSWER), tls=shop_tls)
    with pytest.raises(CalendarUnavailable, match="no address"):
        asking(server, allowed_networks=()).submit(COMMITMENT)
    with pytest.raises(CalendarUnavailable, match="no address"):
        asking(server, names=Names({"shop.example": [f"{PUBLIC} 169.254.169.254"]})).upgrade(COMMITMENT)
    assert server.connections == 0


def test_a_certificate_of_another_host_ends_it(serve: Serve, shop_tls: ssl.SSLContext) -> None:
    server = serve(response(ANSWER), tls=shop_tls)
    policy = FetchPolicy(seconds=0.6, connect_seconds=0.4, allowed_networks=(IPv4Network("127.0.0.0/8"),))
    names = Names({"other.example": ["127.0.0.1"]})
    calendar = RemoteCalendar(f"https://other.example:{server.port}", policy, clock=StillClock(), resolve=names)
    with pytest.raises(CalendarUnavailable, match="certificate"):
        calendar.submit(COMMITMENT)
    assert server.visits == []


def test_an_address_that_is_none() -> None:
    with pytest.raises(FetchRefused):
        RemoteCalendar("ftp://calendar.example", FetchPolicy(), clock=StillClock())
