"""Whoever receives messages can tell genuine ones from others."""

import base64
import hmac
import json
import time
from typing import Any

import pytest

from imgguard.client import BadMessage, ClientError, verify_webhook

NOW = 1_772_366_400
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = b'{"type":"job.finished","timestamp":"2026-03-01T12:00:00Z","data":{"object_id":"job_1"}}'


def signature(body: bytes = BODY, secret: str = SECRET, *, at: int = NOW, message_id: str = "msg_1") -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.new(key, f"{message_id}.{at}.".encode() + body, "sha256").digest()
    return "v1," + base64.b64encode(made).decode()


def headers(**changes: str | None) -> dict[str, str]:
    given = {"id": "msg_1", "timestamp": str(NOW), "signature": signature(), **changes}
    return {f"Webhook-{name.title()}": value for name, value in given.items() if value is not None}


def verified(body: bytes | str = BODY, given: dict[str, str] | None = None, secret: str = SECRET, **more: Any) -> Any:
    return verify_webhook(body, headers() if given is None else given, secret, **{"now": NOW, **more})


def test_the_vector_that_is_published_with_the_standard() -> None:
    given = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    with pytest.raises(BadMessage, match="not a message of imgguard"):  # genuine, but of somebody else
        verify_webhook(b'{"test": 2432232314}', given, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", now=1614265330)


def test_what_it_says() -> None:
    message = verified()
    assert (message.message_id, message.type, message.data) == ("msg_1", "job.finished", {"object_id": "job_1"})
    assert message.timestamp.isoformat() == "2026-03-01T12:00:00+00:00"
    assert verified(BODY.decode()) == verified(secret=SECRET.removeprefix("whsec_")) == message


def test_it_is_asked_what_time_it_is_now() -> None:
    with pytest.raises(BadMessage, match="too old"):
        verify_webhook(BODY, headers(), SECRET)
    at = int(time.time())
    verify_webhook(BODY, headers(timestamp=str(at), signature=signature(at=at)), SECRET)


@pytest.mark.parametrize(("seconds", "is_fresh"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_the_tolerance_is_both_ways(seconds: int, is_fresh: bool) -> None:
    if is_fresh:
        verified(now=NOW + seconds)
    else:
        with pytest.raises(BadMessage, match="too old, or from the future"):
            verified(now=NOW + seconds)
    assert verified(now=NOW + 900, tolerance=900).message_id == "msg_1"


def test_one_of_several_signatures_is_enough() -> None:
    fit, other = signature(), signature(secret=OTHER)
    for field in (f"{other} {fit}", f"{fit} {other}", f"v1a,AAAA v1,!! v1 {fit}", f"  {fit}  "):
        assert verified(given=headers(signature=field)).message_id == "msg_1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None}, "webhook-id is missing"),
        ({"timestamp": None}, "webhook-timestamp is missing"),
        ({"signature": None}, "webhook-signature is missing"),
        ({"id": "msg_2"}, "no signature"),
        ({"timestamp": str(NOW + 1)}, "no signature"),
        ({"timestamp": f"{NOW}.0"}, "not a time"),
        ({"timestamp": f"+{NOW}"}, "not a time"),
        ({"timestamp": "9" * 5000}, "not a time"),
        ({"timestamp": "\u0661" * 10}, "not a time"),
        ({"signature": signature(secret=OTHER)}, "no signature"),
        ({"signature": signature(BODY + b" ")}, "no signature"),
        ({"signature": signature().replace("v1,", "v2,")}, "no signature"),
        ({"signature": signature()[:20]}, "no signature"),
        ({"signature": "v1, v1,é v1"}, "no signature"),
    ],
)
def test_what_is_not_genuine(changes: dict[str, str | None], reason: str) -> None:
    with pytest.raises(BadMessage, match=reason) as caught:
        verified(given=headers(**changes))
    assert isinstance(caught.value, ClientError)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("body", [b"[]", b"{}", b"\xff", b'"text"', json.dumps({"type": 1}).encode()])
def test_what_is_genuine_and_no_message(body: bytes) -> None:
    with pytest.raises(BadMessage, match="not a message of imgguard"):
        verified(body, headers(signature=signature(body)))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!", "whsec_é"])
def test_what_is_no_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        verified(secret=secret)
