"""Works and collections: the Works port."""

from collections import defaultdict
from collections.abc import Collection as Several
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import batched
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, delete, exists, func, insert, select, update

from imgguard.errors import Conflict, InvalidTransition, NotFound
from imgguard.ports import FiledReference
from imgguard.registry.accounts import AuditEvent
from imgguard.registry.records import Content, ReferenceStatus
from imgguard.registry.works import Collection, Work
from imgguard.storage.sql import audit, claims, references
from imgguard.storage.sql.contents import STATEMENT_NUMBERS
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import (
    collection_works,
    collections,
    contents,
    reference_claims,
    reference_proofs,
    refs,
    works,
)

_content_columns = [column for column in contents.columns if column.name != "sha256"]
_filed: Select[Any] = references.reference_rows.add_columns(works.c.title, *_content_columns).outerjoin(
    works, works.c.work_id == refs.c.work_id
)
# One whose references were all erased or moved away is kept only for licences that name it.
_is_filled = exists().where(refs.c.work_id == works.c.work_id)

_collection: Select[Any] = select(
    *collections.columns,
    select(func.count())
    .select_from(collection_works)
    .where(collection_works.c.collection_id == collections.c.collection_id)
    .scalar_subquery()
    .label("work_count"),
)


def _filed_record(row: Row[Any]) -> FiledReference:
    content = None
    if row.number is not None:
        content = Content(sha256=row.sha256, **{column.name: row._mapping[column] for column in _content_columns})
    return FiledReference(reference=references.record_of(row), title=row.title, content=content)


def _work_records(connection: Connection, rows: Sequence[Row[Any]]) -> list[Work]:
    ids = [row.work_id for row in rows]
    files = _grouped(connection, refs, refs.c.reference_id.name, ids)
    shelves = _grouped(connection, collection_works, collection_works.c.collection_id.name, ids)
    return [
        Work(
            work_id=row.work_id,
            owner_id=row.owner_id,
            title=row.title,
            created_at=row.created_at,
            reference_ids=tuple(files[row.work_id]),
            collection_ids=tuple(shelves[row.work_id]),
        )
        for row in rows
    ]


