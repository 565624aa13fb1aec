"""Product feeds: rows, which are written with those of their jobs, and the FeedStore port."""

from collections.abc import Collection, Sequence
from itertools import batched
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from imgguard.errors import NotFound
from imgguard.feeds.records import Encoding, Form
from imgguard.ports import Feed, Job, NewFeed
from imgguard.registry.accounts import AuditEvent
from imgguard.storage.sql import audit, job_rows, queries
from imgguard.storage.sql.contents import STATEMENT_NUMBERS
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import feeds, jobs


def add(connection: Connection, feed: NewFeed, job: Job) -> None:
    """In the transaction that adds the job."""
    names = ("feed_id", "file", "form", "encoding", "sha256", "url", "product_count", "picture_count")
    of_job = {name: getattr(job, name) for name in ("organisation_id", "member_id", "job_id", "created_at")}
    connection.execute(insert(feeds).values({name: getattr(feed, name) for name in names} | of_job))


def forget(connection: Connection, job_ids: Collection[str]) -> list[str]:
    """Those of the jobs; returns the digests of their bytes."""
    gone = delete(feeds).where(feeds.c.job_id.in_(job_ids)).returning(feeds.c.sha256)
    return list(connection.execute(gone).scalars())


def _records(connection: Connection, rows: Sequence[Row[Any]]) -> list[Feed]:
    found: dict[str, Job] = {}
    for some in batched([row.job_id for row in rows], STATEMENT_NUMBERS):
        chosen = connection.execute(select(jobs).where(jobs.c.job_id.in_(some)))
        found |= {row.job_id: job_rows.job_of(row) for row in chosen}
    return [_record(row, found[row.job_id]) for row in rows]


def _record(row: Row[Any], job: Job) -> Feed:
    values = {name: value for name, value in row._mapping.items() if name != "job_id"}
    return Feed(**{**values, "form": Form(row.form), "encoding": Encoding(row.encoding), "job": job})


class SqlFeeds:
    """See `imgguard.ports.FeedStore` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def feed(self, feed_id: str) -> Feed:
        with self._database.read() as connection:
            rows = connection.execute(select(feeds).where(feeds.c.feed_id == feed_id)).all()
            if not rows:
                raise _not_found(feed_id)
            (found,) = _records(connection, rows)
            return found

    def feeds(
        self, organisation_id: str, *, after: str = "", limit: int = 100, newest_first: bool = False
    ) -> Sequence[Feed]:
        order = feeds.c.feed_id
        statement = select(feeds).where(feeds.c.organisation_id == organisation_id)
        if after:
            statement = statement.where(order < after if newest_first else order > after)
        with self._database.read() as connection:
            chosen = statement.order_by(order.desc() if newest_first else order).limit(limit)
            return _records(connection, connection.execute(chosen).all())

    def delete(self, feed_id: str, *, event: AuditEvent) -> None:
        with self._database.write() as connection:
            gone = delete(feeds).where(feeds.c.feed_id == feed_id).returning(feeds.c.sha256)
            sha256 = connection.execute(gone).scalar_one_or_none()
            if sha256 is None:
                raise _not_found(feed_id)
            queries.queue_deletions(connection, [sha256], at=event.at)
            audit.record(connection, event)


def _not_found(feed_id: str) -> NotFound:
    return NotFound(f"no feed {feed_id}", hint="Look at your feeds; those that ended long ago are forgotten.")
