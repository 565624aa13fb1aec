"""Work off the request path, for people: hand it in, follow it, wait for it, call it off."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from imgguard.errors import InputError, NotFound, PermissionDenied
from imgguard.feeds.records import Encoding, Form
from imgguard.ports import BlobStore, Clock, Item, Job, JobState, JobStore, NewFeed, NewItem, Priority, Room
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, AuditEvent, Scope
from imgguard.registry.ids import new_id
from imgguard.services.audit import event_of

LONGEST_PAGE = 1000

_READ = {"check": Scope.CHECKS_READ, "register": Scope.REFERENCES_READ}
_WRITE = {"check": Scope.CHECKS_WRITE, "register": Scope.REFERENCES_WRITE}
KINDS = frozenset(_WRITE)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1
"""Seconds between two looks at a job that is waited for, unless somebody tells that it has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One picture to work on: its bytes, or the URL they are fetched from. ``file`` is what it is called."""

    file: str
    data: bytes | None = field(default=None, repr=False)
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedInput:
    """The product feed whose pictures a job works on; it is stored with the job."""

    feed_id: str
    file: str
    data: bytes = field(repr=False)
    form: Form
    encoding: Encoding
    url: str | None
    product_count: int


class Jobs:
    """Thread safe. ``room`` and ``interactive_room``: how many pictures of each priority may be unfinished."""

    def __init__(self, *, store: JobStore, blobs: BlobStore, clock: Clock, room: Room, interactive_room: Room) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._room = {Priority.BULK: room, Priority.INTERACTIVE: interactive_room}
        self._listeners: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Callable[[], object]]] = {}

    # handing in

    def submit(
        self,
        actor: Actor,
        kind: str,
        inputs: Sequence[Input],
        *,
        options: Mapping[str, object] | None = None,
        interactive: bool = False,
        feed: FeedInput | None = None,
    ) -> Job:
        """Once this returns, the job survives whatever ends. It runs with the rights that the actor has by then.

        ``options`` is plain JSON: what the worker is told beside the pictures. ``interactive``: somebody waits for
        it, so it comes before all that is not. ``feed``: where the pictures are from, as `imgguard.services.feeds`
        has read it. Raises PermissionDenied without the scope that writes this kind, and for the console, InputError,
        QueueFull.
        """
        actor.require(_scope(_WRITE, kind))
        if actor.member_id is None:
            raise PermissionDenied("a job belongs to a member", hint="Use the commands that work at once.")
        priority = Priority.INTERACTIVE if interactive else Priority.BULK
        room = self._room[priority]
        _check(inputs, most=room.share)
        self._store.require_room(len(inputs), actor.organisation_id, priority=priority, room=room)
        now = self._clock.now()
        job = Job(
            job_id=new_id("job"),
            organisation_id=actor.organisation_id,
            member_id=actor.member_id,
            key_id=actor.key_id,
            kind=kind,
            options=options or {},
            state=JobState.QUEUED,
            item_count=len(inputs),
            done_count=0,
            failed_count=0,
            created_at=now,
            started_at=None,
            finished_at=None,
        )
        detail = {"kind": kind, "items": len(inputs)} | ({} if feed is None else {"feed_id": feed.feed_id})
        event = event_of(actor, Action.JOB_SUBMITTED, job.job_id, at=now, detail=detail)
        return self._submitted(job, inputs, priority=priority, event=event, feed=feed)

    def _submitted(
        self, job: Job, inputs: Sequence[Input], *, priority: Priority, event: AuditEvent, feed: FeedInput | None
    ) -> Job:
        by_digest: dict[str, bytes] = {}
        items = []
        for given in inputs:
            sha256 = None if given.data is None else self._blobs.put(given.data)
            if sha256 is not None and given.data is not None:
                by_digest[sha256] = given.data
            items.append(NewItem(file=given.file, sha256=sha256, url=given.url))
        new_feed = None
        if feed is not None:
            by_digest[sha256 := self._blobs.put(feed.data)] = feed.data
            new_feed = _new_feed(feed, sha256, pictures=len(items))

        def store_blob(sha256: str) -> None:
            """Whole it was a moment ago, so whether it is there is all that has to be asked under the lock."""
            try:
                self._blobs.stored_at(sha256)
            except NotFound:
                self._blobs.put(by_digest[sha256])

        made = self._store.submit(
            job, items, priority=priority, room=self._room[priority], event=event, store_blob=store_blob, feed=new_feed
        )
        for listener in self._listeners:
            listener()
        return made

    def listen(self, listener: Callable[[], object]) -> None:
        """Have ``listener`` called after each submission, so that idle workers need not find out by themselves."""
        self._listeners.append(listener)

    # looking

    def job(self, actor: Actor, job_id: str) -> Job:
        """Raises NotFound, also for another organisation's; PermissionDenied without the scope that reads it."""
        job = self._store.job(job_id)
        if job.organisation_id != actor.organisation_id and not actor.reads_every_finding:
            raise _not_found(job_id)
        actor.require(_scope(_READ, job.kind))
        return job

    def jobs(
        self,
        actor: Actor,
        *,
        organisation_id: str | None = None,
        after: str = "",
        limit: int = 100,
        newest_first: bool = False,
    ) -> Sequence[Job]:
        """Those of the organisation, the own one unless a reviewer of the operator names another, that may be read.

        Raises PermissionDenied for who may read no kind, InputError for a ``limit`` outside of 1 to 1000, NotFound
        for an organisation that is not the actor's to see.
        """
        kinds = [kind for kind, scope in _READ.items() if scope in actor.scopes]
        if not kinds:
            actor.require(Scope.CHECKS_READ)
        _check_page(limit)
        chosen = organisation_id or actor.organisation_id
        if chosen != actor.organisation_id and not actor.reads_every_finding:
            raise NotFound(f"no organisation {chosen}", hint="Leave it out to mean your own.")
        return self._store.jobs(chosen, kinds=kinds, after=after, limit=limit, newest_first=newest_first)

    def items(self, actor: Actor, job_id: str, *, after: int = 0, limit: int = 100) -> Sequence[Item]:
        """In order, those behind the position ``after``. Raises as `job` does, and InputError for the ``limit``."""
        self.job(actor, job_id)
        _check_page(limit)
        return self._store.items(job_id, after=after, limit=limit)

    def unfinished(self) -> dict[str, int]:
        """How many pictures wait or are worked on, by priority: for whoever watches the installation."""
        return {priority.name.lower(): self._store.unfinished(priority) for priority in Priority}

    # waiting

    def wait(self, actor: Actor, job_id: str, *, seconds: float) -> Job:
        """The job when it is over, or as it is after so many seconds. Raises as `job` does."""
        deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
        self.job(actor, job_id)
        changed = threading.Event()
        with self.watching(job_id, changed.set):
            while not (job := self._store.job(job_id)).is_over and (left := deadline - time.monotonic()) > 0:
                changed.wait(min(pause, left))
                changed.clear()
                pause = min(pause * 2, _LONGEST_PAUSE)
            return job

    @contextmanager
    def watching(self, job_id: str, told: Callable[[], object]) -> Iterator[None]:
        """While inside, ``told`` is called when an item of this job has ended: quickly, and from any thread.

        It asks no rights: look with `job`. Of workers outside of the pool nothing is told.
        """
        with self._lock:
            self._waiting.setdefault(job_id, []).append(told)
        try:
            yield
        finally:
            with self._lock:
                self._waiting[job_id].remove(told)
                if not self._waiting[job_id]:
                    del self._waiting[job_id]

    def changed(self, job_id: str) -> None:
        """Wake who waits for this job: called when an item of it has ended. Others find out with their next look."""
        with self._lock:
            for told in self._waiting.get(job_id, ()):
                told()

    # calling off

    def cancel(self, actor: Actor, job_id: str) -> Job:
        """What waits is not done any more, what runs goes on to its end.

        Raises NotFound for another organisation's, PermissionDenied, InvalidTransition when it is done.
        """
        job = self._store.job(job_id)
        if job.organisation_id != actor.organisation_id:
            raise _not_found(job_id)
        actor.require(_scope(_WRITE, job.kind))
        now = self._clock.now()
        cancelled = self._store.cancel(job_id, at=now, event=event_of(actor, Action.JOB_CANCELLED, job_id, at=now))
        self.changed(job_id)
        return cancelled


