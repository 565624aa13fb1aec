"""`imgguard register`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.output import Column, Progress, Rows, counted, emit, say, widened

if TYPE_CHECKING:
    from imgguard.cli.running import Tally
    from imgguard.services.contract import RegisterLine
    from imgguard.settings import Settings

_STYLES = {"registered": "green", "duplicate": "dim", "rejected": "red"}
COLUMNS = (Column("Status", 10), Column("File", 40), Column("Reference", 30), Column("Similar to", 0))


def register(
    context: typer.Context,
    paths: options.Paths,
    owner: Annotated[str, typer.Option("--owner", metavar="NAME", help="Who registers: a person or a company.")],
    null: options.Null = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    home: options.Home = None,
) -> int:
    """Register original images for an owner.

    Repeating it is safe: what is registered already is reported as a duplicate. An image that looks like a copy of
    one already registered is registered, and reported together with its match.
    """
    from imgguard.cli.inputs import expand

    settings = options.settings_for(context, home)
    return register_all(settings, expand(paths, null=null), owner=owner, json=json, quiet=quiet)


def register_all(settings: "Settings", paths: list[Path], *, owner: str, json: bool, quiet: bool) -> int:
    """Register ``paths`` and report each; returns the exit code."""
    from imgguard.bootstrap import Services
    from imgguard.cli.running import Tally, run_all
    from imgguard.services.registration import Registered, owner_name
    from imgguard.services.sources import source_of

    owner = owner_name(owner)
    several = len(paths) > 1
    tally = Tally()
    with Services(settings, several=several) as services, Progress(len(paths), quiet=quiet) as progress:
        services.tidy()
        registration = services.registration
        rows = Rows(widened(COLUMNS, 1, (str(path) for path in paths)), progress)

        def report(result: Registered) -> None:
            line = result.line
            tally.count(line.status, line.error, result.fatal)
            progress.advance()
            if json:
                progress.clear()
                emit(line)
            else:
                rows.add(_row(line), style=_STYLES[line.status])

        run_all(
            lambda path: registration.line(source_of(path), owner=owner),
            paths,
            report,
            workers=settings.worker_count if several else 1,
            tally=tally,
        )
    return _finish(tally, quiet=quiet)


def _row(line: "RegisterLine") -> list[str]:
    from imgguard.evidence.statements import visible
    from imgguard.evidence.wording import VERDICTS

    if line.status == "rejected" and line.error is not None:
        return [line.status, visible(line.file), "", f"{visible(line.error.detail)} [{line.error.code}]"]
    similar = [
        f"{visible(match.file or '')} of {visible(match.owner or '')}: {VERDICTS[match.verdict].label.lower()}"
        for match in line.similar
    ]
    return [line.status, visible(line.file), line.reference_id or "", "; ".join(similar)]


def _finish(tally: "Tally", *, quiet: bool) -> int:
    from imgguard.cli.errors import tell_end

    tell_end(tally)
    counts = [(tally.counts.get(name, 0), name) for name in _STYLES]
    say(f"{counted(counts)} in {tally.seconds:.1f} s", quiet=quiet)
    return tally.exit_code()
