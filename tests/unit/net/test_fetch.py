"""What a fetch delivers, and what it tells the server."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from imgguard import __version__
from imgguard.errors import FetchFailed, FetchRefused
from imgguard.ports import Accept, Fetcher, Poster, Redirect

from .conftest import MakeFetcher, Serve
from .hostile import PNG, PUBLIC, Names, Visit, Wire, raw, redirect, response

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_facts_of_a_fetch(serve: Serve, local: MakeFetcher) -> None:
    server = serve(response(PNG, Content_Type="text/html; charset=utf-8"))
    fetcher: Fetcher = local(server)
    fetched = fetcher.fetch(f"http://Shop.Example:{server.port}/a b#c", accept=Accept.IMAGE, max_bytes=1000)
    assert fetched.url == f"http://Shop.Example:{server.port}/a b#c"
    assert fetched.final_url == f"http://shop.example:{server.port}/a%20b"
    assert fetched.redirects == ()
    assert (fetched.address, fetched.status) == ("127.0.0.1", 200)
    assert (fetched.declared_type, fetched.media_type) == ("text/html; charset=utf-8", "image/png")
    assert fetched.data == PNG
    assert (fetched.started_at, fetched.finished_at) == (NOON, NOON)
    assert "PNG" not in repr(fetched)


def test_the_request_says_no_more_than_it_must(
    serve: Serve, local: MakeFetcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    (tmp_path / ".netrc").write_text("machine shop.example login me password secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    server = serve(response(PNG, Set_Cookie="a=b"))
    fetcher = local(server, contact="https://op.example/bot")
    for _ in range(2):
        fetcher.fetch(f"http://shop.example:{server.port}/?q", accept=Accept.ANYTHING, max_bytes=1000)
    for visit in server.visits:
        assert visit.request.startswith(b"GET /?q HTTP/1.1\r\n")
        assert visit.headers == {
            "host": f"shop.example:{server.port}",
            "user-agent": f"imgguard/{__version__} (+https://op.example/bot)",
            "accept": "*/*",
            "accept-encoding": "identity",
            "connection": "close",
        }


def test_without_a_contact(serve: Serve, public: MakeFetcher) -> None:
    server = serve(response(PNG))
    public(Wire(server)).fetch("http://shop.example", accept=Accept.IMAGE, max_bytes=1000)
    assert server.visits[0].headers["user-agent"] == f"imgguard/{__version__}"
    assert server.visits[0].headers["host"] == "shop.example"


def test_redirects_are_followed_and_recorded(serve: Serve, local: MakeFetcher) -> None:
    def script(visit: Visit) -> None:
        steps = {"/1": redirect("2", "301 Moved"), "/2": redirect(f"http://127.1:{visit.server.port}/3", "307 Over")}
        steps.get(visit.path, response(PNG))(visit)

    server = serve(script)
    names = Names({"shop.example": ["127.0.0.1"]})
    fetched = local(server, names=names, redirects=2).fetch(
        f"http://shop.example:{server.port}/1", accept=Accept.IMAGE, max_bytes=1000
    )
    assert fetched.redirects == (
        Redirect(url=f"http://shop.example:{server.port}/1", address="127.0.0.1", status=301),
        Redirect(url=f"http://shop.example:{server.port}/2", address="127.0.0.1", status=307),
    )
    assert fetched.final_url == f"http://127.0.0.1:{server.port}/3"
    assert names.asked == ["shop.example", "shop.example"]
    assert not any("referer" in visit.headers or "cookie" in visit.headers for visit in server.visits)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6c\r\n" + PNG + b"\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n" + PNG,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 203 OK\r\nContent-Length: 108\r\n\r\n" + PNG,
        b"HTTP/1.1 200 OK\r\nContent-Length: 108\r\nContent-Encoding: Identity\r\n\r\n" + PNG + b"more than announced",
    ],
    ids=["chunked", "until closed", "hints", "trailing"],
)
def test_framings_of_a_body(serve: Serve, local: MakeFetcher, answer: bytes) -> None:
    assert len(PNG) == 0x6C
    server = serve(raw(answer))
    fetched = local(server).fetch(f"http://shop.example:{server.port}/", accept=Accept.IMAGE, max_bytes=len(PNG))
    assert fetched.data == PNG


def test_a_large_body_arrives_whole(serve: Serve, local: MakeFetcher) -> None:
    body = bytes(range(256)) * 8000
    server = serve(response(body))
    url = f"http://shop.example:{server.port}/"
    assert local(server).fetch(url, accept=Accept.ANYTHING, max_bytes=len(body)).data == body
    with pytest.raises(FetchFailed, match="more than"):
        local(server, max_bytes=len(body) - 1).fetch(url, accept=Accept.ANYTHING, max_bytes=len(body))


def test_over_ipv6(serve: Serve, public: MakeFetcher, local: MakeFetcher) -> None:
    server = serve(response(PNG))
    wire = Wire(server)
    fetched = public(wire).fetch("http://[2606:4700::1111]/", accept=Accept.IMAGE, max_bytes=1000)
    assert fetched.address == "2606:4700::1111"
    assert server.visits[0].headers["host"] == "[2606:4700::1111]"
    mapped = local(server).fetch(f"http://[::ffff:7f00:1]:{server.port}/", accept=Accept.IMAGE, max_bytes=1000)
    assert mapped.address == "127.0.0.1"


def test_the_next_address_is_tried(serve: Serve, public: MakeFetcher) -> None:
    server = serve(response(PNG))
    wire = Wire(server)

    def half_broken(address: object, port: int, *, seconds: float) -> object:
        if str(address) == "2606:4700::1111":
            raise ConnectionRefusedError(111, "Connection refused")
        return wire(address, port, seconds=seconds)  # type: ignore[arg-type]

    names = Names({"shop.example": [f"2606:4700::1111 {PUBLIC}"]})
    fetched = public(half_broken, names=names).fetch("http://shop.example", accept=Accept.IMAGE, max_bytes=1000)
    assert fetched.address == PUBLIC


@pytest.mark.parametrize(
    "status", ["404 Not Found", "500 Oops", "304 Not Modified", "302 Found", "300 Choices", "199 X"]
)
def test_a_status_that_is_no_success(serve: Serve, local: MakeFetcher, status: str) -> None:
    server = serve(response(b"" if status.startswith("304") else PNG, status=status))
    with pytest.raises(FetchFailed) as caught:
        local(server).fetch(f"http://shop.example:{server.port}/", accept=Accept.ANYTHING, max_bytes=1000)
    assert "PNG" not in caught.value.detail


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><title>Sold out</title>", b"", b"%PDF-1.7", b"GIF", b"\0" * 50])
def test_the_type_declared_makes_no_image(serve: Serve, local: MakeFetcher, body: bytes) -> None:
    server = serve(response(body, Content_Type="image/jpeg"))
    url = f"http://shop.example:{server.port}/"
    with pytest.raises(FetchFailed, match="not an accepted image"):
        local(server).fetch(url, accept=Accept.IMAGE, max_bytes=1000)
    assert local(server).fetch(url, accept=Accept.ANYTHING, max_bytes=1000).data == body


def test_a_server_may_take_longer_than_its_connection(serve: Serve, local: MakeFetcher) -> None:
    def script(visit: Visit) -> None:
        visit.wait(0.2)
        response(PNG)(visit)

    server = serve(script)
    url = f"http://shop.example:{server.port}/"
    fetcher = local(server, seconds=0.9, connect_seconds=0.1)
    assert fetcher.fetch(url, accept=Accept.IMAGE, max_bytes=1000).data == PNG


def test_a_closed_port(serve: Serve, local: MakeFetcher) -> None:
    server = serve(response())
    server.close()
    with pytest.raises(FetchFailed, match="Connection refused"):
        local(server).fetch(f"http://shop.example:{server.port}/", accept=Accept.IMAGE, max_bytes=1000)


class TestPost:
    def test_the_facts_of_a_message(self, serve: Serve, local: MakeFetcher) -> None:
        server = serve(response(b"x" * 9000, status="418 Teapot"))
        poster: Poster = local(server)
        url = f"http://shop.example:{server.port}/hook"
        posted = poster.post(url, b'{"a": 1}', {"Content-Type": "application/json"})
        assert (posted.url, posted.address, posted.status) == (url, "127.0.0.1", 418)
        assert posted.answer == b"x" * 4096
        assert posted.started_at == posted.finished_at == NOON
        visit = server.visits[0]
        assert visit.request.startswith(b"POST /hook HTTP/1.1\r\n")
        assert visit.request.endswith(b'\r\n\r\n{"a": 1}')
        assert visit.headers["content-length"] == "8"
        assert visit.headers["content-type"] == "application/json"

    def test_nothing_is_a_message_too(self, serve: Serve, local: MakeFetcher) -> None:
        server = serve(response(status="204 No Content"))
        assert local(server).post(f"http://shop.example:{server.port}/", b"", {}).answer == b""
        assert server.visits[0].headers["content-length"] == "0"

    @pytest.mark.parametrize("length", [50, 0xFFFFFFFF])
    def test_a_status_stands_though_the_answer_breaks_off(self, serve: Serve, local: MakeFetcher, length: int) -> None:
        server = serve(response(b"done", length=length))
        posted = local(server).post(f"http://shop.example:{server.port}/", b"a", {})
        assert (posted.status, posted.answer) == (200, b"done")

    def test_when_to_come_again_is_told(self, serve: Serve, local: MakeFetcher) -> None:
        server = serve(response(status="503 Busy", retry_after="120"))
        assert local(server).post(f"http://shop.example:{server.port}/", b"a", {}).retry_after == "120"

    def test_what_is_not_encrypted_goes_to_allowed_networks_only(self, serve: Serve, public: MakeFetcher) -> None:
        wire = Wire(serve(response()))
        for ask in (lambda poster, url: poster.post(url, b"a", {}), lambda poster, url: poster.check_url(url)):
            for url in ("http://shop.example/", f"http://{PUBLIC}/"):
                with pytest.raises(FetchRefused, match="https only"):
                    ask(public(wire), url)
        assert wire.called == []
        assert public(wire).fetch("http://shop.example/", accept=Accept.ANYTHING, max_bytes=9).status == 200

    def test_a_url_is_checked_before_there_is_anything_to_send(self, serve: Serve, public: MakeFetcher) -> None:
        wire = Wire(serve(response()))
        names = Names({"inside.example": ["10.0.0.1"], "shop.example": [PUBLIC]})
        poster: Poster = public(wire, names=names)
        assert poster.check_url("HTTPS://Shop.Example:443/a b#c") == "https://shop.example/a%20b"
        assert poster.check_url("https://inside.example/") == "https://inside.example/"
        assert names.asked == []  # where a name leads is asked when something is sent
        for url in (
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://2130706433/",
            "http://inside.example/",
            "https://ann:secret@shop.example/",
            "https://shop.example:22/",
            "ftp://shop.example/",
            "//shop.example/",
            "",
        ):
            with pytest.raises(FetchRefused):
                poster.check_url(url)
        with pytest.raises(FetchRefused):
            poster.post("https://inside.example/", b"a", {})
        assert wire.called == []

    def test_unencrypted_to_a_network_that_is_allowed(self, serve: Serve, local: MakeFetcher) -> None:
        server = serve(response())
        url = f"http://shop.example:{server.port}/"
        assert local(server).check_url(url) == url
        mixed = Names({"shop.example": [f"127.0.0.1 {PUBLIC}"]})
        for ask in (lambda poster: poster.check_url(url), lambda poster: poster.post(url, b"a", {})):
            with pytest.raises(FetchRefused, match="https only"):
                ask(local(server, names=mixed))

    def test_redirects_are_not_followed(self, serve: Serve, local: MakeFetcher) -> None:
        server = serve(redirect("/elsewhere", "307 Temporary"))
        assert local(server).post(f"http://shop.example:{server.port}/", b"a", {}).status == 307
        assert server.connections == 1

    @pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://inside.example/", "ftp://shop.example/"])
    def test_addresses_are_judged_alike(self, serve: Serve, public: MakeFetcher, url: str) -> None:
        wire = Wire(serve(response()))
        names = Names({"inside.example": ["10.0.0.1"]})
        with pytest.raises(FetchRefused):
            public(wire, names=names).post(url, b"a", {})
        assert wire.called == []

    @pytest.mark.parametrize(
        ("name", "value"), [("Host", "a"), ("transfer-encoding", "chunked"), ("X-A", "b\r\nX-C: d"), ("X\nA", "b")]
    )
    def test_headers_that_would_change_the_request(
        self, serve: Serve, local: MakeFetcher, name: str, value: str
    ) -> None:
        server = serve(response())
        with pytest.raises(ValueError, match="cannot be sent"):
            local(server).post(f"http://shop.example:{server.port}/", b"a", {name: value})
        assert server.connections == 0

    def test_a_server_that_does_not_read(self, serve: Serve, local: MakeFetcher) -> None:
        """It takes the headers, then lets the body wait for ever."""
        server = serve(lambda visit: visit.wait(1), read_bodies=False)
        server_url = f"http://shop.example:{server.port}/"
        with pytest.raises(FetchFailed, match="not done within"):
            local(server, seconds=0.3).post(server_url, b"a" * 30_000_000, {})

    def test_a_server_that_reads_late(self, serve: Serve, local: MakeFetcher) -> None:
        def script(visit: Visit) -> None:
            visit.wait(0.2)
            visit.read_rest()
            response(b"at last")(visit)

        server = serve(script, read_bodies=False)
        fetcher = local(server, seconds=0.9, connect_seconds=0.1)
        posted = fetcher.post(f"http://shop.example:{server.port}/", b"a" * 20_000_000, {})
        assert posted.answer == b"at last"

    def test_an_early_answer_counts(self, serve: Serve, local: MakeFetcher) -> None:
        server = serve(response(b"too much", status="413 Too Large"), read_bodies=False)
        posted = local(server).post(f"http://shop.example:{server.port}/", b"a" * 100, {})
        assert (posted.status, posted.answer) == (413, b"too much")
