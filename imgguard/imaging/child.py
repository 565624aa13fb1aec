"""One decoder process, seen from the service: started, asked under a deadline, ended.

A `Child` serves one thread at a time; `imgguard.imaging.sandbox` sees to that.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from imgguard.errors import DependencyError
from imgguard.imaging import credentials_json, wire
from imgguard.imaging.credentials import ContentCredentials
from imgguard.imaging.image import DecodedImage, DecodeLimits

_MODULE = "imgguard.imaging.decoder_process"
_START_SECONDS = 60.0
"""Bound on the start, which takes 0.2 s on an idle machine: interpreter, Pillow and NumPy."""

_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",  # each further arena of glibc takes 64 MiB of the address space the child is allowed
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


class ChildDied(Exception):
    """The process ended amid a request; the text says how."""


class ChildTimeout(Exception):
    """No complete reply within the deadline."""


class RequestLost(ChildDied):
    """The process was gone before it had the whole request."""


class Child:
    """A running decoder process. Raises DependencyError when it does not start."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self.requests = 0
        self._socket, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        try:
            self._process = _spawn(theirs, lifeline, limits)
        except BaseException as error:
            self._socket.close()
            os.close(self._lifeline)
            if isinstance(error, OSError):
                raise DependencyError(f"no decoder process can be started: {error}") from error
            raise
        finally:
            theirs.close()
            os.close(lifeline)
        self._await_ready()

    @property
    def pid(self) -> int:
        return self._process.pid

    def decode(self, data: bytes) -> DecodedImage:
        """Have one file decoded.

        Raises the InputError the child reports, or ChildDied, ChildTimeout, RequestLost, BadReply: after one of these
        the child is of no use any more.
        """
        header, body = self._ask({}, data)
        return wire.parse_reply(header, body, data=data, limits=self._limits)

    def credentials(self, data: bytes, *, trust: str) -> ContentCredentials:
        """Have the content credentials of one file read. Raises what `decode` does, but no InputError."""
        _, body = self._ask(wire.credentials_request(trust), data)
        return credentials_json.parse_reply(body, trusting=bool(trust))

    def _ask(self, header: dict[str, Any], data: bytes) -> tuple[bytes, bytearray]:
        deadline = time.monotonic() + self._limits.seconds
        try:
            self._send(header, data, deadline=deadline)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise RequestLost(self._how_it_ended()) from error
        reply = self._receive(deadline=deadline)
        self.requests += 1
        return reply

    def kill(self) -> None:
        """End the process, and what it may have started, at once and let go of everything.

        May be called twice, and from another thread.
        """
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # it leads a session, and so a group, of its own
        self._process.wait()
        self._release()

    def disown(self) -> None:
        """Let go without ending the process: in a fork of the service, where it belongs to the original."""
        self._process.returncode = 0  # so that Popen does not complain about a child that is not ours
        self._release()

    def _release(self) -> None:
        self._socket.close()
        with self._lock:
            lifeline, self._lifeline = self._lifeline, -1
        if lifeline >= 0:
            os.close(lifeline)

    def _await_ready(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stderr:
            try:
                self._receive(deadline=time.monotonic() + _START_SECONDS)
            except (ChildDied, ChildTimeout, wire.BadReply) as error:
                self.kill()
                said = stderr.read(4000).decode("utf-8", "replace").strip().splitlines()
                raise DependencyError(
                    f"the decoder process does not start: {said[-1] if said else error}",
                    hint="Raise IMGGUARD_DECODE_MEMORY_BYTES if it says MemoryError, else run `imgguard doctor`.",
                ) from error
            except BaseException:
                self.kill()
                raise

    def _send(self, header: dict[str, Any], data: bytes, *, deadline: float) -> None:
        for part in (wire.pack(header, data), data):
            self._socket.settimeout(_left(deadline))
            try:
                self._socket.sendall(part)
            except TimeoutError as error:
                raise ChildTimeout from error

    def _receive(self, *, deadline: float) -> tuple[bytes, bytearray]:
        header_length, body_length = wire.PREFIX.unpack(self._read(wire.PREFIX.size, deadline=deadline))
        if header_length > wire.MAX_HEADER_BYTES or body_length > wire.MAX_REPLY_BYTES:
            raise wire.BadReply("not a reply a decoder sends: too long")
        header = bytes(self._read(header_length, deadline=deadline))
        return header, self._read(body_length, deadline=deadline)

    def _read(self, length: int, *, deadline: float) -> bytearray:
        buffer = bytearray(length)
        view, filled = memoryview(buffer), 0
        while filled < length:
            self._socket.settimeout(_left(deadline))
            try:
                count = self._socket.recv_into(view[filled:])
            except TimeoutError as error:
                raise ChildTimeout from error
            except ConnectionResetError:
                count = 0
            if count == 0:
                raise self._end()
            filled += count
        return buffer

    def _end(self) -> ChildDied | ChildTimeout:
        """What the end of the stream means: SIGXCPU is the kernel enforcing the same bound as our clock."""
        how = self._how_it_ended()
        return ChildTimeout() if self._process.returncode == -signal.SIGXCPU else ChildDied(how)

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        if code >= 0:
            return f"ended with exit code {code}"
        return f"was ended by {_signal_name(-code)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # the real-time signals between SIGRTMIN and SIGRTMAX have no names
        return f"signal {number}"


def _left(deadline: float) -> float:
    """Seconds up to the deadline. Raises ChildTimeout at it, since a socket takes 0 for 'do not block'."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise ChildTimeout
    return left


def _spawn(connection: socket.socket, lifeline: int, limits: DecodeLimits) -> subprocess.Popen[bytes]:
    """Start the process. Its own session keeps a Ctrl-C at the terminal away from it."""
    library_path = {key: os.environ[key] for key in ("LD_LIBRARY_PATH",) if key in os.environ}
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-m", _MODULE, str(lifeline), json.dumps(asdict(limits))],
        stdin=connection.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(lifeline,),
        env=_ENVIRONMENT | library_path,
        start_new_session=True,
        cwd="/",
    )
