"""What options and files state about pictures that are registered."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.output import say
from imgguard.errors import InputError

if TYPE_CHECKING:
    from imgguard.provenance.records import Claims
    from imgguard.services.sources import Source

LONGEST_FILE = 100_000_000
"""Bytes of a file of claims."""

_PANEL = "What the claimant states"

ClaimsFile = Annotated[
    Path | None,
    typer.Option(
        "--claims",
        metavar="FILE",
        parser=options.place,
        help="What is stated: JSON for all images; a table by file name when it ends in .csv or .jsonl.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Published = Annotated[
    list[str] | None,
    typer.Option(
        "--published",
        metavar="URL[@DATE]",
        parser=options.text,
        help="Where it was published, and when; may be given more than once.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Taken = Annotated[
    str | None,
    typer.Option(
        "--taken",
        metavar="DATE",
        parser=options.text,
        help="When it was taken: 2026, 2026-02, 2026-02-14 or 2026-02-14T09:30:00Z.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]


def claims_for(
    sources: "Sequence[Source]", *, file: Path | None, published: Sequence[str] | None, taken: str | None, quiet: bool
) -> "dict[str, Claims]":
    """What is stated of each source, by its ``file``; those of which nothing is are left out. Raises InputError."""
    from imgguard.services.claim_inputs import joined

    common = from_options(published, taken)
    table: dict[str, Claims] = {}
    if file is not None and file.suffix.lower() in (".csv", ".jsonl", ".ndjson"):
        from imgguard.services.claim_tables import claims_by_file

        table = claims_by_file(_read(file), is_csv=file.suffix.lower() == ".csv")
    elif file is not None:
        common = joined(common, from_file(file))
    found: dict[str, Claims] = {}
    used: set[str] = set()
    for source in sources:
        name = next((name for name in (source.file, source.path.name) if name in table), None)
        used |= set() if name is None else {name}
        try:
            claims = joined(common, None if name is None else table[name])
        except InputError as error:
            raise InputError(f"{source.file}: {error.detail}", hint=error.hint) from error
        if claims is not None:
            found[source.file] = claims
    if left := len(table.keys() - used):
        say(f"imgguard: {left} files of {file} are not among the images.", quiet=quiet)
    return found


def from_file(path: Path) -> "Claims":
    """Those of one JSON object. Raises InputError."""
    from imgguard.services.claim_inputs import claims_in

    return claims_in(_read(path))


def from_options(published: Sequence[str] | None, taken: str | None) -> "Claims | None":
    """Raises InputError."""
    from imgguard.services.claim_inputs import checked_claims

    dates = [] if taken is None else [{"what": "taken", "at": taken}]
    urls = []
    for one in published or ():
        url, at = _dated(one)
        urls.append(url)
        if at is not None:
            what = f"published at {url}"
            dates.append({"what": what if len(what) <= 300 else "published", "at": at})
    return checked_claims({"dates": dates, "urls": urls}) if dates or urls else None


def _dated(text: str) -> tuple[str, str | None]:
    """The address, and the date behind its last @ if there is one: an address may have that sign too."""
    from imgguard.provenance.shapes import is_date, is_time

    url, sign, at = text.rpartition("@")
    return (url, at) if sign and (is_date(at) or is_time(at)) else (text, None)


def _read(path: Path) -> str:
    """Raises InputError."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_FILE + 1)
        if len(data) > LONGEST_FILE:
            raise InputError(f"{path} has more than {LONGEST_FILE} bytes", hint="Make several files of it.")
        return data.decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8") from error
