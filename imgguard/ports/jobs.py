"""The queue of work that is done off the request path, in a database, so that it survives whoever works on it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Protocol

from imgguard.registry.accounts import AuditEvent

if TYPE_CHECKING:
    from imgguard.ports.feeds import NewFeed

ATTEMPTS = 2
"""How often an item is begun at most: a picture that ended a worker once may have met a worker that was ended by
something else, one that did so twice is to blame."""

WORKER_CRASHED = "worker_crashed"
"""The code of an item's error when each of its attempts ended with the end of the worker."""


class Priority(IntEnum):
    """Smaller comes first. All items of a job have the same."""

    INTERACTIVE = 0  # somebody waits for the answer
    BULK = 10


class JobState(StrEnum):
    """``cancelled`` jobs may have items that were begun before and still run: see `Job.is_over`."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work on ``item_count`` pictures, with the rights of ``member_id`` (by ``key_id``, if by a key).

    ``done_count`` and ``failed_count`` are of items; ``options`` is plain JSON that the ``kind`` understands.
    """

    job_id: str
    organisation_id: str
    member_id: str
    key_id: str | None
    kind: str
    options: Mapping[str, object]
    state: JobState
    item_count: int
    done_count: int
    failed_count: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether no item is waiting or being worked on any more."""
        return self.finished_at is not None


@dataclass(frozen=True, slots=True)
class Room:
    """How many items of a priority may be unfinished: all together, and of one organisation."""

    capacity: int
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """One picture: either the bytes with that digest in the blob store, or what ``url`` delivers."""

    file: str
    sha256: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemError:
    """Why an item has no result: ``code`` is one of docs/errors.md, or `WORKER_CRASHED`."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """``position`` counts from 1. ``result`` is set when it is done, ``error`` when it has failed."""

    job_id: str
    position: int
    state: ItemState
    file: str
    sha256: str | None
    url: str | None
    attempts: int
    result: Mapping[str, object] | None
    error: ItemError | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedItem:
    """An item in the hands of ``worker``, and what it needs to know of the job."""

    job_id: str
    position: int
    worker: str
    kind: str
    options: Mapping[str, object]
    organisation_id: str
    member_id: str
    key_id: str | None
    file: str
    sha256: str | None
    url: str | None
    attempts: int


class JobStore(Protocol):
    """Jobs and their items. Each method is one transaction, in which ``event`` is written too. Thread safe.

    Every method raises StoreUnavailable when the database cannot be used. ``at`` is aware UTC. The counts and the
    state of a job change with its items; with the end of a bulk job the trail says `job.finished`. The bytes of an item
    are needed until it has ended; with its end they are queued for deletion, unless something else needs them.
    """

    # for those who have work
    def require_room(self, count: int, organisation_id: str, *, priority: Priority, room: Room) -> None:
        """Raises QueueFull when so many more items would be turned down now: before their bytes are stored."""
        ...

    def submit(
        self,
        job: Job,
        items: Sequence[NewItem],
        *,
        priority: Priority,
        room: Room,
        event: AuditEvent,
        store_blob: Callable[[str], object] | None = None,
        feed: "NewFeed | None" = None,
    ) -> Job:
        """Queue the job, whole or not at all, with the ``feed`` whose pictures its items are.

        Raises QueueFull when more items of this priority would be unfinished than ``room`` allows. ``store_blob`` is
        called with each digest inside the transaction, and puts the bytes again if they are gone: put them first,
        outside of it. The bytes of a job that did not fit are queued for deletion, those of its feed too.
        """
        ...

    def job(self, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    def jobs(
        self,
        organisation_id: str,
        *,
        kinds: Collection[str],
        after: str = "",
        limit: int = 100,
        newest_first: bool = False,
    ) -> Sequence[Job]:
        """Those of the organisation and these kinds, in the order of ``job_id`` or the reverse, behind ``after``."""
        ...

    def items(self, job_id: str, *, after: int = 0, limit: int = 100) -> Sequence[Item]:
        """In order of ``position``, those behind ``after``."""
        ...

    def cancel(self, job_id: str, *, at: datetime, event: AuditEvent) -> Job:
        """Items that wait become cancelled, those that run go on. Raises NotFound, InvalidTransition when it is done.

        One that is cancelled stays as it is, and no event is written.
        """
        ...

    def unfinished(self, priority: Priority) -> int:
        """How many items of this priority wait or run."""
        ...

    def forget(self, before: datetime, *, at: datetime) -> int:
        """Delete the jobs that were over before then, with their items and feeds; returns how many. The bytes of feeds
        are queued for deletion."""
        ...

    # for workers
    def claim(self, worker: str, *, at: datetime, lease: timedelta) -> ClaimedItem | None:
        """The next item, which nobody else is given until ``lease`` is over; None when nothing waits.

        Of the best priority; of the organisation that has the fewest items running, by lot among several; of its
        oldest job. ``worker`` names one process, and no later one.
        """
        ...

    def renew(self, item: ClaimedItem, *, at: datetime, lease: timedelta) -> None:
        """Raises InvalidTransition when ``item`` is not in its worker's hands any more; so do the next three."""
        ...

    def finish(self, item: ClaimedItem, result: Mapping[str, object], *, at: datetime) -> None: ...
    def fail(self, item: ClaimedItem, error: ItemError, *, at: datetime) -> None: ...
    def release(self, item: ClaimedItem, *, at: datetime) -> None:
        """Back to the queue as if it had not been begun; to `cancelled` when its job was cancelled meanwhile."""
        ...

    def requeue_abandoned(self, *, at: datetime) -> int:
        """Items whose lease is over wait again, or have failed after `ATTEMPTS`; returns how many there were."""
        ...

    def requeue_of(self, worker: str, *, at: datetime, crashed: bool) -> int:
        """The same for items of a worker that is known to have ended; unless it ``crashed``, as `release` does."""
        ...
