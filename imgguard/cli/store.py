"""`imgguard stats` and `doctor`."""

from typing import Annotated

import typer

from imgguard.cli import options
from imgguard.cli.output import Column, Rows, emit, size


def stats(context: typer.Context, json: options.Json = False, home: options.Home = None) -> None:
    """Show how much is stored, and how much of it beside each original."""
    from imgguard.bootstrap import Services, folder_bytes
    from imgguard.cli.sheet import print_facts

    settings = options.settings_for(context, home)
    with Services(settings) as services:
        figures = services.inspection.figures(home_bytes=folder_bytes(settings.home))
    if json:
        emit(
            {
                **figures.counts,
                "bytes_per_reference": round(figures.bytes_per_reference, 1),
                "bytes_per_reference_by_kind": {kind: round(value, 1) for kind, value in figures.bytes_by_kind.items()},
                "budget_bytes": figures.budget_bytes,
                "within_budget": figures.within_budget,
                "home_bytes": figures.home_bytes,
            }
        )
        return
    counts = figures.counts
    by_kind = [(f"  {kind.replace('_', ' ')}", size(value)) for kind, value in figures.bytes_by_kind.items()]
    budget = f"{'within' if figures.within_budget else 'OVER'} the {size(figures.budget_bytes)} budget"
    print_facts(
        [
            ("Home", str(settings.home)),
            ("Owners", f"{counts['owners']}"),
            ("References", f"{counts['references_active']} active"),
            ("References", f"{counts['references_withdrawn']} withdrawn"),
            ("References", f"{counts['references_erased']} erased"),
            ("Originals", f"{counts['contents']} ({size(counts['original_bytes'])})"),
            ("Findings", f"{counts['findings']}"),
            ("Checked images kept", f"{counts['queries']}"),
            ("Beside an original", f"{size(figures.bytes_per_reference)} ({budget})"),
            *by_kind,
            ("Home folder in all", size(figures.home_bytes)),
        ]
    )


def doctor(
    context: typer.Context,
    deep: Annotated[bool, typer.Option("--deep", help="Read every stored byte and search every vector.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Delete stored files that belong to nothing and are older than an hour.")
    ] = False,
    json: options.Json = False,
    home: options.Home = None,
) -> int:
    """Examine the installation and the store.

    Exits with 3 when a dependency is missing and with 4 when something stored is not as it should be.
    """
    from imgguard.bootstrap import Services
    from imgguard.cli.exits import ExitCode, exit_code_of

    settings = options.settings_for(context, home)
    rows = Rows((Column("Status", 7), Column("", 2), Column("Examined", 14), Column("Result", 0)))
    codes = {ExitCode.DONE}
    with Services(settings) as services:
        for found in services.doctor.examine(deep=deep, repair=repair):
            if found.error is not None:
                codes.add(exit_code_of(found.error))
            if json:
                code = found.error.code if found.error else None
                names = ("number", "title", "status", "detail", "hint")
                emit({**{name: getattr(found, name) for name in names}, "code": code})
                continue
            detail = found.detail if found.hint is None else f"{found.detail} - {found.hint}"
            style = {"ok": "green", "skipped": "yellow"}.get(found.status, "bold red")
            rows.add([found.status, f"{found.number:>2}", found.title, detail], style=style)
    # What is missing comes first: with it gone the rest of the examination means little.
    order = (ExitCode.BUG, ExitCode.DEPENDENCY, ExitCode.USAGE, ExitCode.FAILED)
    return next((code for code in order if code in codes), ExitCode.DONE)
