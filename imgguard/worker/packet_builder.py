"""Build packets in processes of their own: setting the pages of one takes memory that is not given back."""

import logging
import threading
from types import TracebackType
from typing import NoReturn, Self

from imgguard.errors import DependencyError, Overloaded, PermissionDenied, WorkerCrashed
from imgguard.registry.access import Actor
from imgguard.services.member_packets import PacketOrder
from imgguard.settings import Settings
from imgguard.worker import packet_wire as wire
from imgguard.worker.asked_child import Child, ChildDied, ChildLate, RequestLost
from imgguard.worker.frames import BadFrame

BUILD_SECONDS = 120.0
"""How long a packet may take, from when the process has the request. Ten originals and ten checks took 7.6 s and 676 MB
on two idle cores, one check 11 s on busy ones."""

_MODULE = "imgguard.worker.packet_process"
_log = logging.getLogger(__name__)


class PacketBuilder:
    """A `PacketMaker` that has each packet built by a child process, one after the other. Thread safe.

    A child dies with this process, however it ends, and with `close`; it is killed when the packet takes longer than
    ``seconds``. What it has not stored by then is nowhere. ``make`` is for tests.
    """

    def __init__(self, settings: Settings, *, seconds: float = BUILD_SECONDS, make: str | None = None) -> None:
        self._settings = settings
        self._seconds = seconds
        self._make = make
        self._turn = threading.Lock()  # whose packet is built
        self._lock = threading.Lock()  # for the next two lines; never held for long
        self._is_closed = False
        self._child: Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def make(self, actor: Actor, order: PacketOrder) -> str:
        """As `PacketMaking.make` does, when it is this thread's turn.

        Raises what that raises; WorkerCrashed when the child died of it or took too long, Overloaded after `close`,
        and DependencyError when no child can be started.
        """
        if actor.member_id is None:
            raise PermissionDenied("a packet belongs to a member")
        request = wire.Request(
            member_id=actor.member_id,
            key_id=actor.key_id,
            ids=order.ids,
            purpose=order.purpose,
            on_behalf_of=order.on_behalf_of,
            with_originals=order.with_originals,
        )
        sent = wire.request_of(request)
        with self._turn:
            child = self._started()
            try:
                content = child.ask([sent], seconds=self._seconds)
            except (ChildDied, ChildLate, RequestLost, BadFrame) as error:
                self._fail(error)
            finally:
                self._end()
        try:
            return wire.parse(content)
        except BadFrame as error:
            self._fail(error)

    def close(self) -> None:
        """End the child. A packet that is being built for another thread fails with Overloaded."""
        with self._lock:
            self._is_closed = True
            if self._child is not None:
                self._child.kill()
        with self._turn:
            pass  # whoever had it has let go of the child

    def _started(self) -> Child:
        with self._lock:  # so that `close` sees the child there is
            self._check_open()
            try:
                self._child = Child(self._settings, module=_MODULE, make=self._make)
            except OSError as error:
                raise DependencyError(f"no process that builds packets can be started: {error}") from error
            return self._child

    def _end(self) -> None:
        with self._lock:
            child, self._child = self._child, None
        if child is not None:
            child.release()

    def _fail(self, error: ChildDied | ChildLate | RequestLost | BadFrame) -> NoReturn:
        """Raises what an error of the exchange means."""
        with self._lock:
            self._check_open()
        match error:
            case RequestLost():
                raise DependencyError(f"the process that builds packets does not start: it {error}") from error
            case ChildDied():
                said = f"the process that built the packet {error}"
            case ChildLate():
                said = f"the packet was not built within {self._seconds:g} s"
            case _:
                said = f"the process that built the packet sent {error}"
        _log.warning("%s", said)
        raise WorkerCrashed(said, hint="Try it once more, with fewer objects or without originals.") from error

    def _check_open(self) -> None:
        if self._is_closed:
            raise Overloaded("the service is being stopped", hint="Try again when it has started.")
