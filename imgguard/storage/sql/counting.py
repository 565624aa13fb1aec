"""Sequences whose numbers become visible in order. Runs inside the caller's transaction."""

from sqlalchemy import Connection, update

from imgguard.storage.sql.schema import counters


def next_number(connection: Connection, counter: str) -> int:
    """The counter's row stays locked until commit, so a reader never sees a number before a smaller one."""
    chosen = update(counters).where(counters.c.name == counter)
    statement = chosen.values(value=counters.c.value + 1).returning(counters.c.value)
    return int(connection.execute(statement).scalar_one())
