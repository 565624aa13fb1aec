"""Messages are signed as Standard Webhooks says, and say what the trail says."""

import base64
import json
from datetime import UTC, datetime, timedelta

from imgguard.registry.accounts import AuditEvent
from imgguard.registry.webhooks import Webhook
from imgguard.services import webhook_messages as messages
from imgguard.services.account_objects import event_object

NOW = datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC)
WEBHOOK = Webhook(
    webhook_id="whk_1",
    organisation_id="org_1",
    member_id="mem_1",
    url="https://hooks.example/",
    note="",
    events=frozenset(),
    secret="whsec_AAAA",
    previous_secret="whsec_BBBB",
    previous_until=NOW,
    created_at=NOW,
)
EVENT = AuditEvent(
    event_id="evt_1",
    at=NOW - timedelta(hours=1),
    actor="mem_1",
    key_id=None,
    organisation_id="org_1",
    action="job.finished",
    object_id="job_1",
    parties=frozenset({"org_1"}),
    detail={"kind": "check", "title": "Blüten"},
)


def test_the_vector_that_is_published_with_the_standard() -> None:
    # Of the reference implementations, github.com/standard-webhooks/standard-webhooks.
    made = messages.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_has_the_event_as_the_trail_shows_it() -> None:
    made = messages.message_of(WEBHOOK, EVENT, at=NOW)
    assert json.loads(made.payload) == {
        "type": "job.finished",
        "timestamp": "2026-03-01T11:00:00.999999Z",
        "data": event_object(EVENT),
    }
    assert (made.event, made.event_id, made.webhook_id, made.next_at) == ("job.finished", "evt_1", "whk_1", NOW)
    assert made.payload.startswith('{"data":{"action":"job.finished","actor":"mem_1",')
    assert "Blüten" in made.payload
    assert made.delivery_id != messages.message_of(WEBHOOK, EVENT, at=NOW).delivery_id


def test_headers_are_of_the_attempt_and_signed_with_each_secret() -> None:
    made = messages.message_of(WEBHOOK, EVENT, at=NOW)
    headers = messages.headers_of(made, ["whsec_AAAA", "whsec_BBBB"], at=NOW)
    timestamp = int(NOW.timestamp())
    assert headers["webhook-id"] == made.delivery_id
    assert headers["webhook-timestamp"] == str(timestamp)
    assert headers["webhook-signature"].split() == [
        messages.signature(secret, made.delivery_id, timestamp, made.payload.encode())
        for secret in ("whsec_AAAA", "whsec_BBBB")
    ]


def test_the_secret_before_signs_until_its_time_is_over() -> None:
    assert list(WEBHOOK.secrets(NOW - timedelta(seconds=1))) == ["whsec_AAAA", "whsec_BBBB"]
    assert list(WEBHOOK.secrets(NOW)) == ["whsec_AAAA"]


def test_a_secret_is_256_random_bits_and_not_shown_by_accident() -> None:
    one, other = messages.new_secret(), messages.new_secret()
    assert one != other
    assert one.startswith("whsec_")
    assert len(base64.b64decode(one.removeprefix("whsec_"), validate=True)) == 32
    assert "AAAA" not in repr(WEBHOOK)
    assert "BBBB" not in repr(WEBHOOK)
