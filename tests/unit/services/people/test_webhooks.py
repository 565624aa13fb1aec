"""Webhooks: who may look after them, what they are told, and what becomes of what is sent, by a clock that is set."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from imgguard.client import verify_webhook
from imgguard.errors import Conflict, FetchRefused, InputError, InvalidTransition, NotFound, PermissionDenied
from imgguard.ports import CheckedUrl, Posted, Slots
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, Role, Scope
from imgguard.services.account_objects import event_object
from imgguard.services.webhook_attempts import PAUSES
from imgguard.services.webhook_objects import delivery_object, webhook_object
from imgguard.services.webhook_sending import Sender
from imgguard.services.webhooks import MOST_WEBHOOKS, IssuedWebhook, Webhooks
from imgguard.storage.sql.webhooks import SqlWebhooks

URL = "https://hooks.example/secret-path?token=secret-query"
SLOTS = Slots(limit=4, troubled=4, of_each=4)


class Network:
    """A Poster that answers as it is told, and keeps what it was sent."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.answers: list[int | Exception] = []
        self.sent: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def check_url(self, url: str) -> CheckedUrl:
        if "inside" in url:
            raise FetchRefused("inside has no address that may be fetched from")
        return CheckedUrl(url)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        self.sent.append((url, body, headers))
        self.meanwhile()
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        now = self.clock.now()
        return Posted(url=url, address="192.0.2.1", status=answer, answer=b"", started_at=now, finished_at=now)


class Desk:
    """Studio's admin is ``admin``, Shop's ``stranger``."""

    def __init__(self, house: Any, actor: Callable[[str], Actor]) -> None:
        self.house, self.clock = house, house.clock
        self.studio, _ = house.organisation("Studio", "admin@studio.example")
        self.shop, _ = house.organisation("Shop", "admin@shop.example")
        self.actor = actor
        self.admin, self.stranger = actor("admin@studio.example"), actor("admin@shop.example")
        self.store, self.network = SqlWebhooks(house.database), Network(house.clock)
        self.webhooks = Webhooks(store=self.store, poster=self.network, clock=self.clock)
        self.sender = self.another_sender()

    def another_sender(self) -> Sender:
        return Sender(
            store=self.store,
            poster=self.network,
            clock=self.clock,
            kept=timedelta(days=30),
            longest=timedelta(seconds=20),
            lot=lambda: 0.0,
        )

    def make(self, actor: Actor | None = None, **more: Any) -> IssuedWebhook:
        who = actor or self.admin
        return self.webhooks.create(who, self.webhooks.checked_url(who, URL), **more)

    def happens(self, of: Any = None) -> None:
        """Something that concerns the organisation."""
        self.house.members.invite(
            self.house.console,
            email=f"{len(self.house.actions())}@example.org",
            roles=[Role.SELLER],
            organisation_id=(of or self.studio).organisation_id,
        )

    def work(self) -> int:
        """Send all that is due; how many messages that were."""
        count = 0
        while self.sender.fan_out():
            pass
        while claimed := self.sender.claim(SLOTS):
            for one in claimed:
                self.sender.send(one)
            count += len(claimed)
        return count

    def now(self) -> datetime:
        return self.clock.now()


@pytest.fixture
def desk(house: Any, actor: Callable[[str], Actor]) -> Desk:
    return Desk(house, actor)


