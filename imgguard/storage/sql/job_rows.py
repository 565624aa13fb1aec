"""Rows of jobs and their items. Each function runs inside the caller's transaction."""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from imgguard.errors import InvalidTransition, NotFound
from imgguard.ports import (
    ATTEMPTS,
    WORKER_CRASHED,
    ClaimedItem,
    Item,
    ItemError,
    ItemState,
    Job,
    JobState,
    NewItem,
    Priority,
)
from imgguard.registry.accounts import Action, AuditEvent
from imgguard.registry.ids import new_id
from imgguard.storage.sql import audit, queries
from imgguard.storage.sql.schema import feeds, job_items, jobs

_UNFINISHED = (ItemState.QUEUED, ItemState.RUNNING)


def job_of(row: Row[Any]) -> Job:
    return Job(**{**row._mapping, "options": json.loads(row.options), "state": JobState(row.state)})


def item_of(row: Row[Any]) -> Item:
    return Item(
        job_id=row.job_id,
        position=row.position,
        state=ItemState(row.state),
        file=row.file,
        sha256=row.sha256,
        url=row.url,
        attempts=row.attempts,
        result=None if row.result is None else json.loads(row.result),
        error=None if row.error is None else ItemError(**json.loads(row.error)),
        finished_at=row.finished_at,
    )


def error_text(error: ItemError) -> str:
    return json.dumps(asdict(error), ensure_ascii=False)


def get(connection: Connection, job_id: str) -> Job:
    """Raises NotFound."""
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).one_or_none()
    if row is None:
        raise NotFound(f"no job {job_id}", hint="Look at your jobs; those that ended long ago are forgotten.")
    return job_of(row)


def add(connection: Connection, job: Job, items: Sequence[NewItem], *, priority: int) -> None:
    values = {column.name: getattr(job, column.name) for column in jobs.columns}
    options = json.dumps(dict(job.options), ensure_ascii=False, allow_nan=False)
    connection.execute(insert(jobs).values({**values, "options": options, "item_count": len(items)}))
    connection.execute(
        insert(job_items),
        [
            {
                **{name: getattr(item, name) for name in ("file", "sha256", "url")},
                "job_id": job.job_id,
                "position": position,
                "priority": int(priority),
                "state": ItemState.QUEUED,
                "attempts": 0,
            }
            for position, item in enumerate(items, 1)
        ],
    )


def unfinished(connection: Connection, priority: int, organisation_id: str | None = None) -> int:
    """Items of all organisations, or of one."""
    chosen = select(func.count()).where(job_items.c.state.in_(_UNFINISHED), job_items.c.priority == int(priority))
    if organisation_id is not None:
        chosen = chosen.join_from(job_items, jobs).where(jobs.c.organisation_id == organisation_id)
    return connection.execute(chosen).scalar_one()


# claiming


def best_priority(connection: Connection) -> int | None:
    """Of the items that wait; None when none does."""
    best = select(func.min(job_items.c.priority)).where(job_items.c.state == ItemState.QUEUED)
    found: int | None = connection.execute(best).scalar_one()
    return found


def claim(connection: Connection, priority: int, worker: str, *, at: datetime, until: datetime) -> ClaimedItem | None:
    """The item whose turn it is; None when it was taken meanwhile."""
    waiting = job_items.c.state == ItemState.QUEUED, job_items.c.priority == priority
    oldest = select(jobs.c.organisation_id, func.min(jobs.c.job_id).label("job_id")).group_by(jobs.c.organisation_id)
    with_work = oldest.where(jobs.c.job_id.in_(select(job_items.c.job_id).where(*waiting).distinct()))
    job_id = _in_turn(connection, {row.organisation_id: row.job_id for row in connection.execute(with_work)})
    first = select(func.min(job_items.c.position)).where(*waiting, job_items.c.job_id == job_id)
    position = connection.execute(first).scalar_one()
    mine = job_items.c.job_id == job_id, job_items.c.position == position
    taking = update(job_items).where(*mine, job_items.c.state == ItemState.QUEUED)
    taken = connection.execute(
        taking.values(
            state=ItemState.RUNNING, worker=worker, lease_until=until, attempts=job_items.c.attempts + 1
        ).returning(job_items)
    ).one_or_none()
    if taken is None:
        return None
    begun = update(jobs).where(jobs.c.job_id == job_id, jobs.c.state == JobState.QUEUED)
    connection.execute(begun.values(state=JobState.RUNNING, started_at=at))
    return _claimed(taken, get(connection, job_id))


