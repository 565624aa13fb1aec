"""Which failures to sign in count together.

Three counts, because each alone can be turned against somebody: of an address and a network together, strictly, so
that guessing is hopeless; of a network over all addresses, so that one password cannot be tried on everybody; and of an
address over all networks, loosely, so that many machines cannot share the guessing, while keeping a member out by
failing on purpose costs more than it delays.
"""

import hashlib
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from imgguard.registry.names import email_key
from imgguard.registry.throttling import Limit

PAIR = Limit(free=5, longest=timedelta(minutes=15), memory=timedelta(days=1))
NETWORK = Limit(free=100, longest=timedelta(minutes=1), memory=timedelta(hours=1))  # an office is one network
BEGUN = Limit(free=60, longest=timedelta(minutes=1), memory=timedelta(minutes=10))  # not come back yet
EMAIL = Limit(free=50, longest=timedelta(minutes=1), memory=timedelta(days=1))


def limits(email: str, address: str) -> dict[str, Limit]:
    """The counts that signing in with ``email`` from ``address`` (an IP address) belongs to."""
    return {_email(email): EMAIL, _pair(email, address): PAIR, _network(address): NETWORK}


def forgiven(email: str, address: str) -> dict[str, bool]:
    """What success does to them: it proves the address to be in good hands, and says nothing of the network."""
    return {_email(email): True, _pair(email, address): True, _network(address): False}


def begun(address: str) -> str:
    """The count of those who were sent to the identity provider from there."""
    return f"begun:{_short(network_of(address))}"


def traces(email: str) -> list[str]:
    """How the counts begin in which ``email`` is involved."""
    return [_email(email), _pair(email, "").removesuffix(_short(""))]


def _email(email: str) -> str:
    return f"email:{_short(email_key(email.strip()))}"


def _pair(email: str, address: str) -> str:
    return f"pair:{_short(email_key(email.strip()))}:{_short(network_of(address))}"


def _network(address: str) -> str:
    return f"network:{_short(network_of(address))}"


def network_of(address: str) -> str:
    """What one customer has of the internet: an IPv4 address, or the /64 around an IPv6 address."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))


def _short(text: str) -> str:
    """128 bits of SHA-256: addresses are told apart by them, not written down."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