def _new_feed(feed: FeedInput, sha256: str, *, pictures: int) -> NewFeed:
    return NewFeed(
        feed_id=feed.feed_id,
        file=feed.file,
        form=feed.form,
        encoding=feed.encoding,
        sha256=sha256,
        url=feed.url,
        product_count=feed.product_count,
        picture_count=pictures,
    )


def _not_found(job_id: str) -> NotFound:
    return NotFound(f"no job {job_id}", hint="Look at your jobs; those that ended long ago are forgotten.")


def _scope(scopes: Mapping[str, Scope], kind: str) -> Scope:
    if kind not in scopes:
        raise InputError(f"no kind of job is called {kind!r}", hint=f"Kinds are {', '.join(sorted(scopes))}.")
    return scopes[kind]


def _check(inputs: Sequence[Input], *, most: int) -> None:
    """Raises InputError for a job that can never be accepted."""
    if not inputs:
        raise InputError("a job has at least one picture", hint="Hand in a picture, or the URL of one.")
    if len(inputs) > most:
        raise InputError(f"{len(inputs)} pictures in one job, the limit is {most}", hint="Make several jobs of it.")
    if any((given.data is None) == (given.url is None) for given in inputs):
        raise InputError("a picture is given by its bytes or by a URL", hint="Give exactly one of both.")


def _check_page(limit: int) -> None:
    if not 1 <= limit <= LONGEST_PAGE:
        raise InputError(f"a page has 1 to {LONGEST_PAGE} entries", hint="Ask for fewer, then for the next page.")
