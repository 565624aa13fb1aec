"""Options and arguments that several commands share, and the settings they lead to."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli.output import say
from imgguard.errors import ConfigurationError

if TYPE_CHECKING:
    from imgguard.settings import Settings

DEBUG = "IMGGUARD_DEBUG"
DATA = "IMGGUARD_DATA"
"""Not settings: one asks for tracebacks, the other names the folder of the development images."""
_GENERAL = "General"
_SERVER = "Elsewhere"


def text(value: str) -> str:
    """An argument that is a name or an id. Raises ConfigurationError for bytes that are no UTF-8: none has them."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"{value} is not UTF-8", hint="Names and ids are text in UTF-8.") from error
    return value


def place(value: str | Path) -> Path:
    """An argument that is a path. Raises ConfigurationError for an empty one, which would mean the current folder."""
    if not str(value):
        raise ConfigurationError("a path is empty", hint="Leave it out, or give . for the current folder.")
    return Path(value)


def page(value: str | Path) -> Path:
    """An argument that is where a page goes. Raises ConfigurationError unless it is named like one: what the file holds
    is replaced, and it could be the picture that was to be checked."""
    path = place(value)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigurationError(f"{path} is not named like a page", hint="Give a name that ends in .html.")
    return path


Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        parser=place,
        help="Folder of the store; default: IMGGUARD_HOME, else the platform's data folder.",
        rich_help_panel=_GENERAL,
        show_default=False,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print JSON, one object a line, as results come.", rich_help_panel=_GENERAL)
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no summary on stderr.", rich_help_panel=_GENERAL)
]
Null = Annotated[
    bool, typer.Option("--null", "-0", help="The list on stdin is separated by NUL bytes instead of newlines.")
]
Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="Files; folders (searched for images, with their subfolders, in order of name); - for a list on stdin.",
        show_default=False,
    ),
]
Organisation = Annotated[
    str | None,
    typer.Option(
        "--organisation", metavar="NAME|ID", parser=text, help="Only this organisation's.", show_default=False
    ),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="quick|thorough", help="How hard to look; default: IMGGUARD_PROFILE.", show_default=False
    ),
]
Evidence = Annotated[
    Path | None,
    typer.Option(
        "--evidence",
        metavar="DIR",
        parser=place,
        help="Write evidence pictures (PNG) to this folder.",
        show_default=False,
    ),
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        parser=text,
        help="Have a server do it, as whoever the API key is of; the key is in IMGGUARD_API_KEY or a file.",
        rich_help_panel=_SERVER,
        show_default=False,
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        parser=place,
        help="File that holds the API key, and nothing else.",
        rich_help_panel=_SERVER,
        show_default=False,
    ),
]


def is_debugging() -> bool:
    """Whether a traceback is wanted."""
    return os.environ.get(DEBUG, "") not in ("", "0")


def settings_for(context: typer.Context, home: Path | None) -> "Settings":
    """Environment and options together; ``--home`` counts before the command as well as behind it."""
    from pydantic import ValidationError

    from imgguard.settings import Settings

    chosen = home_given(context, home)
    _tell_unknown(Settings)
    try:
        return Settings() if chosen is None else Settings(home=chosen)
    except ValidationError as error:
        problems = "; ".join(_said(problem["loc"], problem["msg"]) for problem in error.errors())
        raise ConfigurationError(problems, hint="docs/settings.md says what each setting may be.") from error


def _said(place: tuple[int | str, ...], message: str) -> str:
    """What is wrong with a setting, or with several together, which the message names then."""
    message = message.removeprefix("Value error, ")
    return f"IMGGUARD_{'_'.join(map(str, place)).upper()}: {message}" if place else message


def _tell_unknown(settings: "type[Settings]") -> None:
    """A line about each variable that looks like a setting and is none: a typing error changes nothing, silently."""
    known = {f"IMGGUARD_{name}".upper() for name in settings.model_fields} | {DEBUG, DATA}
    for name in sorted(os.environ):
        if name.upper().startswith("IMGGUARD_") and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1)
            say(
                f"imgguard: {name} is not a setting"
                + (f"; is it {near[0]}?" if near else "; docs/settings.md has all.")
            )


def home_given(context: typer.Context, home: Path | None) -> Path | None:
    """``--home`` of the command, else the one before it, else None."""
    return home or context.find_root().params.get("home")


def profile_for(settings: "Settings", profile: str | None) -> str:
    """The profile to use. Raises ConfigurationError for one that does not exist."""
    chosen = profile or settings.profile
    if chosen not in ("quick", "thorough"):
        raise ConfigurationError(f"there is no profile {chosen!r}", hint="Use --profile quick or --profile thorough.")
    return chosen


def folder_for(path: Path | None) -> Path | None:
    """``path``, made if need be. Raises ConfigurationError unless files can be written to it."""
    if path is not None:
        from imgguard.evidence.files import check_folder

        check_folder(path)
    return path
