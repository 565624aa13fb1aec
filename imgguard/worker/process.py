"""One worker process: what it is made of, and what ends it.

A pool holds the other ends of its standard input and output. In come the settings, one line of JSON, then a byte for
each time that there is work; its end is the end of the service. Out go ``ready`` and, for each item that has ended, the
id of its job. A worker that is started by hand has its settings from the environment, and ends with SIGTERM.
"""

import importlib
import json
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TextIO

from imgguard.bootstrap import Services
from imgguard.errors import ConfigurationError, ImgguardError, IndexNotReady, IndexUnavailable
from imgguard.registry.ids import new_id
from imgguard.settings import Settings
from imgguard.worker.inputs import Handlers, reader
from imgguard.worker.keeper import Keeper
from imgguard.worker.loop import Chore, Loop

HANDLERS = "imgguard.worker.handlers:make"
READY = "ready"

GRACE_SECONDS = 30.0
"""How long the item in hand may take to its end once the worker is to stop; then it is given back."""

_REQUEUE_SECONDS, _TIDY_SECONDS, _FORGET_SECONDS = 5.0, 60.0, 3600.0
_STATM = Path("/proc/self/statm")

_log = logging.getLogger(__name__)


def settings_from(stream: int) -> Settings:
    """Those that the pool sends as the first line."""
    line = bytearray()
    while (byte := os.read(stream, 1)) not in (b"\n", b""):  # no more than the line: what follows is read elsewhere
        line += byte
    return Settings(**json.loads(line))


def make_handlers(path: str, services: Services) -> Handlers:
    """What ``package.module:function`` makes of the services. Raises ConfigurationError."""
    module, _, name = path.partition(":")
    try:
        make: Callable[[Services], Handlers] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"there are no handlers at {path}: {error}") from error
    return make(services)


def run(settings: Settings, *, handlers: str, name: str | None, lifeline: int | None) -> None:
    """Work until SIGTERM, or the end of ``lifeline``. Raises ImgguardError when the worker cannot begin."""
    signals = _signals()
    report = _private_stdout() if lifeline is not None else None
    with Services(settings, several=True) as services:
        made = make_handlers(handlers, services)
        loop = _loop(services, made, name=name or new_id("wkr"), report=report)
        threading.Thread(target=_control, args=(loop, signals, lifeline), name="imgguard-control", daemon=True).start()
        if report is not None:
            _say(report, READY)
        loop.run()


def _loop(services: Services, handlers: Handlers, *, name: str, report: TextIO | None) -> Loop:
    store, clock = services.job_store, services.clock
    kept = timedelta(days=services.settings.job_retention_days)
    return Loop(
        name,
        store=store,
        clock=clock,
        identity=services.identity,
        read=reader(services),
        handlers=handlers,
        keeper=Keeper(store=store, clock=clock),
        report=(lambda job_id: _say(report, job_id)) if report is not None else (lambda _job_id: None),
        is_spent=lambda: resident_bytes() > services.settings.worker_memory_bytes,
        chores=(
            Chore(seconds=_REQUEUE_SECONDS, do=lambda: store.requeue_abandoned(at=clock.now())),
            Chore(seconds=_TIDY_SECONDS, do=services.tidy),
            Chore(seconds=_TIDY_SECONDS, do=partial(drop_removed, services)),
            Chore(seconds=_FORGET_SECONDS, do=lambda: store.forget(clock.now() - kept, at=clock.now())),
        ),
    )


def drop_removed(services: Services) -> None:
    """What any process erased leaves the files of the index, if this one has loaded it. What fails is logged, and tried
    again the next time. Raises StoreUnavailable."""
    try:
        services.index.drop_removed()
    except (IndexUnavailable, IndexNotReady) as error:
        _log.warning("the index files still hold what was erased: %s", error)


def resident_bytes() -> int:
    """Memory this process holds now; 0 where the system does not say."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _signals() -> int:
    """A descriptor that can be read when SIGTERM has come.

    A Python handler runs between two steps of the main thread, and may not take a lock which that holds.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reading


def _private_stdout() -> TextIO:
    """Standard output for this module alone: what libraries print goes to standard error."""
    own = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return own


def _say(report: TextIO, line: str) -> None:
    try:
        report.write(f"{line}\n")
        report.flush()
    except OSError:  # the service has ended, as the control thread will find out
        _log.debug("nobody listens any more")


def _control(loop: Loop, signals: int, lifeline: int | None) -> None:
    """Wake the loop, and stop it; after a time of grace end the process under it."""
    poll = select.poll()
    for descriptor in (signals, lifeline):
        if descriptor is not None:
            poll.register(descriptor, select.POLLIN)
    while True:
        ready = [descriptor for descriptor, _ in poll.poll()]
        if signals in ready or (lifeline in ready and lifeline is not None and not os.read(lifeline, 4096)):
            break
        loop.wake()
    loop.stop()
    threading.Event().wait(GRACE_SECONDS)
    try:
        loop.abandon()
    except ImgguardError as error:
        _log.warning("the item in hand was not given back: %s", error)
    os._exit(0)
