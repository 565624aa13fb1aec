"""What every implementation of JobStore keeps to. One so far: SQLite."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from imgguard.errors import InvalidTransition, NotFound, QueueFull
from imgguard.feeds.records import Encoding, Form
from imgguard.ports import (
    ATTEMPTS,
    WORKER_CRASHED,
    ClaimedItem,
    ItemError,
    ItemState,
    Job,
    JobState,
    NewFeed,
    NewItem,
    Priority,
    Room,
)
from imgguard.registry.accounts import Action, AuditEvent, Disclosure, Member
from imgguard.registry.ids import new_id
from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail, SqlCredentials
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.feeds import SqlFeeds
from imgguard.storage.sql.jobs import SqlJobs
from imgguard.storage.sql.migrate import open_database

from . import people, stores
from .people import WITH_PASSWORD, event
from .stores import LATER, NOON

LEASE = timedelta(seconds=30)
A, B = "a" * 64, "b" * 64
OOPS = ItemError(code="corrupt_image", detail="cut short")


@dataclass(kw_only=True)
class Queue:
    """The store, and members of two organisations who hand work in."""

    database: Database
    members: list[Member] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.jobs = SqlJobs(self.database)
        self.feeds = SqlFeeds(self.database)
        self.catalogue = SqlCatalogue(self.database)
        self.trail = SqlAuditTrail(self.database)
        for number, name in enumerate(("Ann's", "Bob's")):
            organisation_id = new_id("org")
            admin = people.member(organisation_id, f"{number}@example.org")
            SqlAccounts(self.database).add_organisation(
                organisation_id,
                name,
                admin,
                WITH_PASSWORD,
                disclosure=Disclosure.OUTLINE,
                first=number == 0,
                event=event(organisation_id, organisation_id),
            )
            self.members.append(admin)
        self.ann, self.bob = self.members

    def submit(
        self,
        *items: NewItem,
        of: Member | None = None,
        priority: Priority = Priority.BULK,
        room: Room = Room(1000, 1000),
        key_id: str | None = None,
        store_blob: Callable[[str], object] | None = None,
        at: datetime = NOON,
        feed: NewFeed | None = None,
    ) -> Job:
        member = of or self.ann
        job = Job(
            job_id=new_id("job"),
            organisation_id=member.organisation_id,
            member_id=member.member_id,
            key_id=key_id,
            kind="check",
            options={"profile": "quick"},
            state=JobState.QUEUED,
            item_count=len(items),
            done_count=0,
            failed_count=0,
            created_at=at,
            started_at=None,
            finished_at=None,
        )
        submitted = event(member.organisation_id, job.job_id, action=Action.JOB_SUBMITTED)
        return self.jobs.submit(
            job, items, priority=priority, room=room, event=submitted, store_blob=store_blob, feed=feed
        )

    def claim(self, worker: str = "wkr_1", *, at: datetime = NOON) -> ClaimedItem:
        item = self.jobs.claim(worker, at=at, lease=LEASE)
        assert item is not None
        return item

    def cancel(self, job: Job, *, at: datetime = NOON) -> Job:
        told = event(job.organisation_id, job.job_id, action=Action.JOB_CANCELLED)
        return self.jobs.cancel(job.job_id, at=at, event=told)

    def states(self, job: Job) -> list[str]:
        return [item.state.value for item in self.jobs.items(job.job_id)]

    def counts(self, job: Job) -> tuple[str, int, int, bool]:
        found = self.jobs.job(job.job_id)
        return found.state.value, found.done_count, found.failed_count, found.is_over

    def actions(self) -> list[str]:
        return [found.action for found in self.trail.events(limit=1000)]


def urls(count: int) -> list[NewItem]:
    return [NewItem(file=f"{number}.jpg", url=f"https://shop.example/{number}.jpg") for number in range(1, count + 1)]


def stored(*digests: str) -> list[NewItem]:
    return [NewItem(file="a.jpg", sha256=sha256) for sha256 in digests]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing in it; do not change it."""
    path = tmp_path_factory.mktemp("empty") / "imgguard.db"
    open_database(path).close()
    return path


