"""Which failures to sign in count together."""

import pytest

from imgguard.services import attempts


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_networks(address: str, network: str) -> None:
    assert attempts.network_of(address) == network


def test_counts() -> None:
    counted = attempts.limits("Ann@example.org ", "203.0.113.7")
    assert list(counted.values()) == [attempts.EMAIL, attempts.PAIR, attempts.NETWORK]
    assert counted == attempts.limits("ann@EXAMPLE.org", "203.0.113.7")
    assert counted.keys().isdisjoint(attempts.limits("bob@example.org", "203.0.113.8"))
    assert list(attempts.forgiven("ann@example.org", "203.0.113.7")) == list(counted)
    assert all(len(subject) <= 80 for subject in counted)


def test_traces_find_what_an_address_was_counted_in() -> None:
    beginnings = tuple(attempts.traces("ann@example.org"))
    involved = [subject.startswith(beginnings) for subject in attempts.limits("ann@example.org", "203.0.113.7")]
    assert involved == [True, True, False]
    assert not any(subject.startswith(beginnings) for subject in attempts.limits("bob@example.org", "203.0.113.7"))
