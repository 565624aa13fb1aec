"""Owners, works and references. Each function runs inside the caller's transaction."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, case, delete, func, insert, select, update

from imgguard.errors import DuplicateReference, InvalidTransition, NotFound
from imgguard.registry.claims import NewClaims
from imgguard.registry.ids import new_id
from imgguard.registry.records import Owner, Reference, ReferenceStatus
from imgguard.storage.sql import claimants, index_log, job_rows, log, queries
from imgguard.storage.sql import contents as content_rows
from imgguard.storage.sql.schema import (
    collection_works,
    contents,
    licence_works,
    organisations,
    owners,
    refs,
    works,
)

_SALT_BYTES = 32
_NAMELESS = " "
"""Before the id in place of an owner's name that was erased: no name begins with a space."""
_ERASED = "(erased)"


def name_of(owner: FromClause) -> ColumnElement[str]:
    """What an owner (``owners``, or an alias of it) is called, for others to read."""
    return case((owner.c.name.startswith(_NAMELESS), _ERASED), else_=owner.c.name)


reference_rows: Select[Any] = (
    select(
        refs.c.reference_id,
        refs.c.owner_id,
        case((refs.c.status != ReferenceStatus.ERASED, owners.c.name)).label("owner"),
        refs.c.work_id,
        contents.c.sha256,
        refs.c.file,
        refs.c.status,
        refs.c.registered_at,
        refs.c.withdrawn_at,
        refs.c.erased_at,
    )
    .join(owners, owners.c.owner_id == refs.c.owner_id)
    .outerjoin(contents, contents.c.number == refs.c.content_number)
)


def record_of(row: Row[Any]) -> Reference:
    """The reference of a row that begins with the columns of `reference_rows`."""
    return Reference(
        reference_id=row.reference_id,
        owner_id=row.owner_id,
        owner=row.owner,
        work_id=row.work_id,
        sha256=row.sha256,
        file=row.file,
        status=ReferenceStatus(row.status),
        registered_at=row.registered_at,
        withdrawn_at=row.withdrawn_at,
        erased_at=row.erased_at,
    )


def owner(connection: Connection, name: str) -> Owner | None:
    """The one who is called exactly so."""
    row = connection.execute(select(owners).where(owners.c.name == name)).one_or_none()
    return None if row is None else Owner(**row._mapping)


def ensure_owner(connection: Connection, name: str, at: datetime) -> Owner:
    """The one who is called so, made now if there is none."""
    found = owner(connection, name)
    if found is None:
        found = Owner(owner_id=new_id("own"), name=name, created_at=at)
        connection.execute(insert(owners).values(owner_id=found.owner_id, name=name, created_at=at))
    return found


def get(connection: Connection, reference_id: str) -> Reference:
    """Raises NotFound."""
    row = connection.execute(reference_rows.where(refs.c.reference_id == reference_id)).one_or_none()
    if row is None:
        raise NotFound(f"no reference {reference_id}")
    return record_of(row)