def _in_turn(connection: Connection, job_of_organisation: Mapping[str, str]) -> str:
    """The job of the organisation that has the fewest items running; by lot among several.

    No order is kept: a lot gives each the same share in the long run, whatever workers come and go, and nobody can
    push in front by sending more jobs, or jobs that crash.
    """
    busy = select(jobs.c.organisation_id, func.count().label("running")).group_by(jobs.c.organisation_id)
    busy = busy.join(job_items, job_items.c.job_id == jobs.c.job_id).where(job_items.c.state == ItemState.RUNNING)
    running = {row.organisation_id: row.running for row in connection.execute(busy)}
    fewest = min(running.get(organisation_id, 0) for organisation_id in job_of_organisation)
    chosen = [one for one in sorted(job_of_organisation) if running.get(one, 0) == fewest]
    return job_of_organisation[secrets.choice(chosen)]


def _claimed(item: Row[Any], job: Job) -> ClaimedItem:
    return ClaimedItem(
        job_id=item.job_id,
        position=item.position,
        worker=item.worker,
        kind=job.kind,
        options=job.options,
        organisation_id=job.organisation_id,
        member_id=job.member_id,
        key_id=job.key_id,
        file=item.file,
        sha256=item.sha256,
        url=item.url,
        attempts=item.attempts,
    )


# what is held, and how it ends


def _hold(item: ClaimedItem) -> tuple[Any, ...]:
    return (
        job_items.c.job_id == item.job_id,
        job_items.c.position == item.position,
        job_items.c.state == ItemState.RUNNING,
        job_items.c.worker == item.worker,
    )


def _lost(item: ClaimedItem) -> InvalidTransition:
    return InvalidTransition(f"item {item.position} of {item.job_id} is not in the hands of {item.worker} any more")


def held(connection: Connection, item: ClaimedItem) -> Row[Any]:
    """Its row. Raises InvalidTransition when its worker does not hold it."""
    row = connection.execute(select(job_items).where(*_hold(item))).one_or_none()
    if row is None:
        raise _lost(item)
    return row


def change_held(connection: Connection, item: ClaimedItem, values: Mapping[str, object]) -> None:
    """Raises InvalidTransition when its worker does not hold it."""
    if connection.execute(update(job_items).where(*_hold(item)).values(dict(values))).rowcount == 0:
        raise _lost(item)


def ended(state: ItemState, at: datetime) -> dict[str, object]:
    """Values of an item that has come to its end."""
    return {"state": state, "worker": None, "lease_until": None, "finished_at": at}


def count(connection: Connection, job_id: str, state: ItemState, *, at: datetime) -> None:
    """An item of the job has come to its end in ``state``; so has the job, if it was the last."""
    counts = {ItemState.DONE: jobs.c.done_count, ItemState.FAILED: jobs.c.failed_count}
    mine = update(jobs).where(jobs.c.job_id == job_id)
    if state in counts:
        connection.execute(mine.values({counts[state]: counts[state] + 1}))
    priority = connection.execute(
        select(job_items.c.priority).where(job_items.c.job_id == job_id).limit(1)
    ).scalar_one()
    # By each state and priority, which is where the index leads: a bulk job would be read through at each end.
    left = select(job_items.c.position).where(
        job_items.c.state.in_(_UNFINISHED), job_items.c.priority == priority, job_items.c.job_id == job_id
    )
    if connection.execute(left.limit(1)).first() is None:
        connection.execute(mine.values(finished_at=at))
        _forget_claims(connection, job_id)
        connection.execute(mine.where(jobs.c.state != JobState.CANCELLED).values(state=JobState.DONE))
        if priority == Priority.BULK:  # of what somebody waited for, nobody needs to be told
            audit.record(connection, _finished(get(connection, job_id), at=at))


