"""`imgguard serve`: the HTTP service, until it is told to stop."""

import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.output import say, shown
from imgguard.errors import ConfigurationError

if TYPE_CHECKING:
    from fastapi import FastAPI

_WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - names of it, not a choice
_GRACE_SECONDS = 30
"""What requests under way are given to end, once the service is told to stop."""


def serve(
    context: typer.Context,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; 0.0.0.0 means on every network.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="NUMBER", min=0, max=65535, help="Where to listen; 0 chooses a free one.")
    ] = 8787,
    home: options.Home = None,
) -> None:
    """Serve the HTTP API.

    Prints where it listens once it does, and then a line for each request, on stderr. Ctrl-C or SIGTERM lets requests
    under way end first. Behind a reverse proxy set IMGGUARD_PUBLIC_URL and IMGGUARD_TRUSTED_PROXIES.
    """
    from imgguard.asgi import build

    settings = options.settings_for(context, home)
    with _listening(host, port) as listener:
        app = build(settings, hosts=() if host in _WILDCARDS else (host,))
        _log_to_stderr()
        _run(app, listener)


def _listening(host: str, port: int) -> socket.socket:
    """A socket there. Raises ConfigurationError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}, port {port}: {error.strerror}", hint="Choose others with --host and --port."
        ) from error


def _place(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(app: "FastAPI", listener: socket.socket) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                say(f"imgguard: listening on {_place(listener)}")

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.is_ending = True  # streams end, that would otherwise use up all of the time of grace
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # decided by imgguard.api.gate
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    with _own_signals():
        Server(config).run(sockets=[listener])


@contextmanager
def _own_signals() -> Iterator[None]:
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


def _log_to_stderr() -> None:
    """A line for each request; errors with their tracebacks. Warnings are told as by every command."""
    from imgguard.api.requests import ACCESS

    access = logging.getLogger(ACCESS)
    access.setLevel(logging.INFO)
    access.propagate = False
    _add_handler(access, logging.INFO)
    if not options.is_debugging():  # then the root has a handler already
        _add_handler(logging.getLogger("imgguard"), logging.ERROR)


def _add_handler(logger: logging.Logger, level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level)
    handler.setFormatter(_Lines("%(asctime)s %(message)s"))
    logger.addHandler(handler)
