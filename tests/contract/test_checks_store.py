"""What every implementation of CheckStore and Works keeps to, and Catalogue where it writes for them: SQLite so far."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from imgguard.errors import NotFound, StoreUnavailable
from imgguard.ports import Accounts, AuditTrail, Capture, Catalogue, CheckStore, NewCheck, StoredFinding, Works
from imgguard.provenance.leaves import open_leaf
from imgguard.provenance.records import Kind
from imgguard.registry.accounts import Disclosure, Member, Organisation
from imgguard.registry.ids import new_id
from imgguard.registry.records import Reference, ReferenceStatus
from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.checks import SqlChecks
from imgguard.storage.sql.log_store import SqlLog
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.works import SqlWorks

from . import people, stores
from .people import WITH_PASSWORD, event
from .stores import CREDENTIALS, LATER, NOON

CAPTURE = Capture(
    url="https://shop.example/1.jpg?token=sesame",
    final_url="https://cdn.shop.example/1.jpg",
    address="192.0.2.7",
    status=203,
    declared_type=None,
    byte_length=5,
    fetched_at=NOON - timedelta(seconds=3),
)
RED, BLUE = b"red shirt with a long enough hash", b"blue shirt with a long enough hash"


@dataclass(frozen=True, kw_only=True)
class House:
    """The ports, on one database."""

    accounts: Accounts
    trail: AuditTrail
    catalogue: Catalogue
    checks: CheckStore
    works: Works
    log: SqlLog

    def found(self, name: str, *, disclosure: Disclosure = Disclosure.OUTLINE) -> tuple[Organisation, Member]:
        organisation_id = new_id("org")
        admin = people.member(organisation_id, f"{name}@example.org")
        first = self.accounts.operator() is None
        made = self.accounts.add_organisation(
            organisation_id,
            name,
            admin,
            WITH_PASSWORD,
            disclosure=disclosure,
            first=first,
            event=event(organisation_id),
        )
        return made, admin

    def register(self, data: bytes = RED, owner: str = "ann", **more: object) -> Reference:
        content, described = stores.content(data), stores.descriptors(data)
        return self.catalogue.add_reference(owner, content, described, file="a.jpg", at=NOON, **more)  # type: ignore[arg-type]

    def check(
        self,
        by: Member | None,
        *references: Reference,
        kept: bool = True,
        data: bytes = b"query",
        capture: Capture | None = None,
    ) -> StoredFinding:
        """A finding with who asked for it."""
        finding = StoredFinding(
            finding_id=new_id("fnd"),
            created_at=NOON,
            file="q.jpg",
            query_sha256=hashlib.sha256(data).hexdigest(),
            document="{}",
        )
        check = None
        if by is not None:
            check = NewCheck(
                organisation_id=by.organisation_id,
                member_id=by.member_id,
                key_id=None,
                intended_use='{"platform": "somewhere"}',
                standings={reference.reference_id: '{"is_own": false}' for reference in references},
                event=event(by.organisation_id, finding.finding_id),
                capture=capture,
            )
        self.catalogue.add_finding(finding, query_expires_at=LATER if kept else None, check=check)
        return finding


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing but an index generation in it; do not change it."""
    path = tmp_path_factory.mktemp("empty") / "imgguard.db"
    database = open_database(path)
    catalogue = SqlCatalogue(database)
    catalogue.activate_generation(catalogue.begin_generation(stores.WEIGHTS, at=NOON).generation_id, at=NOON)
    database.close()
    return path


@pytest.fixture(params=["sqlite"])
def house(empty: Path, tmp_path: Path) -> Iterator[House]:
    database = open_database(Path(shutil.copy(empty, tmp_path)))
    yield House(
        accounts=SqlAccounts(database),
        trail=SqlAuditTrail(database),
        catalogue=SqlCatalogue(database),
        checks=SqlChecks(database),
        works=SqlWorks(database),
        log=SqlLog(database),
    )
    database.close()


def ids(made: object) -> list[str]:
    return [one.finding.finding_id for one in made]  # type: ignore[attr-defined]


