"""The LogStore port on a database."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from imgguard.errors import NotFound
from imgguard.ports.transparency import LoggedLeaf, LogKey, StampedBy, StoredCheckpoint
from imgguard.provenance.keys import parse_pem, to_pem
from imgguard.provenance.leaves import ClaimantOpening, Opening
from imgguard.provenance.notes import VerifierKey
from imgguard.provenance.records import Kind, Record
from imgguard.storage.sql import log, log_backlog, log_tokens
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import log_checkpoints, log_keys, log_leaves, log_openings

_EARLIER_PER_TRANSACTION = 200
"""Leaves appended under one write lock: about 0.3 s, measured while both cores were busy."""


def _leaf(row: Row[Any]) -> LoggedLeaf:
    values = {column.name: getattr(row, column.name) for column in log_leaves.columns}
    return LoggedLeaf(**{**values, "kind": Kind(row.kind)})


def _opening(row: Row[Any]) -> Opening | None:
    if row.salt is None:
        return None
    claimant = None
    if row.claimant_key is not None:
        claimant = ClaimantOpening(
            salt=row.claimant_salt, public_key=row.claimant_key, signature=row.claimant_signature
        )
    return Opening(salt=row.salt, record=row.record, claimant=claimant)


def _key(row: Row[Any]) -> LogKey:
    return LogKey(
        vkey=VerifierKey.parse(row.vkey),
        private_key=None if row.private_key is None else parse_pem(row.private_key),
        first_size=row.first_size,
        created_at=row.created_at,
        retired_at=row.retired_at,
    )


def _keys(connection: Connection) -> list[LogKey]:
    rows = connection.execute(select(log_keys).order_by(log_keys.c.first_size, log_keys.c.created_at))
    return [_key(row) for row in rows]


def _add_key(connection: Connection, key: LogKey) -> None:
    connection.execute(
        insert(log_keys).values(
            vkey=key.vkey.text,
            private_key=None if key.private_key is None else to_pem(key.private_key),
            first_size=key.first_size,
            created_at=key.created_at,
        )
    )


def _size(connection: Connection) -> int:
    last = connection.execute(select(func.max(log_leaves.c.position))).scalar_one()
    return 0 if last is None else int(last) + 1


class SqlLog:
    """See `imgguard.ports.LogStore` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # leaves

    def size(self) -> int:
        with self._database.read() as connection:
            return _size(connection)

    def leaves(self, start: int, *, limit: int) -> Sequence[LoggedLeaf]:
        statement = select(log_leaves).where(log_leaves.c.position >= start).order_by(log_leaves.c.position)
        with self._database.read() as connection:
            return [_leaf(row) for row in connection.execute(statement.limit(limit))]

    def hashes(self, start: int, *, limit: int) -> Sequence[bytes]:
        order = log_leaves.c.position
        statement = select(log_leaves.c.leaf_hash).where(order >= start).order_by(order).limit(limit)
        with self._database.read() as connection:
            return list(connection.execute(statement).scalars())

    def leaf_about(self, object_id: str, kind: Kind | None = None) -> LoggedLeaf:
        order = log_leaves.c.position
        statement = select(log_leaves).where(log_leaves.c.object_id == object_id).limit(1)
        if kind is None:
            statement = statement.order_by(order)
        else:
            statement = statement.where(log_leaves.c.kind == kind.value).order_by(order.desc())
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            what = "is logged" if kind is None else f"of the kind {kind.value} is logged"
            raise NotFound(f"nothing {what} about {object_id}", hint="Look at its history: not every change is logged.")
        return _leaf(row)

    def openings(self, start: int, *, limit: int) -> Sequence[tuple[LoggedLeaf, Opening | None]]:
        order = log_leaves.c.position
        private = [column for column in log_openings.columns if column.name != "position"]
        statement = select(log_leaves, *private).outerjoin(log_openings, log_openings.c.position == order)
        with self._database.read() as connection:
            rows = connection.execute(statement.where(order >= start).order_by(order).limit(limit))
            return [(_leaf(row), _opening(row)) for row in rows]

    def counts(self) -> dict[str, int]:
        statement = select(log_leaves.c.kind, func.count()).group_by(log_leaves.c.kind).order_by(log_leaves.c.kind)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def append(self, record: Record, *, object_id: str, at: datetime) -> int:
        with self._database.write() as connection:
            return log.append(connection, record, object_id=object_id, owner_id=None, at=at)

    # references from before

    def log_earlier(self, *, at: datetime) -> int:
        with self._database.read() as connection:
            before = _size(connection)
            if not log_backlog.is_due(connection):
                return 0
        after: str | None = ""
        while after is not None:
            with self._database.write() as connection:
                after = log_backlog.append_some(connection, after=after, limit=_EARLIER_PER_TRANSACTION, at=at)
        return self.size() - before

    def without_leaf(self, *, limit: int = 100) -> Sequence[str]:
        with self._database.read() as connection:
            return list(connection.execute(log_backlog.unlogged.limit(limit)).scalars())

    # checkpoints

    def checkpoints(self) -> Sequence[StoredCheckpoint]:
        statement = select(log_checkpoints).order_by(log_checkpoints.c.size)
        with self._database.read() as connection:
            return [StoredCheckpoint(**row._mapping) for row in connection.execute(statement)]

    def last_checkpoint(self) -> StoredCheckpoint | None:
        statement = select(log_checkpoints).order_by(log_checkpoints.c.size.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else StoredCheckpoint(**row._mapping)

    def checkpoint(self, size: int) -> StoredCheckpoint:
        statement = select(log_checkpoints).where(log_checkpoints.c.size == size)
        with self._database.read() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            raise NotFound(f"no checkpoint of {size} leaves was signed", hint="Ask for the newest one.")
        return StoredCheckpoint(**row._mapping)

    def add_checkpoint(self, checkpoint: StoredCheckpoint, *, stamped_by: Sequence[StampedBy] = ()) -> None:
        values = {column.name: getattr(checkpoint, column.name) for column in log_checkpoints.columns}
        with self._database.write() as connection:
            connection.execute(insert(log_checkpoints).values(values))
            if checkpoint.size:
                log_tokens.wait(connection, checkpoint.size, stamped_by, at=checkpoint.signed_at)

    # keys

    def log_keys(self) -> Sequence[LogKey]:
        with self._database.read() as connection:
            return _keys(connection)

    def begin(self, key: LogKey) -> LogKey:
        with self._database.write() as connection:
            found = _keys(connection)
            if found:
                return found[-1]
            _add_key(connection, key)
            return key

    def rotate(self, key: Callable[[int], LogKey], record: Record, *, object_id: str) -> LogKey:
        with self._database.write() as connection:
            made = key(_size(connection) + 1)
            present = log_keys.c.retired_at.is_(None)
            connection.execute(update(log_keys).where(present).values(retired_at=made.created_at))
            log.append(connection, record, object_id=object_id, owner_id=None, at=made.created_at)
            _add_key(connection, made)
            return made
