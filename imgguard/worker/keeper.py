"""Keeps the lease of an item alive while it is worked on."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from imgguard.errors import InvalidTransition, StoreUnavailable
from imgguard.ports import ClaimedItem, Clock, JobStore

LEASE = timedelta(seconds=30)
LONGEST = timedelta(minutes=10)
"""After which a worker ends itself: every step has a limit of its own, so this one hangs where nobody foresaw it."""

_RENEWALS_PER_LEASE = 3
_log = logging.getLogger(__name__)


def _end_process() -> None:
    os._exit(1)  # the thread that hangs would hold up every gentler way


class Keeper:
    """``end`` is called when an item takes longer than ``longest``; it does not return."""

    def __init__(
        self,
        *,
        store: JobStore,
        clock: Clock,
        lease: timedelta = LEASE,
        longest: timedelta = LONGEST,
        end: Callable[[], object] = _end_process,
    ) -> None:
        self._store = store
        self._clock = clock
        self.lease = lease
        self._longest = longest.total_seconds()
        self._end = end

    @contextmanager
    def holding(self, item: ClaimedItem) -> Iterator[None]:
        """While inside, the item stays its worker's, as long as the database can be written."""
        is_done = threading.Event()
        thread = threading.Thread(target=self._renew, args=(item, is_done), name="imgguard-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_done.set()
            thread.join()

    def _renew(self, item: ClaimedItem, is_done: threading.Event) -> None:
        pause = self.lease.total_seconds() / _RENEWALS_PER_LEASE
        begun = time.monotonic()
        while not is_done.wait(pause):
            if time.monotonic() - begun > self._longest:
                _log.critical("item %d of %s takes too long: this worker ends", item.position, item.job_id)
                self._end()
                return
            try:
                self._store.renew(item, at=self._clock.now(), lease=self.lease)
            except InvalidTransition:  # its result will be dropped; there is no way to stop it
                _log.warning("item %d of %s was given to another worker", item.position, item.job_id)
                return
            except StoreUnavailable as error:
                _log.warning("the lease of item %d of %s was not renewed: %s", item.position, item.job_id, error)