def _forget_claims(connection: Connection, job_id: str) -> None:
    """What was stated is with the references by now, and goes with them."""
    chosen = jobs.c.job_id == job_id
    options = json.loads(connection.execute(select(jobs.c.options).where(chosen)).scalar_one())
    if options.pop("claims", None) is not None:
        text = json.dumps(options, ensure_ascii=False)
        connection.execute(update(jobs).where(chosen).values(options=text))


def _finished(job: Job, *, at: datetime) -> AuditEvent:
    return AuditEvent(
        event_id=new_id("evt"),
        at=at,
        actor=job.member_id,
        key_id=job.key_id,
        organisation_id=job.organisation_id,
        action=Action.JOB_FINISHED,
        object_id=job.job_id,
        parties=frozenset({job.organisation_id}),
        detail={
            "kind": job.kind,
            "state": job.state.value,
            "items": job.item_count,
            "done": job.done_count,
            "failed": job.failed_count,
        },
    )


def made_id(result: Mapping[str, object]) -> str | None:
    """The finding or the reference that an item led to."""
    found = result.get("finding_id") or result.get("reference_id")
    return found if isinstance(found, str) else None


def forget_names(connection: Connection, made_ids: Collection[str]) -> None:
    """What was erased is named by its id alone: no file, no address, nothing that it resembled.

    The addresses of a feed's pictures stay, as the feed itself does.
    """
    chosen = job_items.c.made_id.in_(made_ids)
    of_feed = job_items.c.job_id.in_(select(feeds.c.job_id))
    for row in connection.execute(select(job_items).where(chosen)).all():
        mine = job_items.c.job_id == row.job_id, job_items.c.position == row.position
        result = json.loads(row.result)
        result.pop("fetched", None)
        if "similar" in result:
            result["similar"] = []
        changed = {"file": "", "result": json.dumps(result, ensure_ascii=False)}
        connection.execute(update(job_items).where(*mine).values(changed))
    connection.execute(update(job_items).where(chosen, ~of_feed).values(url=None))


def put_back(connection: Connection, row: Row[Any], *, crashed: bool, at: datetime) -> None:
    """A running item that nobody works on: it waits again, or has ended."""
    if get(connection, row.job_id).state is JobState.CANCELLED:
        values, state = ended(ItemState.CANCELLED, at), ItemState.CANCELLED
    elif crashed and row.attempts >= ATTEMPTS:
        error = ItemError(code=WORKER_CRASHED, detail=f"the worker ended unexpectedly, {row.attempts} times")
        values, state = ended(ItemState.FAILED, at) | {"error": error_text(error)}, ItemState.FAILED
    else:
        attempts = row.attempts if crashed else row.attempts - 1
        values, state = {"state": ItemState.QUEUED, "worker": None, "lease_until": None, "attempts": attempts}, None
    mine = job_items.c.job_id == row.job_id, job_items.c.position == row.position
    connection.execute(update(job_items).where(*mine).values(values))
    if state is not None:
        count(connection, row.job_id, state, at=at)
        if row.sha256 is not None:
            queries.queue_deletions(connection, [row.sha256], at=at)


def cancel(connection: Connection, job_id: str, *, at: datetime) -> list[str]:
    """The digests of the items that waited, and are cancelled now."""
    waiting = job_items.c.job_id == job_id, job_items.c.state == ItemState.QUEUED
    digests = connection.execute(select(job_items.c.sha256).where(*waiting, job_items.c.sha256.is_not(None)).distinct())
    found = list(digests.scalars())
    connection.execute(update(job_items).where(*waiting).values(ended(ItemState.CANCELLED, at)))
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(state=JobState.CANCELLED))
    count(connection, job_id, ItemState.CANCELLED, at=at)
    return found
