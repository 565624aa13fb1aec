"""Entry point: the commands put together, and what becomes of their errors."""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from imgguard import __version__
from imgguard.cli import check, compare, config, demo, index, references, register, store
from imgguard.cli.errors import tell, tell_bug
from imgguard.cli.exits import ExitCode
from imgguard.cli.options import DEBUG, is_debugging
from imgguard.errors import ImgguardError

app = typer.Typer(
    name="imgguard",
    help="Registers original product photos, finds copies of them in listings, and shows the evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 a copy was found (with --exit-code), 2 usage or configuration, 3 a dependency is "
    "missing or down, 4 some inputs or a verification failed, 70 a bug, 130 interrupted.",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"imgguard {__version__}")
        raise typer.Exit


@app.callback()
def root(
    home: Annotated[  # noqa: ARG001 - commands read it from the context
        Path | None,
        typer.Option("--home", metavar="DIR", help="Folder of the store, for any command.", show_default=False),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback does everything
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Registers original product photos, finds copies of them in listings, and shows the evidence."""
    if debug:
        os.environ[DEBUG] = "1"
    if is_debugging():
        logging.basicConfig(stream=sys.stderr, format="%(name)s: %(message)s")


app.command("register")(register.register)
app.command("check")(check.check)
app.command("compare")(compare.compare)
app.command("list")(references.list_references)
app.command("show")(references.show)
app.command("remove")(references.remove)
app.add_typer(index.app, name="index")
app.command("stats")(store.stats)
app.command("doctor")(store.doctor)
app.command("demo")(demo.demo)
app.add_typer(config.app, name="config")


def run(arguments: Sequence[str]) -> int:
    """One command; returns its exit code."""
    try:
        result = app(args=list(arguments), prog_name="imgguard", standalone_mode=False)
        sys.stdout.flush()
        return int(result or ExitCode.DONE)
    except TyperException as error:
        _show_usage_error(error)
        return ExitCode.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except SystemExit as error:  # typer's answer to a broken pipe, with a code that means something else here
        if isinstance(error.__context__, BrokenPipeError):
            return _broken_pipe()
        raise
    except BrokenPipeError:
        return _broken_pipe()
    except ImgguardError as error:
        return tell_bug(error) if type(error) is ImgguardError else tell(error)
    except Exception as error:
        return tell_bug(error)


def _show_usage_error(error: TyperException) -> None:
    show = getattr(error, "show", None)  # a command that was called without arguments has shown its help already
    if callable(show) and type(error).__name__ != "NoArgsIsHelpError":
        show()


def _broken_pipe() -> ExitCode:
    """The reader went away: what is still in the buffer must not raise again when Python exits."""
    if sys.__stdout__ is not None:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.__stdout__.fileno())
        os.close(sink)
    return ExitCode.BROKEN_PIPE


def main() -> NoReturn:
    """What the ``imgguard`` command runs."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names of files are printed whatever the locale says
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    # Without a handler of ours, Python would print errors of the log without their context.
    logging.getLogger("imgguard").addHandler(logging.NullHandler())
    sys.exit(run(sys.argv[1:]))
