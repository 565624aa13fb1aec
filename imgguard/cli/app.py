"""Entry point: the commands put together, and what becomes of their errors."""

import errno
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from imgguard import __version__
from imgguard.cli import (
    admin,
    check,
    claims,
    compare,
    config,
    demo,
    feed,
    index,
    log,
    packet,
    proof,
    references,
    register,
    remove,
    serve,
    store,
    witness,
)
from imgguard.cli.errors import SayingHandler, WarningHandler, tell, tell_bug
from imgguard.cli.exits import ExitCode
from imgguard.cli.options import DEBUG, is_debugging, place
from imgguard.cli.output import shown
from imgguard.errors import ImgguardError, StoreUnavailable

_WARNINGS = WarningHandler()

app = typer.Typer(
    name="imgguard",
    help="Registers original product photos, finds copies of them in listings, and shows the evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 a copy was found (with --exit-code), 2 usage or configuration, 3 a dependency is "
    "missing or down, 4 some inputs, outputs or a verification failed, 70 a bug, 130 interrupted.",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"imgguard {__version__}")
        raise typer.Exit


@app.callback()
def root(
    home: Annotated[  # noqa: ARG001 - commands read it from the context
        Path | None,
        typer.Option(
            "--home",
            metavar="DIR",
            parser=place,
            help="Folder of the store, for any command.",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback does everything
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Registers original product photos, finds copies of them in listings, and shows the evidence."""
    if debug:
        os.environ[DEBUG] = "1"
    logger = logging.getLogger("imgguard")
    logger.removeHandler(_WARNINGS)
    if not is_debugging():
        logger.addHandler(_WARNINGS)
    else:
        logging.basicConfig(handlers=[SayingHandler()], format="%(name)s: %(message)s")


app.command("register")(register.register)
app.command("check")(check.check)
app.command("compare")(compare.compare)
app.command("feed")(feed.feed)
app.command("list")(references.list_references)
app.command("show")(references.show)
app.command("claim")(claims.claim)
app.command("attach")(claims.attach)
app.command("remove")(remove.remove)
app.add_typer(index.app, name="index")
app.add_typer(log.app, name="log")
app.command("stats")(store.stats)
app.command("doctor")(store.doctor)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.add_typer(proof.app, name="proof")
app.add_typer(packet.app, name="packet")
app.add_typer(config.app, name="config")
app.add_typer(admin.app, name="admin")
app.add_typer(witness.app, name="witness")


def run(arguments: Sequence[str]) -> int:
    """One command; returns its exit code."""
    try:
        return _run(arguments)
    except SystemExit as error:  # typer's answer to a broken pipe, with a code that means something else here
        if isinstance(error.__context__, BrokenPipeError):
            return _broken_pipe()
        raise
    except BrokenPipeError:  # also of stderr, perhaps while an error was told
        return _broken_pipe()


def _run(arguments: Sequence[str]) -> int:
    try:
        result = app(args=list(arguments), prog_name="imgguard", standalone_mode=False)
        sys.stdout.flush()
        return int(result or ExitCode.DONE)
    except TyperException as error:
        _show_usage_error(error)
        return ExitCode.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except ImgguardError as error:
        return tell_bug(error) if type(error) is ImgguardError else tell(error)
    except OSError as error:
        if error.errno not in _FULL:
            return tell_bug(error)
        _drop_output()
        return tell(StoreUnavailable(f"the output cannot be written: {error.strerror}", hint="Make room for it."))
    except Exception as error:
        return tell_bug(error)


def _show_usage_error(error: TyperException) -> None:
    show = getattr(error, "show", None)  # a command that was called without arguments has shown its help already
    if callable(show) and type(error).__name__ != "NoArgsIsHelpError":
        if isinstance(message := getattr(error, "message", None), str):
            error.message = shown(message)
        show()


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Of the store's own files adapters tell as StoreUnavailable: these are of stdout, wherever it leads."""


def _broken_pipe() -> ExitCode:
    _drop_output()
    return ExitCode.BROKEN_PIPE


def _drop_output() -> None:
    """A reader went away, or its disk is full: what is still in a buffer must not raise again when Python exits."""
    for stream in filter(None, (sys.__stdout__, sys.__stderr__)):
        try:
            stream.flush()
        except OSError:
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, stream.fileno())
            os.close(sink)


def main() -> NoReturn:
    """What the ``imgguard`` command runs."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller; print() would then write errors among the data
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names of files are printed whatever the locale says
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    # Without a handler of ours, Python would print errors of the log without their context.
    logging.getLogger("imgguard").addHandler(logging.NullHandler())
    sys.exit(run(sys.argv[1:]))