class TestWhoMay:
    def test_roles_and_keys(self, desk: Desk) -> None:
        made = desk.make().webhook.webhook_id
        others = [role for role in Role if role is not Role.ADMIN]
        desk.house.join("others@studio.example", *others, organisation=desk.studio)
        for scopes in (frozenset(), {Scope.WEBHOOKS_WRITE}, {Scope.AUDIT_READ}):
            narrow = _narrow(desk.admin, frozenset(scopes))
            for actor in (narrow, desk.actor("others@studio.example")):
                for ask in _every(desk.webhooks, made):
                    with pytest.raises(PermissionDenied):
                        ask(actor)
        both = _narrow(desk.admin, frozenset({Scope.WEBHOOKS_WRITE, Scope.AUDIT_READ}))
        assert desk.webhooks.webhook(both, made).webhook_id == made

    def test_to_strangers_and_the_operator_it_is_not_there(self, desk: Desk) -> None:
        made = desk.make().webhook.webhook_id
        delivery_id = desk.webhooks.send_test(desk.admin, made).delivery_id
        for actor in (desk.stranger, desk.house.console):
            assert list(desk.webhooks.webhooks(actor)) == []
            for ask in _of_one(desk.webhooks, made, delivery_id):
                with pytest.raises(NotFound):
                    ask(actor)
        own = desk.make(desk.stranger).webhook.webhook_id
        with pytest.raises(NotFound):
            desk.webhooks.delivery(desk.stranger, own, delivery_id)
        with pytest.raises(NotFound):
            desk.webhooks.replay(desk.stranger, own, delivery_id)

    def test_the_console_makes_none(self, desk: Desk) -> None:
        with pytest.raises(PermissionDenied):
            desk.make(desk.house.console)

    def test_there_is_a_limit(self, desk: Desk) -> None:
        for _ in range(MOST_WEBHOOKS):
            desk.make()
        with pytest.raises(Conflict, match="20"):
            desk.make()


def _narrow(actor: Actor, scopes: frozenset[Scope]) -> Actor:
    return replace(actor, key_id="key_1", scopes=scopes)


def _of_one(webhooks: Webhooks, webhook_id: str, delivery_id: str) -> list[Callable[[Actor], object]]:
    since = datetime.fromisoformat("2026-03-01T00:00:00Z")
    return [
        lambda a: webhooks.webhook(a, webhook_id),
        lambda a: webhooks.checked_url(a, URL, webhook_id=webhook_id),
        lambda a: webhooks.change(a, webhook_id, note="mine now"),
        lambda a: webhooks.delete(a, webhook_id),
        lambda a: webhooks.rotate_secret(a, webhook_id),
        lambda a: webhooks.deliveries(a, webhook_id),
        lambda a: webhooks.delivery(a, webhook_id, delivery_id),
        lambda a: webhooks.send_test(a, webhook_id),
        lambda a: webhooks.replay(a, webhook_id, delivery_id),
        lambda a: webhooks.replay_since(a, webhook_id, since),
    ]


def _every(webhooks: Webhooks, webhook_id: str) -> list[Callable[[Actor], object]]:
    checked, create = (lambda a: webhooks.checked_url(a, URL)), (lambda a: webhooks.create(a, CheckedUrl(URL)))
    return [checked, create, webhooks.webhooks, *_of_one(webhooks, webhook_id, "msg_none")]


