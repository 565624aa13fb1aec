"""Public or not, by the address that is finally reached."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imgguard.net.addresses import METADATA, Address, canonical, destinations, may_connect


def words(text: str) -> list[str]:
    return text.split()


FORBIDDEN = words(
    """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.0.1
    169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
    198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    100.100.100.200 168.63.129.16
    :: ::1 ::127.0.0.1 ::ffff:0:127.0.0.1 100::1 64:ff9b:1::7f00:1 fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1 fec0::1
    ff02::1 2001:db8::1 2001:2::1 2001:10::1 2001:20::1 3fff::1 5f00::1 4000::1
    ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2002:a9fe:a9fe::1
    2002:c0a8:101::1 2001:0:808:808:0:0:80ff:fffe 2001:0:7f00:1:0:0:f7f7:f7f7
    2606:4700::5efe:10.0.0.1 2606:4700::200:5efe:127.0.0.1
    """
)
PUBLIC = words(
    """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.215.14 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
    172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
    2606:4700::1111 2a00:1450:4001:80b::200e 2001:4860:4860::8888 2620:fe::fe
    ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 2001:0:808:808:0:0:f7f7:f7f7
    """
)


@pytest.mark.parametrize("text", FORBIDDEN)
def test_what_is_not_public_is_not_connected_to(text: str) -> None:
    assert not may_connect(ip_address(text), ())


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_public_is(text: str) -> None:
    assert may_connect(ip_address(text), ())


@pytest.mark.parametrize("text", ["2606:4700::1111%eth0", "fe80::1%1"])
def test_a_zone_is_never_allowed(text: str) -> None:
    assert not may_connect(ip_address(text), (ip_network("::/0"),))


def test_the_operator_allows_networks_by_what_is_reached() -> None:
    loopback = (ip_network("127.0.0.0/8"),)
    for text in ("127.0.0.1", "127.255.0.1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::"):
        assert may_connect(ip_address(text), loopback)
    for text in ("10.0.0.1", "::1", "::ffff:10.0.0.1", "2002:a00:1::"):
        assert not may_connect(ip_address(text), loopback)
    # All of IPv6 does not cover what lies behind a translation to IPv4.
    assert not may_connect(ip_address("::ffff:127.0.0.1"), (ip_network("::/0"),))
    # Of Teredo both ends count: here the client is loopback, the server public.
    teredo = ip_address("2001:0:808:808:0:0:80ff:fffe")
    assert destinations(teredo) == (ip_address("8.8.8.8"), ip_address("127.0.0.1"))


@pytest.mark.parametrize("address", sorted(METADATA, key=str), ids=str)
def test_metadata_must_be_allowed_by_itself(address: Address) -> None:
    own = ip_network(address)
    wide = ip_network("0.0.0.0/0" if own.version == 4 else "::/0")
    assert not may_connect(address, (wide, own.supernet(1)))
    assert may_connect(address, (own,))


def test_mapped_addresses_become_ipv4() -> None:
    assert canonical(ip_address("::ffff:8.8.8.8")) == ip_address("8.8.8.8")
    assert canonical(ip_address("2606:4700::1111")) == ip_address("2606:4700::1111")


@given(st.ip_addresses())
@example(ip_address("192.88.99.1"))
def test_never_laxer_than_the_standard_library(address: Address) -> None:
    """Whatever Python calls anything but public is so to us, unless it leads to another address."""
    if address.is_private or address.is_reserved or address.is_multicast or address.is_link_local:
        assert destinations(address) != (address,) or not may_connect(address, ())
