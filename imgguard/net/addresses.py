"""Which addresses may be connected to: public ones, and those the operator allows.

The tables follow the IANA registries of special-purpose addresses (RFC 6890) as of 2025, not Python's ``is_global``,
whose answers differ between patch releases.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

_SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, deprecated
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has given out; loopback, unique-local, link-local, multicast and reserved addresses lie outside."""
_SPECIAL_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, benchmarking, ORCHID; Teredo is looked into first
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
METADATA: frozenset[Address] = frozenset(
    {
        IPv4Address("169.254.169.254"),  # most clouds
        IPv4Address("169.254.170.2"),  # AWS, credentials of containers
        IPv4Address("100.100.100.200"),  # Alibaba, within carrier-grade NAT
        IPv4Address("168.63.129.16"),  # Azure, a public address that inside leads to the host
        IPv4Address("192.0.0.192"),  # Oracle
        IPv6Address("fd00:ec2::254"),  # AWS
        IPv6Address("fd20:ce::254"),  # Google
    }
)
"""Where clouds hand secrets to their machines. A network that covers one of these does not allow it."""

_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052. Prefixes that a network chooses for itself cannot be told from any other address."""
_ISATAP = 0x0000_5EFE
_ISATAP_MASK = 0xFCFF_FFFF
"""RFC 5214, section 6.1: bits 64 to 95 of the address; the two bits left out say universal and group."""


def canonical(address: Address) -> Address:
    """The address itself; for an IPv4 address mapped into IPv6, the IPv4 address."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def destinations(address: Address) -> tuple[Address, ...]:
    """The addresses that a packet to ``address`` may finally reach, behind translators and tunnels on the way."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    last = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _NAT64:
        return (last,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if (int(address) >> 32) & _ISATAP_MASK == _ISATAP:
        return (address, last)
    return (address,)


def is_special(address: Address) -> bool:
    """Whether an address, taken by itself, is anything but a public one."""
    if isinstance(address, IPv4Address):
        return any(address in network for network in _SPECIAL_V4)
    return address not in _GLOBAL_UNICAST or any(address in network for network in _SPECIAL_V6)


def may_connect(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether every destination of ``address`` is public or in an ``allowed`` network. Never one with a zone id."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    return all(_may_reach(destination, allowed) for destination in destinations(address))


def _may_reach(destination: Address, allowed: Sequence[Network]) -> bool:
    if destination in METADATA:
        return any(network.num_addresses == 1 and destination in network for network in allowed)
    return not is_special(destination) or any(destination in network for network in allowed)
