"""`imgguard check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.output import Column, Progress, Rows, counted, emit, say, widened

if TYPE_CHECKING:
    from imgguard.cli.report import Report
    from imgguard.cli.running import Tally
    from imgguard.services.contract import CheckLine
    from imgguard.settings import Settings

STYLES = {"copy": "bold red", "same_product": "green", "no_match": "green", "inconclusive": "yellow", "error": "red"}
COLUMNS = (
    Column("Verdict", 18),
    Column("Listing", 40),
    Column("Original", 30),
    Column("Edits found", 34),
    Column("Strength", 0),
)


def check(
    context: typer.Context,
    paths: options.Paths,
    profile: options.ProfileOption = None,
    evidence: options.Evidence = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="Write a page with the evidence.", show_default=False),
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when a copy was found.")] = False,
    null: options.Null = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    home: options.Home = None,
) -> int:
    """Check listing images against everything registered.

    Tells the same photograph, however edited, from another photograph of the same product. Every check is kept as a
    finding, which `imgguard show` prints again.
    """
    from imgguard.cli.inputs import expand
    from imgguard.cli.report import Report

    settings = options.settings_for(context, home)
    chosen = options.profile_for(settings, profile)
    folder = options.folder_for(evidence)
    if report is not None:
        options.folder_for(report.parent)
    page = None if report is None else Report(report)
    tally = check_all(
        settings, expand(paths, null=null), profile=chosen, evidence=folder, page=page, json=json, quiet=quiet
    )
    if page is not None:
        page.write("Check of listing images")
        say(f"Report: {page.path}", quiet=quiet)
    return tally.exit_code(copy_found=exit_code and tally.counts.get("copy", 0) > 0)


def check_all(
    settings: "Settings",
    paths: list[Path],
    *,
    profile: str,
    evidence: Path | None,
    page: "Report | None",
    json: bool,
    quiet: bool,
) -> "Tally":
    """Check ``paths`` and report each on stdout, and to ``page``."""
    from imgguard.bootstrap import Services
    from imgguard.cli.running import Tally, run_all
    from imgguard.services.checking import Checked, Request
    from imgguard.services.sources import source_of

    several = len(paths) > 1
    tally = Tally()
    request = Request(
        profile=profile,
        candidates=settings.candidates,
        evidence=evidence,
        illustrated=None if page is None else page.wants,
    )
    with Services(settings, several=several) as services, Progress(len(paths), quiet=quiet) as progress:
        services.tidy()
        checking = services.checking
        rows = Rows(widened(COLUMNS, 1, (str(path) for path in paths)), progress)

        def report(result: Checked) -> None:
            tally.count(result.line.verdict.value, result.line.error, result.fatal)
            progress.advance()
            if json:
                progress.clear()
                emit(result.line)
            else:
                rows.add(row(result.line), style=STYLES[result.line.verdict])
            if page is not None:
                page.add(result)

        run_all(
            lambda path: checking.line(source_of(path), request),
            paths,
            report,
            workers=settings.worker_count if several else 1,
            tally=tally,
        )
    _summary(tally, quiet=quiet)
    return tally


def row(line: "CheckLine") -> list[str]:
    """Verdict, listing, original, edits, strength: the cells of a table."""
    from imgguard.evidence.statements import visible
    from imgguard.evidence.wording import EDITS, STRENGTHS, VERDICTS

    cells = [VERDICTS[line.verdict].label, visible(line.file)]
    if line.error is not None:
        return [*cells, "", "", f"{visible(line.error.detail)} [{line.error.code}]"]
    best = line.matches[0] if line.matches else None
    if best is None:
        return [*cells, "", "", ""]
    others = len({match.owner for match in line.matches if match.verdict == best.verdict}) - 1
    original = visible(best.file or "") + (f" and {others} more owners" if others and line.verdict == "copy" else "")
    return [*cells, original, ", ".join(EDITS[edit].label for edit in best.edits), STRENGTHS[best.strength].label]


def _summary(tally: "Tally", *, quiet: bool) -> None:
    from imgguard.cli.errors import tell_end
    from imgguard.evidence.wording import VERDICTS
    from imgguard.verdict.finding import Verdict

    tell_end(tally)
    counts = [(tally.counts.get(verdict.value, 0), VERDICTS[verdict].label.lower()) for verdict in Verdict]
    say(f"{counted(counts)} in {tally.seconds:.1f} s", quiet=quiet)
