"""Rows of the audit trail. Each function runs inside the caller's transaction."""

import json
from collections.abc import Sequence
from itertools import batched
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select

from imgguard.errors import NotFound
from imgguard.registry.accounts import AuditEvent
from imgguard.storage.sql.contents import STATEMENT_NUMBERS
from imgguard.storage.sql.counting import next_number
from imgguard.storage.sql.schema import audit_events, audit_parties

_COUNTER = "audit_events"


def record(connection: Connection, event: AuditEvent) -> None:
    """Append ``event``: called with the change it tells of, so that neither is there without the other."""
    sequence = next_number(connection, _COUNTER)
    connection.execute(
        insert(audit_events).values(
            sequence=sequence,
            event_id=event.event_id,
            at=event.at,
            actor=event.actor,
            key_id=event.key_id,
            organisation_id=event.organisation_id,
            action=str(event.action),
            object_id=event.object_id,
            detail=json.dumps(dict(event.detail), ensure_ascii=False, sort_keys=True),
        )
    )
    parties = sorted(event.parties | {event.organisation_id})
    connection.execute(insert(audit_parties), [{"organisation_id": party, "sequence": sequence} for party in parties])


def page(
    connection: Connection, *, party: str | None, about: str | None, after: str, newest_first: bool, limit: int
) -> list[AuditEvent]:
    order = audit_events.c.sequence
    statement = select(audit_events).order_by(order.desc() if newest_first else order).limit(limit)
    if after:
        behind = _sequence_of(connection, after, party=party)
        statement = statement.where(order < behind if newest_first else order > behind)
    if party is not None:
        statement = statement.join(audit_parties, audit_parties.c.sequence == order)
        statement = statement.where(audit_parties.c.organisation_id == party)
    if about is not None:
        statement = statement.where(or_(audit_events.c.actor == about, audit_events.c.object_id == about))
    rows = connection.execute(statement).all()
    parties = _parties(connection, [row.sequence for row in rows])
    return [_record(row, parties[row.sequence]) for row in rows]


def behind(connection: Connection, sequence: int, *, party: str, limit: int) -> list[tuple[int, AuditEvent]]:
    """What concerns ``party`` after the event of that number, in the order of commits, each with its own."""
    mine = select(audit_events).join(audit_parties, audit_parties.c.sequence == audit_events.c.sequence)
    mine = mine.where(audit_parties.c.organisation_id == party, audit_parties.c.sequence > sequence)
    rows = connection.execute(mine.order_by(audit_parties.c.sequence).limit(limit)).all()
    parties = _parties(connection, [row.sequence for row in rows])
    return [(row.sequence, _record(row, parties[row.sequence])) for row in rows]


def _sequence_of(connection: Connection, event_id: str, *, party: str | None) -> int:
    statement = select(audit_events.c.sequence).where(audit_events.c.event_id == event_id)
    if party is not None:
        statement = statement.join(audit_parties).where(audit_parties.c.organisation_id == party)
    found = connection.execute(statement).scalar_one_or_none()
    if found is None:
        raise NotFound(f"no event {event_id}", hint="Begin with the first page again.")
    return int(found)


def _parties(connection: Connection, sequences: Sequence[int]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {sequence: set() for sequence in sequences}
    for some in batched(sequences, STATEMENT_NUMBERS):
        for row in connection.execute(select(audit_parties).where(audit_parties.c.sequence.in_(some))):
            found[row.sequence].add(row.organisation_id)
    return {sequence: frozenset(names) for sequence, names in found.items()}


def _record(row: Row[Any], parties: frozenset[str]) -> AuditEvent:
    return AuditEvent(
        event_id=row.event_id,
        at=row.at,
        actor=row.actor,
        key_id=row.key_id,
        organisation_id=row.organisation_id,
        action=row.action,
        object_id=row.object_id,
        parties=parties,
        detail=json.loads(row.detail),
    )
