"""Names and redirects that lead inside: nothing inside is ever connected to."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgguard.errors import FetchFailed, FetchRefused
from imgguard.net.fetcher import SafeFetcher
from imgguard.net.policy import FetchPolicy
from imgguard.ports import Accept

from .conftest import MakeFetcher, Serve
from .hostile import PNG, PUBLIC, Names, StillClock, Visit, Wire, redirect, response
from .test_addresses import FORBIDDEN

URL = "http://shop.example/"


def test_a_name_is_resolved_once_for_check_and_connection(serve: Serve, public: MakeFetcher) -> None:
    names = Names({"shop.example": [PUBLIC, "127.0.0.1"]})
    wire = Wire(serve(response(PNG)))
    fetched = public(wire, names=names).fetch(URL, accept=Accept.IMAGE, max_bytes=1000)
    assert (fetched.address, wire.called, names.asked) == (PUBLIC, [PUBLIC], ["shop.example"])
    with pytest.raises(FetchRefused):
        public(wire, names=names).fetch(URL, accept=Accept.IMAGE, max_bytes=1000)
    assert wire.called == [PUBLIC]


def test_a_mapped_address_is_connected_to_as_ipv4(serve: Serve, public: MakeFetcher) -> None:
    wire = Wire(serve(response(PNG)))
    names = Names({"shop.example": [f"::ffff:{PUBLIC}"]})
    assert public(wire, names=names).fetch(URL, accept=Accept.IMAGE, max_bytes=1000).address == PUBLIC
    assert wire.called == [PUBLIC]


def test_a_name_that_turns_between_redirects(serve: Serve, public: MakeFetcher) -> None:
    names = Names({"shop.example": [PUBLIC, "169.254.169.254"]})
    wire = Wire(serve(redirect("/again")))
    with pytest.raises(FetchRefused):
        public(wire, names=names).fetch(URL, accept=Accept.IMAGE, max_bytes=1000)
    assert wire.called == [PUBLIC]


@pytest.mark.parametrize(
    "answer",
    ["10.0.0.1", f"{PUBLIC} 10.0.0.1", f"10.0.0.1 {PUBLIC}", f"{PUBLIC} ::1", f"{PUBLIC} ::ffff:192.168.1.1",
     f"{PUBLIC} 64:ff9b::7f00:1", f"{PUBLIC} fe80::1%1", "0.0.0.0", "::"],
)  # fmt: skip
def test_one_address_inside_refuses_all(serve: Serve, public: MakeFetcher, answer: str) -> None:
    wire = Wire(serve(response(PNG)))
    with pytest.raises(FetchRefused) as caught:
        public(wire, names=Names({"shop.example": [answer]})).fetch(URL, accept=Accept.IMAGE, max_bytes=1000)
    assert wire.called == []
    assert caught.value.detail == "shop.example has no address that may be fetched from"


def test_a_name_inside_looks_like_one_that_does_not_exist(serve: Serve, public: MakeFetcher) -> None:
    fetcher = public(Wire(serve(response(PNG))), names=Names({"inside.example": ["10.0.0.1"]}))
    said = set()
    for name in ("inside.example", "nothing.example"):
        with pytest.raises(FetchRefused) as caught:
            fetcher.fetch(f"http://{name}/", accept=Accept.IMAGE, max_bytes=1000)
        said.add(caught.value.detail.replace(name, ""))
    assert len(said) == 1


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1/", "http://2130706433/", "http://[::ffff:127.0.0.1]/", "//0x7f.1/", "http://inside.example/",
     "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://100.100.100.200/",
     "http://shop.example:22/", "http://me:you@shop.example/", "file:///etc/passwd", "gopher://shop.example/_"],
)  # fmt: skip
def test_redirects_inside(serve: Serve, public: MakeFetcher, location: str) -> None:
    names = Names({"shop.example": [PUBLIC], "inside.example": ["10.0.0.1"]})
    wire = Wire(serve(redirect(location)))
    with pytest.raises(FetchRefused):
        public(wire, names=names).fetch(URL, accept=Accept.ANYTHING, max_bytes=1000)
    assert wire.called == [PUBLIC]


def test_allowed_networks_do_not_open_others(serve: Serve, local: MakeFetcher) -> None:
    def script(visit: Visit) -> None:
        redirect(f"http://[::1]:{visit.server.port}/")(visit)

    server = serve(script)
    with pytest.raises(FetchRefused):
        local(server).fetch(f"http://127.0.0.1:{server.port}/", accept=Accept.IMAGE, max_bytes=1000)


def test_ports_are_closed_unless_opened(serve: Serve, local: MakeFetcher) -> None:
    server = serve(response(PNG))
    with pytest.raises(FetchRefused, match=f"port {server.port} is not allowed"):
        local(server, extra_ports=frozenset({1})).fetch(
            f"http://127.0.0.1:{server.port}/", accept=Accept.IMAGE, max_bytes=1000
        )
    assert server.connections == 0


FORBIDDEN_NETWORKS = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.168.0.0/16
198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
::/96 100::/64 2001:2::/48 2001:db8::/32 3fff::/20 fc00::/7 fe80::/10 ff00::/8
"""
FORBIDDEN_ADDRESSES = st.sampled_from(FORBIDDEN) | st.sampled_from(FORBIDDEN_NETWORKS.split()).flatmap(
    lambda network: st.ip_addresses(network=network).map(str)
)