@pytest.fixture(params=["sqlite"])
def queue(empty: Path, tmp_path: Path) -> Iterator[Queue]:
    database = open_database(Path(shutil.copy(empty, tmp_path)))
    yield Queue(database=database)
    database.close()


class TestSubmitting:
    def test_a_job_is_stored_with_its_items_and_its_event(self, queue: Queue) -> None:
        job = queue.submit(*urls(2), *stored(A))
        assert (job.state, job.item_count, job.options, job.kind) == (JobState.QUEUED, 3, {"profile": "quick"}, "check")
        assert queue.jobs.job(job.job_id) == job
        first, _, last = queue.jobs.items(job.job_id)
        assert (first.position, first.file, first.url, first.sha256) == (1, "1.jpg", "https://shop.example/1.jpg", None)
        assert (last.position, last.sha256, last.state, last.attempts) == (3, A, ItemState.QUEUED, 0)
        assert queue.actions()[-1] == "job.submitted"

    def test_no_more_than_the_capacity_and_nothing_by_halves(self, queue: Queue) -> None:
        queue.submit(*urls(2), room=Room(3, 3))
        events = queue.actions()
        with pytest.raises(QueueFull) as caught:
            queue.submit(*urls(2), room=Room(3, 3))
        assert caught.value.retry_after > 1
        with pytest.raises(QueueFull):
            queue.jobs.require_room(2, queue.ann.organisation_id, priority=Priority.BULK, room=Room(3, 3))
        queue.jobs.require_room(1, queue.ann.organisation_id, priority=Priority.BULK, room=Room(3, 3))
        assert len(queue.jobs.jobs(queue.ann.organisation_id, kinds=["check"])) == 1
        assert queue.actions() == events
        queue.submit(*urls(1), room=Room(3, 3))

    def test_one_organisation_leaves_room_for_others(self, queue: Queue) -> None:
        room, bulk = Room(5, 3), Priority.BULK
        queue.submit(*urls(3), room=room)
        with pytest.raises(QueueFull, match="3 pictures of your organisation wait already, and 3 of one may"):
            queue.submit(*urls(1), room=room)
        with pytest.raises(QueueFull, match="of your organisation"):
            queue.jobs.require_room(1, queue.ann.organisation_id, priority=bulk, room=room)
        queue.jobs.require_room(2, queue.bob.organisation_id, priority=bulk, room=room)
        queue.submit(*urls(2), of=queue.bob, room=room)
        with pytest.raises(QueueFull, match=r"^5 pictures wait already, and 5 may"):
            queue.submit(*urls(1), of=queue.bob, room=room)
        queue.submit(*urls(1), priority=Priority.INTERACTIVE, room=Room(2, 1))

    def test_what_runs_takes_room_and_what_has_ended_does_not(self, queue: Queue) -> None:
        queue.submit(*urls(1), room=Room(1, 1))
        item = queue.claim()
        with pytest.raises(QueueFull):
            queue.submit(*urls(1), room=Room(1, 1))
        queue.jobs.fail(item, OOPS, at=NOON)
        queue.submit(*urls(1), room=Room(1, 1))

    def test_bulk_work_takes_no_room_from_those_who_wait(self, queue: Queue) -> None:
        queue.submit(*urls(5), room=Room(5, 5))
        queue.submit(*urls(1), priority=Priority.INTERACTIVE, room=Room(1, 1))
        assert (queue.jobs.unfinished(Priority.BULK), queue.jobs.unfinished(Priority.INTERACTIVE)) == (5, 1)
        with pytest.raises(QueueFull):
            queue.submit(*urls(1), priority=Priority.INTERACTIVE, room=Room(1, 1))

    def test_bytes_that_were_deleted_meanwhile_are_put_again_in_the_transaction(self, queue: Queue) -> None:
        queue.catalogue.queue_blob_deletions([A], at=NOON)
        put: list[str] = []
        queue.submit(*stored(A, B, A), store_blob=put.append)
        assert put == [A, B]
        assert queue.catalogue.pending_blob_deletions() == []

    def test_bytes_of_a_job_that_does_not_fit_are_queued_for_deletion(self, queue: Queue) -> None:
        queue.submit(*stored(A), room=Room(2, 2))
        with pytest.raises(QueueFull):
            queue.submit(*stored(A, B), room=Room(2, 2))
        assert queue.catalogue.pending_blob_deletions() == [B]


