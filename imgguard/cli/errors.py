"""How errors are told to people."""

import logging
import traceback
from typing import TYPE_CHECKING

from imgguard.cli.exits import ExitCode, exit_code_of
from imgguard.cli.options import is_debugging
from imgguard.cli.output import say
from imgguard.errors import ImgguardError

if TYPE_CHECKING:
    from imgguard.cli.running import Tally


HOW_TO_REPORT = (
    "  This is a bug in imgguard. Please report it with the command, this message, and the output of the same",
    "  command with IMGGUARD_DEBUG=1.",
)


def tell(error: ImgguardError) -> ExitCode:
    """Two lines on stderr: what happened and what to do; returns the exit code."""
    _tell_trace(error)
    say(f"imgguard: {error.detail} [{error.code}]", f"  {error.advice}")
    return exit_code_of(error)


def tell_end(tally: "Tally") -> None:
    """What a run over many inputs has to say at its end, besides its lines: what ended it, and whether a bug showed."""
    if tally.fatal is not None:
        tell(tally.fatal)
    if tally.bug is not None:
        say(f"imgguard: unexpected {tally.bug}", *HOW_TO_REPORT)


def tell_bug(error: BaseException) -> ExitCode:
    """One line on stderr and how to report it; the traceback only on request."""
    _tell_trace(error)
    say(f"imgguard: unexpected {type(error).__name__}: {error}", *HOW_TO_REPORT)
    return ExitCode.BUG


class SayingHandler(logging.Handler):
    """Log records as messages for people."""

    def emit(self, record: logging.LogRecord) -> None:
        say(*self.format(record).splitlines())


class WarningHandler(logging.Handler):
    """Warnings of the log as messages for people. Errors are told by the commands themselves."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.WARNING:
            say(f"imgguard: warning: {record.getMessage()}")


def _tell_trace(error: BaseException) -> None:
    if is_debugging():
        say(*"".join(traceback.format_exception(error)).splitlines())
