"""Passwords from people and from programs; never from the command line, where every process can read them."""

import sys

import typer

from imgguard.errors import ConfigurationError, InputError


def password_from(*, stdin: bool, json: bool) -> str:
    """From stdin, or asked for twice on the terminal. Raises ConfigurationError where there is nobody to ask."""
    if stdin:
        return _read()
    if json or not sys.stdin.isatty():
        raise ConfigurationError(
            "a password is needed, and there is nobody to ask",
            hint="Add --password-stdin and write it to stdin, or --invite where the command has it.",
        )
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True))


def _read() -> str:
    """All of stdin, without the line break at its end. Raises InputError."""
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("the password on stdin is not UTF-8", hint="Write it as UTF-8.") from error
    text = text.removesuffix("\n").removesuffix("\r")
    if "\n" in text or "\r" in text:
        raise InputError("the password on stdin has several lines", hint="Write one line.")
    return text
