"""What every implementation of Rights keeps to. One so far: SQLite."""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event as sqlalchemy_event

from imgguard.errors import InputError, InvalidTransition, NotFound
from imgguard.ports import Accounts, AuditTrail, Catalogue, Rights, StoredFinding
from imgguard.provenance.canonical import to_canonical
from imgguard.provenance.leaves import open_leaf
from imgguard.provenance.records import Kind, Record
from imgguard.registry.accounts import AuditEvent, Disclosure, Member, Organisation
from imgguard.registry.decisions import DecidedBy, Decision, DecisionKind
from imgguard.registry.ids import new_id
from imgguard.registry.licences import Holder, Licence, LicenceDocument
from imgguard.registry.records import Reference
from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.log_store import SqlLog
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.rights import SqlRights

from . import people, stores
from .people import WITH_PASSWORD, digest, event
from .stores import LATER, NOON

END = NOON + timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class House:
    """The ports, on one database: Ann's operates it, Bob's sells."""

    database: Database
    accounts: Accounts
    trail: AuditTrail
    catalogue: Catalogue
    rights: Rights

    def found(self, name: str, *, first: bool = False) -> Organisation:
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

    def named(self, name: str) -> Organisation:
        found = self.accounts.organisation_named(name)
        assert found is not None
        return found

    @property
    def ann(self) -> Organisation:
        return self.named("Ann's")

    @property
    def bob(self) -> Organisation:
        return self.named("Bob's")

    def member(self, of: Organisation) -> Member:
        return self.accounts.members(of.organisation_id)[0]

    def register(self, owner: str, data: bytes) -> Reference:
        return self.catalogue.add_reference(
            owner, stores.content(data), stores.descriptors(data), file="a.jpg", at=NOON
        )

    def grant(self, *, link: str | None = None, **changes: object) -> Licence:
        given = licence(self.ann, self.bob.organisation_id, by_link=link is not None, **changes)
        link_sha256 = None if link is None else digest(link)
        return self.rights.grant(given, link_sha256=link_sha256, events=self.told)

    def told(self, changed: Licence) -> Sequence[AuditEvent]:
        """Two, so that both are seen to be written."""
        return [event(changed.organisation_id, f"{changed.licence_id} {changed.revision}") for _ in range(2)]

    def events(self) -> list[str]:
        return [found.object_id for found in self.trail.events(limit=1000)]


def licence(
    licensor: Organisation, licensee_id: str, *, by_link: bool = False, shop: str | None = None, **changes: object
) -> Licence:
    values: dict[str, object] = {
        "work_ids": None,
        "uses": frozenset(),
        "platforms": frozenset(),
        "territories": frozenset(),
        "starts_at": NOON,
        "ends_at": END,
        "note": "",
    }
    return Licence(
        licence_id=new_id("lic"),
        organisation_id=licensor.organisation_id,
        licensor="of the draft",
        licensee_id=None if by_link or shop is not None else licensee_id,
        licensee=None,
        shop=shop,
        by_link=by_link,
        created_at=NOON,
        revoked_at=None,
        reminded_at=None,
        revision=1,
        **values | changes,  # type: ignore[arg-type]
    )


