"""One worker, seen from the pool."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

from imgguard.settings import Settings

ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Each worker is one core's; libraries that take them all would hold each other up."""


class Child:
    """A running worker. Raises OSError when it cannot be started."""

    def __init__(self, name: str, settings: Settings, *, handlers: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        reading, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "imgguard.worker", "--pool", name, "--handlers", handlers],
                stdin=reading,
                stdout=subprocess.PIPE,
                env=os.environ | ONE_CORE,
                start_new_session=True,  # a Ctrl-C at the terminal is for the service, which then stops its workers
            )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(reading)
        os.set_blocking(self._lifeline, False)
        self._send(settings.model_dump_json().encode() + b"\n")  # far below what a pipe holds

    def lines(self) -> Iterator[str]:
        """What it reports, until it ends."""
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                yield line.decode("ascii", "replace").rstrip("\n")

    def wait(self) -> int:
        """Its exit code, negative for a signal; lets go of everything."""
        code = self._process.wait()
        with self._lock:
            lifeline, self._lifeline = self._lifeline, -1
        if lifeline >= 0:
            os.close(lifeline)
        return code

    def how_it_ended(self) -> str:
        code = self._process.returncode
        return f"exit code {code}" if code is None or code >= 0 else f"signal {-code}"

    def wake(self) -> None:
        """A worker that has ended, or has so many of these before it that the pipe is full, needs no other."""
        self._send(b"\n")

    def terminate(self) -> None:
        """Have it finish the item in hand, and end."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """End it, and what it may have started, at once."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _send(self, data: bytes) -> None:
        with self._lock, suppress(BrokenPipeError, BlockingIOError):
            if self._lifeline >= 0:
                os.write(self._lifeline, data)