class TestClaiming:
    def test_items_come_in_order_and_once(self, queue: Queue) -> None:
        job = queue.submit(*urls(2))
        first, second = queue.claim(), queue.claim("wkr_2", at=LATER)
        assert [first.position, second.position] == [1, 2]
        assert (first.kind, first.options, first.member_id, first.attempts) == (
            "check",
            {"profile": "quick"},
            queue.ann.member_id,
            1,
        )
        assert queue.jobs.claim("wkr_3", at=NOON, lease=LEASE) is None
        found = queue.jobs.job(job.job_id)
        assert (found.state, found.started_at) == (JobState.RUNNING, NOON)

    def test_who_waits_comes_first(self, queue: Queue) -> None:
        queue.submit(*urls(2))
        waiting = queue.submit(*urls(1), of=queue.bob, priority=Priority.INTERACTIVE)
        assert queue.claim().job_id == waiting.job_id

    def test_jobs_of_one_organisation_in_order(self, queue: Queue) -> None:
        first, second = queue.submit(*urls(2)), queue.submit(*urls(1))
        assert [queue.claim().job_id for _ in range(3)] == [first.job_id, first.job_id, second.job_id]

    def test_workers_are_shared_evenly_among_organisations(self, queue: Queue) -> None:
        queue.submit(*urls(20))
        queue.submit(*urls(20), of=queue.bob)
        claimed = Counter(queue.claim(f"wkr_{number}").organisation_id for number in range(6))
        assert set(claimed.values()) == {3}

    def test_a_bulk_job_does_not_starve_another_organisation_with_a_single_worker(self, queue: Queue) -> None:
        queue.submit(*urls(200))
        queue.submit(*urls(20), of=queue.bob)
        served = Counter[str]()
        for _ in range(100):  # by lot: that fewer than 10 of these are Bob's has a probability below 1e-17
            item = queue.claim()
            served[item.organisation_id] += 1
            queue.jobs.finish(item, {}, at=NOON)
        assert served[queue.bob.organisation_id] >= 10

    def test_each_item_goes_to_exactly_one_of_many_threads(self, queue: Queue) -> None:
        jobs = [queue.submit(*urls(20), of=member) for member in (queue.ann, queue.bob) for _ in range(2)]

        def work(worker: str) -> list[tuple[str, int]]:
            mine = []
            while (item := queue.jobs.claim(worker, at=NOON, lease=LEASE)) is not None:
                mine.append((item.job_id, item.position))
                queue.jobs.finish(item, {"worker": worker}, at=NOON)
            return mine

        with ThreadPoolExecutor(8) as threads:
            done = [one for part in threads.map(work, [f"wkr_{number}" for number in range(8)]) for one in part]
        assert sorted(done) == sorted((job.job_id, position) for job in jobs for position in range(1, 21))
        assert [queue.counts(job) for job in jobs] == [("done", 20, 0, True)] * 4


