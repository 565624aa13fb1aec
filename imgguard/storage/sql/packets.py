"""Evidence packets: rows, which go with what they contain, and the PacketStore port."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, insert, select, update

from imgguard.errors import InvalidTransition, NotFound
from imgguard.ports import PacketRow, PacketState, SubjectKind
from imgguard.registry.accounts import AuditEvent
from imgguard.registry.records import ReferenceStatus
from imgguard.storage.sql import audit, log, queries
from imgguard.storage.sql.contents import STATEMENT_NUMBERS
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import findings, packet_subjects, packets, refs

_KEPT = packets.c.state == PacketState.KEPT
_NOTHING = {"sha256": None, "byte_length": None, "told": None}


def page(
    connection: Connection, *which: ColumnElement[bool], after: str = "", limit: int = 1000, newest_first: bool = False
) -> list[PacketRow]:
    """In the order of ``packet_id`` or the reverse, those behind ``after``."""
    order = packets.c.packet_id
    statement = select(packets).where(*which).order_by(order.desc() if newest_first else order).limit(limit)
    if after:
        statement = statement.where(order < after if newest_first else order > after)
    return _records(connection, connection.execute(statement).all())


def erase_about(connection: Connection, object_id: str, *, at: datetime) -> None:
    """Destroy the packets that contain the reference or the finding, whoever built them."""
    containing = select(packet_subjects.c.packet_id).where(packet_subjects.c.object_id == object_id)
    _erase(connection, packets.c.packet_id.in_(containing), at=at)


def erase_of(connection: Connection, organisation_id: str, *, at: datetime) -> None:
    """Destroy the packets of the organisation."""
    _erase(connection, packets.c.organisation_id == organisation_id, at=at)


def _erase(connection: Connection, which: ColumnElement[bool], *, at: datetime) -> None:
    """Ids and times stay, and a leaf of each that nothing opens any more."""
    chosen = select(packets.c.packet_id, packets.c.sha256).where(which, packets.c.state != PacketState.ERASED)
    rows = connection.execute(chosen).all()
    for some in batched([row.packet_id for row in rows], STATEMENT_NUMBERS):
        mine = packets.c.packet_id.in_(some)
        connection.execute(update(packets).where(mine, packets.c.ended_at.is_(None)).values(ended_at=at))
        connection.execute(update(packets).where(mine).values(state=PacketState.ERASED, **_NOTHING))
    for row in rows:
        log.close(connection, row.packet_id)
    queries.queue_deletions(connection, [row.sha256 for row in rows if row.sha256 is not None], at=at)


def _end(connection: Connection, rows: Sequence[PacketRow], state: PacketState, *, at: datetime) -> None:
    """Let go of their files."""
    for row in rows:
        chosen = update(packets).where(packets.c.packet_id == row.packet_id)
        connection.execute(chosen.values(state=state, ended_at=at))
    queries.queue_deletions(connection, [row.sha256 for row in rows if row.sha256 is not None], at=at)


def _records(connection: Connection, rows: Sequence[Row[Any]]) -> list[PacketRow]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for some in batched([row.packet_id for row in rows], STATEMENT_NUMBERS):
        chosen = select(packet_subjects).where(packet_subjects.c.packet_id.in_(some))
        for row in connection.execute(chosen.order_by(packet_subjects.c.object_id)):
            found[row.packet_id, row.kind].append(row.object_id)
    return [
        PacketRow(
            **{**row._mapping, "state": PacketState(row.state)},
            references=tuple(found[row.packet_id, SubjectKind.REFERENCE]),
            findings=tuple(found[row.packet_id, SubjectKind.FINDING]),
        )
        for row in rows
    ]


def _require_subjects(connection: Connection, packet: PacketRow) -> None:
    """Raises InvalidTransition when one of them is not there any more."""
    left = refs.c.reference_id.in_(packet.references), refs.c.status != ReferenceStatus.ERASED
    found = set(connection.execute(select(refs.c.reference_id).where(*left)).scalars())
    made = select(findings.c.finding_id).where(findings.c.finding_id.in_(packet.findings))
    found |= set(connection.execute(made).scalars())
    for object_id in (*packet.references, *packet.findings):
        if object_id not in found:
            raise InvalidTransition(f"{object_id} was erased meanwhile", hint="Build the packet without it.")


class SqlPackets:
    """See `imgguard.ports.PacketStore` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, packet: PacketRow, *, event: AuditEvent, store_blob: Callable[[], object] | None = None) -> None:
        values = {column.name: getattr(packet, column.name) for column in packets.columns}
        subjects = [
            {"packet_id": packet.packet_id, "object_id": object_id, "kind": kind}
            for kind, ids in ((SubjectKind.REFERENCE, packet.references), (SubjectKind.FINDING, packet.findings))
            for object_id in ids
        ]
        with self._database.write() as connection:
            _require_subjects(connection, packet)
            connection.execute(insert(packets).values(values))
            connection.execute(insert(packet_subjects), subjects)
            if packet.sha256 is not None:
                queries.cancel_deletion(connection, packet.sha256)
            audit.record(connection, event)
            if store_blob is not None:
                store_blob()

    def packet(self, packet_id: str) -> PacketRow:
        with self._database.read() as connection:
            return _packet(connection, packet_id)

    def packets(
        self,
        organisation_id: str,
        *,
        kinds: Collection[SubjectKind],
        after: str = "",
        limit: int = 100,
        newest_first: bool = False,
    ) -> Sequence[PacketRow]:
        other = exists().where(
            packet_subjects.c.packet_id == packets.c.packet_id, packet_subjects.c.kind.not_in(sorted(kinds))
        )
        which = packets.c.organisation_id == organisation_id, ~other
        with self._database.read() as connection:
            return page(connection, *which, after=after, limit=limit, newest_first=newest_first)

    def delete(self, packet_id: str, *, event: AuditEvent) -> PacketRow:
        with self._database.write() as connection:
            before = _packet(connection, packet_id)
            if before.state is not PacketState.KEPT:
                raise InvalidTransition(f"no file of {packet_id} is kept", hint="There is nothing to be deleted.")
            _end(connection, [before], PacketState.DELETED, at=event.at)
            audit.record(connection, event)
            return _packet(connection, packet_id)

    def expire(self, *, now: datetime) -> int:
        with self._database.write() as connection:
            due = page(connection, _KEPT, packets.c.expires_at <= now)
            _end(connection, due, PacketState.EXPIRED, at=now)
            return len(due)


def _packet(connection: Connection, packet_id: str) -> PacketRow:
    """Raises NotFound."""
    for found in page(connection, packets.c.packet_id == packet_id):
        return found
    raise NotFound(f"no packet {packet_id}", hint="Look at your packets.")