class TestLookingAfterThem:
    def test_what_people_say_is_checked(self, desk: Desk) -> None:
        with pytest.raises(InputError, match=r"webhook\.test"):
            desk.make(events=["job.finished", "webhook.test"])
        with pytest.raises(InputError):
            desk.make(note="\x00")
        with pytest.raises(FetchRefused):
            desk.webhooks.checked_url(desk.admin, "https://inside/")
        made = desk.make(events=[Action.JOB_FINISHED], note=" a\r\nb ").webhook
        assert (made.events, made.note) == ({"job.finished"}, "a\nb")
        for changes in ({"events": ["all"]}, {"note": "\x1b"}):
            with pytest.raises(InputError):
                desk.webhooks.change(desk.admin, made.webhook_id, **changes)
        assert desk.webhooks.webhook(desk.admin, made.webhook_id) == made

    def test_everything_is_in_the_trail_and_neither_secrets_nor_the_url(self, desk: Desk) -> None:
        issued = desk.make()
        webhook_id = issued.webhook.webhook_id
        desk.webhooks.change(
            desk.admin, webhook_id, url=CheckedUrl(f"{URL}2"), events=["job.finished"], is_enabled=False
        )
        desk.webhooks.change(desk.admin, webhook_id, is_enabled=False)  # which it is
        rotated = desk.webhooks.rotate_secret(desk.admin, webhook_id)
        desk.webhooks.delete(desk.admin, webhook_id)
        events = [one for one in desk.house.trail.events(limit=1000) if one.object_id == webhook_id]
        assert [one.action for one in events] == [
            "webhook.created",
            "webhook.changed",
            "webhook.secret_rotated",
            "webhook.deleted",
        ]
        assert {one.actor for one in events} == {desk.admin.member_id}
        assert {frozenset(one.parties) for one in events} == {frozenset({desk.studio.organisation_id})}
        assert events[1].detail == {"host": "hooks.example", "events": ["job.finished"], "is_enabled": False}
        text = str(events)
        assert not [secret for secret in (issued.secret, rotated.secret, "secret-") if secret in text]

    def test_what_is_shown_has_no_secret(self, desk: Desk) -> None:
        issued = desk.make()
        webhook_id = issued.webhook.webhook_id
        rotated = desk.webhooks.rotate_secret(desk.admin, webhook_id)
        desk.webhooks.send_test(desk.admin, webhook_id)
        shown = [webhook_object(desk.webhooks.webhook(desk.admin, webhook_id))]
        shown += [delivery_object(one) for one in desk.webhooks.deliveries(desk.admin, webhook_id)]
        text = json.dumps(shown) + repr(issued) + repr(rotated)
        assert not [secret for secret in (issued.secret, rotated.secret) if secret in text]

    def test_one_that_is_off_can_be_sent_nothing(self, desk: Desk) -> None:
        webhook_id = desk.make().webhook.webhook_id
        delivery_id = desk.webhooks.send_test(desk.admin, webhook_id).delivery_id
        desk.webhooks.change(desk.admin, webhook_id, is_enabled=False)
        for ask in _of_one(desk.webhooks, webhook_id, delivery_id)[-3:]:
            with pytest.raises(InvalidTransition):
                ask(desk.admin)
        assert desk.work() == 0

    def test_a_time_without_a_zone(self, desk: Desk) -> None:
        with pytest.raises(InputError, match="zone"):
            desk.webhooks.replay_since(desk.admin, desk.make().webhook.webhook_id, datetime(2026, 1, 1))  # noqa: DTZ001


class TestWhatIsTold:
    def test_exactly_what_the_admins_read_in_the_trail(self, desk: Desk) -> None:
        desk.make()
        desk.make(desk.stranger)
        for organisation in (desk.studio, desk.shop):
            desk.happens(of=organisation)
        seen = {actor: list(desk.house.audit.events(actor, limit=1000)) for actor in (desk.admin, desk.stranger)}
        assert desk.work() == 2
        for actor in (desk.admin, desk.stranger):
            (webhook,) = desk.webhooks.webhooks(actor)
            told = [
                json.loads(body)["data"]
                for _, body, headers in desk.network.sent
                if webhook.webhook_id == _webhook_of(desk, headers)
            ]
            assert told == [event_object(seen[actor][-1])]
            assert told[0]["organisation_id"] == actor.organisation_id

    def test_signed_for_the_receiver(self, desk: Desk) -> None:
        issued = desk.make()
        desk.happens()
        desk.work()
        ((url, body, headers),) = desk.network.sent
        message = verify_webhook(body, headers, issued.secret, now=desk.now().timestamp())
        assert (url, message.type, headers["Content-Type"]) == (URL, "member.added", "application/json")

    def test_with_both_secrets_for_a_day(self, desk: Desk) -> None:
        old = desk.make()
        new = desk.webhooks.rotate_secret(desk.admin, old.webhook.webhook_id)
        desk.work()
        desk.network.sent.clear()
        for hours, counts in ((23, [old, new]), (2, [new])):
            desk.clock.move(hours=hours)
            desk.webhooks.send_test(desk.admin, old.webhook.webhook_id)
            desk.work()
            _, body, headers = desk.network.sent.pop()
            assert len(headers["webhook-signature"].split()) == len(counts)
            for issued in counts:
                verify_webhook(body, headers, issued.secret, now=desk.now().timestamp())

    def test_what_happened_while_it_was_off_as_far_back_as_messages_are_kept(self, desk: Desk) -> None:
        webhook_id = desk.make(events=["member.added"]).webhook.webhook_id
        desk.webhooks.change(desk.admin, webhook_id, is_enabled=False)
        desk.happens()
        desk.clock.move(days=29)
        desk.happens()
        desk.clock.move(days=2)
        desk.webhooks.change(desk.admin, webhook_id, is_enabled=True)
        assert desk.work() == 1