class TestEnding:
    def test_results_errors_and_counts(self, queue: Queue) -> None:
        job = queue.submit(*urls(2))
        queue.jobs.finish(queue.claim(), {"finding_id": "fnd_é"}, at=NOON)
        assert queue.counts(job) == ("running", 1, 0, False)
        queue.jobs.fail(queue.claim(), OOPS, at=LATER)
        assert queue.counts(job) == ("done", 1, 1, True)
        assert queue.jobs.job(job.job_id).finished_at == LATER
        good, bad = queue.jobs.items(job.job_id)
        assert (good.result, good.error, good.state) == ({"finding_id": "fnd_é"}, None, ItemState.DONE)
        assert (bad.result, bad.error, bad.finished_at) == (None, OOPS, LATER)

    def test_once_and_by_the_worker_that_holds_it(self, queue: Queue) -> None:
        job = queue.submit(*urls(1))
        item = queue.claim()
        stranger = replace(item, worker="wkr_2")
        for step in (queue.jobs.finish, queue.jobs.fail):
            with pytest.raises(InvalidTransition):
                step(stranger, {} if step == queue.jobs.finish else OOPS, at=NOON)  # type: ignore[arg-type]
        with pytest.raises(InvalidTransition):
            queue.jobs.renew(stranger, at=NOON, lease=LEASE)
        with pytest.raises(InvalidTransition):
            queue.jobs.release(stranger, at=NOON)
        assert queue.states(job) == ["running"]
        queue.jobs.finish(item, {}, at=NOON)
        with pytest.raises(InvalidTransition):
            queue.jobs.fail(item, OOPS, at=NOON)
        assert queue.counts(job) == ("done", 1, 0, True)

    def test_what_is_given_back_waits_again_and_was_not_begun(self, queue: Queue) -> None:
        job = queue.submit(*urls(1))
        for _ in range(ATTEMPTS + 1):
            queue.jobs.release(queue.claim(), at=NOON)
        (item,) = queue.jobs.items(job.job_id)
        assert (item.state, item.attempts) == (ItemState.QUEUED, 0)
        assert queue.claim().attempts == 1


class TestAbandoned:
    def test_after_its_lease_an_item_goes_to_another_and_the_first_comes_too_late(self, queue: Queue) -> None:
        job = queue.submit(*urls(1))
        late = queue.claim("wkr_1")
        assert queue.jobs.requeue_abandoned(at=NOON + LEASE / 2) == 0
        assert queue.jobs.requeue_abandoned(at=NOON + LEASE) == 1
        assert queue.states(job) == ["queued"]
        taken = queue.claim("wkr_2")
        with pytest.raises(InvalidTransition):
            queue.jobs.finish(late, {"by": "wkr_1"}, at=NOON)
        queue.jobs.finish(taken, {"by": "wkr_2"}, at=NOON)
        assert queue.jobs.items(job.job_id)[0].result == {"by": "wkr_2"}
        assert queue.counts(job) == ("done", 1, 0, True)

    def test_a_lease_that_is_renewed_is_not_over(self, queue: Queue) -> None:
        queue.submit(*urls(1))
        queue.jobs.renew(queue.claim(), at=NOON + LEASE / 2, lease=LEASE)
        assert queue.jobs.requeue_abandoned(at=NOON + LEASE) == 0

    def test_an_item_that_ends_its_workers_has_failed(self, queue: Queue) -> None:
        job = queue.submit(*stored(A), *urls(1))
        for _ in range(ATTEMPTS):
            assert queue.claim().position == 1
            assert queue.jobs.requeue_abandoned(at=LATER) == 1
        item, other = queue.jobs.items(job.job_id)
        assert item.error is not None
        assert (item.state, item.error.code, item.attempts) == (ItemState.FAILED, WORKER_CRASHED, ATTEMPTS)
        assert other.state is ItemState.QUEUED
        assert queue.counts(job) == ("running", 0, 1, False)
        assert queue.catalogue.pending_blob_deletions() == [A]

    def test_of_a_worker_that_is_known_to_have_ended_at_once(self, queue: Queue) -> None:
        job = queue.submit(*urls(2))
        queue.claim("wkr_1")
        queue.claim("wkr_2")
        assert queue.jobs.requeue_of("wkr_1", at=NOON, crashed=True) == 1
        assert [(item.state, item.attempts) for item in queue.jobs.items(job.job_id)] == [
            (ItemState.QUEUED, 1),
            (ItemState.RUNNING, 1),
        ]
        assert queue.jobs.requeue_of("wkr_2", at=NOON, crashed=False) == 1
        assert [item.attempts for item in queue.jobs.items(job.job_id)] == [1, 0]


