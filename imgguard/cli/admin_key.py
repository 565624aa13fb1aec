"""`imgguard admin key`."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import options
from imgguard.cli.output import Column, Rows, emit, say

if TYPE_CHECKING:
    from imgguard.registry.accounts import Scope

app = typer.Typer(help="API keys.", no_args_is_help=True)


@app.callback()
def key() -> None:
    """API keys."""


@app.command()
def create(
    context: typer.Context,
    email: Annotated[
        str,
        typer.Option(
            "--email",
            metavar="ADDRESS",
            parser=options.text,
            help="The member whose key it is to be.",
            show_default=False,
        ),
    ],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the key is for, to tell it from others.")
    ] = "command line",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="A permission, as in references:write; repeat it for several. Default: all that the member's roles "
            "allow.",
            show_default=False,
        ),
    ] = None,
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=0, max=36_500, help="How long it is valid; 0: until revoked.")
    ] = 365,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Make an API key and print it, this once.

    It never allows more than the roles that the member has when it is used.
    """
    from imgguard.bootstrap import Services
    from imgguard.services.account_objects import key_object

    scopes = None if not scope else [_scope(text) for text in scope]
    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        member = services.members.with_email(actor, email)
        issued = services.keys.issue(
            actor, name, scopes=scopes, lifetime=timedelta(days=days) or None, member_id=member.member_id
        )
    if json:
        emit({**key_object(issued.key), "key": issued.secret})
    else:
        say(f"{issued.key.key_id} allows {', '.join(sorted(issued.key.scopes))}. It is not shown again:")
        print(issued.secret)


def _scope(text: str) -> "Scope":
    from imgguard.errors import ConfigurationError
    from imgguard.registry.accounts import Scope

    try:
        return Scope(text)
    except ValueError:
        raise ConfigurationError(f"there is no scope {text!r}", hint=f"Scopes are {', '.join(Scope)}.") from None


@app.command("list")
def list_keys(
    context: typer.Context,
    organisation: options.Organisation = None,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """List the keys of all organisations, or of one, oldest first."""
    from imgguard.bootstrap import Services
    from imgguard.evidence.statements import visible
    from imgguard.services.account_objects import key_object

    columns = ("State", 8), ("Key", 30), ("Member", 30), ("Expires", 16), ("Last used", 16), ("Name", 0)
    rows = Rows([Column(title, width) for title, width in columns])
    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        now = services.clock.now()
        for chosen in services.organisations.meant(actor, organisation):
            for found in services.keys.keys(actor, organisation_id=chosen.organisation_id):
                if json:
                    emit(key_object(found))
                    continue
                times = [f"{at:%Y-%m-%d %H:%M}" if at else "never" for at in (found.expires_at, found.last_used_at)]
                state = found.state(now)
                rows.add([state, found.key_id, found.member_id, *times, visible(found.name)], style=_STYLES[state])


_STYLES = {"valid": "green", "expired": "yellow", "revoked": "dim"}


@app.command()
def revoke(
    context: typer.Context,
    identifier: Annotated[
        str, typer.Argument(metavar="ID", parser=options.text, help="A key (key_...).", show_default=False)
    ],
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Revoke an API key: from now on it opens nothing."""
    from imgguard.bootstrap import Services
    from imgguard.services.account_objects import key_object

    with Services(options.settings_for(context, home)) as services:
        revoked = services.keys.revoke(services.organisations.console(), identifier)
    if json:
        emit(key_object(revoked))
    else:
        print(f"revoked  {revoked.key_id}")