def _webhook_of(desk: Desk, headers: Mapping[str, str]) -> str:
    for webhook in (*desk.webhooks.webhooks(desk.admin), *desk.webhooks.webhooks(desk.stranger)):
        if headers["webhook-id"] in {one.delivery_id for one in desk.store.deliveries(webhook.webhook_id)}:
            return webhook.webhook_id
    raise AssertionError


class TestHowItGoesOn:
    def delivery(self, desk: Desk) -> Any:
        (webhook,) = desk.webhooks.webhooks(desk.admin)
        return desk.webhooks.deliveries(desk.admin, webhook.webhook_id)[0]

    def test_tried_again_with_the_same_id_until_it_arrives(self, desk: Desk) -> None:
        desk.make()
        desk.happens()
        desk.network.answers = [500, FetchRefused("inside has no address that may be fetched from"), 200]
        assert desk.work() == 1
        waiting = self.delivery(desk)
        assert (waiting.state, waiting.last_status, waiting.next_at) == ("waiting", 500, desk.now() + PAUSES[0])
        desk.clock.move(seconds=4)
        assert desk.work() == 0
        desk.clock.move(seconds=1)
        assert desk.work() == 1
        assert (self.delivery(desk).last_status, self.delivery(desk).last_error) == (
            None,
            "inside has no address that may be fetched from",
        )
        desk.clock.move(minutes=5)
        assert desk.work() == 1
        assert (self.delivery(desk).state, self.delivery(desk).attempts) == ("delivered", 3)
        ids, times, bodies = (
            {headers["webhook-id"] for _, _, headers in desk.network.sent},
            {headers["webhook-timestamp"] for _, _, headers in desk.network.sent},
            {body for _, body, _ in desk.network.sent},
        )
        assert (len(ids), len(times), len(bodies)) == (1, 3, 1)

    def test_given_up_after_three_days_and_sent_again_on_demand(self, desk: Desk) -> None:
        webhook_id = desk.make().webhook.webhook_id
        desk.happens()
        began = desk.now()
        desk.network.answers = [500] * 10
        while desk.work():
            if (next_at := self.delivery(desk).next_at) is not None:
                desk.clock.time = next_at
        given_up = self.delivery(desk)
        assert (given_up.state, given_up.attempts, given_up.finished_at) == ("failed", 10, desk.now())
        assert timedelta(days=3) < desk.now() - began < timedelta(days=4)
        assert desk.webhooks.replay_since(desk.admin, webhook_id, began).count == 1
        assert desk.work() == 1
        assert (self.delivery(desk).state, self.delivery(desk).delivery_id) == ("delivered", given_up.delivery_id)
        assert desk.webhooks.replay_since(desk.admin, webhook_id, began).count == 0
        assert desk.webhooks.replay(desk.admin, webhook_id, given_up.delivery_id).attempts == 0
        assert desk.work() == 1

    def test_gone_turns_it_off_and_the_others_are_told(self, desk: Desk) -> None:
        gone = desk.make().webhook.webhook_id
        desk.webhooks.send_test(desk.admin, gone)
        desk.network.answers = [410]
        desk.work()
        webhook = desk.webhooks.webhook(desk.admin, gone)
        assert not webhook.is_enabled
        assert "410" in str(webhook.disabled_because)
        other = desk.make(events=["webhook.disabled"]).webhook.webhook_id
        event = desk.house.trail.events(limit=1000)[-2]
        assert (event.action, event.actor, event.object_id, event.detail) == (
            "webhook.disabled",
            "service",
            gone,
            {"status": 410},
        )
        on = desk.webhooks.change(desk.admin, gone, is_enabled=True)
        assert (on.is_enabled, on.disabled_because, on.failing_since) == (True, None, None)
        assert desk.webhooks.deliveries(desk.admin, other) == []

    def test_five_days_of_nothing_but_failures_turn_it_off(self, desk: Desk) -> None:
        webhook_id = desk.make().webhook.webhook_id
        desk.network.answers = [500] * 99
        for day in range(6):
            desk.webhooks.send_test(desk.admin, webhook_id)
            desk.work()
            assert desk.webhooks.webhook(desk.admin, webhook_id).is_enabled == (day < 5), day
            desk.clock.move(days=1)
        assert desk.house.actions()[-1] == "webhook.disabled"

    def test_a_success_in_between_begins_anew(self, desk: Desk) -> None:
        webhook_id = desk.make().webhook.webhook_id
        for day in range(8):
            desk.network.answers = [200 if day == 3 else 500] * 99
            desk.webhooks.send_test(desk.admin, webhook_id)
            desk.work()
            desk.clock.move(days=1)
        assert desk.webhooks.webhook(desk.admin, webhook_id).is_enabled

    def test_a_sender_that_dies_loses_nothing_at_any_step(self, desk: Desk) -> None:
        desk.make()
        desk.happens()
        desk.sender.fan_out()  # and dies
        desk.sender = desk.another_sender()
        (claimed,) = desk.sender.claim(SLOTS)  # and dies
        desk.sender = desk.another_sender()
        assert desk.work() == 0
        desk.clock.move(seconds=50)
        (again,) = desk.sender.claim(SLOTS)
        desk.network.post(again.webhook.url, b"", {})  # and dies
        desk.clock.move(seconds=50)
        assert desk.work() == 1
        assert self.delivery(desk).delivery_id == claimed.delivery.delivery_id
        assert self.delivery(desk).state == "delivered"

    def test_two_senders_never_send_to_one_webhook_at_once(self, desk: Desk) -> None:
        desk.make()
        for _ in range(3):
            desk.happens()
        other, taken = desk.another_sender(), []
        desk.network.meanwhile = lambda: taken.extend(other.claim(SLOTS))
        assert desk.work() == 3
        assert taken == []
        assert len(desk.network.sent) == len({headers["webhook-id"] for _, _, headers in desk.network.sent}) == 3

    def test_however_many_wait_one_is_sent_ten_a_second(self, desk: Desk) -> None:
        webhook_id = desk.make().webhook.webhook_id
        for _ in range(25):
            desk.webhooks.send_test(desk.admin, webhook_id)
        assert desk.work() == 10
        desk.clock.move(seconds=0.35)
        assert desk.work() == 3
        desk.clock.move(seconds=60)
        assert desk.work() == 10

    def test_an_answer_after_long_counts_like_a_failure_for_whose_turn_it_is(self, desk: Desk) -> None:
        webhook_id = desk.make().webhook.webhook_id
        for seconds, is_troubled in ((4, False), (6, True), (1, False)):
            desk.network.meanwhile = partial(desk.clock.move, seconds=seconds)
            desk.webhooks.send_test(desk.admin, webhook_id)
            assert desk.work() == 1
            assert self.delivery(desk).state == "delivered"
            assert desk.webhooks.webhook(desk.admin, webhook_id).is_troubled == is_troubled

    def test_one_that_is_deleted_while_it_is_sent_to(self, desk: Desk) -> None:
        webhook_id = desk.make().webhook.webhook_id
        desk.happens()
        desk.network.meanwhile = lambda: desk.webhooks.delete(desk.admin, webhook_id)
        assert desk.work() == 1
        assert desk.webhooks.webhooks(desk.admin) == []

    def test_a_bug_in_sending_is_a_failed_attempt(self, desk: Desk) -> None:
        desk.make()
        desk.happens()
        desk.network.answers = [RuntimeError("secret of imgguard")]
        assert desk.work() == 1
        assert self.delivery(desk).state == "waiting"
        assert "secret" not in self.delivery(desk).last_error
