"""Sequences whose numbers become visible in order. Runs inside the caller's transaction."""

from sqlalchemy import Connection, bindparam, update

from imgguard.storage.sql.schema import counters

_NEXT = (
    update(counters)
    .where(counters.c.name == bindparam("counter"))
    .values(value=counters.c.value + 1)
    .returning(counters.c.value)
)


def next_number(connection: Connection, counter: str) -> int:
    """The counter's row stays locked until commit, so a reader never sees a number before a smaller one."""
    return int(connection.execute(_NEXT, {"counter": counter}).scalar_one())
