"""A run over many inputs: parallel, in order, stoppable, with one exit code at the end."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from imgguard.cli.exits import ExitCode, exit_code_of
from imgguard.cli.output import say, wipe_progress
from imgguard.errors import ImgguardError
from imgguard.services.contract import ErrorObject


@contextmanager
def stopping_on_interrupt() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one ends the process at once.

    At once means without waiting for threads, which may be amid a long call into C. The store is made to survive that
    at any moment, and decoder processes end with this one.
    """
    stop, was_asked = threading.Event(), False

    def asked(_number: int, _frame: FrameType | None) -> None:
        nonlocal was_asked
        if was_asked:
            wipe_progress()
            os._exit(ExitCode.INTERRUPTED)
        was_asked = True
        stop.set()
        with suppress(OSError, RuntimeError):  # no reader, or a message was just being written: stopping matters more
            say("", "Stopping after what is in work; press Ctrl-C again to stop at once.")

    before = signal.signal(signal.SIGINT, asked)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


class Tally:
    """What happened so far, and the exit code that follows from it."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._start = time.monotonic()
        self._failed = False
        self._bug: str | None = None
        self._fatal: ImgguardError | None = None
        self._reasons: set[str] = set()
        self.undrawn = 0
        self.is_interrupted = False

    def count(self, name: str, error: ErrorObject | None = None, fatal: ImgguardError | None = None) -> None:
        """One input with this result."""
        self.counts[name] = self.counts.get(name, 0) + 1
        if error is not None:
            self._add_error(error)
        self._fatal = self._fatal or fatal

    def add_undrawn(self, error: ErrorObject) -> bool:
        """A checked input whose pictures could not be drawn; whether this is the first one for that reason."""
        self.undrawn += 1
        self._add_error(error)
        is_new = error.detail not in self._reasons
        self._reasons.add(error.detail)
        return is_new

    def _add_error(self, error: ErrorObject) -> None:
        self._failed = True
        if error.code == ImgguardError.code:
            self._bug = self._bug or error.detail

    @property
    def fatal(self) -> ImgguardError | None:
        """The error that made going on pointless."""
        return self._fatal

    @property
    def bug(self) -> str | None:
        """The first error that nobody foresaw."""
        return self._bug

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def exit_code(self, *, copy_found: bool = False) -> ExitCode:
        if self._bug is not None:
            return ExitCode.BUG
        if self.is_interrupted:
            return ExitCode.INTERRUPTED
        if self._fatal is not None:
            return exit_code_of(self._fatal)
        if self._failed:
            return ExitCode.FAILED
        return ExitCode.COPY_FOUND if copy_found else ExitCode.DONE


def run_all[In, Out](
    work: Callable[[In], Out], inputs: Sequence[In], handle: Callable[[Out], object], *, workers: int, tally: Tally
) -> None:
    """``handle`` the result of each input, in order. Ends early on Ctrl-C, and after an error that is fatal to all."""
    from imgguard.services.bulk import in_order

    with stopping_on_interrupt() as stop:
        for result in in_order(work, inputs, workers=workers, stop=stop):
            handle(result)
            if tally.fatal is not None:
                stop.set()
        tally.is_interrupted = stop.is_set() and tally.fatal is None
