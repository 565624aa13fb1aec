"""What is asked of a timestamp authority over the network, and which answers are taken."""

import ssl
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Any

import pytest

from imgguard.errors import FetchRefused, TimestampAuthorityUnavailable, TimestampRefused
from imgguard.net.policy import FetchPolicy
from imgguard.net.timestamping import RemoteAuthority
from imgguard.ports import TimestampAuthority
from imgguard.provenance.authority import EmbeddedAuthority
from imgguard.provenance.timestamps import Digest, request_for, verify_timestamp
from imgguard.provenance.trust import Trust

from .conftest import Serve
from .hostile import PUBLIC, Names, Server, StillClock, Visit, Wire, redirect, response

DIGEST = Digest.of(b"checkpoint")
REPLY = "application/timestamp-reply"

type MakeAuthority = Callable[..., RemoteAuthority]


@pytest.fixture(scope="module")
def embedded() -> EmbeddedAuthority:
    return EmbeddedAuthority.new(at=StillClock().now() - timedelta(days=1))


@pytest.fixture
def asking(trusting: ssl.SSLContext) -> MakeAuthority:
    """One on loopback, which the operator allows unless the test says otherwise."""

    def make(server: Server, *, scheme: str = "http", names: Names | None = None, **policy: Any) -> RemoteAuthority:
        policy = {
            "seconds": 0.6,
            "connect_seconds": 0.4,
            "allowed_networks": (IPv4Network("127.0.0.0/8"),),
            **policy,
        }
        return RemoteAuthority(
            f"{scheme}://shop.example:{server.port}/tsr?a=b",
            FetchPolicy(**policy),
            clock=StillClock(),
            resolve=names or Names({"shop.example": ["127.0.0.1"]}),
            tls=trusting,
        )

    return make


def stamping(embedded: EmbeddedAuthority, **headers: str) -> Callable[[Visit], None]:
    def script(visit: Visit) -> None:
        request = visit.request.partition(b"\r\n\r\n")[2]
        answer = embedded.issue(request, at=StillClock().now())
        response(answer, **({"Content_Type": REPLY} | headers))(visit)

    return script


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_digest_is_stamped(
    serve: Serve, asking: MakeAuthority, embedded: EmbeddedAuthority, shop_tls: ssl.SSLContext, scheme: str
) -> None:
    server = serve(stamping(embedded), tls=shop_tls if scheme == "https" else None)
    authority: TimestampAuthority = asking(server, scheme=scheme)
    token = authority.stamp(DIGEST)
    assert verify_timestamp(token, DIGEST, trust=Trust()).token.gen_time == StillClock().now()
    assert authority.name == "shop.example"
    assert authority.url == f"{scheme}://shop.example:{server.port}/tsr?a=b"
    (visit,) = server.visits
    assert visit.request.startswith(b"POST /tsr?a=b HTTP/1.1\r\n")
    assert visit.headers["content-type"] == "application/timestamp-query"


def test_every_request_has_a_nonce_of_its_own(serve: Serve, asking: MakeAuthority, embedded: EmbeddedAuthority) -> None:
    server = serve(stamping(embedded))
    first, second = (asking(server).stamp(DIGEST) for _ in range(2))
    nonces = [verify_timestamp(token, DIGEST, trust=Trust()).token.nonce for token in (first, second)]
    assert None not in nonces
    assert len(set(nonces)) == 2