def document(licence_id: str, data: bytes = b"%PDF-1") -> LicenceDocument:
    return LicenceDocument(
        document_id=new_id("doc"),
        licence_id=licence_id,
        position=0,
        title="Contract",
        media_type="application/pdf",
        sha256=hashlib.sha256(data).hexdigest(),
        byte_length=len(data),
        added_at=NOON,
    )


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two organisations and an index generation; do not change it."""
    path = tmp_path_factory.mktemp("peopled") / "imgguard.db"
    database = open_database(path)
    made = _house(database)
    made.found("Ann's", first=True)
    made.found("Bob's")
    begun = made.catalogue.begin_generation(stores.WEIGHTS, at=NOON)
    made.catalogue.activate_generation(begun.generation_id, at=NOON)
    database.close()
    return path


def _house(database: Database) -> House:
    return House(
        database=database,
        accounts=SqlAccounts(database),
        trail=SqlAuditTrail(database),
        catalogue=SqlCatalogue(database),
        rights=SqlRights(database),
    )


@pytest.fixture(params=["sqlite"])
def house(peopled: Path, tmp_path: Path) -> Iterator[House]:
    database = open_database(Path(shutil.copy(peopled, tmp_path)))
    yield _house(database)
    database.close()


class TestLicences:
    def test_a_licence_is_read_back_as_it_was_given(self, house: House) -> None:
        works = {house.register("Ann's", data).work_id for data in (b"one", b"two")}
        given = licence(
            house.ann,
            house.bob.organisation_id,
            work_ids=frozenset(works),
            uses=frozenset({"listing", "advertising"}),
            platforms=frozenset({"aliexpress"}),
            territories=frozenset({"DE", "FR"}),
            note="two lines\nof text",
        )
        granted = house.rights.grant(given, link_sha256=None, events=house.told)
        assert granted == replace(given, licensor="Ann's", licensee="Bob's")
        assert house.rights.licence(given.licence_id) == granted
        assert house.events()[-2:] == [f"{given.licence_id} 1"] * 2

    @pytest.mark.parametrize("ends_at", [None, END])
    def test_to_a_shop_and_by_link(self, house: House, ends_at: object) -> None:
        shop = house.grant(shop="Blue Shop", ends_at=ends_at)
        link = house.grant(link="secret", ends_at=ends_at)
        assert (shop.shop, shop.licensee_id, shop.by_link, shop.holder_ids) == ("Blue Shop", None, False, frozenset())
        assert (link.shop, link.licensee_id, link.by_link, link.ends_at) == (None, None, True, ends_at)
        assert house.rights.licence_with_link(digest("secret")) == link
        assert house.rights.licence_with_link(digest("other")) is None

    def test_only_own_works_and_to_somebody_who_is_there(self, house: House) -> None:
        mine = house.register("Ann's", b"one").work_id
        theirs = house.register("Bob's", b"one").work_id
        before = house.events()
        for changes in ({"work_ids": frozenset({mine, theirs})}, {"work_ids": frozenset({"wrk_none"})}):
            with pytest.raises(NotFound, match="no work"):
                house.grant(**changes)
        with pytest.raises(NotFound, match="no organisation"):
            house.rights.grant(licence(house.ann, "org_none"), link_sha256=None, events=house.told)
        assert house.rights.licences_given(house.ann.organisation_id) == []
        assert house.events() == before

    def test_many_works(self, house: House) -> None:
        works = frozenset(house.register("Ann's", str(n).encode()).work_id for n in range(5))
        granted = house.grant(work_ids=works)
        assert granted.work_ids == works
        assert granted.covers(min(str(work) for work in works))

    def test_a_work_that_is_gone_does_not_make_it_a_licence_for_all(self, house: House) -> None:
        gone, other = house.register("Ann's", b"one"), house.register("Ann's", b"two")
        granted = house.grant(work_ids=frozenset({str(gone.work_id)}))
        house.catalogue.erase(gone.reference_id, at=NOON)
        assert house.rights.licence(granted.licence_id) == granted
        held = house.rights.licences_held(
            house.bob.organisation_id, owner_ids=[other.owner_id], work_ids=[str(other.work_id)]
        )
        assert not held[other.owner_id][0].covers(other.work_id)

    def test_lists(self, house: House) -> None:
        carl = house.found("Carl's")
        direct, link = house.grant(), house.grant(link="secret")
        shop = house.grant(shop="Blue Shop")
        elsewhere = house.rights.grant(licence(carl, house.ann.organisation_id), link_sha256=None, events=house.told)
        rights, ann, bob = house.rights, house.ann.organisation_id, house.bob.organisation_id
        assert list(rights.licences_given(ann)) == [direct, link, shop]
        assert list(rights.licences_given(ann, after=direct.licence_id, limit=1)) == [link]
        assert list(rights.licences_received(bob)) == [direct]
        assert list(rights.licences_received(ann)) == [elsewhere]
        link = rights.take_up_licence(link.licence_id, bob, at=NOON, events=house.told)
        assert list(rights.licences_received(bob)) == [direct, link]
        assert list(rights.licences_received(bob, after=direct.licence_id)) == [link]
        assert rights.licences_received(carl.organisation_id) == []

    def test_revoked_once(self, house: House) -> None:
        granted = house.grant()
        revoked = house.rights.revoke_licence(granted.licence_id, at=LATER, events=house.told)
        assert revoked == replace(granted, revoked_at=LATER, revision=2)
        assert house.rights.licence(granted.licence_id) == revoked
        assert house.events()[-2:] == [f"{granted.licence_id} 2"] * 2
        before = house.events()
        assert house.rights.revoke_licence(granted.licence_id, at=END, events=house.told) == revoked
        assert house.events() == before

    def test_extended(self, house: House) -> None:
        granted, rights = house.grant(), house.rights
        later = rights.extend_licence(granted.licence_id, END + timedelta(days=1), at=NOON, events=house.told)
        assert later == replace(granted, ends_at=END + timedelta(days=1), revision=2)
        assert rights.extend_licence(granted.licence_id, None, at=NOON, events=house.told).ends_at is None
        before = house.events()
        assert rights.extend_licence(granted.licence_id, None, at=NOON, events=house.told).revision == 3
        with pytest.raises(InputError):
            rights.extend_licence(granted.licence_id, END, at=NOON, events=house.told)
        assert house.events() == before
        assert rights.licence(granted.licence_id).ends_at is None

    def test_taken_up(self, house: House) -> None:
        link, bob = house.grant(link="secret"), house.bob
        carl = house.found("Carl's")
        taken = house.rights.take_up_licence(link.licence_id, bob.organisation_id, at=NOON, events=house.told)
        holder = Holder(organisation_id=bob.organisation_id, name="Bob's", accepted_at=NOON)
        assert taken == replace(link, holders=(holder,), revision=2) == house.rights.licence(link.licence_id)
        before = house.events()
        again = house.rights.take_up_licence(link.licence_id, bob.organisation_id, at=LATER, events=house.told)
        assert again == taken
        for who, error in (("org_none", NotFound), (house.ann.organisation_id, InvalidTransition)):
            with pytest.raises(error):
                house.rights.take_up_licence(link.licence_id, who, at=LATER, events=house.told)
        assert house.events() == before
        both = house.rights.take_up_licence(link.licence_id, carl.organisation_id, at=LATER, events=house.told)
        assert [one.name for one in both.holders] == ["Bob's", "Carl's"]

    def test_what_is_not_there(self, house: House) -> None:
        rights = house.rights
        before = house.events()
        for attempt in (
            lambda: rights.licence("lic_none"),
            lambda: rights.revoke_licence("lic_none", at=NOON, events=house.told),
            lambda: rights.extend_licence("lic_none", None, at=NOON, events=house.told),
            lambda: rights.take_up_licence("lic_none", house.bob.organisation_id, at=NOON, events=house.told),
            lambda: rights.add_document(document("lic_none"), most=9, events=house.told),
            lambda: rights.decision("dec_none"),
            lambda: rights.retract_decision("dec_none", at=NOON, event=event(house.ann.organisation_id)),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert rights.documents("lic_none") == []
        assert house.events() == before


class TestReminders:
    def remind(self, house: House, *, at: datetime = NOON, **more: int) -> list[str]:
        found = house.rights.remind(at=at, until=END, events=house.told, **more)
        assert [house.rights.licence(licence.licence_id) for licence in found] == list(found)
        return [licence.licence_id for licence in found]

    def test_only_what_ends_in_time_and_counts(self, house: House) -> None:
        last, first = house.grant(), house.grant(ends_at=LATER)
        revoked = house.grant(ends_at=LATER)
        house.rights.revoke_licence(revoked.licence_id, at=NOON, events=house.told)
        for ends_at in (None, END + timedelta(seconds=1)):
            house.grant(ends_at=ends_at)
        house.grant(starts_at=NOON - timedelta(days=1), ends_at=NOON)
        assert self.remind(house, limit=1) == [first.licence_id]
        assert self.remind(house) == [last.licence_id]
        assert self.remind(house) == []

    def test_once_until_it_is_extended_and_with_its_events(self, house: House) -> None:
        granted = house.grant(ends_at=LATER)
        assert self.remind(house) == [granted.licence_id]
        assert house.rights.licence(granted.licence_id) == replace(granted, reminded_at=NOON)
        assert house.events()[-2:] == [f"{granted.licence_id} 1"] * 2
        before = house.events()
        assert (self.remind(house), house.events()) == ([], before)
        house.rights.extend_licence(granted.licence_id, END, at=NOON, events=house.told)
        assert self.remind(house) == [granted.licence_id]

    def test_not_marked_when_its_events_cannot_be_written(self, house: House) -> None:
        granted = house.grant(ends_at=LATER)

        def broken(_licence: Licence) -> Sequence[AuditEvent]:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            house.rights.remind(at=NOON, until=END, events=broken)
        assert self.remind(house) == [granted.licence_id]

    def test_nobody_waits_for_the_lock_without_one(self, house: House) -> None:
        with house.database.write():
            assert house.rights.remind(at=NOON, until=END, events=house.told) == []


class TestDocuments:
    def test_a_chain(self, house: House) -> None:
        granted = house.grant()
        one, two = (
            house.rights.add_document(document(granted.licence_id, data), most=2, events=house.told)
            for data in (b"%PDF-1", b"%PDF-2")
        )
        assert [one.position, two.position] == [1, 2]
        assert list(house.rights.documents(granted.licence_id)) == [one, two]
        assert house.rights.licence(granted.licence_id).revision == 3
        assert house.events()[-2:] == [f"{granted.licence_id} 3"] * 2
        before = house.events()
        with pytest.raises(InvalidTransition, match="2 documents"):
            house.rights.add_document(document(granted.licence_id), most=2, events=house.told)
        house.rights.revoke_licence(granted.licence_id, at=NOON, events=lambda _: [])
        with pytest.raises(InvalidTransition, match="revoked"):
            house.rights.add_document(document(granted.licence_id), most=9, events=house.told)
        assert house.events() == before

    def test_their_bytes_are_needed(self, house: House) -> None:
        granted, data = house.grant(), b"%PDF-1"
        sha256 = hashlib.sha256(data).hexdigest()
        assert house.catalogue.queue_blob_deletions([sha256], at=NOON) == 1
        stored: list[bool] = []
        house.rights.add_document(
            document(granted.licence_id, data), most=9, events=house.told, store_blob=lambda: stored.append(True)
        )
        assert stored == [True]
        assert house.catalogue.pending_blob_deletions() == []
        assert house.catalogue.queue_blob_deletions([sha256], at=NOON) == 0
        assert list(house.catalogue.kept_queries()) == [sha256]  # what is listed there is no orphan

    def test_also_when_an_original_of_the_same_bytes_is_erased(self, house: House) -> None:
        granted, data = house.grant(), b"a picture of a contract"
        reference = house.register("Ann's", data)
        house.rights.add_document(document(granted.licence_id, data), most=9, events=house.told)
        house.catalogue.erase(reference.reference_id, at=NOON)
        deleted: list[str] = []
        house.catalogue.delete_blobs(deleted.append)
        assert deleted == []


class TestHeld:
    def held(self, house: House, *references: Reference, by: Organisation | None = None) -> dict[str, list[Licence]]:
        found = house.rights.licences_held(
            (by or house.bob).organisation_id,
            owner_ids={reference.owner_id for reference in references},
            work_ids={reference.work_id or "" for reference in references},
        )
        return {owner_id: list(licences) for owner_id, licences in found.items()}

    def test_by_owner_and_narrowed_to_the_works_asked_about(self, house: House) -> None:
        one, two = house.register("Ann's", b"one"), house.register("Ann's", b"two")
        carls = house.register("Carl's", b"one")
        carl = house.found("Carl's")
        every = house.grant()
        both = house.grant(work_ids=frozenset({str(one.work_id), str(two.work_id)}))
        other = house.grant(work_ids=frozenset({str(two.work_id)}))
        link = house.rights.take_up_licence(
            house.grant(link="secret").licence_id, house.bob.organisation_id, at=NOON, events=house.told
        )
        house.grant(link="not taken up")
        from_carl = house.rights.grant(licence(carl, house.bob.organisation_id), link_sha256=None, events=house.told)
        narrowed = [
            every,
            replace(both, work_ids=frozenset({str(one.work_id)})),
            replace(other, work_ids=frozenset()),
            replace(link, holders=()),
        ]
        assert self.held(house, one) == {one.owner_id: narrowed}
        assert self.held(house, one, carls) == {one.owner_id: narrowed, carls.owner_id: [from_carl]}
        assert self.held(house, one, two)[one.owner_id][1] == both
        assert self.held(house, one, by=carl) == {}
        assert self.held(house) == {}

    def test_ended_and_revoked_ones_too(self, house: House) -> None:
        one = house.register("Ann's", b"one")
        revoked = house.rights.revoke_licence(house.grant().licence_id, at=NOON, events=house.told)
        assert self.held(house, one) == {one.owner_id: [revoked]}

    def test_one_statement_each_however_many_there_are(self, house: House) -> None:
        references = [house.register("Ann's", str(n).encode()) for n in range(5)]
        for reference in references:
            house.grant(work_ids=frozenset({str(reference.work_id)}))
        bob, statements = house.bob, list[str]()

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith("SELECT"):
                statements.append(statement)

        sqlalchemy_event.listen(house.database.engine, "before_cursor_execute", note)
        assert len(self.held(house, *references, by=bob)[references[0].owner_id]) == 5
        house.rights.decisions_about(
            [reference.reference_id for reference in references], query_sha256="a", query_pixel_digest="b"
        )
        assert len(statements) == 2


class TestDecisions:
    @pytest.fixture
    def decide(self, house: House) -> Callable[..., Decision]:
        """Ann's, which operates the installation, decides about Bob's reference unless told otherwise."""
        finding = StoredFinding(
            finding_id=new_id("fnd"), created_at=NOON, file="q.jpg", query_sha256=digest("bytes"), document="{}"
        )
        house.catalogue.add_finding(finding, query_expires_at=None)

        def make(reference: Reference, *, of: str = "Ann's", **changes: object) -> Decision:
            decider = house.named(of)
            values: dict[str, object] = {
                "query_sha256": digest("bytes"),
                "query_pixel_digest": "pixels",
                "kind": DecisionKind.NOT_A_COPY,
                "note": "two\nlines",
                "decided_at": NOON,
            }
            made = Decision(
                decision_id=new_id("dec"),
                reference_id=reference.reference_id,
                finding_id=finding.finding_id,
                by=DecidedBy.OWNER if decider.owner_id == reference.owner_id else DecidedBy.REVIEWER,
                organisation_id=decider.organisation_id,
                member_id=house.member(decider).member_id,
                retracted_at=None,
                **values | changes,  # type: ignore[arg-type]
            )
            house.rights.decide(made, event=event(decider.organisation_id, made.decision_id))
            return made

        return make

    def test_a_decision_is_read_back_as_it_was_made(self, house: House, decide: Callable[..., Decision]) -> None:
        bobs, anns = house.register("Bob's", b"one"), house.register("Ann's", b"one")
        made = [decide(bobs), decide(bobs, of="Bob's", kind=DecisionKind.CONFIRMED_COPY), decide(anns)]
        assert [house.rights.decision(one.decision_id) for one in made] == made
        assert [one.by for one in made] == ["reviewer", "owner", "owner"]
        assert house.events()[-3:] == [one.decision_id for one in made]
        assert list(house.rights.decisions()) == made
        assert list(house.rights.decisions(owner_id=bobs.owner_id)) == made[:2]
        assert list(house.rights.decisions(after=made[0].decision_id, limit=1)) == made[1:2]

    def test_retracted_once(self, house: House, decide: Callable[..., Decision]) -> None:
        made, told = decide(house.register("Bob's", b"one")), event(house.ann.organisation_id, "retracted")
        retracted = house.rights.retract_decision(made.decision_id, at=LATER, event=told)
        assert retracted == replace(made, retracted_at=LATER) == house.rights.decision(made.decision_id)
        assert house.events()[-1] == "retracted"
        before, again = house.events(), event(house.ann.organisation_id, "again")
        assert house.rights.retract_decision(made.decision_id, at=END, event=again) == retracted
        assert house.events() == before

    def test_about_the_same_bytes_or_the_same_pixels(self, house: House, decide: Callable[..., Decision]) -> None:
        one, two = house.register("Bob's", b"one"), house.register("Bob's", b"two")
        same_bytes = decide(one, query_pixel_digest="other")
        same_pixels = decide(one, query_sha256=digest("other"))
        decide(one, query_sha256=digest("other"), query_pixel_digest="other")
        about_two = decide(two)
        gone = decide(one)
        house.rights.retract_decision(gone.decision_id, at=LATER, event=event(house.ann.organisation_id))

        def about(*references: Reference) -> dict[str, list[Decision]]:
            found = house.rights.decisions_about(
                [reference.reference_id for reference in references],
                query_sha256=digest("bytes"),
                query_pixel_digest="pixels",
            )
            return {reference_id: list(decisions) for reference_id, decisions in found.items()}

        assert about(one) == {one.reference_id: [same_bytes, same_pixels]}
        assert about(one, two)[two.reference_id] == [about_two]
        assert about() == {}

    def test_each_change_is_in_the_log_without_what_may_be_erased(
        self, house: House, decide: Callable[..., Decision]
    ) -> None:
        reference = house.register("Bob's", b"one")
        made = decide(reference, note="a secret")
        for _ in range(2):
            house.rights.retract_decision(made.decision_id, at=LATER, event=event(house.ann.organisation_id, "r"))
        first, second = logged(house, made.decision_id)
        assert (first.kind, first.body["facts"]["event"], second.body["facts"]["event"]) == (
            Kind.DECISION,
            "made",
            "retracted",
        )
        assert first.body["facts"] | {"event": None} == {
            "event": None,
            "decision": "not_a_copy",
            "by": "reviewer",
            "reference_id": reference.reference_id,
            "finding_id": made.finding_id,
        }
        assert first.body["digests"] == {"query": digest("bytes")}
        assert SqlLog(house.database).leaf_about(made.decision_id).owner_id == house.bob.owner_id
        assert b"secret" not in first.to_bytes()
        assert made.member_id.encode() not in first.to_bytes()


def logged(house: House, object_id: str) -> list[Record]:
    """What the leaves about it stand for, in order."""
    return [
        open_leaf(leaf.leaf, opening)
        for leaf, opening in SqlLog(house.database).openings(0, limit=1000)
        if opening is not None and leaf.object_id == object_id
    ]


class TestLicencesInTheLog:
    def test_granted_extended_and_revoked_once_each(self, house: House) -> None:
        works = frozenset(house.register("Ann's", data).work_id or "" for data in (b"one", b"two"))
        granted = house.grant(work_ids=works, uses=frozenset({"listing"}))
        for _ in range(2):
            house.rights.extend_licence(granted.licence_id, None, at=NOON, events=house.told)
        for _ in range(2):
            house.rights.revoke_licence(granted.licence_id, at=LATER, events=house.told)
        records = logged(house, granted.licence_id)
        assert [(one.kind, one.body["facts"]["event"]) for one in records] == [
            (Kind.LICENCE, "granted"),
            (Kind.LICENCE, "extended"),
            (Kind.LICENCE_REVOCATION, "revoked"),
        ]
        terms = [one.body["facts"]["terms"] for one in records]
        assert terms[0]["licensor"] == house.ann.organisation_id
        assert (terms[0]["work_count"], terms[0]["uses"]) == (2, ["listing"])
        assert (terms[0]["ends_at"], terms[1]["ends_at"]) == ("2026-03-31T12:00:00Z", None)
        expected = hashlib.sha256(to_canonical(sorted(works))).hexdigest()
        assert records[0].body["digests"] == {"works": expected}

    def test_one_that_is_refused_is_not_in_it(self, house: House) -> None:
        with pytest.raises(NotFound):
            house.grant(work_ids=frozenset({"wrk_none"}))
        assert SqlLog(house.database).counts() == {}
