"""What a worker does all day: claim an item, work on it, write down how it ended.

An item ends once, with a result or an error. Nothing here loses one: what cannot be written is tried again, and what a
worker leaves behind when it ends is given to another when its lease is over.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from imgguard.errors import ImgguardError, InvalidTransition, StoreUnavailable
from imgguard.ports import ClaimedItem, Clock, ItemError, JobStore
from imgguard.services.identity import Identity
from imgguard.worker.inputs import Handlers, ItemInput, fetched_object
from imgguard.worker.keeper import Keeper

IDLE_SECONDS = 1.0
"""How often a worker looks for work when nobody wakes it."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_TRIES = 10
"""How often a worker meets StoreUnavailable on an item while the database itself can be written: then it is the item's
bytes that cannot be read, and the others shall not wait for it for ever."""

_log = logging.getLogger(__name__)

type Outcome = Mapping[str, object] | ItemError


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something to be done each ``seconds`` beside the items."""

    seconds: float
    do: Callable[[], object]


class Loop:
    """One worker; `run` belongs to one thread, `stop`, `wake` and `abandon` to any.

    ``report`` is told the job of each item that has ended. ``is_spent`` says, after an item, whether the process
    should make room for a fresh one.
    """

    def __init__(
        self,
        name: str,
        *,
        store: JobStore,
        clock: Clock,
        identity: Identity,
        read: Callable[[ClaimedItem], ItemInput],
        handlers: Handlers,
        keeper: Keeper,
        report: Callable[[str], object] = lambda _job_id: None,
        is_spent: Callable[[], bool] = lambda: False,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._name = name
        self._store = store
        self._clock = clock
        self._identity = identity
        self._read = read
        self._handlers = handlers
        self._keeper = keeper
        self._report = report
        self._is_spent = is_spent
        self._due = dict.fromkeys(chores, 0.0)
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._item: ClaimedItem | None = None

    def run(self) -> None:
        """Until `stop` is called, or the process is spent."""
        while not self._stopping.is_set():
            self._woken.clear()  # before looking: what comes while it looks wakes it at once
            if not self._turn():
                self._woken.wait(IDLE_SECONDS)
            elif self._is_spent():
                _log.info("worker %s has grown too large and ends", self._name)
                return

    def stop(self) -> None:
        """Finish the item in hand, claim no other."""
        self._stopping.set()
        self._woken.set()

    def wake(self) -> None:
        """There is work."""
        self._woken.set()

    def abandon(self) -> None:
        """Give the item in hand back, as if it had not been begun. For a process that ends before it is done.

        Raises StoreUnavailable; then another worker gets it when the lease is over.
        """
        item = self._item
        if item is not None:
            self._release(item)

    # inside

    def _turn(self) -> bool:
        """Whether there was an item."""
        try:
            self._do_chores()
            item = self._store.claim(self._name, at=self._clock.now(), lease=self._keeper.lease)
        except StoreUnavailable as error:
            _log.warning("worker %s found no way to the store: %s", self._name, error)
            return False
        if item is None:
            return False
        self._item = item
        try:
            with self._keeper.holding(item):
                self._work(item)
        except InvalidTransition:  # only of the store, about this item: see `_outcome`
            _log.warning("the outcome of item %d of %s came too late", item.position, item.job_id)
        except StoreUnavailable as error:
            _log.warning("item %d of %s waits for the end of its lease: %s", item.position, item.job_id, error)
        finally:
            self._item = None
        self._report(item.job_id)
        return True

    def _do_chores(self) -> None:
        now = time.monotonic()
        for chore, due in self._due.items():
            if now >= due:
                chore.do()
                self._due[chore] = now + chore.seconds

    def _work(self, item: ClaimedItem) -> None:
        """Raises InvalidTransition when the item is not in the hands of this worker any more."""
        begun = time.monotonic()
        outcome = None if self._stopping.is_set() else self._outcome(item)
        if outcome is None:
            self._release(item)
            return
        self._write(item, outcome)
        how = outcome.code if isinstance(outcome, ItemError) else "done"
        took = time.monotonic() - begun
        _log.debug("item %d of %s, %s: %s after %.3f s", item.position, item.job_id, item.kind, how, took)

    def _outcome(self, item: ClaimedItem) -> Outcome | None:
        """None when the worker is to stop before there is one."""
        failures, pause = 0, _FIRST_PAUSE
        while True:
            try:
                return self._result(item)
            except StoreUnavailable as error:
                failures += self._can_write(item)
                if failures >= _TRIES:
                    return ItemError(code=error.code, detail=error.detail)
                _log.warning("item %d of %s waits for the store: %s", item.position, item.job_id, error)
            except ImgguardError as error:
                return ItemError(code=error.code, detail=error.detail)
            except Exception as error:
                _log.exception("unexpected error at item %d of %s", item.position, item.job_id)
                # What an unforeseen error says may name files of the machine, or other people's data.
                return ItemError(code=ImgguardError.code, detail=f"unexpected error: {type(error).__name__}")
            if self._stopping.wait(pause):
                return None
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _result(self, item: ClaimedItem) -> Mapping[str, object]:
        actor = self._identity.acting(item.member_id, item.key_id)
        given = self._read(item)
        result = dict(self._handlers[item.kind](actor, given, item.options))
        if given.fetched is not None:
            result["fetched"] = fetched_object(given.fetched)
        json.dumps(result, allow_nan=False)  # what is no JSON is this handler's mistake, and told as such
        return result

    def _can_write(self, item: ClaimedItem) -> bool:
        """Whether the database can be written. Raises InvalidTransition as `_work` does."""
        try:
            self._store.renew(item, at=self._clock.now(), lease=self._keeper.lease)
        except StoreUnavailable:
            return False
        return True

    def _write(self, item: ClaimedItem, outcome: Outcome) -> None:
        """However long it takes: the work is done, and doing it again would cost more than waiting."""
        pause = _FIRST_PAUSE
        while True:
            try:
                if isinstance(outcome, ItemError):
                    self._store.fail(item, outcome, at=self._clock.now())
                else:
                    self._store.finish(item, outcome, at=self._clock.now())
            except StoreUnavailable as error:
                _log.warning("the outcome of item %d of %s waits: %s", item.position, item.job_id, error)
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return

    def _release(self, item: ClaimedItem) -> None:
        self._store.release(item, at=self._clock.now())
