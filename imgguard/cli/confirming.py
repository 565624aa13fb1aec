"""Asking before something that cannot be undone."""

import sys
from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before erasing.")]


def confirm_erasing(what: str) -> None:
    """Asks a person, and ends the command unless the answer is yes. Raises ConfigurationError where there is no person
    to ask."""
    from imgguard.errors import ConfigurationError

    if not sys.stdin.isatty():
        raise ConfigurationError("erasing cannot be undone", hint="Add --yes to do it without being asked.")
    typer.confirm(f"Erase {what}? This cannot be undone", abort=True, err=True)