def _grouped(connection: Connection, table: Table, column: str, work_ids: Iterable[str]) -> dict[str, list[str]]:
    """Values of ``column`` by work, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for some in batched(work_ids, STATEMENT_NUMBERS):
        chosen = select(table.c.work_id, table.c[column]).where(table.c.work_id.in_(some)).order_by(table.c[column])
        for row in connection.execute(chosen):
            found[row[0]].append(row[1])
    return found


def _work(connection: Connection, work_id: str, owner_id: str) -> Work:
    mine = select(works).where(works.c.work_id == work_id, works.c.owner_id == owner_id, _is_filled)
    found = _work_records(connection, connection.execute(mine).all())
    if not found:
        raise NotFound(f"no work {work_id}", hint="Look at the works you have.")
    return found[0]


def _collection_of(connection: Connection, collection_id: str, owner_id: str) -> Collection:
    mine = collections.c.collection_id == collection_id, collections.c.owner_id == owner_id
    row = connection.execute(_collection.where(*mine)).one_or_none()
    if row is None:
        raise NotFound(f"no collection {collection_id}", hint="Look at the collections you have.")
    return Collection(**row._mapping)


def _require_free(connection: Connection, name: str, owner_id: str) -> None:
    taken = select(collections).where(collections.c.owner_id == owner_id, collections.c.name == name)
    if connection.execute(taken).first() is not None:
        raise Conflict(f"there is a collection named {name!r} already", hint="Choose another name.")


class SqlWorks:
    """See `imgguard.ports.Works` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # references

    def filed(self, reference_id: str) -> FiledReference:
        with self._database.read() as connection:
            row = connection.execute(_filed.where(refs.c.reference_id == reference_id)).one_or_none()
            if row is None:
                raise NotFound(f"no reference {reference_id}", hint="Look at the references you have.")
            return replace(
                _filed_record(row),
                statements=claims.statements(connection, reference_claims.c.reference_id == reference_id),
                proofs=claims.proofs(connection, reference_proofs.c.reference_id == reference_id),
            )

    def filed_references(
        self,
        owner_id: str,
        *,
        status: ReferenceStatus | None = None,
        work_id: str | None = None,
        after: str = "",
        limit: int = 1000,
    ) -> Sequence[FiledReference]:
        statement = _filed.where(refs.c.owner_id == owner_id, refs.c.reference_id > after)
        if status is not None:
            statement = statement.where(refs.c.status == status)
        if work_id is not None:
            statement = statement.where(refs.c.work_id == work_id)
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(refs.c.reference_id).limit(limit))
            return [_filed_record(row) for row in rows]

    # works

    def work(self, work_id: str, *, owner_id: str) -> Work:
        with self._database.read() as connection:
            return _work(connection, work_id, owner_id)

    def works(
        self, owner_id: str, *, collection_id: str | None = None, after: str = "", limit: int = 1000
    ) -> Sequence[Work]:
        statement = select(works).where(works.c.owner_id == owner_id, works.c.work_id > after, _is_filled)
        with self._database.read() as connection:
            if collection_id is not None:
                _collection_of(connection, collection_id, owner_id)
                statement = statement.join(collection_works, collection_works.c.work_id == works.c.work_id)
                statement = statement.where(collection_works.c.collection_id == collection_id)
            rows = connection.execute(statement.order_by(works.c.work_id).limit(limit)).all()
            return _work_records(connection, rows)

    def retitle(self, work_id: str, title: str, *, owner_id: str, event: AuditEvent) -> Work:
        with self._database.write() as connection:
            before = _work(connection, work_id, owner_id)
            if before.title == title:
                return before
            connection.execute(update(works).where(works.c.work_id == work_id).values(title=title))
            audit.record(connection, event)
            return _work(connection, work_id, owner_id)

    def move(self, reference_id: str, work_id: str, *, owner_id: str, event: AuditEvent) -> Work:
        with self._database.write() as connection:
            reference = references.get(connection, reference_id)
            if reference.owner_id != owner_id:
                raise NotFound(f"no reference {reference_id}", hint="Look at the references you have.")
            if reference.status is ReferenceStatus.ERASED:
                raise InvalidTransition(f"{reference_id} is erased", hint="Nothing is left of it to be moved.")
            target = _work(connection, work_id, owner_id)
            if reference.work_id == work_id:
                return target
            chosen = refs.c.reference_id == reference_id
            connection.execute(update(refs).where(chosen).values(work_id=work_id))
            references.release_work(connection, reference.work_id, file=reference.file)
            audit.record(connection, event)
            return _work(connection, work_id, owner_id)

    # collections

    def add_collection(self, collection_id: str, name: str, *, owner_id: str, event: AuditEvent) -> Collection:
        with self._database.write() as connection:
            _require_free(connection, name, owner_id)
            values = {"collection_id": collection_id, "owner_id": owner_id, "name": name, "created_at": event.at}
            connection.execute(insert(collections).values(values))
            audit.record(connection, event)
            return _collection_of(connection, collection_id, owner_id)

    def collection(self, collection_id: str, *, owner_id: str) -> Collection:
        with self._database.read() as connection:
            return _collection_of(connection, collection_id, owner_id)

    def collections(self, owner_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Collection]:
        mine = _collection.where(collections.c.owner_id == owner_id, collections.c.collection_id > after)
        with self._database.read() as connection:
            rows = connection.execute(mine.order_by(collections.c.collection_id).limit(limit))
            return [Collection(**row._mapping) for row in rows]

    def rename_collection(self, collection_id: str, name: str, *, owner_id: str, event: AuditEvent) -> Collection:
        with self._database.write() as connection:
            before = _collection_of(connection, collection_id, owner_id)
            if before.name == name:
                return before
            _require_free(connection, name, owner_id)
            chosen = update(collections).where(collections.c.collection_id == collection_id)
            connection.execute(chosen.values(name=name))
            audit.record(connection, event)
            return _collection_of(connection, collection_id, owner_id)

    def delete_collection(self, collection_id: str, *, owner_id: str, event: AuditEvent) -> None:
        with self._database.write() as connection:
            _collection_of(connection, collection_id, owner_id)
            for table in (collection_works, collections):
                connection.execute(delete(table).where(table.c.collection_id == collection_id))
            audit.record(connection, event)

    def change_collection(
        self,
        collection_id: str,
        *,
        add: Several[str] = (),
        remove: Several[str] = (),
        owner_id: str,
        event: AuditEvent,
    ) -> Collection:
        with self._database.write() as connection:
            _collection_of(connection, collection_id, owner_id)
            inside = select(collection_works.c.work_id).where(collection_works.c.collection_id == collection_id)
            before = set(connection.execute(inside).scalars())
            added, removed = sorted(set(add) - before), sorted(set(remove) & before)
            for work_id in added:
                _work(connection, work_id, owner_id)
            if added:
                rows = [{"collection_id": collection_id, "work_id": work_id} for work_id in added]
                connection.execute(insert(collection_works), rows)
            for some in batched(removed, STATEMENT_NUMBERS):
                of_mine = collection_works.c.collection_id == collection_id, collection_works.c.work_id.in_(some)
                connection.execute(delete(collection_works).where(*of_mine))
            if added or removed:
                audit.record(connection, event)
            return _collection_of(connection, collection_id, owner_id)
