"""What a check keeps of a fetch, and what it shows."""

from datetime import UTC, datetime, timedelta

import pytest

from imgguard.ports import Capture, Fetched
from imgguard.services.captures import capture_of, captured_view

AT = datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC)


def fetched(url: str) -> Fetched:
    return Fetched(
        url=url,
        redirects=(),
        final_url="https://cdn.shop.example/7.jpg",
        address="192.0.2.1",
        status=200,
        declared_type="text/plain",
        media_type="image/jpeg",
        data=b"12345",
        started_at=AT - timedelta(seconds=9),
        finished_at=AT,
    )


def test_it_keeps_the_facts_of_the_answer_and_cuts_its_time() -> None:
    assert capture_of(fetched("https://shop.example/1.jpg?a=b")) == Capture(
        url="https://shop.example/1.jpg?a=b",
        final_url="https://cdn.shop.example/7.jpg",
        address="192.0.2.1",
        status=200,
        declared_type="text/plain",
        byte_length=5,
        fetched_at=datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize("fragment", ["#token", "#", "#\ud800", "#a#b", "#\n"])
def test_what_is_never_sent_is_not_kept(fragment: str) -> None:
    assert capture_of(fetched(f"https://shop.example/1.jpg{fragment}")).url == "https://shop.example/1.jpg"


def test_a_picture_that_was_sent_shows_nothing() -> None:
    assert captured_view(None) is None


def test_the_address_of_the_server_is_not_shown() -> None:
    shown = captured_view(capture_of(fetched("https://shop.example/1.jpg")))
    assert shown is not None
    assert shown.model_dump(mode="json") == {
        "url": "https://shop.example/1.jpg",
        "final_url": "https://cdn.shop.example/7.jpg",
        "fetched_at": "2026-03-01T12:00:00Z",
    }
