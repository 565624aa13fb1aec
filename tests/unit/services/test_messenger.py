"""The threads that send: who is slow holds up nobody else, and nothing is begun after the end."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from imgguard.errors import StoreUnavailable
from imgguard.ports import ClaimedDelivery, Slots
from imgguard.registry.webhooks import Delivery, DeliveryState, Webhook
from imgguard.services.messenger import AT_ONCE, OF_EACH_AT_ONCE, TROUBLED_AT_ONCE, Messenger
from imgguard.services.webhook_sending import Sender

PATIENCE = 10.0
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def claimed(name: str) -> ClaimedDelivery:
    webhook = Webhook(
        webhook_id=f"whk_{name}",
        organisation_id="org_1",
        member_id="mem_1",
        url="https://hooks.example/",
        note="",
        events=frozenset(),
        secret="whsec_AAAA",
        created_at=NOW,
        is_slow=name == "slow",
    )
    delivery = Delivery(
        delivery_id=name,
        webhook_id=webhook.webhook_id,
        event_id=None,
        event="test",
        payload="{}",
        state=DeliveryState.WAITING,
        next_at=NOW,
        created_at=NOW,
    )
    return ClaimedDelivery(webhook=webhook, delivery=delivery, lease_until=NOW)


class Desk:
    """A sender whose messages are these; one called ``slow`` waits until it is let go."""

    def __init__(self, *names: str) -> None:
        self.waiting = list(names)
        self.looks = 0
        self.has_webhooks = True
        self.sent: list[str] = []
        self.let_go = threading.Event()
        self.asked: list[Slots] = []
        self.trouble: list[Exception] = []

    def has_work(self) -> bool:
        self.looks += 1
        return self.has_webhooks

    def fan_out(self) -> int:
        if self.trouble:
            raise self.trouble.pop()
        return 0

    def claim(self, slots: Slots) -> Sequence[ClaimedDelivery]:
        self.asked.append(slots)
        taken, self.waiting = self.waiting[: slots.limit], self.waiting[slots.limit :]
        return [claimed(name) for name in taken]

    def send(self, one: ClaimedDelivery) -> Any:
        name = one.delivery.delivery_id
        if name == "slow":
            self.let_go.wait(PATIENCE)
        if name == "broken":
            raise StoreUnavailable("the disk is full")
        self.sent.append(name)


def messenger(desk: Desk, **more: float) -> Messenger:
    sender: Sender = desk  # type: ignore[assignment]
    return Messenger(sender, **{"pause": 0.01, **more})


def until(what: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_all_are_sent_though_some_are_slow_or_fail() -> None:
    desk = Desk("slow", "slow", "broken", *"abcdefgh")
    desk.trouble = [StoreUnavailable("locked"), RuntimeError("a bug")]
    with messenger(desk):
        until(lambda: desk.sent == list("abcdefgh"))
        left = Slots(limit=AT_ONCE - 2, troubled=TROUBLED_AT_ONCE - 2, of_each=OF_EACH_AT_ONCE)
        assert left in desk.asked
        desk.let_go.set()
        until(lambda: desk.sent[8:] == ["slow", "slow"])
    assert all(0 < slots.limit <= AT_ONCE for slots in desk.asked)


def test_the_end_waits_for_what_is_on_its_way() -> None:
    desk = Desk("slow")
    with messenger(desk):
        until(lambda: desk.asked and not desk.waiting)
        threading.Timer(0.2, desk.let_go.set).start()
    assert desk.sent == ["slow"]
    desk.waiting = ["late"]
    time.sleep(0.05)
    assert desk.sent == ["slow"]


def test_but_not_for_ever() -> None:
    desk = Desk("slow")
    with messenger(desk, grace=0.2):
        until(lambda: desk.asked and not desk.waiting)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert desk.sent == []
    desk.let_go.set()


def test_idle_it_looks_once_in_a_while() -> None:
    desk = Desk()
    with messenger(desk, pause=0.1):
        time.sleep(0.35)
    assert 2 <= len(desk.asked) <= 5


def test_without_webhooks_it_asks_nothing_else() -> None:
    desk = Desk("a")
    desk.has_webhooks = False
    with messenger(desk):
        until(lambda: desk.looks > 2)
    assert (desk.asked, desk.sent) == ([], [])


def test_it_can_be_stopped_before_it_did_anything() -> None:
    with messenger(Desk("a")):
        pass
