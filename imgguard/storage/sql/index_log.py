"""Index generations, and the log of what an index has to follow. Runs inside the caller's transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from imgguard.errors import NotFound
from imgguard.ports import Generation, IndexChange
from imgguard.registry.ids import new_id
from imgguard.storage.sql.schema import counters, generations, index_changes

_COUNTER = "index_changes"


def _generation(row: Row[Any]) -> Generation:
    return Generation(**row._mapping)


def active_generation(connection: Connection) -> Generation | None:
    row = connection.execute(select(generations).where(generations.c.status == "active")).one_or_none()
    return None if row is None else _generation(row)


def generation(connection: Connection, generation_id: str) -> Generation:
    row = connection.execute(select(generations).where(generations.c.generation_id == generation_id)).one_or_none()
    if row is None:
        raise NotFound(f"no index generation {generation_id}")
    return _generation(row)


def begin(connection: Connection, weights_sha256: str, at: datetime) -> Generation:
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
    connection.execute(update(generations).where(generations.c.status == "active").values(status="retired"))
    chosen = generations.c.generation_id == generation_id
    connection.execute(update(generations).where(chosen).values(status="active", activated_at=at))
    return generation(connection, generation_id)


def record(connection: Connection, number: int, *, present: bool) -> None:
    """Append a change. The counter's row stays locked until commit, so sequences become visible in order."""
    sequence = connection.execute(
        update(counters)
        .where(counters.c.name == _COUNTER)
        .values(value=counters.c.value + 1)
        .returning(counters.c.value)
    ).scalar_one()
    connection.execute(delete(index_changes).where(index_changes.c.number == number))
    connection.execute(insert(index_changes).values(number=number, sequence=sequence, present=int(present)))


def last_sequence(connection: Connection) -> int:
    return int(connection.execute(select(counters.c.value).where(counters.c.name == _COUNTER)).scalar_one())


def changes(connection: Connection, after: int, *, limit: int) -> list[IndexChange]:
    statement = (
        select(index_changes).where(index_changes.c.sequence > after).order_by(index_changes.c.sequence).limit(limit)
    )
    return [
        IndexChange(sequence=row.sequence, number=row.number, present=bool(row.present))
        for row in connection.execute(statement)
    ]
