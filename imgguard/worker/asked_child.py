"""A process that compares or builds, seen from the service: started, asked under a deadline, ended."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from imgguard.settings import Settings
from imgguard.worker import frames
from imgguard.worker.child import ONE_CORE

_START_SECONDS = 60.0
"""Bound on the start and the way of the request there, which took 7 s with two pictures on a busy machine."""

_END_SECONDS = 1.0
"""How long a process whose socket is closed may take to have an exit code."""


class ChildDied(Exception):
    """It ended with the request in hand; the text says how."""


class ChildLate(Exception):
    """No result within the deadline."""


class RequestLost(Exception):
    """It ended before it had the whole request; the text says how."""


class Child:
    """A running process; `ask` belongs to one thread at a time, `kill` to any. ``module`` is what it runs: it is given
    the number of a pipe to die with, and ``make``, if there is one. Raises OSError when it cannot be started.
    """

    def __init__(self, settings: Settings, *, module: str, make: str | None = None) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", module, str(lifeline), *([] if make is None else [make])],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                pass_fds=(lifeline,),
                env=os.environ | ONE_CORE,
                start_new_session=True,  # a Ctrl-C at the terminal is for the service
            )
        except BaseException:
            self._socket.close()
            os.close(self._lifeline)
            raise
        finally:
            theirs.close()
            os.close(lifeline)
        with suppress(OSError):  # one that has ended already is found out by the first request
            self._socket.sendall(settings.model_dump_json().encode() + b"\n")  # far below what a socket holds

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, parts: Iterable[bytes], *, seconds: float) -> bytes:
        """Send a request, and wait for the content of its result: so long, from when the process has all of it.

        Raises RequestLost, ChildDied, ChildLate, BadFrame: after one of these it is of no use any more.
        """
        begun = time.monotonic() + _START_SECONDS
        try:
            for part in parts:
                self._send(part, deadline=begun)
            taken = frames.read_frame(partial(self._read, deadline=begun))
        except (OSError, EOFError) as error:
            raise RequestLost(self._how_it_ended()) from error
        if taken != frames.TAKEN:
            raise frames.BadFrame("a result before its time")
        try:
            return frames.read_frame(partial(self._read, deadline=time.monotonic() + seconds))
        except (OSError, EOFError) as error:
            raise ChildDied(self._how_it_ended()) from error

    def kill(self) -> None:
        """End it, and what it may have started, at once. Who waits for its answer gets ChildDied or RequestLost."""
        with self._lock:
            if self._process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def release(self) -> None:
        """`kill`, and let go of everything. Not while another thread asks. Once is enough."""
        self.kill()
        self._socket.close()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def _send(self, data: bytes, *, deadline: float) -> None:
        self._socket.settimeout(_left(deadline))
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise ChildLate from error

    def _read(self, length: int, *, deadline: float) -> bytes:
        buffer = bytearray(length)
        view, filled = memoryview(buffer), 0
        while filled < length:
            self._socket.settimeout(_left(deadline))
            try:
                count = self._socket.recv_into(view[filled:])
            except TimeoutError as error:
                raise ChildLate from error
            if count == 0:
                raise EOFError
            filled += count
        return bytes(buffer)

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        return f"ended with exit code {code}" if code >= 0 else f"was ended by signal {-code}"


def _left(deadline: float) -> float:
    """Seconds up to the deadline. Raises ChildLate at it, since a socket takes 0 for 'do not block'."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise ChildLate
    return left
