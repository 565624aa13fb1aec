"""The settings of fetching."""

from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from imgguard.net.policy import FetchPolicy
from imgguard.settings import Settings


def test_defaults_are_those_of_the_policy() -> None:
    settings, policy = Settings(), FetchPolicy()
    assert settings.fetch_seconds == policy.seconds
    assert settings.fetch_connect_seconds == policy.connect_seconds
    assert settings.fetch_max_bytes == policy.max_bytes
    assert settings.fetch_redirects == policy.redirects
    assert settings.allowed_networks == policy.allowed_networks
    assert settings.extra_ports == policy.extra_ports
    assert settings.fetch_contact == policy.contact


def test_lists_have_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGGUARD_FETCH_ALLOWED_NETWORKS", "10.0.0.0/8, fd00::/8,192.0.2.1")
    monkeypatch.setenv("IMGGUARD_FETCH_PORTS", "8080, 8443")
    settings = Settings()
    assert settings.allowed_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("192.0.2.1"))
    assert settings.extra_ports == {8080, 8443}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fetch_allowed_networks", "10.0.0.1/8"),
        ("fetch_allowed_networks", "inside"),
        ("fetch_ports", "http"),
        ("fetch_ports", "0"),
        ("fetch_ports", "65536"),
        ("fetch_contact", "a b"),
        ("fetch_contact", "a)"),
        ("fetch_contact", "a\r\nX-B: c"),
        ("fetch_contact", "ä"),
        ("fetch_seconds", "inf"),
        ("fetch_seconds", "0"),
        ("fetch_redirects", "-1"),
    ],
)
def test_nonsense_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"IMGGUARD_{name.upper()}", value)
    with pytest.raises(ValidationError, match=name):
        Settings()


@pytest.mark.parametrize("contact", ["https://op.example/bot?a=b", "abuse@op.example"])
def test_contacts(monkeypatch: pytest.MonkeyPatch, contact: str) -> None:
    monkeypatch.setenv("IMGGUARD_FETCH_CONTACT", contact)
    assert Settings().fetch_contact == contact
