"""Rows of licences, their holders and their documents. Each function runs inside the caller's transaction."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, insert, or_, select, update

from imgguard.errors import InvalidTransition, NotFound
from imgguard.registry.licences import (
    Holder,
    Licence,
    LicenceDocument,
    can_be_taken_up,
    extended,
    require_not_revoked,
    revoked,
)
from imgguard.storage.sql.contents import STATEMENT_NUMBERS
from imgguard.storage.sql.members import organisation
from imgguard.storage.sql.references import name_of
from imgguard.storage.sql.schema import (
    licence_acceptances,
    licence_documents,
    licence_works,
    licences,
    organisations,
    owners,
    works,
)

_licensor, _licensor_owner = organisations.alias("licensor"), owners.alias("licensor_owner")
_licensee, _licensee_owner = organisations.alias("licensee"), owners.alias("licensee_owner")

_licence: Select[Any] = (
    select(
        licences,
        _licensor.c.owner_id.label("licensor_owner_id"),
        name_of(_licensor_owner).label("licensor"),
        name_of(_licensee_owner).label("licensee"),
    )
    .join(_licensor, _licensor.c.organisation_id == licences.c.organisation_id)
    .join(_licensor_owner, _licensor_owner.c.owner_id == _licensor.c.owner_id)
    .outerjoin(_licensee, _licensee.c.organisation_id == licences.c.licensee_id)
    .outerjoin(_licensee_owner, _licensee_owner.c.owner_id == _licensee.c.owner_id)
)

_WORDS = ("uses", "platforms", "territories")
_PLAIN = (
    *("licence_id", "organisation_id", "licensee_id", "shop", "starts_at", "ends_at", "note", "created_at"),
    *("revoked_at", "reminded_at", "revision"),
)


def _record(row: Row[Any], work_ids: frozenset[str] | None, holders: tuple[Holder, ...]) -> Licence:
    values: dict[str, Any] = {name: getattr(row, name) for name in (*_PLAIN, "licensor", "licensee")}
    values |= {name: frozenset(getattr(row, name).split()) for name in _WORDS}
    return Licence(**values, by_link=row.link_sha256 is not None, work_ids=work_ids, holders=holders)


def _found(connection: Connection, statement: Select[Any]) -> list[Licence]:
    rows = connection.execute(statement).all()
    ids = [row.licence_id for row in rows]
    of_works, of_holders = _works(connection, ids), _holders(connection, ids)
    return [_record(row, of_works.get(row.licence_id), of_holders.get(row.licence_id, ())) for row in rows]


def _works(connection: Connection, licence_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """By licence; one without rows covers every work, and is absent."""
    found: dict[str, set[str]] = {}
    for some in batched(licence_ids, STATEMENT_NUMBERS):
        for row in connection.execute(select(licence_works).where(licence_works.c.licence_id.in_(some))):
            found.setdefault(row.licence_id, set()).add(row.work_id)
    return {licence_id: frozenset(chosen) for licence_id, chosen in found.items()}


def _holders(connection: Connection, licence_ids: Sequence[str]) -> dict[str, tuple[Holder, ...]]:
    """By licence, those that took it up, in that order."""
    found: dict[str, tuple[Holder, ...]] = {}
    statement = (
        select(licence_acceptances, name_of(owners).label("name"))
        .join(organisations, organisations.c.organisation_id == licence_acceptances.c.organisation_id)
        .join(owners, owners.c.owner_id == organisations.c.owner_id)
        .order_by(licence_acceptances.c.accepted_at, licence_acceptances.c.organisation_id)
    )
    for some in batched(licence_ids, STATEMENT_NUMBERS):
        for row in connection.execute(statement.where(licence_acceptances.c.licence_id.in_(some))):
            holder = Holder(organisation_id=row.organisation_id, name=row.name, accepted_at=row.accepted_at)
            found[row.licence_id] = (*found.get(row.licence_id, ()), holder)
    return found


def add(connection: Connection, licence: Licence, *, link_sha256: str | None) -> Licence:
    """Raises NotFound for a licensee that is not there, and for works that are not the licensor's."""
    licensor = organisation(connection, licence.organisation_id)
    if licence.licensee_id is not None:
        organisation(connection, licence.licensee_id)
    chosen = sorted(licence.work_ids or ())
    _require_works(connection, chosen, licensor.owner_id)
    values = {name: getattr(licence, name) for name in _PLAIN}
    words = {name: " ".join(sorted(getattr(licence, name))) for name in _WORDS}
    connection.execute(insert(licences).values(**values, **words, link_sha256=link_sha256))
    if chosen:
        rows = [{"licence_id": licence.licence_id, "work_id": work_id} for work_id in chosen]
        connection.execute(insert(licence_works), rows)
    return get(connection, licence.licence_id)


def _require_works(connection: Connection, work_ids: Iterable[str], owner_id: str) -> None:
    for some in batched(work_ids, STATEMENT_NUMBERS):
        mine = select(works.c.work_id).where(works.c.work_id.in_(some), works.c.owner_id == owner_id)
        missing = set(some) - set(connection.execute(mine).scalars())
        if missing:
            raise NotFound(f"no work {min(missing)}", hint="Name works of your own organisation.")


def find(connection: Connection, condition: ColumnElement[bool]) -> Licence | None:
    """The one for which ``condition`` holds."""
    return next(iter(_found(connection, _licence.where(condition))), None)


