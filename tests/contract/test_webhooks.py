"""What every implementation of WebhookStore keeps to. One so far: SQLite."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.event import listen

from imgguard.errors import Conflict, InvalidTransition, NotFound
from imgguard.ports import Attempt, ClaimedDelivery, Pace, Replayed, Slots, WebhookStore
from imgguard.registry.accounts import AuditEvent, Disclosure, Organisation
from imgguard.registry.ids import new_id
from imgguard.registry.webhooks import Delivery, DeliveryState, Webhook
from imgguard.storage.sql import webhook_rows as rows
from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.schema import organisations, webhook_deliveries, webhooks
from imgguard.storage.sql.webhooks import SqlWebhooks

from . import people
from .people import WITH_PASSWORD, event
from .stores import LATER, NOON

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
PACE = Pace(interval=timedelta(seconds=0.1), burst=10)
DELIVERED = Attempt(at=LATER, status=200, error=None)


def failed(*, next_at: datetime | None = LATER, **changes: Any) -> Attempt:
    return Attempt(**{"at": LATER, "status": 500, "error": "no", "next_at": next_at, **changes})


class Post:
    """The ports, on one database: Ann's and Bob's are organisations."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.accounts, self.trail = SqlAccounts(database), SqlAuditTrail(database)
        self.store: WebhookStore = SqlWebhooks(database)
        self.ann, self.bob = (self._found(name, first=not place) for place, name in enumerate(("Ann's", "Bob's")))

    def _found(self, name: str, *, first: bool) -> Organisation:
        organisation_id = new_id("org")
        return self.accounts.add_organisation(
            organisation_id,
            name,
            people.member(organisation_id, f"{organisation_id}@example.org"),
            WITH_PASSWORD,
            disclosure=Disclosure.OUTLINE,
            first=first,
            event=event(organisation_id, organisation_id),
        )

    def webhook(self, of: Organisation | None = None, *, most: int = 20, **changes: Any) -> Webhook:
        owner = of or self.ann
        values: dict[str, Any] = {
            "url": "https://hooks.example/",
            "note": "two\nlines",
            "events": frozenset(),
            "secret": "whsec_AAAA",
            "created_at": NOON,
        }
        made = Webhook(
            webhook_id=new_id("whk"),
            organisation_id=owner.organisation_id,
            member_id=self.accounts.members(owner.organisation_id)[0].member_id,
            **values | changes,
        )
        self.store.add(made, most=most, event=event(owner.organisation_id, made.webhook_id, action="webhook.created"))
        return made

    def happens(self, *names: str, of: Organisation | None = None, also: frozenset[str] = frozenset()) -> None:
        for name in names:
            self.trail.record(event((of or self.ann).organisation_id, name, action=name, parties=also))

    def fan_out(self, *, since: datetime = NOON, most: int = 100) -> int:
        return self.store.fan_out(composed, since=since, most=most)

    def told(self, webhook: Webhook) -> list[str]:
        """The oldest first."""
        return [one.event for one in reversed(self.store.deliveries(webhook.webhook_id))]

    def claim(
        self, *, at: datetime = NOON, limit: int = 10, troubled: int = 10, of_each: int = 10, pace: Pace = PACE
    ) -> list[ClaimedDelivery]:
        slots = Slots(limit=limit, troubled=troubled, of_each=of_each)
        return list(self.store.claim(at=at, until=at + MINUTE, slots=slots, pace=pace))

    def statements(self) -> list[tuple[str, Any]]:
        """Those that reach the database from now on, with what they are given."""
        found: list[tuple[str, Any]] = []
        listen(
            self.database.engine, "before_cursor_execute", lambda _c, _u, text, given, *_: found.append((text, given))
        )
        return found

    def fill(self, webhook: Webhook, count: int) -> None:
        """Messages to it that wait."""
        with self.database.write() as connection:
            rows.add_deliveries(connection, [delivery(webhook) for _ in range(count)])

    def messages(self, webhook: Webhook) -> int:
        """Those that are stored, shown or not."""
        its_own = webhook_deliveries.c.webhook_id == webhook.webhook_id
        with self.database.read() as connection:
            return int(connection.execute(select(func.count()).where(its_own)).scalar_one())

    def actions(self) -> list[str]:
        return [one.action for one in self.trail.events(limit=1000)]


