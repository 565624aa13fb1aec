"""Several workers, kept alive: started, woken, replaced when they end, stopped."""

import logging
import threading
import time

from imgguard.bootstrap import Services
from imgguard.errors import StoreUnavailable
from imgguard.registry.ids import new_id
from imgguard.worker.child import Child
from imgguard.worker.process import HANDLERS, READY

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
"""Seconds between the end of a worker that ended no item and the start of the next, doubled each time."""

_log = logging.getLogger(__name__)


class Pool:
    """``workers`` processes, as many as the settings say by default. Thread safe; may be used as a context manager.

    It is woken by what is handed in with ``services.jobs``, and tells those who wait there. ``services`` must outlive
    it: it opens no database of its own, since a process must not open an SQLite file twice (closing one of the two
    descriptors lets go of the locks of both). ``handlers`` is for tests.
    """

    def __init__(
        self,
        services: Services,
        workers: int | None = None,
        *,
        handlers: str = HANDLERS,
    ) -> None:
        self._settings = services.settings
        self._handlers = handlers
        self._store, self._clock, self._jobs = services.job_store, services.clock, services.jobs
        self._jobs.listen(self.wake)
        self._condition = threading.Condition()
        self._children: dict[int, Child] = {}
        self._ready: set[int] = set()
        self._is_stopping = False
        self._threads = [
            threading.Thread(target=self._keep, args=(slot,), name=f"imgguard-worker-{slot}", daemon=True)
            for slot in range(workers or services.settings.worker_count)
        ]
        self.restarts = 0
        """How many workers ended without being asked to, and were replaced."""

    def __enter__(self) -> "Pool":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(seconds=5.0)

    @property
    def workers(self) -> int:
        """How many there should be."""
        return len(self._threads)

    def start(self) -> None:
        """Returns at once; `wait_ready` waits. Raises StoreUnavailable."""
        self._store.requeue_abandoned(at=self._clock.now())
        for thread in self._threads:
            thread.start()

    def alive(self) -> int:
        """How many are ready for work, or at it."""
        with self._condition:
            return len(self._ready)

    def wait_ready(self, seconds: float) -> bool:
        """Whether all are ready within that time."""
        with self._condition:
            return self._condition.wait_for(lambda: len(self._ready) == self.workers, timeout=seconds)

    def wake(self) -> None:
        """There is work. Workers find out by themselves within a second."""
        with self._condition:
            children = list(self._children.values())
        for child in children:
            child.wake()

    def stop(self, seconds: float) -> None:
        """Let workers finish what they have in hand for so long, then kill them and give it back. Once is enough."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()
            children = list(self._children.values())
        for child in children:
            child.terminate()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        with self._condition:
            children = list(self._children.values())
        for child in children:
            child.kill()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    # inside, one thread for each worker

    def _keep(self, slot: int) -> None:
        pause = _FIRST_PAUSE
        while (child := self._started(slot)) is not None:
            ended_items = self._follow(slot, child)
            code = child.wait()
            with self._condition:
                del self._children[slot]
                self._ready.discard(slot)
                is_asked_to = self._is_stopping
                self.restarts += not is_asked_to and code != 0
            self._give_back(child.name, crashed=not is_asked_to and code != 0)
            if is_asked_to:
                return
            if code != 0:
                _log.warning("worker %s ended with %s, another one follows", child.name, child.how_it_ended())
            pause = _FIRST_PAUSE if ended_items else min(pause * 2, _LONGEST_PAUSE)
            if code != 0:
                with self._condition:
                    self._condition.wait_for(lambda: self._is_stopping, timeout=pause)

    def _started(self, slot: int) -> Child | None:
        """None when there is to be no other, or none can be started for now."""
        while True:
            with self._condition:  # so that `stop` sees every child there is
                if self._is_stopping:
                    return None
                try:
                    child = Child(new_id("wkr"), self._settings, handlers=self._handlers)
                except OSError as error:
                    _log.error("no worker can be started: %s", error)
                    self._condition.wait_for(lambda: self._is_stopping, timeout=_LONGEST_PAUSE)
                    continue
                self._children[slot] = child
                return child

    def _follow(self, slot: int, child: Child) -> int:
        """Listen to the worker until it ends; how many items it has ended by then."""
        ended = 0
        for line in child.lines():
            if line == READY:
                with self._condition:
                    self._ready.add(slot)
                    self._condition.notify_all()
            else:
                ended += 1
                self._jobs.changed(line)
        return ended

    def _give_back(self, worker: str, *, crashed: bool) -> None:
        """What it had in hand waits again: at once, not when its lease is over."""
        try:
            if self._store.requeue_of(worker, at=self._clock.now(), crashed=crashed):
                self.wake()
        except StoreUnavailable as error:
            _log.warning("what worker %s had in hand waits for its lease: %s", worker, error)