class TestCancelling:
    def test_what_waits_is_cancelled_and_what_runs_goes_on(self, queue: Queue) -> None:
        job = queue.submit(*stored(A, B, A))
        item = queue.claim()
        assert queue.cancel(job).state is JobState.CANCELLED
        assert queue.states(job) == ["running", "cancelled", "cancelled"]
        assert queue.catalogue.pending_blob_deletions() == [B]  # A is in the hands of a worker
        assert queue.counts(job) == ("cancelled", 0, 0, False)
        queue.jobs.finish(item, {}, at=LATER)
        assert queue.counts(job) == ("cancelled", 1, 0, True)
        assert queue.catalogue.pending_blob_deletions() == [B, A]
        assert queue.jobs.claim("wkr_1", at=NOON, lease=LEASE) is None

    @pytest.mark.parametrize("how", ["released", "abandoned"])
    def test_an_item_that_comes_back_is_cancelled_too(self, queue: Queue, how: str) -> None:
        job = queue.submit(*stored(A))
        item = queue.claim()
        queue.cancel(job)
        if how == "released":
            queue.jobs.release(item, at=NOON)
        else:
            queue.jobs.requeue_abandoned(at=LATER)
        assert queue.states(job) == ["cancelled"]
        assert queue.counts(job) == ("cancelled", 0, 0, True)
        assert queue.catalogue.pending_blob_deletions() == [A]

    def test_the_trail_says_first_that_it_was_cancelled_then_that_it_is_over(self, queue: Queue) -> None:
        queue.cancel(queue.submit(*urls(2)))
        assert queue.actions()[-2:] == ["job.cancelled", "job.finished"]

    def test_twice_is_once_and_what_is_done_stays_done(self, queue: Queue) -> None:
        job = queue.submit(*urls(1))
        assert queue.cancel(job) == queue.cancel(job, at=LATER)
        assert queue.counts(job) == ("cancelled", 0, 0, True)
        assert queue.actions().count("job.cancelled") == 1
        other = queue.submit(*urls(1))
        queue.jobs.finish(queue.claim(), {}, at=NOON)
        with pytest.raises(InvalidTransition):
            queue.cancel(other)
        with pytest.raises(NotFound):
            queue.cancel(replace(job, job_id="job_none"))


class TestTheEndOfAJob:
    def test_of_a_bulk_job_it_is_in_the_trail_once(self, queue: Queue) -> None:
        job = queue.submit(*urls(2))
        queue.jobs.finish(queue.claim(), {}, at=NOON)
        assert "job.finished" not in queue.actions()
        queue.jobs.fail(queue.claim(), ItemError(code="corrupt_image", detail="broken"), at=LATER)
        (told,) = (found for found in queue.trail.events(limit=1000) if found.action == "job.finished")
        assert (told.object_id, told.actor, told.key_id, told.at) == (job.job_id, job.member_id, None, LATER)
        assert told.parties == {job.organisation_id}
        assert told.detail == {"kind": "check", "state": "done", "items": 2, "done": 1, "failed": 1}

    def test_also_when_the_worker_of_the_last_item_is_gone(self, queue: Queue) -> None:
        queue.submit(*urls(1))
        for number in range(2):
            queue.claim(f"wkr_{number}")
            queue.jobs.requeue_abandoned(at=LATER)
        assert queue.actions()[-1] == "job.finished"

    def test_of_what_somebody_waited_for_nothing_is_told(self, queue: Queue) -> None:
        queue.submit(*urls(1), priority=Priority.INTERACTIVE)
        queue.jobs.finish(queue.claim(), {}, at=NOON)
        assert "job.finished" not in queue.actions()


