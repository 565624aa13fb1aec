"""`imgguard admin member`."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.confirming import Yes, confirm_erasing
from imgguard.cli.output import emit

if TYPE_CHECKING:
    from imgguard.bootstrap import Services
    from imgguard.registry.access import Actor
    from imgguard.registry.accounts import Member

app = typer.Typer(help="Disable, enable, export or erase a member.", no_args_is_help=True)

Chosen = Annotated[
    str,
    typer.Argument(metavar="ADDRESS|ID", parser=options.text, help="A member (mem_...).", show_default=False),
]


@app.callback()
def member() -> None:
    """Disable, enable, export or erase a member."""


@app.command()
def disable(context: typer.Context, chosen: Chosen, json: options.Json = False, home: options.Home = None) -> None:
    """End the sessions of a member and let its keys rest."""
    from imgguard.bootstrap import Services

    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        _report(services.members.disable(actor, _member_id(services, actor, chosen)), json=json)


@app.command()
def enable(context: typer.Context, chosen: Chosen, json: options.Json = False, home: options.Home = None) -> None:
    """Let the password and the keys of a member count again."""
    from imgguard.bootstrap import Services

    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        _report(services.members.enable(actor, _member_id(services, actor, chosen)), json=json)


@app.command()
def export(context: typer.Context, chosen: Chosen, home: options.Home = None) -> None:
    """Print everything that is stored about a member, as one JSON object."""
    from imgguard.bootstrap import Services

    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        emit(services.personal_data.export(actor, _member_id(services, actor, chosen)))


@app.command()
def erase(
    context: typer.Context,
    chosen: Chosen,
    checks: Annotated[
        bool, typer.Option("--checks", help="Erase its checks too, but for those that somebody decided about.")
    ] = False,
    yes: Yes = False,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Destroy the personal data, sessions and keys of a member; its id stays."""
    from imgguard.bootstrap import Services
    from imgguard.evidence.statements import visible

    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        member_id = _member_id(services, actor, chosen)
        if not yes:
            confirm_erasing(f"the data of {visible(chosen)}")
        _report(services.personal_data.erase(actor, member_id, checks=checks), json=json)


def _member_id(services: "Services", actor: "Actor", chosen: str) -> str:
    """Raises NotFound."""
    found = services.members.with_email(actor, chosen) if "@" in chosen else services.members.member(actor, chosen)
    return found.member_id


def _report(member: "Member", *, json: bool) -> None:
    from imgguard.services.account_objects import member_object

    if json:
        emit(member_object(member))
    else:
        print(f"{member.state}  {member.member_id}")
