"""Names and addresses."""

import unicodedata
from datetime import timedelta

import pytest

from imgguard.registry.names import email_key, is_email, is_name
from imgguard.registry.throttling import Limit


@pytest.mark.parametrize(
    "text", ["ann@example.org", "a@b", "josé@exämple.org", '"a@b"@example.org', "a" * 250 + "@b.c"]
)
def test_addresses(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann @example.org",
        "ann@example.org\n",
        "a\x00@b",
        "\ud800@b",
        "a" * 251 + "@b.c",
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert not is_email(text)


def test_names() -> None:
    assert is_name("Müller & Söhne 株式会社")
    assert is_name("x" * 200)
    for text in ("", " Ann", "Ann ", "Ann\n", "a\u202eb", "\ud800", "x" * 201):
        assert not is_name(text)


def test_addresses_that_are_the_same() -> None:
    assert email_key("Ann@Example.ORG") == email_key("ann@example.org")
    assert email_key("STRASSE@x") == email_key("straße@x")
    assert email_key(unicodedata.normalize("NFD", "José@x")) == email_key("josé@x")
    assert email_key("ann@x") != email_key("ann.@x")


def test_waiting_doubles_up_to_a_limit() -> None:
    limit = Limit(free=2, longest=timedelta(seconds=10), memory=timedelta(hours=1))
    seconds = [limit.wait(failures).total_seconds() for failures in (0, 1, 2, 3, 4, 5, 6, 7, 8, 10**9)]
    assert seconds == [0, 0, 0, 1, 2, 4, 8, 10, 10, 10]
