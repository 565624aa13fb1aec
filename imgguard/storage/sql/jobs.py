"""The JobStore port on a database: one method, one transaction."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched

from sqlalchemy import Connection, delete, select

from imgguard.errors import InvalidTransition, QueueFull
from imgguard.ports import ClaimedItem, Item, ItemError, ItemState, Job, JobState, NewFeed, NewItem, Priority, Room
from imgguard.registry.accounts import AuditEvent
from imgguard.storage.sql import audit, feeds, queries
from imgguard.storage.sql import job_rows as rows
from imgguard.storage.sql.contents import STATEMENT_NUMBERS
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import job_items, jobs

_RETRY_SECONDS = {Priority.INTERACTIVE: 2.0, Priority.BULK: 30.0}
"""When it is worth asking again: a picture somebody waits for takes about a second, a bulk job minutes."""

_FORGOTTEN_PER_TRANSACTION = 50


def _full(
    connection: Connection, count: int, organisation_id: str, *, priority: Priority, room: Room
) -> QueueFull | None:
    """Why so many more items are turned down, if they are."""
    present = rows.unfinished(connection, priority)
    if present + count > room.capacity:
        told = f"{present} pictures wait already, and {room.capacity} may"
        return QueueFull(told, retry_after=_RETRY_SECONDS[priority])
    if present + count <= room.share:
        return None
    own = rows.unfinished(connection, priority, organisation_id)
    if own + count > room.share:
        told = f"{own} pictures of your organisation wait already, and {room.share} of one may"
        return QueueFull(told, retry_after=_RETRY_SECONDS[priority])
    return None


class SqlJobs:
    """See `imgguard.ports.JobStore` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # for those who have work

    def require_room(self, count: int, organisation_id: str, *, priority: Priority, room: Room) -> None:
        with self._database.read() as connection:
            full = _full(connection, count, organisation_id, priority=priority, room=room)
        if full is not None:
            raise full

    def submit(
        self,
        job: Job,
        items: Sequence[NewItem],
        *,
        priority: Priority,
        room: Room,
        event: AuditEvent,
        store_blob: Callable[[str], object] | None = None,
        feed: NewFeed | None = None,
    ) -> Job:
        given = [item.sha256 for item in items] + ([] if feed is None else [feed.sha256])
        digests = sorted({sha256 for sha256 in given if sha256 is not None})
        with self._database.write() as connection:
            full = _full(connection, len(items), job.organisation_id, priority=priority, room=room)
            if full is not None:
                queries.queue_deletions(connection, digests, at=event.at)
            else:
                rows.add(connection, job, items, priority=priority)
                if feed is not None:
                    feeds.add(connection, feed, job)
                for sha256 in digests:
                    queries.cancel_deletion(connection, sha256)
                    if store_blob is not None:
                        store_blob(sha256)
                audit.record(connection, event)
                return rows.get(connection, job.job_id)
        raise full  # out here: the deletions above are to stand

    def job(self, job_id: str) -> Job:
        with self._database.read() as connection:
            return rows.get(connection, job_id)

    def jobs(
        self,
        organisation_id: str,
        *,
        kinds: Collection[str],
        after: str = "",
        limit: int = 100,
        newest_first: bool = False,
    ) -> Sequence[Job]:
        order = jobs.c.job_id
        statement = select(jobs).where(jobs.c.organisation_id == organisation_id, jobs.c.kind.in_(sorted(kinds)))
        if after:
            statement = statement.where(order < after if newest_first else order > after)
        with self._database.read() as connection:
            found = connection.execute(statement.order_by(order.desc() if newest_first else order).limit(limit))
            return [rows.job_of(row) for row in found]

    def items(self, job_id: str, *, after: int = 0, limit: int = 100) -> Sequence[Item]:
        behind = select(job_items).where(job_items.c.job_id == job_id, job_items.c.position > after)
        with self._database.read() as connection:
            return [rows.item_of(row) for row in connection.execute(behind.order_by(job_items.c.position).limit(limit))]

    def cancel(self, job_id: str, *, at: datetime, event: AuditEvent) -> Job:
        with self._database.write() as connection:
            before = rows.get(connection, job_id)
            if before.state is JobState.CANCELLED:
                return before
            if before.is_over:
                raise InvalidTransition(f"{job_id} is {before.state} already", hint="Look at its results.")
            audit.record(connection, event)  # before the end of the job, which may come with it
            digests = rows.cancel(connection, job_id, at=at)
            queries.queue_deletions(connection, digests, at=at)
            return rows.get(connection, job_id)

    def unfinished(self, priority: Priority) -> int:
        with self._database.read() as connection:
            return rows.unfinished(connection, priority)

    def forget(self, before: datetime, *, at: datetime) -> int:
        with self._database.read() as connection:
            old = list(connection.execute(select(jobs.c.job_id).where(jobs.c.finished_at < before)).scalars())
        for some in batched(old, min(_FORGOTTEN_PER_TRANSACTION, STATEMENT_NUMBERS)):
            with self._database.write() as connection:
                digests = feeds.forget(connection, some)
                connection.execute(delete(job_items).where(job_items.c.job_id.in_(some)))
                connection.execute(delete(jobs).where(jobs.c.job_id.in_(some)))
                queries.queue_deletions(connection, digests, at=at)
        return len(old)

    # for workers

    def claim(self, worker: str, *, at: datetime, lease: timedelta) -> ClaimedItem | None:
        with self._database.read() as connection:  # those who have nothing to do must not queue for the write lock
            if rows.best_priority(connection) is None:
                return None
        with self._database.write() as connection:
            while (priority := rows.best_priority(connection)) is not None:
                item = rows.claim(connection, priority, worker, at=at, until=at + lease)
                if item is not None:  # otherwise another took it, which SQLite rules out and other databases do not
                    return item
        return None

    def renew(self, item: ClaimedItem, *, at: datetime, lease: timedelta) -> None:
        with self._database.write() as connection:
            rows.change_held(connection, item, {"lease_until": at + lease})

    def finish(self, item: ClaimedItem, result: Mapping[str, object], *, at: datetime) -> None:
        document = json.dumps(dict(result), ensure_ascii=False, allow_nan=False)
        self._end(item, ItemState.DONE, {"result": document, "made_id": rows.made_id(result)}, at=at)

    def fail(self, item: ClaimedItem, error: ItemError, *, at: datetime) -> None:
        self._end(item, ItemState.FAILED, {"error": rows.error_text(error)}, at=at)

    def _end(self, item: ClaimedItem, state: ItemState, values: Mapping[str, object], *, at: datetime) -> None:
        with self._database.write() as connection:
            rows.change_held(connection, item, {**values, **rows.ended(state, at)})
            rows.count(connection, item.job_id, state, at=at)
            if item.sha256 is not None:
                queries.queue_deletions(connection, [item.sha256], at=at)

    def release(self, item: ClaimedItem, *, at: datetime) -> None:
        with self._database.write() as connection:
            held = rows.held(connection, item)
            rows.put_back(connection, held, crashed=False, at=at)

    def requeue_abandoned(self, *, at: datetime) -> int:
        over = job_items.c.state == ItemState.RUNNING, job_items.c.lease_until <= at
        with self._database.read() as connection:
            if connection.execute(select(job_items.c.job_id).where(*over)).first() is None:
                return 0
        with self._database.write() as connection:
            found = connection.execute(select(job_items).where(*over)).all()
            for row in found:
                rows.put_back(connection, row, crashed=True, at=at)
            return len(found)

    def requeue_of(self, worker: str, *, at: datetime, crashed: bool) -> int:
        mine = job_items.c.state == ItemState.RUNNING, job_items.c.worker == worker
        with self._database.write() as connection:
            found = connection.execute(select(job_items).where(*mine)).all()
            for row in found:
                rows.put_back(connection, row, crashed=crashed, at=at)
            return len(found)