class TestChecks:
    def test_it_is_read_back_with_who_asked(self, house: House) -> None:
        organisation, member = house.found("ann")
        reference = house.register()
        made = house.check(member, reference)
        found = house.checks.check(made.finding_id)
        assert (found.finding, found.kept_until) == (made, LATER)
        assert dict(found.standings) == {reference.reference_id: '{"is_own": false}'}
        assert found.asker is not None
        assert (found.asker.organisation_id, found.asker.owner_id) == (
            organisation.organisation_id,
            organisation.owner_id,
        )
        assert (found.asker.member_id, found.asker.key_id) == (member.member_id, None)
        assert found.asker.intended_use == '{"platform": "somewhere"}'
        assert house.trail.events(newest_first=True)[0].object_id == made.finding_id
        with pytest.raises(NotFound):
            house.checks.check("fnd_none")

    def test_nobody_asked_at_the_console(self, house: House) -> None:
        found = house.checks.check(house.check(None, kept=False).finding_id)
        assert (found.asker, dict(found.standings), found.kept_until) == (None, {}, None)

    def test_it_is_in_the_log_until_it_is_erased(self, house: House) -> None:
        organisation, member = house.found("ann")
        asked, at_console = house.check(member), house.check(None)
        assert house.log.leaf_about(asked.finding_id).owner_id == organisation.owner_id
        assert house.log.leaf_about(at_console.finding_id).owner_id is None
        (leaf, opening), (_, kept) = house.log.openings(0, limit=10)
        assert opening is not None
        body = open_leaf(leaf.leaf, opening).body
        assert body["digests"] == {
            "document": hashlib.sha256(asked.document.encode()).hexdigest(),
            "query": asked.query_sha256,
        }
        house.checks.erase(asked.finding_id, at=LATER, event=event(organisation.organisation_id))
        assert house.log.openings(0, limit=10) == [(leaf, None), (house.log.leaf_about(at_console.finding_id), kept)]

    def test_where_its_picture_was_fetched_is_read_back(self, house: House) -> None:
        _, member = house.found("ann")
        fetched, sent, at_console = house.check(member, capture=CAPTURE), house.check(member), house.check(None)
        assert [one.capture for one in house.checks.checks()] == [CAPTURE, None, None]
        assert [house.catalogue.capture(one.finding_id) for one in (fetched, sent, at_console)] == [CAPTURE, None, None]
        assert house.catalogue.capture("fnd_none") is None

    def test_a_capture_is_in_the_log_behind_its_finding_until_the_check_is_erased(self, house: House) -> None:
        organisation, member = house.found("ann")
        made = house.check(member, capture=CAPTURE)
        assert house.log.leaf_about(made.finding_id).kind is Kind.FINDING
        leaf = house.log.leaf_about(made.finding_id, Kind.CAPTURE)
        assert leaf.owner_id == organisation.owner_id
        (_, _), (found, opening) = house.log.openings(0, limit=10)
        assert found == leaf
        assert opening is not None
        assert open_leaf(leaf.leaf, opening).body == {
            "subject": made.finding_id,
            "occurred_at": f"{CAPTURE.fetched_at:%Y-%m-%dT%H:%M:%SZ}",
            "digests": {"query": made.query_sha256},
            "facts": {
                "url": CAPTURE.url,
                "final_url": CAPTURE.final_url,
                "address": "192.0.2.7",
                "status": 203,
                "declared_type": None,
                "bytes": 5,
            },
        }
        assert b"shop" not in leaf.leaf
        house.checks.erase(made.finding_id, at=LATER, event=event(organisation.organisation_id))
        assert [one for _, one in house.log.openings(0, limit=10)] == [None, None]
        assert house.catalogue.capture(made.finding_id) is None

    def test_nothing_of_a_capture_is_left_in_the_file(self, house: House, tmp_path: Path) -> None:
        organisation, member = house.found("ann")
        first, second = (house.check(member, capture=CAPTURE).finding_id for _ in range(2))

        def is_stored() -> bool:
            return any(b"sesame" in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())

        assert is_stored()
        house.checks.erase(first, at=LATER, event=event(organisation.organisation_id))
        assert is_stored()
        house.checks.erase_undecided([second], at=LATER, event=lambda _: event(organisation.organisation_id))
        assert not is_stored()

    def test_all_of_it_or_nothing(self, house: House) -> None:
        _, member = house.found("ann")
        before = house.trail.events(limit=1000)
        stray = house.register()
        with pytest.raises(StoreUnavailable):
            house.check(people.member("org_none"), stray, capture=CAPTURE)
        assert house.checks.checks() == []
        assert b"sesame" not in b"".join(leaf.leaf for leaf, _ in house.log.openings(0, limit=10))
        assert house.trail.events(limit=1000) == before
        assert house.check(member, stray)

    def test_pages_of_one_organisation_and_of_all(self, house: House) -> None:
        ann, of_ann = house.found("ann")
        bob, of_bob = house.found("bob")
        made = [house.check(by).finding_id for by in (of_ann, of_bob, None, of_ann, of_ann)]
        mine = [made[0], made[3], made[4]]
        page = house.checks.checks
        assert ids(page()) == made
        assert ids(page(newest_first=True)) == made[::-1]
        assert ids(page(organisation_id=ann.organisation_id)) == mine
        assert ids(page(organisation_id=ann.organisation_id, after=mine[0], limit=1)) == [mine[1]]
        assert ids(page(organisation_id=ann.organisation_id, after=mine[2], newest_first=True)) == [mine[1], mine[0]]
        assert ids(page(organisation_id=bob.organisation_id)) == [made[1]]
        assert ids(page(organisation_id="org_none")) == []

    def test_originals(self, house: House) -> None:
        house.found("ann", disclosure=Disclosure.CONTACT)
        ours, theirs = house.register(), house.register(owner="nobody's organisation")
        found = house.checks.originals([ours.reference_id, theirs.reference_id, "ref_none"])
        assert {key: (one.reference, one.disclosure, one.size, one.credentials) for key, one in found.items()} == {
            ours.reference_id: (ours, Disclosure.CONTACT, (400, 300), CREDENTIALS),
            theirs.reference_id: (theirs, Disclosure.OUTLINE, (400, 300), CREDENTIALS),
        }
        house.catalogue.erase(ours.reference_id, at=LATER)
        gone = house.checks.originals([ours.reference_id])[ours.reference_id]
        assert (gone.reference.status, gone.size, gone.credentials) == (ReferenceStatus.ERASED, None, None)
        many = [house.register(f"number {number:030}".encode()).reference_id for number in range(3)]
        assert len(house.checks.originals([*many, *(f"ref_{number}" for number in range(1200))])) == 3

    def test_perceptual_hashes_of_what_can_be_found(self, house: House) -> None:
        first, _ = house.register(), house.register(BLUE)
        found = list(house.checks.perceptual_hashes())
        assert [data for _, data in found] == [RED[:32], BLUE[:32]]
        assert list(house.checks.perceptual_hashes(after=found[0][0], limit=1)) == [found[1]]
        numbers = [number for number, _ in found]
        assert list(house.checks.perceptual_hashes_of([*reversed(numbers), *range(1000, 2200)])) == found
        house.catalogue.withdraw(first.reference_id, at=LATER)
        assert list(house.checks.perceptual_hashes()) == [found[1]]
        assert list(house.checks.perceptual_hashes_of(numbers)) == [found[1]]

    def test_references_that_are_shown_by_owner_and_policy(self, house: House) -> None:
        organisation, _ = house.found("ann", disclosure=Disclosure.CONTACT)
        house.found("bob", disclosure=Disclosure.FULL)
        ann, bob, nobody = house.register(), house.register(owner="bob"), house.register(BLUE, owner="nobody")
        red, blue = (number for number, _ in house.checks.perceptual_hashes())

        def shown(owner_id: str, *policies: Disclosure) -> set[tuple[int, str]]:
            numbers = [red, blue, *range(1000, 2200)]
            return set(house.checks.shown_references(numbers, owner_id=owner_id, policies=policies))

        assert shown("own_else", Disclosure.FULL) == {(red, bob.reference_id)}
        assert shown(organisation.owner_id, Disclosure.FULL) == {(red, ann.reference_id), (red, bob.reference_id)}
        assert shown("own_else", Disclosure.OUTLINE) == {(blue, nobody.reference_id)}
        assert shown("own_else", *Disclosure) == {
            (red, ann.reference_id),
            (red, bob.reference_id),
            (blue, nobody.reference_id),
        }
        assert shown("own_else") == set()
        house.catalogue.withdraw(bob.reference_id, at=LATER)
        assert shown("own_else", Disclosure.FULL) == set()
        assert house.checks.shown_references([], owner_id=organisation.owner_id, policies=[Disclosure.FULL]) == []


