"""TLS: the connection goes to an address, the certificate must name the host."""

import socket
import ssl
import time

import pytest
import trustme

from imgguard.errors import FetchFailed, FetchRefused
from imgguard.ports import Accept

from .conftest import MakeFetcher, Serve
from .hostile import PNG, PUBLIC, Names, Visit, Wire, raw, redirect, response


def test_the_name_is_asked_for_and_checked(
    serve: Serve, public: MakeFetcher, shop_tls: ssl.SSLContext, authority: trustme.CA
) -> None:
    asked = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(context)
    context.sni_callback = lambda connection, name, original: asked.append(name)
    wire = Wire(serve(response(PNG), tls=context))
    fetched = public(wire).fetch("https://SHOP.example./", accept=Accept.IMAGE, max_bytes=1000)
    assert (fetched.data, fetched.address, wire.called) == (PNG, PUBLIC, [PUBLIC])
    assert asked == ["shop.example"]


def test_an_address_as_host(serve: Serve, public: MakeFetcher, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(PUBLIC, "2606:4700::1111").configure_cert(context)
    wire = Wire(serve(response(PNG), tls=context))
    for host in (PUBLIC, "[2606:4700::1111]"):
        assert public(wire).fetch(f"https://{host}/", accept=Accept.IMAGE, max_bytes=1000).status == 200


@pytest.mark.parametrize("host", ["other.example", "a.shop.example", PUBLIC])
def test_a_certificate_for_another_host(serve: Serve, public: MakeFetcher, shop_tls: ssl.SSLContext, host: str) -> None:
    server = serve(response(PNG), tls=shop_tls)
    with pytest.raises(FetchFailed, match="certificate is not valid"):
        public(Wire(server), names=Names({host: [PUBLIC]})).fetch(
            f"https://{host}/", accept=Accept.IMAGE, max_bytes=1000
        )
    assert server.visits == []


def test_a_certificate_of_an_unknown_authority(serve: Serve, public: MakeFetcher) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("shop.example").configure_cert(context)
    with pytest.raises(FetchFailed, match="certificate is not valid"):
        public(Wire(serve(response(PNG), tls=context))).fetch(
            "https://shop.example/", accept=Accept.IMAGE, max_bytes=1000
        )


def test_plain_text_where_tls_is_due(serve: Serve, public: MakeFetcher) -> None:
    def greet(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\nsecret")

    with pytest.raises(FetchFailed) as caught:
        public(Wire(serve(raw(b""), greet=greet))).fetch("https://shop.example/", accept=Accept.IMAGE, max_bytes=1000)
    assert caught.value.detail == "no TLS connection can be made"


def test_tls_where_plain_text_is_due(serve: Serve, public: MakeFetcher, shop_tls: ssl.SSLContext) -> None:
    with pytest.raises(FetchFailed):
        public(Wire(serve(response(PNG), tls=shop_tls))).fetch(
            "http://shop.example:443/", accept=Accept.IMAGE, max_bytes=1000
        )


@pytest.mark.parametrize("pause", [0.3, 0.02])
def test_a_handshake_that_does_not_come(serve: Serve, public: MakeFetcher, pause: float) -> None:
    """Or comes byte by byte: the beginning of a record that never ends."""

    def greet(connection: socket.socket) -> None:
        for byte in b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb" + bytes(50):
            time.sleep(pause)
            connection.sendall(bytes([byte]))

    start = time.monotonic()
    with pytest.raises(FetchFailed, match="no TLS connection in time"):
        public(Wire(serve(raw(b""), greet=greet)), connect_seconds=0.2).fetch(
            "https://shop.example/", accept=Accept.IMAGE, max_bytes=1000
        )
    assert time.monotonic() - start < 0.45


def test_a_slow_body_over_tls(serve: Serve, public: MakeFetcher, shop_tls: ssl.SSLContext) -> None:
    def script(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        visit.drip(bytes(500))

    with pytest.raises(FetchFailed, match="not done within"):
        public(Wire(serve(script, tls=shop_tls)), seconds=0.4).fetch(
            "https://shop.example/", accept=Accept.ANYTHING, max_bytes=1000
        )


def test_an_unread_message_over_tls(serve: Serve, public: MakeFetcher, shop_tls: ssl.SSLContext) -> None:
    server = serve(lambda visit: visit.wait(1), tls=shop_tls, read_bodies=False)
    start = time.monotonic()
    with pytest.raises(FetchFailed):
        public(Wire(server), seconds=0.4).post("https://shop.example/", b"a" * 30_000_000, {})
    assert time.monotonic() - start < 0.9


def test_no_way_back_to_plain_text(serve: Serve, public: MakeFetcher, shop_tls: ssl.SSLContext) -> None:
    wire = Wire(serve(redirect("http://shop.example/"), tls=shop_tls))
    with pytest.raises(FetchRefused, match="from https to http"):
        public(wire).fetch("https://shop.example/", accept=Accept.IMAGE, max_bytes=1000)
    assert wire.called == [PUBLIC]
