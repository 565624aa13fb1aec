"""What an attempt to send a message comes to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from imgguard.errors import FetchFailed, FetchRefused
from imgguard.ports import Attempt, ClaimedDelivery, Posted
from imgguard.registry.webhooks import Delivery, DeliveryState, Webhook
from imgguard.services.webhook_attempts import PATIENCE, PAUSES, SLOW, attempt_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WEBHOOK = Webhook(
    webhook_id="whk_1",
    organisation_id="org_1",
    member_id="mem_1",
    url="https://hooks.example/",
    note="",
    events=frozenset(),
    secret="whsec_AAAA",
    created_at=NOW,
)
DELIVERY = Delivery(
    delivery_id="msg_1",
    webhook_id="whk_1",
    event_id=None,
    event="test",
    payload="{}",
    state=DeliveryState.WAITING,
    next_at=NOW,
    created_at=NOW,
)


def answer(status: int, retry_after: str | None = None) -> Posted:
    return Posted(
        url=WEBHOOK.url,
        address="192.0.2.1",
        status=status,
        answer=b"secret of the receiver",
        retry_after=retry_after,
        started_at=NOW,
        finished_at=NOW,
    )


def attempt(
    outcome: Posted | FetchRefused | FetchFailed,
    *,
    done: int = 0,
    failing_since: datetime | None = None,
    lot: float = 0.0,
    lasted: timedelta = SECOND,
) -> Attempt:
    claimed = ClaimedDelivery(
        webhook=replace(WEBHOOK, failing_since=failing_since),
        delivery=replace(DELIVERY, attempts=done),
        lease_until=NOW,
    )
    return attempt_of(claimed, outcome, began=NOW - lasted, at=NOW, lot=lambda: lot)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_success_has_arrived(status: int) -> None:
    found = attempt(answer(status), failing_since=NOW - 9 * PATIENCE)
    assert found == Attempt(at=NOW, status=status, error=None)
    assert found.state is DeliveryState.DELIVERED


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (answer(500), 500, "the receiver answered 500"),
        (answer(400), 400, "the receiver answered 400"),
        (answer(307), 307, "redirects are not followed"),
        (FetchFailed("not done within 20 s"), None, "not done within 20 s"),
        (FetchRefused("inside.example has no address that may be fetched from"), None, "has no address"),
    ],
)
def test_everything_else_is_tried_again_and_says_why(
    outcome: Posted | FetchRefused | FetchFailed, status: int | None, reason: str
) -> None:
    found = attempt(outcome)
    assert (found.status, found.state, found.next_at) == (status, DeliveryState.WAITING, NOW + 5 * SECOND)
    assert reason in str(found.error)
    assert "secret" not in str(found.error)
    assert found.disable_because is None


def test_pauses_grow_to_three_days_and_end() -> None:
    assert timedelta(days=3) < sum(PAUSES, timedelta()) < timedelta(days=4)
    assert sorted(PAUSES) == list(PAUSES)
    for done, pause in enumerate(PAUSES):
        assert attempt(answer(500), done=done).next_at == NOW + pause
        assert attempt(answer(500), done=done, lot=1.0).next_at == NOW + pause * 1.2
    last = attempt(answer(500), done=len(PAUSES))
    assert (last.state, last.next_at, last.disable_because) == (DeliveryState.FAILED, None, None)


def test_gone_disables_at_once() -> None:
    found = attempt(answer(410))
    assert found.state is DeliveryState.FAILED
    assert "410" in str(found.disable_because)


@pytest.mark.parametrize(("since", "disables"), [(PATIENCE, True), (PATIENCE - SECOND, False)])
def test_patience_ends_after_five_days_of_nothing_but_failures(since: timedelta, disables: bool) -> None:
    found = attempt(answer(500), failing_since=NOW - since)
    assert (found.disable_because is not None) == disables
    assert found.next_at is not None  # it goes on from there when somebody enables the webhook again


@pytest.mark.parametrize("outcome", [answer(200), answer(500), answer(410), FetchFailed("not done in time")])
def test_what_took_long_is_slow_however_it_ended(outcome: Posted | FetchFailed) -> None:
    assert not attempt(outcome, lasted=SLOW).is_slow
    assert attempt(outcome, lasted=SLOW + SECOND).is_slow


@pytest.mark.parametrize(
    ("field", "pause"),
    [
        ("120", timedelta(minutes=2)),
        ("1", 5 * SECOND),  # never sooner than without
        ("Sun, 01 Mar 2026 13:00:00 GMT", timedelta(hours=1)),
        ("Sun, 01 Mar 2026 13:00:00 -0000", timedelta(hours=1)),
        ("Sun, 01 Mar 2020 13:00:00 GMT", 5 * SECOND),
        ("9" * 40, timedelta(hours=24)),
        ("Sun, 01 Mar 9999 23:59:59 -2359", timedelta(hours=24)),
        ("-5", 5 * SECOND),
        ("soon", 5 * SECOND),
        ("\u0661\u0662", 5 * SECOND),
        ("", 5 * SECOND),
        (None, 5 * SECOND),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(status: int, field: str | None, pause: timedelta) -> None:
    assert attempt(answer(status, field)).next_at == NOW + pause


def test_only_those_who_are_busy_may_ask_for_later() -> None:
    assert attempt(answer(500, "3600")).next_at == NOW + 5 * SECOND
    assert attempt(answer(503, "3600"), done=len(PAUSES)).next_at is None