def composed(webhook: Webhook, told: AuditEvent) -> Delivery:
    return delivery(webhook, told.action, event_id=told.event_id)


def delivery(webhook: Webhook, name: str = "test", **changes: Any) -> Delivery:
    values: dict[str, Any] = {"event_id": None, "state": DeliveryState.WAITING, "next_at": NOON, "created_at": NOON}
    return Delivery(
        delivery_id=new_id("msg"), webhook_id=webhook.webhook_id, event=name, payload="{}", **values | changes
    )


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing in it; do not change it."""
    path = tmp_path_factory.mktemp("empty") / "imgguard.db"
    open_database(path).close()
    return path


@pytest.fixture(params=["sqlite"])
def post(empty: Path, tmp_path: Path) -> Iterator[Post]:
    database = open_database(Path(shutil.copy(empty, tmp_path)))
    yield Post(database)
    database.close()


class TestWebhooks:
    def test_one_is_read_back_as_it_was_made(self, post: Post) -> None:
        made = [post.webhook(events=frozenset({"job.finished", "licence.ending"})), post.webhook()]
        theirs = post.webhook(post.bob)
        assert [post.store.webhook(one.webhook_id) for one in made] == made
        assert list(post.store.webhooks(post.ann.organisation_id)) == made
        assert list(post.store.webhooks(post.bob.organisation_id)) == [theirs]
        assert post.actions()[-3:] == ["webhook.created"] * 3

    def test_no_more_than_there_may_be(self, post: Post) -> None:
        post.webhook(most=1)
        before = post.actions()
        with pytest.raises(Conflict):
            post.webhook(most=1)
        assert post.actions() == before
        post.webhook(post.bob, most=1)

    def test_changed_with_its_event(self, post: Post) -> None:
        made = post.webhook()

        def told(after: Webhook) -> AuditEvent:
            return event(after.organisation_id, f"{after.note} {after.revision}")

        after = post.store.change(made.webhook_id, lambda found: replace(found, note="new"), event=told)
        assert after == replace(made, note="new", revision=2) == post.store.webhook(made.webhook_id)
        assert post.trail.events(newest_first=True)[0].object_id == "new 2"
        before = post.actions()
        assert post.store.change(made.webhook_id, lambda found: found, event=told) == after
        assert post.actions() == before

    def test_deleted_with_its_messages(self, post: Post) -> None:
        made, other = post.webhook(), post.webhook()
        for webhook in (made, other):
            post.store.add_delivery(delivery(webhook))
        post.store.delete(made.webhook_id, event=event(post.ann.organisation_id, action="webhook.deleted"))
        assert post.actions()[-1] == "webhook.deleted"
        assert (post.told(made), post.told(other)) == ([], ["test"])
        with pytest.raises(NotFound):
            post.store.webhook(made.webhook_id)

    def test_one_with_many_messages_is_gone_at_once_and_they_follow_in_parts(self, post: Post) -> None:
        made, other = post.webhook(url="https://token.example/"), post.webhook()
        post.store.add_delivery(delivery(other))
        post.fill(made, 1200)
        post.happens("untold")
        seen = post.statements()
        post.store.delete(made.webhook_id, event=event(post.ann.organisation_id))
        assert not [text for text, _ in seen if "DELETE FROM webhook_deliveries" in text]
        assert list(post.store.webhooks(post.ann.organisation_id)) == [other]
        assert post.told(made) == []
        assert post.messages(made) == 1200
        assert {one.webhook for one in post.claim()} == {other}
        assert post.fan_out() == 2
        with post.database.read() as connection:
            row = connection.execute(select(webhooks).where(webhooks.c.webhook_id == made.webhook_id)).one()
        assert (row.url, row.note, row.secret, row.previous_secret) == ("", "", "", None)
        post.webhook(most=2)
        seen.clear()
        assert post.store.sweep() == 1200
        assert [text for text, _ in seen].count("BEGIN IMMEDIATE") == 3
        assert (post.messages(made), post.messages(other)) == (0, 3)
        with post.database.read() as connection:
            assert made.webhook_id not in connection.execute(select(webhooks.c.webhook_id)).scalars().all()

    def test_a_deletion_that_was_cut_off_is_finished_later(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        made = post.webhook()
        post.fill(made, 700)
        post.store.delete(made.webhook_id, event=event(post.ann.organisation_id))
        monkeypatch.setattr("imgguard.storage.sql.webhooks._PARTS", 1)
        assert (post.store.sweep(), post.messages(made)) == (500, 200)
        post.database.close()
        assert (post.store.sweep(), post.messages(made)) == (200, 0)
        with post.database.write():
            assert post.store.sweep() == 0

    def test_nothing_more_can_be_done_with_one_that_is_deleted(self, post: Post) -> None:
        made = post.webhook()
        one = delivery(made)
        post.store.add_delivery(one)
        told = event(post.ann.organisation_id)
        post.store.delete(made.webhook_id, event=told)
        before = post.actions()
        for attempt in (
            lambda: post.store.change(made.webhook_id, lambda found: replace(found, note="a"), event=lambda _: told),
            lambda: post.store.delete(made.webhook_id, event=told),
            lambda: post.store.delivery(made.webhook_id, one.delivery_id),
            lambda: post.store.add_delivery(delivery(made)),
            lambda: post.store.replay(made.webhook_id, one.delivery_id, at=NOON),
            lambda: post.store.replay_since(made.webhook_id, NOON, only_failed=False, at=NOON, most=9),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert post.actions() == before

    def test_an_organisation_is_erased_with_its_messages_in_parts(self, post: Post) -> None:
        theirs, gone = post.webhook(post.bob), post.webhook(post.bob)
        post.fill(theirs, 700)
        post.fill(gone, 400)
        bob = post.bob.organisation_id
        post.store.delete(gone.webhook_id, event=event(bob))
        with pytest.raises(InvalidTransition):
            post.accounts.erase_organisation(bob, at=LATER, forget=[], event=event(bob))
        assert (post.messages(theirs), post.messages(gone)) == (700, 400)
        post.accounts.disable_organisation(bob, at=NOON, event=event(bob))
        seen = post.statements()
        post.accounts.erase_organisation(bob, at=LATER, forget=[], event=event(bob))
        assert [text for text, _ in seen].count("BEGIN IMMEDIATE") == 3 + 1
        assert (post.messages(theirs), post.messages(gone)) == (0, 0)
        assert post.store.sweep() == 0

    def test_what_is_not_there(self, post: Post) -> None:
        made, other = post.webhook(), post.webhook()
        one = delivery(made)
        post.store.add_delivery(one)
        before = post.actions()
        told = event(post.ann.organisation_id)
        for attempt in (
            lambda: post.store.webhook("whk_none"),
            lambda: post.store.change("whk_none", lambda found: found, event=lambda _: told),
            lambda: post.store.delete("whk_none", event=told),
            lambda: post.store.delivery(made.webhook_id, "msg_none"),
            lambda: post.store.delivery(other.webhook_id, one.delivery_id),
            lambda: post.store.replay(other.webhook_id, one.delivery_id, at=NOON),
            lambda: post.store.replay_since("whk_none", NOON, only_failed=True, at=NOON, most=9),
            lambda: post.store.add_delivery(replace(delivery(made), webhook_id="whk_none")),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert post.actions() == before

    def test_whether_there_are_any(self, post: Post) -> None:
        assert not post.store.has_any()
        made = post.webhook()
        assert post.store.has_any()
        post.store.delete(made.webhook_id, event=event(post.ann.organisation_id))
        assert not post.store.has_any()


class TestFanningOut:
    def test_what_happens_from_now_on_to_whom_it_concerns(self, post: Post) -> None:
        post.happens("before")
        ann, bob = post.webhook(), post.webhook(post.bob)
        post.happens("own", "shared", also=frozenset())
        post.happens("both", of=post.bob, also=frozenset({post.ann.organisation_id}))
        post.happens("theirs", of=post.bob)
        assert post.fan_out() > 0
        assert (post.told(ann), post.told(bob)) == (["own", "shared", "both"], ["both", "theirs"])
        assert post.fan_out() == 0
        post.happens("more")
        assert post.fan_out() == 1
        assert post.told(ann)[-1] == "more"

    def test_only_what_it_wants_and_what_is_not_too_old(self, post: Post) -> None:
        some = post.webhook(events=frozenset({"job.finished"}))
        post.happens("job.submitted", "job.finished")
        assert post.fan_out() == 2
        assert post.told(some) == ["job.finished"]
        post.happens("job.finished")
        assert post.fan_out(since=NOON + MINUTE) == 1
        assert (post.told(some), post.fan_out()) == (["job.finished"], 0)

    def test_in_parts_and_nothing_twice(self, post: Post) -> None:
        ann = post.webhook()
        names = [f"event.{number}" for number in range(7)]
        post.happens(*names)
        assert [post.fan_out(most=3) for _ in range(4)] == [3, 3, 1, 0]
        assert post.told(ann) == names

    def test_a_crash_in_the_middle_neither_loses_nor_doubles(self, post: Post) -> None:
        ann = post.webhook()
        post.happens("one", "two")

        def dies(webhook: Webhook, told: AuditEvent) -> Delivery:
            if told.action == "two":
                raise RuntimeError
            return composed(webhook, told)

        with pytest.raises(RuntimeError):
            post.store.fan_out(dies, since=NOON, most=100)
        assert post.told(ann) == []
        post.fan_out()
        assert post.told(ann) == ["one", "two"]

    def test_two_at_once_make_each_message_once(self, post: Post) -> None:
        ann = post.webhook()
        post.happens(*(f"event.{number}" for number in range(40)))
        threads = [Thread(target=lambda: [post.fan_out(most=3) for _ in range(20)]) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert post.told(ann) == [f"event.{number}" for number in range(40)]

    def test_one_that_is_disabled_catches_up_when_it_is_enabled(self, post: Post) -> None:
        ann = post.webhook(disabled_at=NOON, disabled_because="test")
        post.happens("meanwhile")
        assert (post.fan_out(), post.told(ann)) == (0, [])
        told = event(post.ann.organisation_id, action="webhook.changed")
        post.store.change(ann.webhook_id, lambda found: replace(found, disabled_at=None), event=lambda _: told)
        post.fan_out()
        assert post.told(ann) == ["meanwhile", "webhook.changed"]

    @pytest.mark.parametrize("how", ["disabled_at", "erased_at"])
    def test_an_organisation_that_is_gone_is_told_nothing(self, post: Post, how: str) -> None:
        ann, bob = post.webhook(), post.webhook(post.bob)
        post.store.add_delivery(delivery(ann))
        post.happens("own", also=frozenset({post.bob.organisation_id}))
        gone = organisations.c.organisation_id == post.ann.organisation_id
        with post.database.write() as connection:
            connection.execute(update(organisations).where(gone).values({how: NOON}))
        post.fan_out()
        assert (post.told(ann), post.told(bob)) == (["test"], ["own"])
        assert [one.webhook for one in post.claim()] == [bob]

    def test_who_has_nothing_to_do_waits_for_no_lock(self, post: Post) -> None:
        post.webhook()
        with post.database.write():
            assert (post.fan_out(), post.claim()) == (0, [])


class TestClaiming:
    def test_one_of_each_webhook_the_first_due_first(self, post: Post) -> None:
        ann, bob = post.webhook(), post.webhook(post.bob)
        later, first, second = (delivery(ann, next_at=NOON + after) for after in (MINUTE, timedelta(), timedelta()))
        theirs = delivery(bob)
        for one in (later, second, first, theirs):
            post.store.add_delivery(one)
        claimed = post.claim()
        assert {one.delivery for one in claimed} == {first, theirs}
        assert {one.webhook for one in claimed} == {ann, bob}
        assert post.claim() == []
        for one in claimed:
            assert post.store.settle(one, DELIVERED)
        assert [one.delivery for one in post.claim()] == [second]

    def test_not_before_its_time_and_not_when_it_is_over(self, post: Post) -> None:
        ann = post.webhook()
        post.store.add_delivery(delivery(ann, next_at=LATER))
        for state in (DeliveryState.FAILED, DeliveryState.DELIVERED):
            post.store.add_delivery(delivery(ann, state=state, next_at=None, finished_at=NOON))
        assert post.claim() == []
        assert len(post.claim(at=LATER)) == 1

    def test_who_fails_gets_no_more_than_its_share(self, post: Post) -> None:
        for number in range(4):
            post.store.add_delivery(delivery(post.webhook(failing_since=NOON if number else None)))
        claimed = post.claim(limit=3, troubled=1)
        assert sorted(one.webhook.failing_since is not None for one in claimed) == [False, True]
        assert post.claim(troubled=0) == []
        assert len(post.claim(limit=1)) == 1

    def test_organisations_take_turns_however_many_webhooks_they_have(self, post: Post) -> None:
        for owner in (*[post.ann] * 5, post.bob):
            webhook = post.webhook(owner)
            for _ in range(2):
                post.store.add_delivery(delivery(webhook))
        ann, bob = post.ann.organisation_id, post.bob.organisation_id
        first = post.claim(limit=2, of_each=2)
        assert {one.webhook.organisation_id for one in first} == {ann, bob}
        second = post.claim(of_each=2)
        assert [one.webhook.organisation_id for one in second] == [ann]
        assert post.claim(of_each=2) == []
        for one in (*first, *second):
            if one.webhook.organisation_id == bob:
                assert post.store.settle(one, DELIVERED)
        assert [one.webhook.organisation_id for one in post.claim(limit=1, of_each=2)] == [bob]
        later = post.claim(at=NOON + 2 * MINUTE, of_each=2)  # the leases of all are over
        assert sorted(one.webhook.organisation_id for one in later).count(ann) == 2

    def test_who_was_slow_counts_as_failing_until_it_is_quick(self, post: Post) -> None:
        ann = post.webhook()
        for _ in range(3):
            post.store.add_delivery(delivery(ann))
        (claimed,) = post.claim(troubled=0)
        assert post.store.settle(claimed, replace(DELIVERED, is_slow=True))
        assert post.claim(troubled=0) == []
        (claimed,) = post.claim(troubled=1)
        assert claimed.webhook.is_troubled
        assert post.store.settle(claimed, DELIVERED)
        assert len(post.claim(troubled=0)) == 1

    def test_no_webhook_is_sent_to_more_often_than_its_pace(self, post: Post) -> None:
        ann, bob = post.webhook(), post.webhook(post.bob)
        for _ in range(20):
            post.store.add_delivery(delivery(ann))
        pace = Pace(interval=SECOND, burst=3)

        def sent(at: datetime) -> int:
            count = 0
            while claimed := post.claim(at=at, pace=pace):
                for one in claimed:
                    assert post.store.settle(one, DELIVERED)
                count += len(claimed)
            return count

        assert [sent(NOON), sent(NOON + SECOND / 2), sent(NOON + SECOND)] == [3, 0, 1]
        post.store.add_delivery(delivery(bob))
        assert sent(NOON + SECOND) == 1
        assert [sent(NOON + 3 * SECOND), sent(NOON + MINUTE), sent(NOON + MINUTE)] == [2, 3, 0]

    def test_whose_turn_it_is_is_found_without_sorting(self, post: Post) -> None:
        ann = post.webhook()
        post.store.add_delivery(delivery(ann))
        seen = post.statements()
        assert len(post.claim()) == 1
        asked = [(text, given) for text, given in seen if "next_at" in text and text.startswith("SELECT webhooks")]
        asked += [(text, given) for text, given in seen if "next_at <=" in text]
        assert asked
        with post.database.read() as connection:
            for text, given in asked:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given).all()
                steps = [str(step[-1]) for step in plan]
                assert not [step for step in steps if "TEMP B-TREE" in step], steps
                assert [step for step in steps if "ix_webhook_deliveries_due" in step], steps

    def test_one_whose_sender_died_is_given_to_another_and_the_first_can_change_nothing(self, post: Post) -> None:
        post.store.add_delivery(delivery(post.webhook()))
        (first,) = post.claim()
        assert post.claim(at=NOON + MINUTE - timedelta(seconds=1)) == []
        (second,) = post.claim(at=NOON + MINUTE)
        assert second.delivery == first.delivery
        assert not post.store.settle(first, failed(disable_because="test"), event=event(post.ann.organisation_id))
        assert post.store.webhook(first.webhook.webhook_id).is_enabled
        assert post.store.settle(second, DELIVERED)
        assert not post.store.settle(second, DELIVERED)

    def test_two_at_once_never_get_the_same(self, post: Post) -> None:
        webhooks = [post.webhook() for _ in range(3)]
        for webhook in webhooks:
            for _ in range(5):
                post.store.add_delivery(delivery(webhook))
        sent: list[str] = []

        def sender() -> None:
            while found := post.claim(limit=1):
                sent.append(found[0].delivery.delivery_id)
                assert post.store.settle(found[0], DELIVERED)

        threads = [Thread(target=sender) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while found := post.claim(limit=1):  # who found all others busy has ended early
            sent.append(found[0].delivery.delivery_id)
            post.store.settle(found[0], DELIVERED)
        assert len(sent) == len(set(sent)) == 15


class TestHowItEnds:
    def test_it_has_arrived(self, post: Post) -> None:
        ann = post.webhook(failing_since=NOON)
        post.store.add_delivery(delivery(ann))
        (claimed,) = post.claim()
        assert post.store.settle(claimed, DELIVERED)
        after = post.store.delivery(ann.webhook_id, claimed.delivery.delivery_id)
        assert after == replace(
            claimed.delivery,
            state=DeliveryState.DELIVERED,
            attempts=1,
            next_at=None,
            last_status=200,
            last_tried_at=LATER,
            finished_at=LATER,
        )
        assert post.store.webhook(ann.webhook_id) == replace(ann, failing_since=None)

    def test_it_is_tried_again_and_given_up(self, post: Post) -> None:
        ann = post.webhook()
        post.store.add_delivery(delivery(ann))
        (claimed,) = post.claim()
        post.store.settle(claimed, failed(next_at=LATER + MINUTE))
        waiting = post.store.delivery(ann.webhook_id, claimed.delivery.delivery_id)
        assert (waiting.state, waiting.attempts, waiting.next_at) == ("waiting", 1, LATER + MINUTE)
        assert (waiting.last_status, waiting.last_error, waiting.finished_at) == (500, "no", None)
        assert post.store.webhook(ann.webhook_id).failing_since == LATER
        assert post.claim(at=LATER) == []
        (again,) = post.claim(at=LATER + MINUTE)
        post.store.settle(again, failed(at=LATER + MINUTE, next_at=None))
        given_up = post.store.delivery(ann.webhook_id, claimed.delivery.delivery_id)
        assert (given_up.state, given_up.attempts, given_up.finished_at) == ("failed", 2, LATER + MINUTE)
        assert post.store.webhook(ann.webhook_id).failing_since == LATER

    def test_it_disables_the_webhook_once(self, post: Post) -> None:
        ann = post.webhook()
        post.store.add_delivery(delivery(ann))
        post.store.add_delivery(delivery(ann))
        (claimed,) = post.claim()
        told = event(post.ann.organisation_id, ann.webhook_id, action="webhook.disabled")
        post.store.settle(claimed, failed(disable_because="gone"), event=told)
        after = post.store.webhook(ann.webhook_id)
        assert (after.disabled_at, after.disabled_because, after.revision) == (LATER, "gone", 1)
        assert post.actions()[-1] == "webhook.disabled"
        assert post.claim(at=LATER) == []

    def test_one_that_a_person_turned_off_meanwhile_stays_as_it_is(self, post: Post) -> None:
        ann = post.webhook()
        post.store.add_delivery(delivery(ann))
        (claimed,) = post.claim()
        off = event(post.ann.organisation_id)
        changed = post.store.change(
            ann.webhook_id, lambda found: replace(found, disabled_at=NOON, disabled_because="me"), event=lambda _: off
        )
        before = post.actions()
        assert post.store.settle(claimed, failed(disable_because="gone"), event=event(post.ann.organisation_id))
        assert post.store.webhook(ann.webhook_id) == replace(changed, failing_since=LATER)
        assert post.actions() == before

    def test_nothing_is_stored_of_one_that_was_deleted(self, post: Post) -> None:
        ann = post.webhook()
        post.store.add_delivery(delivery(ann))
        (claimed,) = post.claim()
        post.store.delete(ann.webhook_id, event=event(post.ann.organisation_id))
        assert not post.store.settle(claimed, DELIVERED)


class TestLookingAndSendingAgain:
    def test_pages(self, post: Post) -> None:
        ann = post.webhook()
        made = [delivery(ann, state=state) for state in ("waiting", "failed", "waiting")]
        for one in made:
            post.store.add_delivery(one)
        newest = made[::-1]
        assert list(post.store.deliveries(ann.webhook_id)) == newest
        assert list(post.store.deliveries(ann.webhook_id, limit=1)) == newest[:1]
        assert list(post.store.deliveries(ann.webhook_id, before=newest[0].delivery_id)) == newest[1:]
        assert list(post.store.deliveries(ann.webhook_id, state=DeliveryState.FAILED)) == [made[1]]

    def ended(self, webhook: Webhook, state: str, *, created_at: datetime = NOON) -> Delivery:
        return delivery(
            webhook, state=DeliveryState(state), next_at=None, finished_at=LATER, attempts=9, created_at=created_at
        )

    def test_one_again(self, post: Post) -> None:
        one = self.ended(post.webhook(), "delivered")
        post.store.add_delivery(one)
        after = post.store.replay(one.webhook_id, one.delivery_id, at=LATER)
        assert after == replace(one, state=DeliveryState.WAITING, attempts=0, next_at=LATER, finished_at=None)
        (claimed,) = post.claim(at=LATER)
        assert claimed.delivery == after
        assert post.store.replay(one.webhook_id, one.delivery_id, at=LATER) == after
        assert post.store.settle(claimed, DELIVERED)

    @pytest.mark.parametrize(("only_failed", "count"), [(True, 1), (False, 2)])
    def test_all_since_a_time(self, post: Post, only_failed: bool, count: int) -> None:
        ann, bob = post.webhook(), post.webhook(post.bob)
        for webhook in (ann, bob):
            for state in ("delivered", "failed"):
                post.store.add_delivery(self.ended(webhook, state))
                post.store.add_delivery(self.ended(webhook, state, created_at=NOON - MINUTE))
        post.store.add_delivery(delivery(ann, next_at=LATER + MINUTE))
        found = post.store.replay_since(ann.webhook_id, NOON, only_failed=only_failed, at=LATER, most=9)
        assert found == Replayed(count=count)
        due = [one for one in post.store.deliveries(ann.webhook_id) if one.next_at == LATER]
        assert len(due) == count
        assert {one.state for one in post.store.deliveries(bob.webhook_id)} == {"delivered", "failed"}

    def test_no_more_than_so_many_the_oldest_first_and_where_to_go_on(self, post: Post) -> None:
        ann = post.webhook()
        made = [self.ended(ann, "failed", created_at=NOON + number * SECOND) for number in range(5)]
        for one in reversed(made):
            post.store.add_delivery(one)
        first = post.store.replay_since(ann.webhook_id, NOON, only_failed=True, at=LATER, most=3)
        assert first == Replayed(count=3, more_since=NOON + 3 * SECOND)
        waiting = {one.delivery_id for one in post.store.deliveries(ann.webhook_id, state=DeliveryState.WAITING)}
        assert waiting == {one.delivery_id for one in made[:3]}
        rest = post.store.replay_since(ann.webhook_id, NOON + 3 * SECOND, only_failed=True, at=LATER, most=3)
        assert rest == Replayed(count=2)

    def test_many_again_in_several_transactions(self, post: Post) -> None:
        ann = post.webhook()
        with post.database.write() as connection:
            rows.add_deliveries(connection, [self.ended(ann, "failed") for _ in range(600)])
        seen = post.statements()
        assert post.store.replay_since(ann.webhook_id, NOON, only_failed=True, at=LATER, most=599).count == 599
        assert [text for text, _ in seen].count("BEGIN IMMEDIATE") == 3
        assert len(post.store.deliveries(ann.webhook_id, state=DeliveryState.FAILED)) == 1

    def test_old_ones_are_forgotten_and_those_that_wait_are_not(self, post: Post) -> None:
        ann = post.webhook()
        silent = post.webhook(disabled_at=NOON, disabled_because="test")
        just = post.webhook(disabled_at=LATER, disabled_because="test")
        kept = [delivery(ann), self.ended(ann, "failed"), delivery(just)]
        old = [replace(self.ended(ann, "delivered"), finished_at=NOON), delivery(silent)]
        for one in (*kept, *old):
            post.store.add_delivery(one)
        assert post.store.forget(NOON) == 0
        assert post.store.forget(LATER) == 2
        left = [one for webhook in (ann, silent, just) for one in post.store.deliveries(webhook.webhook_id)]
        assert {one.delivery_id for one in left} == {one.delivery_id for one in kept}