@pytest.mark.parametrize("kind", [REPLY.upper(), f"{REPLY}; charset=binary"])
def test_a_media_type_may_be_written_otherwise(
    serve: Serve, asking: MakeAuthority, embedded: EmbeddedAuthority, kind: str
) -> None:
    assert asking(serve(stamping(embedded, Content_Type=kind))).stamp(DIGEST)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (response(b"<html>", Content_Type="text/html"), "something else"),
        (response(b"x"), "something else"),
        (response(b"garbage", Content_Type=REPLY), "proper DER"),
        (response(bytes(65_537), Content_Type=REPLY), "65536 bytes"),
        (response(b"abc", length=100, Content_Type=REPLY), "."),
        (redirect("https://elsewhere.example/"), "status 302"),
        (response(status="500 Broken", Content_Type=REPLY), "status 500"),
        (lambda visit: visit.flood(b"HTTP/1.1 200 OK\r\n"), "."),
        (lambda visit: visit.reset(), "."),
        (lambda visit: visit.wait(5), "not done within"),
    ],
    ids=[
        "page",
        "no type",
        "garbage",
        "too much",
        "cut short",
        "redirect",
        "error",
        "endless headers",
        "reset",
        "silence",
    ],
)
def test_what_is_no_answer(serve: Serve, asking: MakeAuthority, script: Callable[[Visit], None], reason: str) -> None:
    with pytest.raises(TimestampAuthorityUnavailable, match=rf"shop\.example.*{reason}") as caught:
        asking(serve(script)).stamp(DIGEST)
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("99999999999999999999", 86_400.0),
        ("Fri, 02 Jan 2026 03:05:05 GMT", 60.0),
        ("Fri, 02 Jan 2026 03:00:00 GMT", 0.0),
        ("Fri, 02 Jan 2099 03:00:00 GMT", 86_400.0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_when_to_ask_again(serve: Serve, asking: MakeAuthority, told: str, seconds: float | None) -> None:
    server = serve(response(status="503 Busy", Retry_After=told))
    with pytest.raises(TimestampAuthorityUnavailable, match="status 503") as caught:
        asking(server).stamp(DIGEST)
    assert caught.value.retry_after == seconds


def test_an_authority_that_says_no_is_not_unavailable(
    serve: Serve, asking: MakeAuthority, embedded: EmbeddedAuthority
) -> None:
    rejection = embedded.issue(b"nonsense", at=StillClock().now())
    with pytest.raises(TimestampRefused, match="bad_data_format"):
        asking(serve(response(rejection, Content_Type=REPLY))).stamp(DIGEST)


def test_an_old_answer_is_not_taken_again(serve: Serve, asking: MakeAuthority, embedded: EmbeddedAuthority) -> None:
    replayed = embedded.issue(request_for(DIGEST, nonce=1), at=StillClock().now())
    with pytest.raises(TimestampRefused, match="nonce"):
        asking(serve(response(replayed, Content_Type=REPLY))).stamp(DIGEST)


def test_the_answer_for_another_digest_is_not_taken(
    serve: Serve, asking: MakeAuthority, embedded: EmbeddedAuthority
) -> None:
    def script(visit: Visit) -> None:
        request = visit.request.partition(b"\r\n\r\n")[2].replace(DIGEST.value, Digest.of(b"other").value)
        response(embedded.issue(request, at=StillClock().now()), Content_Type=REPLY)(visit)

    with pytest.raises(TimestampRefused, match="another digest"):
        asking(serve(script)).stamp(DIGEST)


def test_inside_only_where_the_operator_allows_it(
    serve: Serve, asking: MakeAuthority, embedded: EmbeddedAuthority
) -> None:
    server = serve(stamping(embedded))
    with pytest.raises(TimestampAuthorityUnavailable, match="no address"):
        asking(server, allowed_networks=()).stamp(DIGEST)
    mixed = Names({"shop.example": [f"{PUBLIC} 169.254.169.254"]})
    with pytest.raises(TimestampAuthorityUnavailable, match="no address"):
        asking(server, names=mixed).stamp(DIGEST)
    assert server.connections == 0


def test_a_public_authority_may_be_asked_by_http(
    serve: Serve, trusting: ssl.SSLContext, embedded: EmbeddedAuthority
) -> None:
    authority = RemoteAuthority(
        "http://tsa.example",
        FetchPolicy(seconds=0.6, connect_seconds=0.4),
        clock=StillClock(),
        resolve=Names({"tsa.example": [PUBLIC]}),
        connect=Wire(serve(stamping(embedded))),
        tls=trusting,
    )
    assert authority.stamp(DIGEST)
    assert authority.url == "http://tsa.example/"


def test_a_certificate_of_another_host_ends_it(
    serve: Serve, asking: MakeAuthority, embedded: EmbeddedAuthority, shop_tls: ssl.SSLContext
) -> None:
    server = serve(stamping(embedded), tls=shop_tls)
    authority = RemoteAuthority(
        f"https://other.example:{server.port}",
        FetchPolicy(seconds=0.6, connect_seconds=0.4, allowed_networks=(IPv4Network("127.0.0.0/8"),)),
        clock=StillClock(),
        resolve=Names({"other.example": ["127.0.0.1"]}),
    )
    with pytest.raises(TimestampAuthorityUnavailable, match="certificate"):
        authority.stamp(DIGEST)
    assert server.visits == []


def test_an_address_that_is_none() -> None:
    with pytest.raises(FetchRefused):
        RemoteAuthority("ftp://tsa.example", FetchPolicy(), clock=StillClock())
