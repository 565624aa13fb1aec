"""What the commands that serve have in common: the socket, signals, and the lines of the log on stderr."""

import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from imgguard.cli.output import shown
from imgguard.errors import ConfigurationError


def listening(host: str, port: int) -> socket.socket:
    """A socket there. Raises ConfigurationError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}, port {port}: {error.strerror}", hint="Choose others with --host and --port."
        ) from error


def place_of(listener: socket.socket) -> str:
    """As a URL."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def own_signals() -> Iterator[None]:
    """uvicorn raises the signal once more when it is done, for whoever runs it.

    Of SIGTERM that is nobody. Of Ctrl-C it is the command, also where a shell without job control started it in the
    background and so had Ctrl-C ignored.
    """
    ours: dict[signal.Signals, Callable[[int, FrameType | None], object]] = {
        signal.SIGTERM: lambda *_: None,
        signal.SIGINT: signal.default_int_handler,
    }
    before = {number: signal.signal(number, handler) for number, handler in ours.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Lines(logging.Formatter):
    """With the time in UTC, and nothing in it that a terminal obeys: errors can hold the words of strangers."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(shown, super().format(record).splitlines()))


def log_to_stderr(logger: logging.Logger, level: int) -> None:
    """Records of ``level`` and above, each on a line with its time."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level)
    handler.setFormatter(_Lines("%(asctime)s %(message)s"))
    logger.addHandler(handler)