class TestBytes:
    def test_they_are_needed_until_the_item_has_ended(self, queue: Queue) -> None:
        queue.submit(*stored(A))
        assert queue.catalogue.queue_blob_deletions([A, B], at=NOON) == 1
        assert queue.catalogue.kept_queries() == [A]
        item = queue.claim()
        assert queue.catalogue.queue_blob_deletions([A], at=NOON) == 0
        queue.jobs.finish(item, {}, at=NOON)
        assert A in queue.catalogue.pending_blob_deletions()
        assert queue.catalogue.kept_queries() == []

    def test_nor_are_they_deleted_when_it_is_submitted_after_that_was_decided(self, queue: Queue) -> None:
        queue.catalogue.queue_blob_deletions([A], at=NOON)
        queue.submit(*stored(A))
        deleted: list[str] = []
        queue.catalogue.delete_blobs(deleted.append)
        assert deleted == []

    def test_what_another_item_or_a_reference_needs_stays(self, queue: Queue) -> None:
        content = stores.content(b"original")
        generation = queue.catalogue.begin_generation(stores.WEIGHTS, at=NOON)
        queue.catalogue.activate_generation(generation.generation_id, at=NOON)
        queue.catalogue.add_reference("Ann's", content, stores.descriptors(b"original"), file="o.png", at=NOON)
        queue.submit(*stored(A, A, content.sha256))
        for _ in range(3):
            queue.jobs.finish(queue.claim(), {}, at=NOON)
            if queue.jobs.unfinished(Priority.BULK) == 2:
                assert queue.catalogue.pending_blob_deletions() == []
        assert queue.catalogue.pending_blob_deletions() == [A]


class TestLooking:
    def test_page_by_page(self, queue: Queue) -> None:
        made = [queue.submit(*urls(1)) for _ in range(3)]
        queue.submit(*urls(1), of=queue.bob)
        mine = queue.ann.organisation_id
        assert queue.jobs.jobs(mine, kinds=["check"]) == made
        assert queue.jobs.jobs(mine, kinds=["check"], after=made[0].job_id, limit=1) == [made[1]]
        newest = queue.jobs.jobs(mine, kinds=["check"], newest_first=True, after=made[2].job_id)
        assert newest == [made[1], made[0]]
        assert queue.jobs.jobs(mine, kinds=["register"]) == []
        with pytest.raises(NotFound):
            queue.jobs.job("job_none")

    def test_items_page_by_page(self, queue: Queue) -> None:
        job = queue.submit(*urls(5))
        assert [item.position for item in queue.jobs.items(job.job_id, after=2, limit=2)] == [3, 4]

    def test_jobs_that_ended_long_ago_are_forgotten(self, queue: Queue) -> None:
        old, new, open_ = (queue.submit(*urls(1)) for _ in range(3))
        queue.jobs.finish(queue.claim(), {}, at=NOON)
        queue.jobs.finish(queue.claim(), {}, at=LATER)
        assert queue.jobs.forget(LATER, at=LATER) == 1
        assert queue.jobs.items(old.job_id) == []
        with pytest.raises(NotFound):
            queue.jobs.job(old.job_id)
        assert queue.jobs.jobs(queue.ann.organisation_id, kinds=["check"]) == [
            queue.jobs.job(new.job_id),
            queue.jobs.job(open_.job_id),
        ]
        assert len(queue.jobs.items(new.job_id)) == 1


def feed(sha256: str = A) -> NewFeed:
    return NewFeed(
        feed_id=new_id("fed"),
        file="feed.csv",
        form=Form.ALIBABA,
        encoding=Encoding.GB18030,
        sha256=sha256,
        url=None,
        product_count=3,
        picture_count=2,
    )


