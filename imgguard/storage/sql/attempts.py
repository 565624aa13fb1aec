"""Counts of failed attempts to sign in. Each function runs inside the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from imgguard.registry.throttling import Limit
from imgguard.storage.sql.schema import attempts


def admit(connection: Connection, subjects: Mapping[str, Limit], *, at: datetime) -> datetime | None:
    """See `imgguard.ports.Credentials.admit`."""
    forget(connection, now=at)
    found = select(attempts.c.blocked_until).where(attempts.c.subject.in_(list(subjects)))
    until = max(connection.execute(found).scalars(), default=at)
    if until > at:
        return until
    for subject, limit in subjects.items():
        _count(connection, subject, limit, at)
    return None


def _count(connection: Connection, subject: str, limit: Limit, at: datetime) -> None:
    number = failures(connection, subject) + 1
    values = {"failures": number, "blocked_until": at + limit.wait(number), "forgotten_at": at + limit.memory}
    mine = attempts.c.subject == subject
    if connection.execute(update(attempts).where(mine).values(values)).rowcount == 0:
        connection.execute(insert(attempts).values(subject=subject, **values))


def failures(connection: Connection, subject: str) -> int:
    """How many are counted, those that are still being decided included."""
    found = connection.execute(select(attempts.c.failures).where(attempts.c.subject == subject))
    return int(found.scalar_one_or_none() or 0)


def forgive(connection: Connection, subjects: Mapping[str, bool]) -> None:
    """See `imgguard.ports.Credentials.open_session`."""
    for subject, entirely in subjects.items():
        mine = attempts.c.subject == subject
        if entirely:
            connection.execute(delete(attempts).where(mine))
        else:
            connection.execute(
                update(attempts).where(mine, attempts.c.failures > 0).values(failures=attempts.c.failures - 1)
            )


def forget(connection: Connection, *, now: datetime) -> None:
    """Drop the counts whose time is over."""
    over = attempts.c.forgotten_at <= now
    if connection.execute(select(func.count()).select_from(attempts).where(over)).scalar_one():
        connection.execute(delete(attempts).where(over))
