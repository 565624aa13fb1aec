"""Servers that hold on, flood, lie and break off: each ends in FetchFailed, soon."""

import gzip
import time
import zlib

import pytest

from imgguard.errors import FetchFailed
from imgguard.net.policy import MAX_HEADER_BYTES
from imgguard.ports import Accept

from .conftest import MakeFetcher, Serve
from .hostile import PNG, Script, Visit, raw, redirect, response

OK = b"HTTP/1.1 200 OK\r\n"


def fail(serve: Serve, local: MakeFetcher, script: Script, **policy: float) -> str:
    """What is said of a server that plays ``script``; it must not take longer than the deadline allows."""
    server = serve(script)
    fetcher = local(server, **policy)
    start = time.monotonic()
    with pytest.raises(FetchFailed) as caught:
        fetcher.fetch(f"http://shop.example:{server.port}/", accept=Accept.ANYTHING, max_bytes=10_000)
    assert time.monotonic() - start < policy.get("seconds", 0.6) + 0.4
    return caught.value.detail


def late(visit: Visit) -> None:
    visit.wait(2)


def dripped_headers(visit: Visit) -> None:
    visit.drip(OK + b"X-A: " + b"a" * 1000)


def dripped_body(visit: Visit) -> None:
    visit.send(OK + b"Content-Length: 5000\r\n\r\n")
    visit.drip(bytes(5000))


def dripped_chunks(visit: Visit) -> None:
    visit.send(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(1000):
        visit.drip(b"1\r\na\r\n", pause=0.01)


@pytest.mark.parametrize("script", [late, dripped_headers, dripped_body, dripped_chunks])
def test_slow_servers(serve: Serve, local: MakeFetcher, script: Script) -> None:
    assert fail(serve, local, script, seconds=0.3) == "not done within 0.3 s"


def test_what_arrives_wins_no_time(serve: Serve, local: MakeFetcher) -> None:
    def script(visit: Visit) -> None:
        visit.wait(0.4)
        visit.send(OK)
        visit.wait(2)

    start = time.monotonic()
    assert fail(serve, local, script, seconds=0.5) == "not done within 0.5 s"
    assert time.monotonic() - start < 0.8


def test_slow_redirects_share_one_deadline(serve: Serve, local: MakeFetcher) -> None:
    def script(visit: Visit) -> None:
        visit.wait(0.12)
        redirect(f"/{len(visit.server.visits)}")(visit)

    assert fail(serve, local, script, seconds=0.3) == "not done within 0.3 s"


def endless(visit: Visit) -> None:
    visit.send(OK + b"\r\n")
    visit.flood(bytes(10_000))


def endless_chunks(visit: Visit) -> None:
    visit.send(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    visit.flood(b"2710\r\n" + bytes(10_000) + b"\r\n")


def chunks_of_one(visit: Visit) -> None:
    """Framing outweighs the data: few bytes arrive in many."""
    visit.send(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    visit.flood((b"1;" + b"x" * 5000 + b"\r\na\r\n") * 10)


@pytest.mark.parametrize("script", [endless, endless_chunks])
def test_endless_bodies(serve: Serve, local: MakeFetcher, script: Script) -> None:
    assert fail(serve, local, script) == "more than 10000 bytes, the limit"


def test_bodies_of_framing(serve: Serve, local: MakeFetcher) -> None:
    assert fail(serve, local, chunks_of_one) == "too many bytes"


def test_announced_length(serve: Serve, local: MakeFetcher) -> None:
    said = fail(serve, local, response(b"a", length=10_001))
    assert said == "the server announces more than 10000 bytes, the limit"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 500\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 0x10\r\n\r\n",
        b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
        b"Content-Length: 99999999999999999999999999\r\n\r\n",
        b"Transfer-Encoding: gzip\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffffffff\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"No colon\r\n\r\n",
        b"Nul\0: a\r\n\r\n",
    ],
)
def test_lies_about_the_body(serve: Serve, local: MakeFetcher, head: bytes) -> None:
    assert fail(serve, local, raw(OK + head + b"abc")) == "the server does not answer in proper HTTP"


@pytest.mark.parametrize(
    "answer",
    [b"", b"\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/2 200 OK\r\n\r\n", b"<html>secret</html>\r\n\r\n", OK, PNG,
     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"220 mail ESMTP\r\n-ERR\r\n", b"HTTP/1.1 99999 OK\r\n\r\n"],
)  # fmt: skip
def test_no_http_at_all(serve: Serve, local: MakeFetcher, answer: bytes) -> None:
    """And what it was is not told: the port may be that of something else."""
    assert fail(serve, local, raw(answer)) == "the server does not answer in proper HTTP"


def one_huge_header(visit: Visit) -> None:
    visit.send(OK + b"X-A: ")
    visit.flood(b"a" * 10_000)


def many_headers(visit: Visit) -> None:
    visit.send(OK)
    visit.flood(b"X-A: b\r\n" * 1000)


def endless_hints(visit: Visit) -> None:
    visit.flood(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500)


@pytest.mark.parametrize("script", [one_huge_header, many_headers, endless_hints])
def test_huge_headers(serve: Serve, local: MakeFetcher, script: Script) -> None:
    assert fail(serve, local, script) == f"headers of more than {MAX_HEADER_BYTES} bytes"


def test_a_reset_connection(serve: Serve, local: MakeFetcher) -> None:
    def script(visit: Visit) -> None:
        visit.send(OK + b"Content-Length: 500\r\n\r\nabc")
        visit.wait(0.1)
        visit.reset()

    assert fail(serve, local, script) == "the connection broke"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(bytes(5_000_000), mtime=0)),
        ("deflate", zlib.compress(bytes(5_000_000))),
        ("br", b"\x0b\x02\x80abc\x03"),
        ("identity, gzip", b"abc"),
    ],
)
def test_compression_bombs_are_not_opened(serve: Serve, local: MakeFetcher, encoding: str, body: bytes) -> None:
    said = fail(serve, local, response(body, Content_Encoding=encoding))
    assert said == "the server sent compressed data, which was not asked for"


def test_redirects_in_a_circle(serve: Serve, local: MakeFetcher) -> None:
    assert fail(serve, local, redirect("/")) == "the redirects lead in a circle"
    assert fail(serve, local, redirect("#other")) == "the redirects lead in a circle"


def test_too_many_redirects(serve: Serve, local: MakeFetcher) -> None:
    def script(visit: Visit) -> None:
        redirect(f"/{len(visit.server.visits)}")(visit)

    assert fail(serve, local, script) == "more than 5 redirects, the limit"
    assert fail(serve, local, script, redirects=0) == "more than 0 redirects, the limit"
    server = serve(script)
    with pytest.raises(FetchFailed):
        local(server, redirects=2).fetch(f"http://127.0.0.1:{server.port}/", accept=Accept.ANYTHING, max_bytes=10)
    assert server.connections == 3
