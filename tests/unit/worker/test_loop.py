"""What a worker makes of the ways in which an item can go wrong."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from imgguard.bootstrap import DATABASE, Services
from imgguard.errors import StoreUnavailable
from imgguard.ports import Fetched
from imgguard.registry.accounts import Role
from imgguard.services.jobs import Input
from imgguard.settings import Settings
from imgguard.storage.sql.jobs import SqlJobs
from imgguard.storage.sql.migrate import open_database
from imgguard.worker import loop as loops
from imgguard.worker.inputs import reader
from imgguard.worker.keeper import Keeper
from imgguard.worker.loop import Chore, Loop

from . import light_handlers
from .conftest import PATIENCE, until

Desk = Any


class Worker:
    """A loop in a thread of its own, with the light handlers."""

    def __init__(self, services: Services, **changes: Any) -> None:
        store = changes.pop("store", services.job_store)
        keeper = changes.pop("keeper", Keeper(store=store, clock=services.clock))
        self.told: list[str] = []
        values = {
            "store": store,
            "clock": services.clock,
            "identity": services.identity,
            "read": reader(services),
            "handlers": light_handlers.make(services),
            "keeper": keeper,
            "report": self.told.append,
        }
        self.loop = Loop("wkr_1", **values | changes)
        self.thread = threading.Thread(target=self.loop.run, daemon=True)  # a test that fails does not wait for it

    def __enter__(self) -> "Worker":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(loops, "_LONGEST_PAUSE", 0.02)


@contextmanager
def locked(settings: Settings) -> Iterator[sqlite3.Connection]:
    """Another process that writes for a long time."""
    connection = sqlite3.connect(settings.home / DATABASE, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    finally:
        connection.close()


def test_how_an_item_can_end(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with Worker(desk.services) as worker:
        job = desk.submit("one", "corrupt", "bug", "no-json")
        items = desk.ended(job)
    assert [item.state.value for item in items] == ["done", "failed", "failed", "failed"]
    assert [item.error and item.error.code for item in items] == [None, "corrupt_image", "internal", "internal"]
    assert items[2].error.detail == "unexpected error: ValueError"
    assert "/home/ann/secret.jpg" in caplog.text  # with its traceback, where the operator reads
    assert worker.told == [job.job_id] * 4


def test_no_name_of_a_file_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="imgguard")
    with Worker(desk.services):
        desk.ended(desk.submit("one", "corrupt"))
    assert "item 1 of job_" in caplog.text
    assert ".jpg" not in caplog.text


def test_who_lost_the_right_meanwhile_gets_nothing_done(desk: Desk) -> None:
    job = desk.submit("one")
    people, console = desk.services.members, desk.services.organisations.console()
    people.invite(console, email="bob@example.org", roles=[Role.ADMIN], password="correct horse battery")
    people.disable(console, job.member_id)
    with Worker(desk.services):
        until(lambda: desk.services.job_store.job(job.job_id).is_over)
    (item,) = desk.services.job_store.items(job.job_id)
    assert item.error.code == "authentication_required"
    assert desk.noted() == []


def test_bytes_that_are_gone_are_the_end_of_the_item_only(desk: Desk) -> None:
    job = desk.submit("one", "two")
    desk.services.blobs.delete(desk.items(job)[0].sha256)
    with Worker(desk.services):
        gone, other = desk.ended(job)
    assert (gone.error.code, other.state.value) == ("not_found", "done")


def test_bytes_that_cannot_be_read_hold_the_others_up_for_a_while_only(desk: Desk) -> None:
    with Worker(desk.services):
        items = desk.ended(desk.submit("unreadable", "two"))
    assert [item.state.value for item in items] == ["failed", "done"]
    assert items[0].error.code == "store_unavailable"
    assert desk.noted().count("1.jpg begun") == 10


def test_a_locked_database_loses_nothing(desk: Desk, settings: Settings) -> None:
    """With a store that gives up at once, so that each step of the loop meets the lock."""
    database = open_database(settings.home / DATABASE, busy_seconds=0.05)
    job = desk.submit("await " + str(desk.folder / "go"), "two", "three")
    with Worker(desk.services, store=SqlJobs(database)):
        until(lambda: "waiting" in desk.noted())
        with locked(settings):
            (desk.folder / "go").touch()
            threading.Event().wait(2.0)
            assert desk.states(job) == ["running", "queued", "queued"]
        items = desk.ended(job)
    database.close()
    assert [item.state.value for item in items] == ["done"] * 3
    assert [item.attempts for item in items] == [1, 1, 1]
    assert sorted(line for line in desk.noted() if "begun" in line) == ["1.jpg begun", "2.jpg begun", "3.jpg begun"]


def test_while_the_database_is_locked_an_item_is_tried_for_as_long_as_it_takes(desk: Desk, settings: Settings) -> None:
    database = open_database(settings.home / DATABASE, busy_seconds=0.001)
    job = desk.submit("unreadable")
    with Worker(desk.services, store=SqlJobs(database)):
        until(lambda: "1.jpg begun" in desk.noted())
        with locked(settings):
            tries = len(desk.noted())
            until(lambda: len(desk.noted()) > tries + 20)
            assert desk.states(job) == ["running"]
        assert desk.ended(job)[0].error.code == "store_unavailable"
    database.close()


def test_a_worker_that_is_to_stop_gives_back_what_waits_for_the_store(desk: Desk) -> None:
    job = desk.submit("unreadable", "two")
    with Worker(desk.services) as worker:
        until(lambda: desk.noted())
        worker.loop.stop()
    assert desk.states(job) == ["queued", "queued"]
    assert [item.attempts for item in desk.items(job)] == [0, 0]


def test_the_result_of_an_item_that_was_given_to_another_is_dropped(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    job = desk.submit("await " + str(desk.folder / "go"))
    store, clock = desk.services.job_store, desk.services.clock
    with Worker(desk.services) as worker:
        until(lambda: "waiting" in desk.noted())
        assert store.requeue_abandoned(at=clock.now() + timedelta(minutes=1)) == 1
        other = store.claim("wkr_2", at=clock.now(), lease=timedelta(minutes=1))
        (desk.folder / "go").touch()
        until(lambda: worker.told)
        assert desk.states(job) == ["running"]
        store.finish(other, {"by": "wkr_2"}, at=clock.now())
    assert desk.items(job)[0].result == {"by": "wkr_2"}
    assert "came too late" in caplog.text


def test_abandoning_gives_the_item_in_hand_back(desk: Desk) -> None:
    job = desk.submit("await " + str(desk.folder / "go"))
    with Worker(desk.services) as worker:
        worker.loop.wake()
        until(lambda: "waiting" in desk.noted())
        worker.loop.stop()
        worker.loop.abandon()
        assert [(item.state.value, item.attempts) for item in desk.items(job)] == [("queued", 0)]
        (desk.folder / "go").touch()
    assert desk.states(job) == ["queued"]


def test_a_lease_is_renewed_while_the_work_goes_on(desk: Desk) -> None:
    lease = timedelta(seconds=0.3)
    store, clock = desk.services.job_store, desk.services.clock
    job = desk.submit("await " + str(desk.folder / "go"))
    until_renewed = threading.Event()
    renew: Callable[..., None] = store.renew

    class Counting(SqlJobs):
        renewals = 0

        def renew(self, *arguments: Any, **named: Any) -> None:
            renew(*arguments, **named)
            self.renewals += 1
            if self.renewals == 5:
                until_renewed.set()

    counting = Counting(desk.services.database)
    with Worker(desk.services, store=counting, keeper=Keeper(store=counting, clock=clock, lease=lease)):
        assert until_renewed.wait(60)
        (desk.folder / "go").touch()
        assert desk.ended(job)[0].attempts == 1


def test_a_worker_that_hangs_ends_itself(desk: Desk) -> None:
    ended = threading.Event()
    brief = timedelta(seconds=0.06)
    keeper = Keeper(store=desk.services.job_store, clock=desk.services.clock, lease=brief, longest=brief, end=ended.set)
    desk.submit("await " + str(desk.folder / "go"))
    with Worker(desk.services, keeper=keeper):
        assert ended.wait(60)
        (desk.folder / "go").touch()


def test_chores_are_done_beside_the_items_and_do_not_end_the_worker(desk: Desk) -> None:
    done: list[str] = []

    def fails() -> None:
        done.append("fails")
        if len(done) < 3:
            raise StoreUnavailable("locked")

    with Worker(
        desk.services, chores=[Chore(seconds=3600, do=fails), Chore(seconds=3600, do=lambda: done.append("b"))]
    ):
        for _ in range(5):
            desk.ended(desk.submit("one"))
    assert done.count("b") == 1
    assert done.count("fails") == 3


def test_a_picture_by_its_url(desk: Desk) -> None:
    class Fetching:
        def fetch(self, url: str, *, accept: str, max_bytes: int) -> Fetched:
            asked.append((url, accept, max_bytes))
            now = desk.services.clock.now()
            return Fetched(
                url=url,
                redirects=(),
                final_url=url + "?b",
                address="192.0.2.1",
                status=200,
                declared_type=None,
                media_type="image/jpeg",
                data=b"fetched",
                started_at=now,
                finished_at=now,
            )

    asked: list[tuple[str, str, int]] = []
    desk.services.fetcher = Fetching()
    with Worker(desk.services):
        given = [Input(file="b.jpg", url="https://shop.example/b.jpg")]
        (item,) = desk.ended(desk.services.jobs.submit(desk.actor, "check", given))
    assert asked == [("https://shop.example/b.jpg", "image", desk.services.settings.max_image_bytes)]
    assert item.result["saw"] == "fetched"
    assert item.result["fetched"]["final_url"] == "https://shop.example/b.jpg?b"
    assert item.result["fetched"]["address"] == "192.0.2.1"