@st.composite
def numbers(draw: st.DrawFn, value: int) -> str:
    """One way to write a number."""
    form = draw(st.sampled_from(["{:d}", "0{:o}", "00{:o}", "0x{:x}", "0X{:X}", "0x00{:x}"]))
    return form.format(value)


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """The host of a URL that leads to a forbidden address, in one of its spellings."""
    address = ip_address(draw(FORBIDDEN_ADDRESSES))
    if isinstance(address, IPv4Address) and draw(st.booleans()):
        count = draw(st.integers(1, 4))
        octets = address.packed
        parts = [draw(numbers(octet)) for octet in octets[: count - 1]]
        parts.append(draw(numbers(int.from_bytes(octets[count - 1 :]))))
        text = draw(st.sampled_from([".", "。", "．", "｡"])).join(parts) + draw(st.sampled_from(["", "."]))
        if draw(st.booleans()):
            text = "".join(chr(ord(c) + 0xFEE0) if c.isalnum() and draw(st.booleans()) else c for c in text)
        return text
    if isinstance(address, IPv4Address):
        prefix = draw(st.sampled_from(["::ffff:0:0", "64:ff9b::", "2002::", "::"]))
        shift = 80 if prefix == "2002::" else 0
        address = IPv6Address(int(IPv6Address(prefix)) | int(address) << shift)
    text = draw(st.sampled_from([str(address), address.exploded, address.exploded.upper()]))
    zone = draw(st.sampled_from(["", "", "", "%1", "%25eth0"]))
    return f"[{text}{zone}]"


def never(*_: object, **__: object) -> None:
    raise AssertionError("connected")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    host=spellings(),
    scheme=st.sampled_from(["http", "https", "HTTP"]),
    decoration=st.sampled_from(["{}", "{}:80", "{}:443", "me@{}", "shop.example@{}", "shop.example:80@{}"]),
    path=st.sampled_from(["", "/", "/a?b", "#c", "?@shop.example/", "/..", "\\@shop.example/"]),
)
def test_no_spelling_of_a_forbidden_address_is_connected_to(host: str, scheme: str, decoration: str, path: str) -> None:
    with pytest.raises(FetchRefused):
        OFFLINE.fetch(f"{scheme}://{decoration.format(host)}{path}", accept=Accept.ANYTHING, max_bytes=1)


@settings(max_examples=100, deadline=None)
@given(answer=st.lists(st.ip_addresses().map(str), max_size=3), bad=FORBIDDEN_ADDRESSES, at=st.integers(0, 3))
def test_no_forbidden_address_of_a_name_is_connected_to(answer: list[str], bad: str, at: int) -> None:
    answer.insert(at, bad)
    fetcher = SafeFetcher(
        FetchPolicy(),
        clock=StillClock(),
        resolve=Names({"shop.example": [" ".join(answer)]}),
        connect=never,  # type: ignore[arg-type]
        tls=OFFLINE._tls,
    )
    with pytest.raises(FetchRefused):
        fetcher.fetch(URL, accept=Accept.ANYTHING, max_bytes=1)


OFFLINE = SafeFetcher(
    FetchPolicy(extra_ports=frozenset({8080})),
    clock=StillClock(),
    resolve=Names({"shop.example": [PUBLIC]}),
    connect=never,  # type: ignore[arg-type]
)


def test_the_property_tests_would_notice() -> None:
    with pytest.raises(AssertionError, match="connected"):
        OFFLINE.fetch("http://8.8.8.8/", accept=Accept.ANYTHING, max_bytes=1)


def test_failures_of_public_servers_are_not_refusals(serve: Serve, public: MakeFetcher) -> None:
    wire = Wire(serve(response(status="404 Not Found")))
    with pytest.raises(FetchFailed, match="404"):
        public(wire).fetch(URL, accept=Accept.ANYTHING, max_bytes=1000)
