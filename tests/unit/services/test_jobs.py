"""Work that people hand in: who may, what they see of it, and how they wait for it."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from imgguard.bootstrap import DATABASE, Services
from imgguard.errors import (
    AuthenticationRequired,
    InputError,
    InvalidTransition,
    NotFound,
    PermissionDenied,
    QueueFull,
)
from imgguard.ports import ItemError, JobState, Priority
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Member, Role, Scope
from imgguard.services.job_objects import item_object, job_object
from imgguard.services.jobs import Input
from imgguard.services.passwords import Passwords
from imgguard.settings import Settings

PASSWORD = "correct horse battery"
LEASE = timedelta(seconds=30)
PICTURE = Input(file="a.jpg", data=b"a picture")
BY_URL = Input(file="b.jpg", url="https://shop.example/b.jpg")


@dataclass(kw_only=True)
class House:
    """An operator (Ann: admin, Rita: reviewer) and two other organisations with a seller and a rights holder each."""

    services: Services

    def __post_init__(self) -> None:
        self.services.passwords = Passwords(passes=1, memory_kib=8, lanes=1)
        self.jobs = self.services.jobs
        self.store = self.services.job_store

    def build(self) -> None:
        self.services.organisations.found(
            "Platform", email="ann@example.org", member_name="Ann", roles=[Role.ADMIN], password=PASSWORD
        )
        self._join("rita@example.org", Role.REVIEWER, None)
        for name in ("shop", "studio"):
            made = self.services.organisations.create(
                self.console, name.title(), email=f"admin@{name}.example", password=PASSWORD
            )
            organisation_id = made.organisation.organisation_id
            self._join(f"seller@{name}.example", Role.SELLER, organisation_id)
            self._join(f"holder@{name}.example", Role.RIGHTS_HOLDER, organisation_id)

    def _join(self, email: str, role: Role, organisation_id: str | None) -> None:
        self.services.members.invite(
            self.console, email=email, roles=[role], organisation_id=organisation_id, password=PASSWORD
        )

    @property
    def console(self) -> Actor:
        return self.services.organisations.console()

    def member(self, email: str) -> Member:
        found = self.services.accounts.member_with_email(email)
        assert found is not None
        return found

    def actor(self, email: str) -> Actor:
        return self.services.identity.acting(self.member(email).member_id, None)

    def key(self, email: str, *scopes: Scope) -> Actor:
        issued = self.services.keys.issue(self.actor(email), "feed", scopes=scopes)
        return self.services.identity.actor_of_key(issued.secret)

    def end_one(self, error: ItemError | None = None) -> str:
        now = self.services.clock.now()
        item = self.store.claim("wkr_1", at=now, lease=LEASE)
        assert item is not None
        if error is None:
            self.store.finish(item, {"finding_id": "fnd_1"}, at=now)
        else:
            self.store.fail(item, error, at=now)
        return item.job_id


SELLER, HOLDER, STRANGER = "seller@shop.example", "holder@shop.example", "seller@studio.example"


def opened(home: Path, **settings: Any) -> Services:
    return Services(Settings(home=home, **settings))


@pytest.fixture(scope="module")
def made_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with these people; do not change it."""
    home = tmp_path_factory.mktemp("house")
    with opened(home) as services:
        House(services=services).build()
    return home


@pytest.fixture
def house(made_house: Path, tmp_path: Path) -> Iterator[House]:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(made_house / DATABASE, home)
    with opened(home, queue_items=3, queue_interactive=1) as services:
        yield House(services=services)


