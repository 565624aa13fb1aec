"""Servers that the operator has named, whose answers are signed: by http too, at any port, and not redirected."""

from collections.abc import Sequence

from imgguard.errors import FetchRefused
from imgguard.net.addresses import Address, canonical, may_connect
from imgguard.net.policy import Deadline, FetchPolicy
from imgguard.net.resolving import Resolver
from imgguard.net.urls import Target

ALL_PORTS = range(1, 65_536)


def operators_addresses(
    target: Target, policy: FetchPolicy, *, resolve: Resolver, deadline: Deadline
) -> Sequence[Address]:
    """All addresses of the target's host, every one of them public or in a network that the policy allows.

    Raises FetchRefused, FetchFailed.
    """
    if isinstance(target.host, str):
        found = resolve(target.host, seconds=deadline.remaining())
        addresses: Sequence[Address] = tuple(canonical(address) for address in found)
    else:
        addresses = (target.host,)
    if not addresses or not all(may_connect(address, policy.allowed_networks) for address in addresses):
        raise FetchRefused("it has no address that may be connected to")
    return addresses
