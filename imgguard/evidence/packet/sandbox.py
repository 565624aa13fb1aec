"""Verify packets of strangers in child processes, so that a crash, a hang or a hunger for memory harms nothing else.

Each packet has a process of its own, which ends with it: about half a second, and nothing of one packet is there for
the next. What a child may do is set in `verifier_process`, what it may say in `verifier_wire`.
"""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, Protocol

from imgguard.errors import DependencyError, InputError, VerifierCrash
from imgguard.evidence.packet import verifier_wire as wire
from imgguard.evidence.packet.verifying.steps import Level

MEMORY_BYTES = 500_000_000
"""Address space besides the packet itself; digests and seal of 285 MB were verified with 80 million, in 1.2 s."""

CPU_SECONDS = 30.0
SECONDS = 45.0
"""Of processor time, and by the clock."""

_MODULE = "imgguard.evidence.packet.verifier_process"
_TOLD = ("LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR")
"""What a child is told of our environment, which may have secrets in it."""

_log = logging.getLogger(__name__)


class Verifier(Protocol):
    def verify(self, packet: IO[bytes], *, trust: IO[bytes] | None, level: Level) -> wire.PacketReport:
        """As `SandboxedVerifier.verify`."""


class SandboxedVerifier:
    """A `Verifier`. Safe to share between threads. ``module``, which the child runs, is for tests."""

    def __init__(
        self,
        *,
        seconds: float = SECONDS,
        cpu_seconds: float = CPU_SECONDS,
        memory_bytes: int = MEMORY_BYTES,
        module: str = _MODULE,
    ) -> None:
        self._seconds = seconds
        self._cpu_seconds = cpu_seconds
        self._memory_bytes = memory_bytes
        self._module = module

    def verify(self, packet: IO[bytes], *, trust: IO[bytes] | None, level: Level) -> wire.PacketReport:
        """The report on the file ``packet``, by the trust file ``trust``; both stay open.

        Raises InputError for a trust file that is none, VerifierCrash when the child died or took too long, and
        DependencyError when no child can be started.
        """
        try:
            answer = self._answer(packet, trust, level)
        except OSError as error:
            raise DependencyError(f"no process that verifies can be started: {error}") from error
        if not answer.startswith(wire.READY):
            raise DependencyError("the process that verifies does not start")
        try:
            outcome = wire.parse(answer.removeprefix(wire.READY))
        except wire.BadReply:
            raise VerifierCrash("the process that verified the packet died of it") from None
        if isinstance(outcome, str):
            raise InputError(outcome, hint="Give a trust file as docs/timestamps.md describes it, or none.")
        return outcome

    def _answer(self, packet: IO[bytes], trust: IO[bytes] | None, level: Level) -> bytes:
        """What the child wrote, if it ended in time. Raises VerifierCrash, OSError."""
        _on_disk(packet)
        request = wire.Request(
            level=level.value,
            trust_file=None if trust is None else _on_disk(trust),
            memory_bytes=self._memory_bytes,
            seconds=self._cpu_seconds,
        )
        with TemporaryFile() as answer:
            with self._child(packet, answer, request) as child:
                try:
                    code = child.wait(self._seconds)
                except subprocess.TimeoutExpired:
                    raise VerifierCrash(f"the packet was not verified within {self._seconds:g} s") from None
            if code:
                _log.warning("a process that verified a packet ended with %d", code)
            answer.seek(0)
            return answer.read(wire.MOST_BYTES + 1)

    @contextmanager
    def _child(self, packet: IO[bytes], answer: IO[bytes], request: wire.Request) -> Iterator[subprocess.Popen[bytes]]:
        """Running; in the end it is gone."""
        lifeline, ours = os.pipe()
        try:
            child = subprocess.Popen(  # noqa: S603
                # Not isolated as the decoder is: PYTHONPATH may say where imgguard is.
                [sys.executable, "-P", "-s", "-m", self._module, str(lifeline), request.to_json()],
                stdin=packet.fileno(),
                stdout=answer.fileno(),
                stderr=subprocess.DEVNULL,
                pass_fds=[lifeline] if request.trust_file is None else [lifeline, request.trust_file],
                env={name: os.environ[name] for name in _TOLD if name in os.environ} | {"LC_ALL": "C.UTF-8"},
                start_new_session=True,  # a Ctrl-C at the terminal is for the service
            )
            try:
                yield child
            finally:
                if child.poll() is None:
                    with suppress(ProcessLookupError):
                        os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        finally:
            os.close(lifeline)
            os.close(ours)


def _on_disk(file: IO[bytes]) -> int:
    """The number of the open file, once all of it is there: files that are short at first are kept in memory."""
    number = file.fileno()
    file.flush()
    return number
