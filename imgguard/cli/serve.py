"""`imgguard serve`: the HTTP service, until it is told to stop."""

import logging
import socket
from typing import TYPE_CHECKING, Annotated, cast

import typer

from imgguard.cli import options
from imgguard.cli.lingering import Connection, Lingering
from imgguard.cli.listening import listening, log_to_stderr, own_signals, place_of
from imgguard.cli.output import say

if TYPE_CHECKING:
    import uvicorn
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
    with listening(host, port) as listener:
        app = build(settings, hosts=() if host in _WILDCARDS else (host,))
        _log_to_stderr()
        with own_signals():
            server_of(app, listener).run(sockets=[listener])


def server_of(app: "FastAPI", listener: socket.socket) -> "uvicorn.Server":
    """What serves ``app`` on ``listener``, and says so."""
    import uvicorn

    lingering = Lingering()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                say(f"imgguard: listening on {place_of(listener)}")

        async def on_tick(self, counter: int) -> bool:
            lingering.cut(cast(set[Connection], self.server_state.connections))
            return await super().on_tick(counter)

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
    return Server(config)


def _log_to_stderr() -> None:
    """A line for each request; errors with their tracebacks. Warnings are told as by every command."""
    from imgguard.api.requests import ACCESS

    access = logging.getLogger(ACCESS)
    access.setLevel(logging.INFO)
    access.propagate = False
    log_to_stderr(access, logging.INFO)
    if not options.is_debugging():  # then the root has a handler already
        log_to_stderr(logging.getLogger("imgguard"), logging.ERROR)
