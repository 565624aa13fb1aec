"""Packets of members: kept for a time, and gone in the transaction that erases what they contain."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from imgguard.errors import InvalidTransition, NotFound
from imgguard.ports import PacketRow, PacketState, StoredFinding, SubjectKind
from imgguard.provenance.records import Kind, event_record
from imgguard.registry.accounts import Action, AuditEvent, Disclosure, Member
from imgguard.registry.ids import new_id
from imgguard.registry.records import Reference
from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.checks import SqlChecks
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.log_store import SqlLog
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.packets import SqlPackets
from imgguard.storage.sql.traces import SqlTraces

from . import people, stores
from .people import WITH_PASSWORD
from .stores import LATER, NOON

EVERY = frozenset(SubjectKind)
FINDINGS = frozenset({SubjectKind.FINDING})
TOLD = '{"on_behalf_of": "Olga"}'


@dataclass(kw_only=True)
class House:
    """A store with two organisations, of which each has a member."""

    database: Database

    def __post_init__(self) -> None:
        self.accounts = SqlAccounts(self.database)
        self.catalogue = SqlCatalogue(self.database)
        self.packets = SqlPackets(self.database)
        generation = self.catalogue.begin_generation(stores.WEIGHTS, at=NOON)
        self.catalogue.activate_generation(generation.generation_id, at=NOON)
        self.operator, self.ann, self.bob = (self._member(name) for name in ("operator", "ann", "bob"))

    def _member(self, name: str) -> Member:
        organisation_id = new_id("org")
        made = people.member(organisation_id, email=f"{name}@example.org", name=name)
        self.accounts.add_organisation(
            organisation_id,
            name,
            made,
            WITH_PASSWORD,
            disclosure=Disclosure.OUTLINE,
            first=name == "operator",
            event=people.event(organisation_id),
        )
        return made

    def reference(self, data: bytes = b"red") -> Reference:
        content, described = stores.content(data), stores.descriptors(data)
        return self.catalogue.add_reference("ann", content, described, file="a.jpg", at=NOON)

    def finding(self) -> str:
        finding = StoredFinding(
            finding_id=new_id("fnd"), created_at=NOON, file="q.jpg", query_sha256="f" * 64, document="{}"
        )
        self.catalogue.add_finding(finding, query_expires_at=None)
        return finding.finding_id

    def row(self, *ids: str, by: Member | None = None, **changes: Any) -> PacketRow:
        member, packet_id = by or self.ann, new_id("pkt")
        row = PacketRow(
            packet_id=packet_id,
            organisation_id=member.organisation_id,
            member_id=member.member_id,
            state=PacketState.KEPT,
            sha256=people.digest(packet_id[-20:]),
            byte_length=7,
            told=TOLD,
            references=tuple(sorted(one for one in ids if one.startswith("ref_"))),
            findings=tuple(sorted(one for one in ids if one.startswith("fnd_"))),
            created_at=NOON,
            expires_at=LATER,
        )
        return replace(row, **changes)

    def event(self, row: PacketRow, action: Action = Action.PACKET_BUILT) -> AuditEvent:
        return people.event(row.organisation_id, row.packet_id, action=action, actor=row.member_id)

    def add(self, *ids: str, **more: Any) -> PacketRow:
        row = self.row(*ids, **more)
        self.packets.add(row, event=self.event(row))
        return row

    def state(self, row: PacketRow) -> PacketState:
        return self.packets.packet(row.packet_id).state

    def is_due(self, row: PacketRow) -> bool:
        """Whether its file is to be deleted, and nothing needs it."""
        is_kept = row.sha256 in self.catalogue.kept_queries()
        assert is_kept != (row.sha256 in self.catalogue.pending_blob_deletions())
        return not is_kept


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    database = open_database(tmp_path / "imgguard.db")
    yield House(database=database)
    database.close()


def test_a_packet_reads_back_as_it_was_added(house: House) -> None:
    row = house.add(house.reference().reference_id, house.finding(), house.finding())
    assert house.packets.packet(row.packet_id) == row
    assert not house.is_due(row)
    (event,) = SqlAuditTrail(house.database).events(about=row.packet_id)
    assert event.action == Action.PACKET_BUILT
    with pytest.raises(NotFound):
        house.packets.packet("pkt_nobody")


def test_a_deletion_that_was_queued_before_is_called_off_and_the_file_seen_to(house: House) -> None:
    row, seen = house.row(house.finding()), []
    house.catalogue.queue_blob_deletions([row.sha256 or ""], at=NOON)

    def see() -> None:
        seen.append(row.sha256)

    house.packets.add(row, event=house.event(row), store_blob=see)
    assert seen == [row.sha256]
    assert not house.is_due(row)


def test_when_its_file_cannot_be_stored_there_is_no_packet(house: House) -> None:
    row = house.row(house.finding())
    house.catalogue.queue_blob_deletions([row.sha256 or ""], at=NOON)

    def fail() -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - whatever it is
        house.packets.add(row, event=house.event(row), store_blob=fail)
    assert house.is_due(row)
    with pytest.raises(NotFound):
        house.packets.packet(row.packet_id)


def test_what_is_gone_goes_into_no_packet(house: House) -> None:
    reference, finding = house.reference().reference_id, house.finding()
    house.catalogue.erase(reference, at=NOON)
    for ids in ([reference], [finding, reference], ["fnd_nobody"], [finding, "ref_nobody"]):
        row = house.row(*ids)
        with pytest.raises(InvalidTransition, match="erased meanwhile"):
            house.packets.add(row, event=house.event(row))
        with pytest.raises(NotFound):
            house.packets.packet(row.packet_id)
        assert SqlAuditTrail(house.database).events(about=row.packet_id) == []


class TestLists:
    def test_are_of_one_organisation_in_order(self, house: House) -> None:
        finding = house.finding()
        ids = [house.add(finding).packet_id for _ in range(3)]
        others = house.add(finding, by=house.bob)
        mine = house.ann.organisation_id
        assert [one.packet_id for one in house.packets.packets(mine, kinds=EVERY)] == ids
        newest = house.packets.packets(mine, kinds=EVERY, after=ids[2], limit=1, newest_first=True)
        assert [one.packet_id for one in newest] == [ids[1]]
        rest = house.packets.packets(mine, kinds=EVERY, after=ids[0])
        assert [one.packet_id for one in rest] == ids[1:]
        assert [one.packet_id for one in house.packets.packets(others.organisation_id, kinds=EVERY)] == [
            others.packet_id
        ]

    def test_have_nothing_with_what_is_not_asked_for(self, house: House) -> None:
        finding, reference = house.finding(), house.reference().reference_id
        alone, both = house.add(finding), house.add(finding, reference)
        house.add(reference)
        mine = house.ann.organisation_id
        assert [one.packet_id for one in house.packets.packets(mine, kinds=FINDINGS)] == [alone.packet_id]
        assert house.packets.packets(mine, kinds=()) == []
        house.catalogue.erase(reference, at=NOON)
        assert both.packet_id not in {one.packet_id for one in house.packets.packets(mine, kinds=FINDINGS)}

    def test_a_member_has_those_it_built(self, house: House) -> None:
        row = house.add(house.finding())
        house.add(house.finding(), by=house.bob)
        traces = SqlTraces(house.database)
        assert traces.packets(house.ann.member_id) == [row]
        assert traces.packets(house.ann.member_id, after=row.packet_id) == []


class TestErasing:
    def test_a_reference_takes_its_packets_and_no_other(self, house: House) -> None:
        red, blue, finding = house.reference(), house.reference(b"blue"), house.finding()
        gone = [house.add(red.reference_id), house.add(red.reference_id, blue.reference_id, finding, by=house.bob)]
        kept = house.add(blue.reference_id, finding)
        house.catalogue.erase(red.reference_id, at=LATER)
        assert [house.state(one) for one in (*gone, kept)] == [PacketState.ERASED, PacketState.ERASED, PacketState.KEPT]
        assert [house.is_due(one) for one in (*gone, kept)] == [True, True, False]
        nothing = {"sha256": None, "byte_length": None, "told": None}
        for one in gone:
            assert house.packets.packet(one.packet_id) == replace(
                one, state=PacketState.ERASED, ended_at=LATER, **nothing
            )

    def test_a_check_takes_its_packets(self, house: House) -> None:
        first, second = house.finding(), house.finding()
        gone, kept = house.add(first, second), house.add(second)
        SqlChecks(house.database).erase(first, at=NOON, event=people.event(house.ann.organisation_id))
        assert (house.state(gone), house.state(kept)) == (PacketState.ERASED, PacketState.KEPT)
        SqlChecks(house.database).erase_undecided(
            [second], at=NOON, event=lambda _: people.event(house.ann.organisation_id)
        )
        assert house.state(kept) is PacketState.ERASED

    def test_an_organisation_takes_its_own(self, house: House) -> None:
        finding = house.finding()
        gone, kept = house.add(finding), house.add(finding, by=house.bob)
        organisation_id = house.ann.organisation_id
        house.accounts.disable_organisation(organisation_id, at=NOON, event=people.event(organisation_id))
        house.accounts.erase_organisation(organisation_id, at=NOON, forget=[], event=people.event(organisation_id))
        assert (house.state(gone), house.state(kept)) == (PacketState.ERASED, PacketState.KEPT)
        assert house.is_due(gone)

    def test_nothing_opens_the_leaf_of_an_erased_packet(self, house: House) -> None:
        log, reference = SqlLog(house.database), house.reference().reference_id
        rows = [house.add(reference), house.add(house.finding())]
        for row in rows:
            record = event_record(
                Kind.PACKET, subject=row.packet_id, occurred_at="2026-03-01T12:00:00Z", digests={"packet": "a" * 64}
            )
            log.append(record, object_id=row.packet_id, at=NOON)
        house.catalogue.erase(reference, at=NOON)
        is_open = [
            log.openings(log.leaf_about(row.packet_id, None).position, limit=1)[0][1] is not None for row in rows
        ]
        assert is_open == [False, True]

    def test_what_was_told_is_not_in_the_file_of_the_database(self, house: House) -> None:
        reference = house.reference().reference_id
        house.add(reference, told='{"on_behalf_of": "Olga Very Unusual"}')
        house.catalogue.erase(reference, at=NOON)
        files = house.database.path.parent.glob("imgguard.db*")
        assert b"Very Unusual" not in b"".join(path.read_bytes() for path in files)

    def test_one_that_was_deleted_before_is_erased_too(self, house: House) -> None:
        reference = house.reference().reference_id
        row = house.add(reference)
        house.packets.delete(row.packet_id, event=house.event(row, Action.PACKET_DELETED))
        house.catalogue.erase(reference, at=LATER)
        found = house.packets.packet(row.packet_id)
        assert (found.state, found.told, found.ended_at) == (PacketState.ERASED, None, NOON)


class TestItsTime:
    def test_deleted_it_is_told_and_has_no_file(self, house: House) -> None:
        row = house.add(house.finding())
        gone = house.packets.delete(row.packet_id, event=house.event(row, Action.PACKET_DELETED))
        assert gone == replace(row, state=PacketState.DELETED, ended_at=NOON)
        assert house.is_due(row)
        with pytest.raises(InvalidTransition, match="no file"):
            house.packets.delete(row.packet_id, event=house.event(row))
        with pytest.raises(NotFound):
            house.packets.delete("pkt_nobody", event=house.event(row))

    def test_it_ends_when_its_time_is_over_and_not_before(self, house: House) -> None:
        finding = house.finding()
        short, long = house.add(finding), house.add(finding, expires_at=LATER + timedelta(days=1))
        assert house.packets.expire(now=LATER - timedelta(seconds=1)) == 0
        assert house.packets.expire(now=LATER) == 1
        assert [house.state(one) for one in (short, long)] == [PacketState.EXPIRED, PacketState.KEPT]
        assert (house.is_due(short), house.is_due(long)) == (True, False)
        assert house.packets.expire(now=LATER) == 0

    def test_its_state_does_not_wait_for_that(self, house: House) -> None:
        row = house.row("fnd_1")
        assert row.state_at(LATER - timedelta(seconds=1)) is PacketState.KEPT
        assert row.state_at(LATER) is PacketState.EXPIRED
        assert replace(row, state=PacketState.ERASED).state_at(LATER) is PacketState.ERASED
