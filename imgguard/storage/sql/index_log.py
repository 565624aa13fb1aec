"""Index generations, and the log of what an index has to follow. Runs inside the caller's transaction."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from imgguard.errors import NotFound
from imgguard.ports import Generation, IndexChange, IndexState
from imgguard.registry.ids import new_id
from imgguard.storage.sql.counting import next_number
from imgguard.storage.sql.schema import counters, generations, index_changes, index_history

_COUNTER = "index_changes"
_TOKEN_BYTES = 16


def _generation(row: Row[Any]) -> Generation:
    return Generation(**row._mapping)


def active_generation(connection: Connection) -> Generation | None:
    """The one that checks search; None in a new store."""
    row = connection.execute(select(generations).where(generations.c.status == "active")).one_or_none()
    return None if row is None else _generation(row)


def generation(connection: Connection, generation_id: str) -> Generation:
    """Raises NotFound."""
    row = connection.execute(select(generations).where(generations.c.generation_id == generation_id)).one_or_none()
    if row is None:
        raise NotFound(f"no index generation {generation_id}")
    return _generation(row)


def begin(connection: Connection, weights_sha256: str, at: datetime) -> Generation:
    """A new one in status ``building``, or the unfinished one with the same weights."""
    unfinished = connection.execute(
        select(generations)
        .where(generations.c.status == "building", generations.c.weights_sha256 == weights_sha256)
        .order_by(generations.c.generation_id.desc())
    ).first()
    if unfinished is not None:
        return _generation(unfinished)
    begun = Generation(
        generation_id=new_id("gen"), weights_sha256=weights_sha256, status="building", created_at=at, activated_at=None
    )
    values = {column.name: getattr(begun, column.name) for column in generations.columns}
    connection.execute(insert(generations).values(values))
    return begun


def activate(connection: Connection, generation_id: str, at: datetime) -> Generation:
    """Make it the active one; the one that was is retired. Raises NotFound."""
    connection.execute(update(generations).where(generations.c.status == "active").values(status="retired"))
    chosen = generations.c.generation_id == generation_id
    connection.execute(update(generations).where(chosen).values(status="active", activated_at=at))
    return generation(connection, generation_id)


def record(connection: Connection, number: int, *, present: bool) -> None:
    """Append a change, in place of an earlier one of the same number."""
    sequence = next_number(connection, _COUNTER)
    connection.execute(insert(index_history).values(sequence=sequence, token=secrets.token_hex(_TOKEN_BYTES)))
    connection.execute(delete(index_changes).where(index_changes.c.number == number))
    connection.execute(insert(index_changes).values(number=number, sequence=sequence, present=int(present)))


def state(connection: Connection) -> IndexState:
    """What an index has to hold to be current."""
    sequence = int(connection.execute(select(counters.c.value).where(counters.c.name == _COUNTER)).scalar_one())
    return IndexState(
        generation=active_generation(connection), sequence=sequence, token=token(connection, sequence) or ""
    )


def token(connection: Connection, sequence: int) -> str | None:
    """The token of the change ``sequence``; None when there was no such change in the history of this database."""
    return connection.execute(
        select(index_history.c.token).where(index_history.c.sequence == sequence)
    ).scalar_one_or_none()


def changes(connection: Connection, after: int, *, limit: int) -> list[IndexChange]:
    """The latest change of each number, in order of sequence, those behind ``after``."""
    statement = (
        select(index_changes).where(index_changes.c.sequence > after).order_by(index_changes.c.sequence).limit(limit)
    )
    return [
        IndexChange(sequence=row.sequence, number=row.number, present=bool(row.present))
        for row in connection.execute(statement)
    ]
