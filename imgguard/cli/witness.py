"""`imgguard witness`: cosigns what other companies' logs sign, as long as they only grow."""

import logging
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgguard.cli import options
from imgguard.cli.listening import listening, log_to_stderr, own_signals, place_of
from imgguard.cli.output import emit, say, shown
from imgguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from imgguard.provenance.notes import VerifierKey

app = typer.Typer(help="Witness the logs of others.", no_args_is_help=True)

_GRACE_SECONDS = 10
"""What requests under way are given to end, once the witness is told to stop."""
_CONNECTION_SECONDS = 60.0
"""A connection lasts no longer, whether or not anything was sent through it."""
_MOST_CONNECTIONS = 500
"""At a time; more are answered with 503. Below the usual limit of open files, which is 1024."""

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        parser=options.place,
        help="Folder of the witness, which holds nothing else; IMGGUARD_HOME does not count here.",
        show_default=False,
    ),
]


@app.callback()
def witness() -> None:
    """Witness the logs of others."""


@app.command()
def serve(
    context: typer.Context,
    log: Annotated[
        list[str],
        typer.Option(
            "--log",
            metavar="VKEY",
            parser=options.text,
            help="Verifier key of a log to cosign for; repeat it for several, also for several keys of one log.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            parser=options.text,
            help="Name of the witness, such as witness.example.org; needed at the first start, and never changes.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; 0.0.0.0 means on every network.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="NUMBER", min=0, max=65535, help="Where to listen; 0 chooses a free one.")
    ] = 8788,
    home: Home = None,
) -> None:
    """Serve as a witness (C2SP tlog-witness): cosign checkpoints of these logs that go on from what was seen before.

    The first start makes the key. Every start prints the verifier key of the witness on stdout, which the logs and
    whoever verifies them need. A log that is named no more is refused, and not forgotten.
    """
    from imgguard.witness.app import create_app
    from imgguard.witness.home import open_home
    from imgguard.witness.witness import Witness

    keys = [_key(text) for text in log]
    with listening(host, port) as listener:
        made = Witness(open_home(_folder(context, home), name), keys, seconds=time.time)
        print(shown(made.key.text), flush=True)
        if not options.is_debugging():
            log_to_stderr(logging.getLogger("imgguard"), logging.ERROR)
        _run(create_app(made), listener)


@app.command()
def show(context: typer.Context, json: options.Json = False, home: Home = None) -> None:
    """Show the verifier key of a witness, what it has cosigned last of each log, and how much evidence it keeps."""
    from imgguard.witness.evidence import Kind
    from imgguard.witness.home import existing_home

    found = existing_home(_folder(context, home))
    logs: list[dict[str, Any]] = [
        {"origin": origin, "size": seen.size, "root": seen.root.hex(), "cosigned_at": _instant(seen.seconds)}
        for origin, seen in found.state.seen().items()
    ]
    evidence = {kind.value: found.evidence.count(kind) for kind in Kind}
    key = found.signer.key
    if json:
        emit({"name": key.name, "vkey": key.text, "logs": logs, "evidence": evidence})
        return
    print(shown(key.text))
    for one in logs:
        print(shown(f"{one['origin']}: {one['size']} leaves, cosigned {one['cosigned_at']}"))
    if any(evidence.values()):
        counts = ", ".join(f"{count} {kind}" for kind, count in evidence.items())
        say(f"evidence against logs in {found.evidence.folder}: {counts}")


def _instant(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _folder(context: typer.Context, home: Path | None) -> Path:
    found = options.home_given(context, home)
    if found is None:
        raise ConfigurationError("it is not said which folder the witness has", hint="Give --home.")
    return found


def _key(text: str) -> "VerifierKey":
    from imgguard.provenance.notes import VerifierKey

    try:
        return VerifierKey.parse(text)
    except InputError as error:
        raise ConfigurationError(f"--log: {error.detail}", hint=error.advice) from error


def _run(application: "Starlette", listener: socket.socket) -> None:
    import asyncio

    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            # After the answer under way, if there is one: that has limits of its own.
            self._end = self.loop.call_later(_CONNECTION_SECONDS, self.shutdown)

        def connection_lost(self, exc: Exception | None) -> None:
            self._end.cancel()
            super().connection_lost(exc)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                say(f"imgguard: listening on {place_of(listener)}")

    config = uvicorn.Config(
        application,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    with own_signals():
        Server(config).run(sockets=[listener])