class TestSubmitting:
    def test_bytes_are_kept_and_the_job_is_the_members(self, house: House) -> None:
        seller = house.actor(SELLER)
        job = house.jobs.submit(seller, "check", [PICTURE, BY_URL], options={"profile": "quick"})
        assert (job.organisation_id, job.member_id, job.key_id) == (seller.organisation_id, seller.member_id, None)
        first, second = house.jobs.items(seller, job.job_id)
        assert house.services.blobs.get(first.sha256 or "") == b"a picture"
        assert (second.sha256, second.url) == (None, BY_URL.url)
        event = house.services.audit_trail.events(newest_first=True)[0]
        assert (event.action, event.object_id, event.actor) == ("job.submitted", job.job_id, seller.member_id)
        assert event.detail == {"kind": "check", "items": 2}

    def test_bytes_that_were_deleted_meanwhile_are_put_again(self, house: House, monkeypatch: Any) -> None:
        blobs, put = house.services.blobs, house.services.blobs.put

        def lost(data: bytes) -> str:
            sha256 = put(data)
            if not monkeypatched:
                blobs.delete(sha256)
                monkeypatched.append(sha256)
            return sha256

        monkeypatched: list[str] = []
        monkeypatch.setattr(blobs, "put", lost)
        house.jobs.submit(house.actor(SELLER), "check", [PICTURE])
        assert blobs.get(monkeypatched[0]) == b"a picture"

    @pytest.mark.parametrize(
        ("email", "kind", "may"),
        [
            (SELLER, "check", True),
            (SELLER, "register", False),
            (HOLDER, "check", True),
            (HOLDER, "register", True),
            ("rita@example.org", "check", True),
            ("rita@example.org", "register", False),
            ("ann@example.org", "check", False),
            ("admin@shop.example", "register", False),
        ],
    )
    def test_by_those_who_may(self, house: House, email: str, kind: str, may: bool) -> None:
        if may:
            assert house.jobs.submit(house.actor(email), kind, [PICTURE]).kind == kind
            return
        with pytest.raises(PermissionDenied):
            house.jobs.submit(house.actor(email), kind, [PICTURE])
        assert list(house.services.blobs.digests()) == []

    def test_a_key_within_its_scopes(self, house: House) -> None:
        key = house.key(HOLDER, Scope.CHECKS_WRITE)
        assert house.jobs.submit(key, "check", [PICTURE]).key_id == key.key_id
        with pytest.raises(PermissionDenied):
            house.jobs.submit(key, "register", [PICTURE])

    def test_the_console_works_at_once(self, house: House) -> None:
        with pytest.raises(PermissionDenied):
            house.jobs.submit(house.console, "check", [PICTURE])

    @pytest.mark.parametrize(
        ("kind", "inputs"),
        [
            ("check", []),
            ("check", [PICTURE] * 4),
            ("check", [Input(file="a.jpg")]),
            ("check", [Input(file="a.jpg", data=b"a", url="https://shop.example/")]),
            ("dance", [PICTURE]),
        ],
        ids=["none", "too many", "nothing", "both", "kind"],
    )
    def test_what_makes_no_sense_is_refused(self, house: House, kind: str, inputs: list[Input]) -> None:
        with pytest.raises(InputError):
            house.jobs.submit(house.actor(SELLER), kind, inputs)

    def test_a_full_queue_stores_nothing(self, house: House) -> None:
        seller = house.actor(SELLER)
        house.jobs.submit(seller, "check", [BY_URL] * 3)
        with pytest.raises(QueueFull):
            house.jobs.submit(seller, "check", [PICTURE])
        assert list(house.services.blobs.digests()) == []
        house.jobs.submit(seller, "check", [PICTURE], interactive=True)
        with pytest.raises(QueueFull):
            house.jobs.submit(seller, "check", [BY_URL], interactive=True)
        assert house.jobs.unfinished() == {"interactive": 1, "bulk": 3}

    def test_listeners_are_told(self, house: House) -> None:
        told: list[int] = []
        house.jobs.listen(lambda: told.append(house.store.unfinished(Priority.BULK)))
        house.jobs.submit(house.actor(SELLER), "check", [PICTURE])
        assert told == [1]


class TestLooking:
    def test_another_organisation_is_told_nothing(self, house: House) -> None:
        seller, stranger = house.actor(SELLER), house.actor(STRANGER)
        job = house.jobs.submit(seller, "check", [PICTURE])
        for ask in (house.jobs.job, house.jobs.items, house.jobs.cancel):
            with pytest.raises(NotFound):
                ask(stranger, job.job_id)
        with pytest.raises(NotFound):
            house.jobs.wait(stranger, job.job_id, seconds=0)
        with pytest.raises(NotFound):
            house.jobs.jobs(stranger, organisation_id=seller.organisation_id)
        assert house.jobs.jobs(stranger) == []
        assert house.jobs.job(seller, job.job_id).state is JobState.QUEUED

    def test_the_own_organisation_reads_what_its_scopes_allow(self, house: House) -> None:
        check = house.jobs.submit(house.actor(HOLDER), "check", [PICTURE])
        register = house.jobs.submit(house.actor(HOLDER), "register", [PICTURE])
        assert house.jobs.jobs(house.actor(HOLDER)) == [check, register]
        assert house.jobs.jobs(house.actor(SELLER)) == [check]
        assert house.jobs.job(house.actor(SELLER), check.job_id) == check
        with pytest.raises(PermissionDenied):
            house.jobs.items(house.actor(SELLER), register.job_id)
        with pytest.raises(PermissionDenied):
            house.jobs.jobs(house.actor("admin@shop.example"))

    def test_reviewers_of_the_operator_read_and_do_no_more(self, house: House) -> None:
        rita, seller = house.actor("rita@example.org"), house.actor(SELLER)
        job = house.jobs.submit(seller, "check", [PICTURE])
        assert house.jobs.job(rita, job.job_id) == job
        assert len(house.jobs.items(rita, job.job_id)) == 1
        assert house.jobs.jobs(rita, organisation_id=seller.organisation_id) == [job]
        assert house.jobs.jobs(rita) == []
        with pytest.raises(NotFound):
            house.jobs.cancel(rita, job.job_id)

    @pytest.mark.parametrize("limit", [0, 1001])
    def test_pages_have_bounds(self, house: House, limit: int) -> None:
        seller = house.actor(SELLER)
        job = house.jobs.submit(seller, "check", [PICTURE])
        with pytest.raises(InputError):
            house.jobs.jobs(seller, limit=limit)
        with pytest.raises(InputError):
            house.jobs.items(seller, job.job_id, limit=limit)

    def test_as_plain_json(self, house: House) -> None:
        seller = house.actor(SELLER)
        job = house.jobs.submit(seller, "check", [PICTURE, BY_URL])
        house.end_one()
        house.end_one(ItemError(code="fetch_failed", detail="status 404"))
        shown = job_object(house.jobs.job(seller, job.job_id))
        assert (shown["state"], shown["done_count"], shown["failed_count"], shown["waiting_count"]) == ("done", 1, 1, 0)
        assert shown["is_over"] is True
        assert str(shown["finished_at"]).endswith("Z")
        good, bad = (item_object(item) for item in house.jobs.items(seller, job.job_id))
        assert (good["result"], good["error"], good["position"]) == ({"finding_id": "fnd_1"}, None, 1)
        assert (bad["result"], bad["error"]) == (None, {"code": "fetch_failed", "detail": "status 404"})


