"""`imgguard compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.output import emit, say
from imgguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from imgguard.client import Client
    from imgguard.services.comparison import Compared
    from imgguard.services.contract import CompareLine, ErrorObject
    from imgguard.services.sources import Source
    from imgguard.settings import Settings


def compare(
    context: typer.Context,
    query: Annotated[
        Path,
        typer.Argument(metavar="LISTING", parser=options.place, help="The picture in question.", show_default=False),
    ],
    reference: Annotated[
        Path, typer.Argument(metavar="ORIGINAL", parser=options.place, help="The original.", show_default=False)
    ],
    profile: options.ProfileOption = None,
    evidence: options.Evidence = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when it is a copy.")] = False,
    server: options.Server = None,
    key_file: options.KeyFile = None,
    json: options.Json = False,
    home: options.Home = None,
) -> int:
    """Compare two images: what a check would say if ORIGINAL were registered. Nothing is stored."""
    from imgguard.cli.exits import ExitCode, exit_code_of
    from imgguard.services.outcomes import error_object
    from imgguard.services.sources import source_of

    settings = options.settings_for(context, home)
    chosen = options.profile_for(settings, profile)
    folder = options.folder_for(evidence)
    listing, original = source_of(query), source_of(reference)
    if server is not None or key_file is not None:
        if folder is not None:
            raise ConfigurationError("--evidence does not go with --server here", hint="Nothing is kept to draw from.")
        from imgguard.cli.remote import connected

        return _compare_there(
            connected(settings, server, key_file),
            settings,
            (listing, original),
            profile=profile and chosen,
            exit_code=exit_code,
            json=json,
        )
    try:
        compared = _compared(settings, listing, original, profile=chosen, evidence=folder)
    except InputError as error:
        if not json:
            raise
        emit(_failed(listing.file, original.file, error_object(error, file=listing.file)))
        return exit_code_of(error)
    line = compared.line
    if json:
        emit(line)
    else:
        _print(line)
    if compared.undrawn is not None:
        say(f"imgguard: no pictures of it: {compared.undrawn.detail} [{compared.undrawn.code}]")
        return ExitCode.FAILED
    return ExitCode.COPY_FOUND if exit_code and line.verdict == "copy" else ExitCode.DONE


def _compare_there(
    client: "Client",
    settings: "Settings",
    pair: "tuple[Source, Source]",
    *,
    profile: str | None,
    exit_code: bool,
    json: bool,
) -> int:
    from imgguard.cli import remote, remote_lines
    from imgguard.cli.exits import ExitCode, exit_code_of
    from imgguard.cli.sheet import print_facts
    from imgguard.services.outcomes import error_object

    listing, original = pair
    try:
        first, second = (_read(source, settings.max_image_bytes) for source in pair)
        found = remote.asked(
            client,
            lambda client: client.compare(
                first, second, file=listing.path.name, reference_file=original.path.name, profile=profile
            ),
        )
    except InputError as error:
        if not json:
            raise
        emit(_failed(listing.file, original.file, error_object(error, file=listing.file)))
        return exit_code_of(error)
    line = remote_lines.compare_line(found, file=listing.file, reference_file=original.file)
    if json:
        emit(line)
    else:
        print_facts(list(remote_lines.compare_facts(line)))
    return ExitCode.COPY_FOUND if exit_code and line["verdict"] == "copy" else ExitCode.DONE


def _compared(
    settings: "Settings", listing: "Source", original: "Source", *, profile: str, evidence: Path | None
) -> "Compared":
    """Raises InputError, which names the file that is meant, ConfigurationError, DependencyError."""
    from imgguard.bootstrap import Services

    with Services(settings) as services:
        return services.comparison.compare(
            _read(listing, settings.max_image_bytes),
            _read(original, settings.max_image_bytes),
            file=listing.file,
            reference_file=original.file,
            profile=profile,
            evidence=evidence,
        )


def _read(source: "Source", max_bytes: int) -> bytes:
    from imgguard.services import sources

    try:
        return sources.read(source, max_bytes=max_bytes)
    except InputError as error:
        raise type(error)(f"{source.file}: {error.detail}", hint=error.advice) from error


def _failed(file: str, reference_file: str, error: "ErrorObject") -> "CompareLine":
    from imgguard.services.contract import CompareLine
    from imgguard.verdict.finding import Verdict

    return CompareLine(
        file=file,
        reference_file=reference_file,
        sha256=None,
        reference_sha256=None,
        verdict=Verdict.ERROR,
        reasons=[],
        match=None,
        weights=None,
        calibration=None,
        timings_ms=None,
        error=error,
    )


def _print(line: "CompareLine") -> None:
    from imgguard.cli.sheet import match_facts, print_facts
    from imgguard.evidence.wording import VERDICTS, reason_text

    facts = [("Verdict", f"{VERDICTS[line.verdict].label}. {VERDICTS[line.verdict].meaning}")]
    if line.match is None:
        facts += [("Grounds", reason_text(reason)) for reason in line.reasons]
    print_facts([*facts, *(match_facts(line.match) if line.match else [])])
