"""Compare pictures in a process of their own: what they do to it, and what it keeps, is not the service's."""

import logging
import threading
import time
from types import TracebackType
from typing import NoReturn, Self

from imgguard.errors import DependencyError, ImageTooLarge, ImgguardError, Overloaded, WorkerCrashed
from imgguard.services.comparison import Compared
from imgguard.settings import Settings
from imgguard.worker import comparer_wire as wire
from imgguard.worker.asked_child import Child, ChildDied, ChildLate, RequestLost
from imgguard.worker.frames import BadFrame

IDLE_SECONDS = 60.0
"""How long the process stays without a comparison: a start costs seconds, staying costs 350 MB."""

COMPARE_SECONDS = 60.0
"""How long a comparison may take besides its decodings, which have a limit of their own. Under load honest
ones took 2.6 s, 3.9 at most."""

_MODULE = "imgguard.worker.comparer_process"

_TRIES = 2
"""Processes that are started for one request: one may end between two comparisons, and no picture is to blame."""

_log = logging.getLogger(__name__)


class ComparerProcess:
    """A `Comparer` whose comparisons are made one after the other in a child process. Thread safe.

    The child is started when first needed, and dies with this process, however it ends. It is ended when nobody has
    compared for ``idle_seconds``, when it has grown too large, and with `close`; and killed when a comparison takes
    longer than ``seconds``. ``make`` is for tests.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        seconds: float | None = None,
        idle_seconds: float = IDLE_SECONDS,
        make: str | None = None,
    ) -> None:
        self._settings = settings
        self._seconds = COMPARE_SECONDS + 2 * settings.decode_seconds if seconds is None else seconds
        self._idle_seconds = idle_seconds
        self._make = make
        self._turn = threading.Lock()  # whose turn it is to ask the child, or to end it
        self._lock = threading.Lock()  # for the child and the next line; never held for long
        self._is_closed = False
        self._child: Child | None = None
        self._idle: threading.Timer | None = None
        self._idle_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def compare(self, query: bytes, reference: bytes, *, file: str, reference_file: str, profile: str) -> Compared:
        """As `Comparison.compare` does, when it is this thread's turn.

        Raises what that raises; WorkerCrashed when the child died of it or took too long, Overloaded after `close`,
        and DependencyError when no child can be started.
        """
        for name, data in ((reference_file, reference), (file, query)):
            if len(data) > self._settings.max_image_bytes:
                raise ImageTooLarge(f"{name}: {len(data)} bytes, the limit is {self._settings.max_image_bytes}")
        names = wire.Names(file=file, reference_file=reference_file, profile=profile)
        request = wire.request(names, query, reference)
        with self._turn:
            reply = self._reply(request)
        if isinstance(reply.outcome, ImgguardError):
            raise reply.outcome
        return Compared(line=reply.outcome, undrawn=None)

    def close(self) -> None:
        """End the child. A comparison that is being made in another thread fails with Overloaded."""
        with self._lock:
            self._is_closed = True
            child = self._child
        if child is not None:
            child.kill()
        with self._turn:
            self._end()

    # inside, in turn

    def _reply(self, request: tuple[bytes, bytes, bytes]) -> wire.Reply:
        how = ""
        for _ in range(_TRIES):
            child = self._running()
            try:
                reply = wire.parse(child.ask(request, seconds=self._seconds))
            except RequestLost as error:
                self._end()
                how = str(error)
            except BaseException as error:  # its next answer would be taken for that of another request
                self._end()
                self._fail(error)
            else:
                if reply.is_spent:
                    self._end()
                else:
                    self._rest(child)
                return reply
        raise DependencyError(f"the process that compares does not start: it {how}")

    def _fail(self, error: BaseException) -> NoReturn:
        """Raises what an error of the exchange means."""
        with self._lock:
            self._check_open()
        match error:
            case ChildDied():
                said = f"the process that compared {error}"
            case ChildLate():
                said = f"not compared within {self._seconds:g} s"
            case BadFrame():
                said = f"the process that compared sent {error}"
            case _:
                raise error
        _log.warning("%s; another one follows", said)
        raise WorkerCrashed(said) from error

    def _running(self) -> Child:
        if self._idle is not None:
            self._idle.cancel()
        with self._lock:  # so that `close` sees the child there is
            self._check_open()
            if self._child is None:
                try:
                    self._child = Child(self._settings, module=_MODULE, make=self._make)
                except OSError as error:
                    raise DependencyError(f"no process that compares can be started: {error}") from error
            return self._child

    def _rest(self, child: Child) -> None:
        """Until the next comparison, for so long as it may."""
        self._idle_at = time.monotonic() + self._idle_seconds
        self._idle = threading.Timer(self._idle_seconds, self._end_idle, args=(child,))
        self._idle.name, self._idle.daemon = "imgguard-comparer", True
        self._idle.start()

    def _end_idle(self, child: Child) -> None:
        with self._turn:
            if self._child is child and time.monotonic() >= self._idle_at:  # else somebody came just now
                self._end()

    def _end(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.release()

    def _check_open(self) -> None:
        if self._is_closed:
            raise Overloaded("the service is being stopped", hint="Try again when it has started.")