def get(connection: Connection, licence_id: str) -> Licence:
    """Raises NotFound."""
    found = find(connection, licences.c.licence_id == licence_id)
    if found is None:
        raise NotFound(f"no licence {licence_id}", hint="Look at the licences you gave and received.")
    return found


def page(connection: Connection, condition: ColumnElement[bool], *, after: str, limit: int) -> list[Licence]:
    """In order of ``licence_id``, those behind ``after``."""
    statement = _licence.where(condition, licences.c.licence_id > after)
    return _found(connection, statement.order_by(licences.c.licence_id).limit(limit))


def held_by(organisation_id: str) -> ColumnElement[bool]:
    """That the organisation is a holder."""
    taken_up = exists().where(
        licence_acceptances.c.licence_id == licences.c.licence_id,
        licence_acceptances.c.organisation_id == organisation_id,
    )
    return or_(licences.c.licensee_id == organisation_id, taken_up)


def held(
    connection: Connection, organisation_id: str, *, owner_ids: Collection[str], work_ids: Collection[str]
) -> dict[str, list[Licence]]:
    """By owner; see `imgguard.ports.Rights.licences_held`."""
    any_work = licence_works.alias("any_work")
    is_limited = exists().where(any_work.c.licence_id == licences.c.licence_id)
    asked = and_(licence_works.c.licence_id == licences.c.licence_id, licence_works.c.work_id.in_(work_ids))
    rows = connection.execute(
        _licence.add_columns(is_limited.label("is_limited"), licence_works.c.work_id)
        .outerjoin(licence_works, asked)
        .where(held_by(organisation_id), _licensor.c.owner_id.in_(owner_ids))
        .order_by(licences.c.licence_id)
    ).all()
    chosen: dict[str, set[str]] = {}
    for row in rows:
        chosen.setdefault(row.licence_id, set()).update({row.work_id} - {None})
    found: dict[str, list[Licence]] = {}
    for row in {row.licence_id: row for row in rows}.values():
        covered = frozenset(chosen[row.licence_id]) if row.is_limited else None
        found.setdefault(row.licensor_owner_id, []).append(_record(row, covered, ()))
    return found


# changes


def revoke(connection: Connection, licence_id: str, *, at: datetime) -> tuple[Licence, bool]:
    """The licence as it is now, and whether that is a change."""
    before = get(connection, licence_id)
    return _write(connection, before, revoked(before, at=at))


def extend(connection: Connection, licence_id: str, ends_at: datetime | None) -> tuple[Licence, bool]:
    """As `revoke`. Raises InvalidTransition, InputError."""
    before = get(connection, licence_id)
    return _write(connection, before, extended(before, ends_at))


def take_up(connection: Connection, licence_id: str, organisation_id: str, *, at: datetime) -> tuple[Licence, bool]:
    """As `revoke`. Raises InvalidTransition."""
    before = get(connection, licence_id)
    organisation(connection, organisation_id)
    if not can_be_taken_up(before, organisation_id, at=at):
        return before, False
    row = {"licence_id": licence_id, "organisation_id": organisation_id, "accepted_at": at}
    connection.execute(insert(licence_acceptances).values(row))
    _write(connection, before, replace(before, revision=before.revision + 1))
    return get(connection, licence_id), True


def _write(connection: Connection, before: Licence, after: Licence) -> tuple[Licence, bool]:
    changed = {name: getattr(after, name) for name in ("ends_at", "revoked_at", "reminded_at", "revision")}
    connection.execute(update(licences).where(licences.c.licence_id == before.licence_id).values(changed))
    return after, after != before


def ending(connection: Connection, *, after: datetime, until: datetime, limit: int) -> list[Licence]:
    """Not revoked, not reminded of, the first to end first."""
    statement = _licence.where(
        licences.c.ends_at > after,
        licences.c.ends_at <= until,
        licences.c.revoked_at.is_(None),
        licences.c.reminded_at.is_(None),
    )
    return _found(connection, statement.order_by(licences.c.ends_at, licences.c.licence_id).limit(limit))


def mark_reminded(connection: Connection, licence: Licence, *, at: datetime) -> Licence:
    after, _ = _write(connection, licence, replace(licence, reminded_at=at))
    return after


# documents


def add_document(connection: Connection, document: LicenceDocument, *, most: int) -> tuple[LicenceDocument, Licence]:
    """The document in its place, and the licence as it is now. Raises NotFound, InvalidTransition."""
    before = get(connection, document.licence_id)
    require_not_revoked(before)
    mine = licence_documents.c.licence_id == document.licence_id
    last = connection.execute(select(func.max(licence_documents.c.position)).where(mine)).scalar_one() or 0
    if last >= most:
        raise InvalidTransition(f"{document.licence_id} has {last} documents already", hint="Put several into one PDF.")
    placed = replace(document, position=last + 1)
    values = {column.name: getattr(placed, column.name) for column in licence_documents.columns}
    connection.execute(insert(licence_documents).values(values))
    after, _ = _write(connection, before, replace(before, revision=before.revision + 1))
    return placed, after


def documents(connection: Connection, licence_id: str) -> list[LicenceDocument]:
    """In order."""
    mine = select(licence_documents).where(licence_documents.c.licence_id == licence_id)
    return [LicenceDocument(**row._mapping) for row in connection.execute(mine.order_by(licence_documents.c.position))]
