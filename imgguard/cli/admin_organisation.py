"""`imgguard admin organisation`."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.confirming import Yes, confirm_erasing
from imgguard.cli.output import emit, say

if TYPE_CHECKING:
    from imgguard.registry.accounts import Organisation

app = typer.Typer(help="Disable, enable or erase an organisation.", no_args_is_help=True)

Chosen = Annotated[
    str,
    typer.Argument(metavar="NAME|ID", parser=options.text, help="An organisation (org_...).", show_default=False),
]


@app.callback()
def organisation() -> None:
    """Disable, enable or erase an organisation."""


@app.command()
def disable(context: typer.Context, chosen: Chosen, json: options.Json = False, home: options.Home = None) -> None:
    """Let nobody act for an organisation: sessions end, keys rest. What it has registered goes on to count."""
    from imgguard.bootstrap import Services

    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        found = services.organisations.named(actor, chosen)
        _report(services.organisations.disable(actor, found.organisation_id), json=json)


@app.command()
def enable(context: typer.Context, chosen: Chosen, json: options.Json = False, home: options.Home = None) -> None:
    """Let the members of an organisation sign in and its keys count again."""
    from imgguard.bootstrap import Services

    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        found = services.organisations.named(actor, chosen)
        _report(services.organisations.enable(actor, found.organisation_id), json=json)


@app.command()
def erase(
    context: typer.Context,
    chosen: Chosen,
    yes: Yes = False,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Destroy an organisation that is disabled: originals, checks, members and names; ids stay.

    Checks stay that somebody decided about, and so do licences, since others rely on them. If it is broken off, ask for
    it again.
    """
    from imgguard.bootstrap import Services
    from imgguard.evidence.statements import visible

    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        found = services.organisations.named(actor, chosen)
        if not yes:
            confirm_erasing(f"everything of {visible(found.name)}")
        gone: list[str] = []
        erased = services.organisation_erasure.erase(actor, found.organisation_id, told=gone.append)
    references = sum(identifier.startswith("ref_") for identifier in gone)
    say(f"{references} references and {len(gone) - references} checks are erased.")
    _report(erased, json=json)


def _report(organisation: "Organisation", *, json: bool) -> None:
    from imgguard.services.account_objects import organisation_object

    if json:
        emit(organisation_object(organisation))
    else:
        print(f"{organisation.state}  {organisation.organisation_id}")