class TestReferencesWithEvents:
    def test_each_change_writes_its_event_with_the_reference_as_it_is_then(self, house: House) -> None:
        organisation, _ = house.found("ann")
        told: list[ReferenceStatus] = []

        def tell(reference: Reference) -> object:
            told.append(reference.status)
            return event(organisation.organisation_id, reference.reference_id)

        made = house.register(event=tell)
        house.catalogue.withdraw(made.reference_id, at=LATER, event=tell)  # type: ignore[arg-type]
        house.catalogue.erase(made.reference_id, at=LATER, event=tell)  # type: ignore[arg-type]
        assert told == ["active", "withdrawn", "erased"]
        assert [one.object_id for one in house.trail.events()][1:] == [made.reference_id] * 3

    def test_an_event_that_cannot_be_made_undoes_the_change(self, house: House) -> None:
        made = house.register()

        def fail(reference: Reference) -> object:
            raise StoreUnavailable("full")

        for call in (house.catalogue.withdraw, house.catalogue.erase):
            with pytest.raises(StoreUnavailable):
                call(made.reference_id, at=LATER, event=fail)  # type: ignore[arg-type]
        with pytest.raises(StoreUnavailable):
            house.register(BLUE, event=fail)
        assert list(house.catalogue.references()) == [made]

    def test_filed_references(self, house: House) -> None:
        made = house.register(title="A shirt")
        filed = house.works.filed(made.reference_id)
        assert (filed.reference, filed.title) == (made, "A shirt")
        assert filed.content == house.catalogue.content(made.sha256 or "")
        listed = replace(filed, statements=None, proofs=None)  # lists have no claims
        assert list(house.works.filed_references(made.owner_id)) == [listed]
        assert list(house.works.filed_references("own_none")) == []
        house.catalogue.erase(made.reference_id, at=LATER)
        gone = house.works.filed(made.reference_id)
        assert (gone.title, gone.content) == (None, None)
        assert list(house.works.filed_references(made.owner_id, work_id=made.work_id)) == []
        with pytest.raises(NotFound):
            house.works.filed("ref_none")
