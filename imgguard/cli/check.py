"""`imgguard check`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.output import Column, Progress, Rows, counted, emit, say, widened
from imgguard.errors import ConfigurationError

if TYPE_CHECKING:
    from imgguard.cli.running import Tally
    from imgguard.client import Client
    from imgguard.services.checking import Checked, Request
    from imgguard.services.contract import CheckLine
    from imgguard.services.sources import Source
    from imgguard.settings import Settings

STYLES = {"copy": "bold red", "same_product": "green", "no_match": "green", "inconclusive": "yellow", "error": "red"}
COLUMNS = (
    Column("Verdict", 18),
    Column("Listing", 40),
    Column("Original", 30),
    Column("Edits found", 34),
    Column("Strength", 0),
)


ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        parser=options.page,
        help="Write a page with the evidence.",
        show_default=False,
    ),
]


def check(
    context: typer.Context,
    paths: options.Paths,
    profile: options.ProfileOption = None,
    evidence: options.Evidence = None,
    report: ReportOption = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when a copy was found.")] = False,
    null: options.Null = False,
    server: options.Server = None,
    key_file: options.KeyFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    home: options.Home = None,
) -> int:
    """Check listing images against everything registered.

    Tells the same photograph, however edited, from another photograph of the same product. Every check is kept as a
    finding, which `imgguard show` prints again.

    With --server everything that is registered there counts. Of others' originals the server tells what their owners
    allow; the rest is null in the lines.
    """
    from imgguard.cli.inputs import expand
    from imgguard.cli.report import Report
    from imgguard.services.sources import source_of

    settings = options.settings_for(context, home)
    chosen = options.profile_for(settings, profile)
    folder = options.folder_for(evidence)
    sources = [source_of(path) for path in expand(paths, null=null)]
    if server is not None or key_file is not None:
        if report is not None:
            raise ConfigurationError("--report does not go with --server", hint="Use --evidence, or --json.")
        from imgguard.cli.remote import connected

        client = connected(settings, server, key_file)
        tally = _check_there(client, settings, sources, profile and chosen, evidence=folder, json=json, quiet=quiet)
        return tally.exit_code(copy_found=exit_code and tally.counts.get("copy", 0) > 0)
    page = None if report is None else Report(report)
    request = request_for(settings, chosen, evidence=folder, illustrated=page.wants if page else None)
    show = printer(sources, json=json)
    tally = check_all(settings, sources, request, [show, page.add] if page else [show], quiet=quiet)
    if len(sources) > 1:
        say("More about each: imgguard list --findings, and imgguard show ID", quiet=quiet)
    if folder is not None:
        say(f"Pictures: {folder}", quiet=quiet)
    if page is not None:
        page.write("Check of listing images")
        say(f"Report: {page.path}", quiet=quiet)
    return tally.exit_code(copy_found=exit_code and tally.counts.get("copy", 0) > 0)


def _check_there(
    client: "Client",
    settings: "Settings",
    sources: "Sequence[Source]",
    profile: str | None,
    *,
    evidence: Path | None,
    json: bool,
    quiet: bool,
) -> "Tally":
    from imgguard.cli import remote
    from imgguard.cli.remote_lines import CHECK_COLUMNS

    rows = Rows(widened(CHECK_COLUMNS, 2, (source.file for source in sources)))

    def show(outcome: "remote.Outcome") -> None:
        if json:
            emit(outcome.line)
        else:
            rows.add(outcome.cells, style=STYLES.get(outcome.count, ""))

    work = remote.checking(client, max_bytes=settings.max_image_bytes, profile=profile, evidence=evidence)
    tally = remote.run(client, sources, work, show, quiet=quiet)
    _summary(tally, quiet=quiet)
    return tally


def request_for(
    settings: "Settings", profile: str, *, evidence: Path | None, illustrated: "Callable[[CheckLine], bool] | None"
) -> "Request":
    """How the settings and these options want pictures to be checked."""
    from imgguard.services.checking import Request

    return Request(profile=profile, candidates=settings.candidates, evidence=evidence, illustrated=illustrated)


def printer(sources: "Sequence[Source]", *, json: bool) -> "Callable[[Checked], None]":
    """Prints results on stdout, as they come: JSON, or rows of a table that fits ``sources``."""
    if json:
        return lambda result: emit(result.line)
    rows = Rows(widened(COLUMNS, 1, (source.file for source in sources)))
    return lambda result: rows.add(row(result.line), style=STYLES[result.line.verdict])


def check_all(
    settings: "Settings",
    sources: "Sequence[Source]",
    request: "Request",
    handlers: "Sequence[Callable[[Checked], object]]",
    *,
    quiet: bool,
) -> "Tally":
    """Check ``sources`` and hand each result, in order, to all ``handlers``; tells on stderr how it went."""
    from imgguard.bootstrap import Services
    from imgguard.cli.running import Tally, run_all

    several = len(sources) > 1
    tally = Tally()
    with Services(settings, several=several) as services, Progress(len(sources), quiet=quiet) as progress:
        services.tidy()
        if not services.inspection.has_active_references():
            say("Nothing is registered, so nothing can be found; see `imgguard register --help`.", quiet=quiet)
        checking = services.checking

        def report(result: "Checked") -> None:
            tally.count(result.line.verdict.value, result.line.error, result.fatal)
            with progress.passing():
                for handle in handlers:
                    handle(result)
                _tell_undrawn(result, tally)
            if not several and result.line.finding_id is not None:
                say(f"More about it: imgguard show {result.line.finding_id}", quiet=quiet)

        run_all(
            lambda source: checking.line(source, request),
            sources,
            report,
            workers=settings.worker_count if several else 1,
            tally=tally,
        )
    _summary(tally, quiet=quiet)
    return tally


def _tell_undrawn(result: "Checked", tally: "Tally") -> None:
    """Why the pictures of a check are missing; once for each reason."""
    error = result.undrawn
    if error is not None and tally.add_undrawn(error):
        say(f"imgguard: no pictures of {result.line.file}: {error.detail} [{error.code}]")


def row(line: "CheckLine") -> list[str]:
    """Verdict, listing, original, edits, strength: the cells of a table. Or verdict, listing, and why it failed."""
    from imgguard.evidence.wording import EDITS, STRENGTHS, VERDICTS
    from imgguard.verdict.finding import Relation

    cells = [VERDICTS[line.verdict].label, line.file]
    if line.error is not None:
        return [*cells, f"{line.error.detail} [{line.error.code}]"]
    best = line.matches[0] if line.matches else None
    if best is None:
        return [*cells, "", "", ""]
    others = len({match.owner for match in line.matches if match.verdict == best.verdict}) - 1
    more = f" and {others} more" if others and line.verdict == "copy" else ""
    original = f"{best.file or ''} ({best.owner or 'erased'}{more})"
    edits = ", ".join(EDITS[edit].label for edit in best.edits)
    if best.relation is Relation.IDENTICAL and not edits:
        edits = "none: " + ("the same file" if "identical_bytes" in best.reasons else "the same picture")
    return [*cells, original, edits, STRENGTHS[best.strength].label]


def _summary(tally: "Tally", *, quiet: bool) -> None:
    from imgguard.cli.errors import tell_end
    from imgguard.evidence.wording import VERDICTS
    from imgguard.verdict.finding import Verdict

    tell_end(tally)
    if tally.undrawn:
        say(f"No pictures of {tally.undrawn} checked; what was found is stored, `imgguard show` draws it again.")
    counts = [(tally.counts.get(verdict.value, 0), VERDICTS[verdict].label.lower()) for verdict in Verdict]
    say(f"{counted(counts)} in {tally.seconds:.1f} s", quiet=quiet)
