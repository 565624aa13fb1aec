"""How errors are told to people."""

import sys
import traceback

from imgguard.cli.exits import ExitCode, exit_code_of
from imgguard.cli.options import is_debugging
from imgguard.cli.output import say
from imgguard.errors import ImgguardError


def tell(error: ImgguardError) -> ExitCode:
    """Two lines on stderr: what happened and what to do; returns the exit code."""
    if is_debugging():
        traceback.print_exception(error, file=sys.stderr)
    say(f"imgguard: {error.detail} [{error.code}]\n  {error.advice}")
    return exit_code_of(error)


def tell_bug(error: BaseException) -> ExitCode:
    """One line on stderr and how to report it; the traceback only on request."""
    if is_debugging():
        traceback.print_exception(error, file=sys.stderr)
    say(
        f"imgguard: unexpected {type(error).__name__}: {error}\n"
        "  This is a bug in imgguard. Please report it with the command, this message, and the output of the same\n"
        "  command with IMGGUARD_DEBUG=1."
    )
    return ExitCode.BUG