def find(connection: Connection, owner_name: str, sha256: str) -> Reference | None:
    """The owner's active reference of these bytes."""
    statement = reference_rows.where(
        owners.c.name == owner_name, contents.c.sha256 == sha256, refs.c.status == ReferenceStatus.ACTIVE
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else record_of(row)


def page(
    connection: Connection, *, owner_name: str | None, status: ReferenceStatus | None, after: str, limit: int
) -> list[Reference]:
    """In order of ``reference_id``, those behind ``after``; tombstones too."""
    statement = reference_rows.where(refs.c.reference_id > after).order_by(refs.c.reference_id).limit(limit)
    if owner_name is not None:
        statement = statement.where(owners.c.name == owner_name)
    if status is not None:
        statement = statement.where(refs.c.status == status)
    return [record_of(row) for row in connection.execute(statement)]


def of_content(connection: Connection, sha256: str) -> Sequence[Reference]:
    """Active references of a content, oldest first."""
    statement = reference_rows.where(contents.c.sha256 == sha256, refs.c.status == ReferenceStatus.ACTIVE)
    ordered = statement.order_by(refs.c.registered_at, refs.c.reference_id)
    return [record_of(row) for row in connection.execute(ordered)]


def add(
    connection: Connection,
    owner_name: str,
    number: int,
    *,
    file: str,
    title: str | None = None,
    stated: NewClaims | None = None,
    at: datetime,
) -> Reference:
    """Register the stored content ``number``. Raises DuplicateReference, InputError for what cannot be logged."""
    holder = ensure_owner(connection, owner_name, at)
    same = select(refs).where(refs.c.owner_id == holder.owner_id, refs.c.content_number == number)
    earlier = connection.execute(same.order_by(refs.c.reference_id)).all()
    for row in earlier:
        if row.status == ReferenceStatus.ACTIVE:
            raise DuplicateReference(f"{owner_name} has registered these bytes already, as {row.reference_id}")
    was_searchable = _uses(connection, number, active_only=True) > 0
    reference_id = new_id("ref")
    work_id = earlier[0].work_id if earlier else None  # registered again after a withdrawal: still the same picture
    if work_id is None:
        work_id = _new_work(connection, holder, title=title or file, at=at)
    elif title is not None:
        connection.execute(update(works).where(works.c.work_id == work_id).values(title=title))
    connection.execute(
        insert(refs).values(
            reference_id=reference_id,
            owner_id=holder.owner_id,
            work_id=work_id,
            content_number=number,
            file=file,
            salt=secrets.token_bytes(_SALT_BYTES),
            status=ReferenceStatus.ACTIVE,
            registered_at=at,
        )
    )
    if not was_searchable:
        index_log.record(connection, number, present=True)
    handed = log.Handed(
        reference_id=reference_id,
        owner_id=holder.owner_id,
        owner=holder.name,
        number=number,
        file=file,
        claims=None if stated is None else stated.claims,
    )
    log.register(connection, handed, at=at)
    return get(connection, reference_id)


def _new_work(connection: Connection, holder: Owner, *, title: str, at: datetime) -> str:
    work_id = new_id("wrk")
    connection.execute(insert(works).values(work_id=work_id, owner_id=holder.owner_id, title=title, created_at=at))
    return work_id


def _uses(connection: Connection, number: int, *, active_only: bool) -> int:
    """References of a content; those that are erased have let go of it already."""
    statement = select(func.count()).select_from(refs).where(refs.c.content_number == number)
    if active_only:
        statement = statement.where(refs.c.status == ReferenceStatus.ACTIVE)
    return connection.execute(statement).scalar_one()


def withdraw(connection: Connection, reference_id: str, *, at: datetime) -> Reference:
    """Raises NotFound, InvalidTransition unless it is active."""
    before = get(connection, reference_id)
    if before.status is not ReferenceStatus.ACTIVE:
        raise InvalidTransition(f"{reference_id} is {before.status}, only an active reference can be withdrawn")
    chosen = refs.c.reference_id == reference_id
    number = connection.execute(select(refs.c.content_number).where(chosen)).scalar_one()
    connection.execute(update(refs).where(chosen).values(status=ReferenceStatus.WITHDRAWN, withdrawn_at=at))
    log.withdraw(connection, reference_id, owner_id=before.owner_id, at=at)
    if _uses(connection, number, active_only=True) == 0:
        index_log.record(connection, number, present=False)
    return get(connection, reference_id)


def erase(connection: Connection, reference_id: str, *, at: datetime) -> Reference:
    """Leave a tombstone. Raises NotFound, InvalidTransition when it is erased already."""
    before = get(connection, reference_id)
    if before.status is ReferenceStatus.ERASED or before.sha256 is None:
        raise InvalidTransition(f"{reference_id} is erased already")
    chosen = refs.c.reference_id == reference_id
    number = connection.execute(select(refs.c.content_number).where(chosen)).scalar_one()
    tombstone = {"content_number": None, "work_id": None, "file": None, "salt": None}
    connection.execute(update(refs).where(chosen).values(status=ReferenceStatus.ERASED, erased_at=at, **tombstone))
    job_rows.forget_names(connection, [reference_id])
    log.erase(connection, reference_id, owner_id=before.owner_id, at=at)
    release_work(connection, before.work_id, file=before.file)
    if before.status is ReferenceStatus.ACTIVE and _uses(connection, number, active_only=True) == 0:
        index_log.record(connection, number, present=False)
    if _uses(connection, number, active_only=False) == 0:
        content_rows.destroy(connection, number)
        # Kept for a check from before the registration, they stay: nobody destroys the evidence of others by
        # registering it and erasing that.
        queries.release_query(connection, before.sha256, kept_from=before.registered_at, at=at)
    _forget_owner(connection, before.owner_id)
    return get(connection, reference_id)


def release_work(connection: Connection, work_id: str | None, *, file: str | None) -> None:
    """A reference with this ``file`` is no longer one of the work. With the last of them the work goes.

    One that a licence names keeps its id: without it the licence would seem to cover every work. A title that was
    taken from the file goes with it.
    """
    chosen = works.c.work_id == work_id
    left = select(refs.c.file).where(refs.c.work_id == work_id).order_by(refs.c.reference_id).limit(1)
    other = connection.execute(left).scalar_one_or_none()
    if other is not None:
        connection.execute(update(works).where(chosen, works.c.title == file).values(title=other))
        return
    connection.execute(delete(collection_works).where(collection_works.c.work_id == work_id))
    if connection.execute(select(licence_works).where(licence_works.c.work_id == work_id).limit(1)).first() is None:
        connection.execute(delete(works).where(chosen))
    else:
        connection.execute(update(works).where(chosen).values(title=None))


def _forget_owner(connection: Connection, owner_id: str) -> None:
    """Take the name from an owner of whom only tombstones are left. An organisation is more than its references."""
    left = refs.c.owner_id == owner_id, refs.c.status != ReferenceStatus.ERASED
    if connection.execute(select(refs.c.reference_id).where(*left)).first() is not None:
        return
    if connection.execute(select(organisations).where(organisations.c.owner_id == owner_id)).first() is not None:
        return
    forget_name(connection, owner_id)


def forget_name(connection: Connection, owner_id: str) -> None:
    """What the owner was called is nowhere any more, nor what the owner would sign with."""
    claimants.forget(connection, owner_id)
    nameless = update(owners).where(owners.c.owner_id == owner_id)
    connection.execute(nameless.values(name=f"{_NAMELESS}{owner_id}"))
