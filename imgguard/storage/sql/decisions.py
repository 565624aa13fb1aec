"""Rows of decisions about pairs of pictures. Each function runs inside the caller's transaction."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, insert, or_, select, true, update

from imgguard.errors import NotFound
from imgguard.registry.decisions import DecidedBy, Decision, DecisionKind
from imgguard.storage.sql import log_events
from imgguard.storage.sql.schema import decisions, organisations, refs

_COLUMNS = [column.name for column in decisions.columns]

# Not stored: whoever decides for the owner's organisation is the owner, and all others are reviewers.
_decision: Select[Any] = (
    select(
        decisions,
        case((organisations.c.owner_id == refs.c.owner_id, DecidedBy.OWNER), else_=DecidedBy.REVIEWER).label("by"),
    )
    .join(refs, refs.c.reference_id == decisions.c.reference_id)
    .join(organisations, organisations.c.organisation_id == decisions.c.organisation_id)
)


def _record(row: Row[Any]) -> Decision:
    return Decision(**{**row._mapping, "kind": DecisionKind(row.kind), "by": DecidedBy(row.by)})


def add(connection: Connection, decision: Decision) -> None:
    connection.execute(insert(decisions).values({name: getattr(decision, name) for name in _COLUMNS}))
    owner_id = _owner_of(connection, decision.reference_id)
    log_events.decision(connection, decision, "made", owner_id=owner_id, at=decision.decided_at)


def _owner_of(connection: Connection, reference_id: str) -> str:
    return str(connection.execute(select(refs.c.owner_id).where(refs.c.reference_id == reference_id)).scalar_one())


def get(connection: Connection, decision_id: str) -> Decision:
    """Raises NotFound."""
    row = connection.execute(_decision.where(decisions.c.decision_id == decision_id)).one_or_none()
    if row is None:
        raise NotFound(f"no decision {decision_id}", hint="Look at the decisions about your references.")
    return _record(row)


def about_owner(owner_id: str | None) -> ColumnElement[bool]:
    """Those about references of the owner; None: about all."""
    return true() if owner_id is None else refs.c.owner_id == owner_id


def page(connection: Connection, chosen: ColumnElement[bool], *, after: str, limit: int) -> list[Decision]:
    """In order of ``decision_id``, those behind ``after``."""
    statement = _decision.where(chosen, decisions.c.decision_id > after)
    return [_record(row) for row in connection.execute(statement.order_by(decisions.c.decision_id).limit(limit))]


def retract(connection: Connection, decision_id: str, *, at: datetime) -> tuple[Decision, bool]:
    """The decision as it is now, and whether that is a change. Raises NotFound."""
    if get(connection, decision_id).retracted_at is not None:
        return get(connection, decision_id), False
    connection.execute(update(decisions).where(decisions.c.decision_id == decision_id).values(retracted_at=at))
    retracted = get(connection, decision_id)
    owner_id = _owner_of(connection, retracted.reference_id)
    log_events.decision(connection, retracted, "retracted", owner_id=owner_id, at=at)
    return retracted, True


def about(
    connection: Connection, reference_ids: Collection[str], *, query_sha256: str, query_pixel_digest: str
) -> dict[str, list[Decision]]:
    """By reference, those about these bytes or these pixels that are not retracted."""
    same = or_(decisions.c.query_sha256 == query_sha256, decisions.c.query_pixel_digest == query_pixel_digest)
    statement = _decision.where(decisions.c.reference_id.in_(reference_ids), same, decisions.c.retracted_at.is_(None))
    found: dict[str, list[Decision]] = {}
    for row in connection.execute(statement.order_by(decisions.c.decision_id)):
        found.setdefault(row.reference_id, []).append(_record(row))
    return found