class TestFeeds:
    def test_it_is_stored_with_its_job(self, queue: Queue) -> None:
        given, looked = feed(), list[str]()
        job = queue.submit(*urls(2), feed=given, store_blob=looked.append)
        found = queue.feeds.feed(given.feed_id)
        assert (found.form, found.encoding, found.sha256) == (Form.ALIBABA, Encoding.GB18030, A)
        assert (found.product_count, found.picture_count, found.url) == (3, 2, None)
        assert (found.organisation_id, found.member_id, found.created_at) == (
            job.organisation_id,
            job.member_id,
            job.created_at,
        )
        assert found.job == job
        assert looked == [A]
        queue.jobs.finish(queue.claim(), {}, at=NOON)
        assert queue.feeds.feed(given.feed_id).job.done_count == 1
        with pytest.raises(NotFound):
            queue.feeds.feed("fed_none")

    def test_whole_or_not_at_all(self, queue: Queue) -> None:
        given = feed()
        with pytest.raises(QueueFull):
            queue.submit(*urls(2), feed=given, room=Room(1, 1))
        with pytest.raises(RuntimeError):
            queue.submit(*urls(2), feed=given, store_blob=_fails)
        with pytest.raises(NotFound):
            queue.feeds.feed(given.feed_id)
        assert queue.feeds.feeds(queue.ann.organisation_id) == []
        assert queue.catalogue.pending_blob_deletions() == [A]
        queue.submit(*urls(2), feed=given)
        assert queue.catalogue.pending_blob_deletions() == []

    def test_page_by_page(self, queue: Queue) -> None:
        given = [feed() for _ in range(3)]
        for one in given:
            queue.submit(*urls(1), feed=one)
        queue.submit(*urls(1), feed=feed(), of=queue.bob)
        mine, ids = queue.ann.organisation_id, [one.feed_id for one in given]
        assert [one.feed_id for one in queue.feeds.feeds(mine)] == ids
        assert [one.feed_id for one in queue.feeds.feeds(mine, after=ids[0], limit=1)] == ids[1:2]
        assert [one.feed_id for one in queue.feeds.feeds(mine, after=ids[2], newest_first=True)] == ids[1::-1]

    def test_its_bytes_are_needed_as_long_as_it_is_there(self, queue: Queue) -> None:
        one, other = feed(), feed()
        for given in (one, other):
            queue.submit(*urls(1), feed=given)
        assert queue.catalogue.kept_queries() == [A]
        assert queue.catalogue.queue_blob_deletions([A], at=NOON) == 0
        queue.feeds.delete(one.feed_id, event=deletion(queue, one))
        assert queue.catalogue.pending_blob_deletions() == []
        queue.feeds.delete(other.feed_id, event=deletion(queue, other))
        assert queue.catalogue.pending_blob_deletions() == [A]
        assert queue.catalogue.kept_queries() == []
        assert queue.actions().count("feed.deleted") == 2
        with pytest.raises(NotFound):
            queue.feeds.delete(other.feed_id, event=deletion(queue, other))
        assert queue.actions().count("feed.deleted") == 2

    def test_it_goes_with_its_job(self, queue: Queue) -> None:
        old, new = feed(A), feed(B)
        for given in (old, new):
            queue.submit(*urls(1), feed=given)
        queue.jobs.finish(queue.claim(), {}, at=NOON)
        assert queue.jobs.forget(LATER, at=LATER) == 1
        assert [one.feed_id for one in queue.feeds.feeds(queue.ann.organisation_id)] == [new.feed_id]
        assert queue.catalogue.pending_blob_deletions() == [A]


def _fails(_: str) -> None:
    raise RuntimeError("the disk is full")


def deletion(queue: Queue, given: NewFeed) -> AuditEvent:
    return event(queue.ann.organisation_id, given.feed_id, action=Action.FEED_DELETED)


def test_a_job_can_belong_to_a_key(queue: Queue) -> None:
    key = people.key(queue.ann)
    SqlCredentials(queue.database).add_key(key, people.digest("key"), event=event(key.organisation_id, key.key_id))
    queue.submit(*urls(1), key_id=key.key_id)
    assert queue.claim().key_id == key.key_id