class TestCancelling:
    def test_by_those_who_may_hand_it_in(self, house: House) -> None:
        job = house.jobs.submit(house.actor(HOLDER), "register", [PICTURE])
        with pytest.raises(PermissionDenied):
            house.jobs.cancel(house.actor(SELLER), job.job_id)
        assert house.jobs.cancel(house.actor(HOLDER), job.job_id).is_over
        over, cancelled = house.services.audit_trail.events(newest_first=True, limit=2)
        assert (cancelled.action, over.action) == ("job.cancelled", "job.finished")

    def test_not_when_it_is_done(self, house: House) -> None:
        job = house.jobs.submit(house.actor(SELLER), "check", [PICTURE])
        house.end_one()
        with pytest.raises(InvalidTransition):
            house.jobs.cancel(house.actor(SELLER), job.job_id)


class TestWaiting:
    def test_as_long_as_one_wants_and_no_longer(self, house: House) -> None:
        seller = house.actor(SELLER)
        job = house.jobs.submit(seller, "check", [PICTURE])
        assert not house.jobs.wait(seller, job.job_id, seconds=0.05).is_over
        house.end_one()
        assert house.jobs.wait(seller, job.job_id, seconds=60).state is JobState.DONE

    def test_an_end_in_another_process_is_seen(self, house: House) -> None:
        seller = house.actor(SELLER)
        job = house.jobs.submit(seller, "check", [PICTURE])
        ending = threading.Timer(0.05, house.end_one)
        ending.start()
        assert house.jobs.wait(seller, job.job_id, seconds=60).is_over
        ending.join()

    def test_who_is_told_looks_at_once(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("imgguard.services.jobs._FIRST_PAUSE", 600.0)
        monkeypatch.setattr("imgguard.services.jobs._LONGEST_PAUSE", 600.0)
        seller = house.actor(SELLER)
        job = house.jobs.submit(seller, "check", [PICTURE])
        waiting = threading.Thread(target=lambda: house.jobs.wait(seller, job.job_id, seconds=600), daemon=True)
        waiting.start()
        house.end_one()
        while waiting.is_alive() and not house.jobs._waiting:  # it has begun, or seen the end already
            waiting.join(0.01)
        house.jobs.changed(job.job_id)
        waiting.join(30)
        assert not waiting.is_alive()
        assert house.jobs._waiting == {}


class TestActing:
    """`Identity.acting`: with the rights of the moment at which the work is done."""

    def test_roles_are_those_of_now(self, house: House) -> None:
        seller = house.member(SELLER)
        assert Scope.CHECKS_WRITE in house.services.identity.acting(seller.member_id, None).scopes
        house.services.members.change(house.console, seller.member_id, roles=[Role.ADMIN])
        assert Scope.CHECKS_WRITE not in house.services.identity.acting(seller.member_id, None).scopes

    def test_a_key_keeps_its_scopes(self, house: House) -> None:
        key = house.key(HOLDER, Scope.CHECKS_WRITE)
        actor = house.services.identity.acting(key.member_id or "", key.key_id)
        assert (actor.scopes, actor.key_id) == (frozenset({Scope.CHECKS_WRITE}), key.key_id)

    @pytest.mark.parametrize("what", ["disabled", "erased", "revoked", "expired", "gone"])
    def test_nobody_acts_for_who_may_not(self, house: House, what: str) -> None:
        key = house.key(HOLDER, Scope.CHECKS_WRITE)
        member_id, key_id = key.member_id or "", key.key_id
        house.services.identity.acting(member_id, key_id)
        if what == "disabled":
            house.services.members.disable(house.console, member_id)
        elif what == "erased":
            house.services.members.erase(house.console, member_id)
        elif what == "revoked":
            house.services.keys.revoke(house.console, key_id or "")
        elif what == "expired":
            house.services.identity._clock = LateClock()
        else:
            key_id = "key_gone"
        with pytest.raises(AuthenticationRequired):
            house.services.identity.acting(member_id, key_id)
        if what in ("disabled", "erased"):
            with pytest.raises(AuthenticationRequired):
                house.services.identity.acting(member_id, None)


class LateClock:
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=366)
