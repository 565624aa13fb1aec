"""`imgguard admin`: organisations, members and the audit trail, on the machine that holds the store."""

from typing import TYPE_CHECKING, Annotated

import typer

from imgguard.cli import admin_key, admin_member, admin_organisation, options
from imgguard.cli.output import Column, Rows, emit, say

if TYPE_CHECKING:
    from imgguard.bootstrap import Services
    from imgguard.registry.accounts import Role
    from imgguard.services.organisations import Founded

app = typer.Typer(help="Organisations, members, keys and the audit trail.", no_args_is_help=True)
app.add_typer(admin_organisation.app, name="organisation")
app.add_typer(admin_member.app, name="member")
app.add_typer(admin_key.app, name="key")

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from stdin instead of asking for it.")
]
Email = Annotated[
    str,
    typer.Option("--email", metavar="ADDRESS", parser=options.text, help="The member's address.", show_default=False),
]


@app.callback()
def admin() -> None:
    """Organisations, members, keys and the audit trail."""


@app.command()
def create(
    context: typer.Context,
    organisation: Annotated[
        str,
        typer.Option(
            "--organisation",
            metavar="NAME",
            parser=options.text,
            help="Organisation of the member.",
            show_default=False,
        ),
    ],
    email: Email,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The member's name; default: the address.", show_default=False),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role",
            metavar="ROLE",
            help="rights_holder, seller, reviewer or admin; repeat it for several. Default for the first member of an "
            "organisation: admin and rights_holder.",
            show_default=False,
        ),
    ] = None,
    password_stdin: PasswordStdin = False,
    invite: Annotated[
        bool, typer.Option("--invite", help="Print a one-time token to hand over, instead of setting a password.")
    ] = False,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Make a member, and its organisation if there is none of that name.

    The first organisation of an installation operates it. A new organisation takes over the references that were
    registered for an owner of its name.
    """
    from imgguard.bootstrap import Services
    from imgguard.errors import ConfigurationError

    if invite and password_stdin:
        raise ConfigurationError("--invite sets no password", hint="Leave out --invite or --password-stdin.")
    settings = options.settings_for(context, home)
    with Services(settings) as services:
        made = _made(
            services, organisation, email, name, role or [], invite=invite, password_stdin=password_stdin, json=json
        )
    _report(made, json=json)


def _made(
    services: "Services",
    organisation: str,
    email: str,
    name: str | None,
    role: list[str],
    *,
    invite: bool,
    password_stdin: bool,
    json: bool,
) -> "Founded":
    from imgguard.cli.secrets import password_from
    from imgguard.errors import ConfigurationError
    from imgguard.registry.accounts import Role
    from imgguard.services.organisations import Founded

    organisations = services.organisations
    is_first = not organisations.has_operator()
    actor = None if is_first else organisations.console()
    found = services.accounts.organisation_named(organisation.strip())
    roles = [_role(text) for text in role]
    if not roles and found is not None:
        raise ConfigurationError(f"{organisation} has members already", hint="Say with --role what this one is for.")
    roles = roles or [Role.ADMIN, Role.RIGHTS_HOLDER]
    password = None if invite else password_from(stdin=password_stdin, json=json)
    if actor is None:
        return organisations.found(organisation, email=email, member_name=name, roles=roles, password=password)
    if found is None:
        return organisations.create(actor, organisation, email=email, member_name=name, roles=roles, password=password)
    invited = services.members.invite(
        actor, email=email, name=name, roles=roles, organisation_id=found.organisation_id, password=password
    )
    return Founded(organisation=found, admin=invited)


def _role(text: str) -> "Role":
    from imgguard.errors import ConfigurationError
    from imgguard.registry.accounts import Role

    try:
        return Role(text)
    except ValueError:
        raise ConfigurationError(f"there is no role {text!r}", hint=f"Roles are {', '.join(Role)}.") from None


def _report(made: "Founded", *, json: bool) -> None:
    from imgguard.cli.sheet import print_facts
    from imgguard.evidence.statements import visible, when
    from imgguard.services.account_objects import iso, member_object, organisation_object

    invited = made.admin
    if json:
        token = {"token": invited.token, "expires_at": iso(invited.expires_at)}
        emit({**organisation_object(made.organisation), **member_object(invited.member), **token})
        return
    facts = [
        ("Organisation", visible(made.organisation.name)),
        ("", f"{made.organisation.organisation_id}{', operates this imgguard' * made.organisation.is_operator}"),
        ("Member", visible(invited.member.email or "")),
        ("", invited.member.member_id),
        ("Roles", ", ".join(sorted(invited.member.roles))),
    ]
    if invited.token is not None and invited.expires_at is not None:
        facts += [("Token", invited.token), ("", f"sets the password, once, until {when(invited.expires_at)}")]
        say("Hand the token over, as https://your.host/accept#TOKEN; it is not shown again.")
    print_facts(facts)


@app.command()
def organisations(context: typer.Context, json: options.Json = False, home: options.Home = None) -> None:
    """List organisations, oldest first."""
    from imgguard.bootstrap import Services
    from imgguard.evidence.statements import visible
    from imgguard.services.account_objects import organisation_object

    rows = Rows((Column("Organisation", 30), Column("Reveals", 8), Column("Made", 16), Column("Name", 0)))
    with Services(options.settings_for(context, home)) as services:
        for found in services.organisations.organisations(services.organisations.console()):
            if json:
                emit(organisation_object(found))
                continue
            name = visible(found.name) + " (operator)" * found.is_operator + " (disabled)" * (found.state == "disabled")
            rows.add([found.organisation_id, found.disclosure.value, f"{found.created_at:%Y-%m-%d %H:%M}", name])


@app.command()
def members(
    context: typer.Context,
    organisation: options.Organisation = None,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """List the members of all organisations, or of one."""
    from imgguard.bootstrap import Services
    from imgguard.evidence.statements import visible
    from imgguard.services.account_objects import member_object

    columns = ("State", 9), ("Member", 30), ("Organisation", 24), ("Roles", 40), ("Address", 30), ("Name", 0)
    rows = Rows([Column(title, width) for title, width in columns])
    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        for chosen in services.organisations.meant(actor, organisation):
            for found in services.members.members(actor, organisation_id=chosen.organisation_id):
                if json:
                    emit(member_object(found) | {"organisation": chosen.name})
                    continue
                roles, texts = ", ".join(sorted(found.roles)), [chosen.name, found.email or "", found.name or ""]
                owner, email, name = map(visible, texts)
                rows.add([found.state, found.member_id, owner, roles, email, name], style=_STYLES[found.state])


_STYLES = {"active": "green", "invited": "cyan", "disabled": "yellow", "erased": "dim"}


@app.command()
def password(
    context: typer.Context,
    email: Email,
    password_stdin: PasswordStdin = False,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Set the password of a member who has lost it, and end the member's sessions."""
    from imgguard.bootstrap import Services
    from imgguard.cli.secrets import password_from
    from imgguard.services.account_objects import member_object

    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        member = services.members.with_email(actor, email)
        chosen = password_from(stdin=password_stdin, json=json)
        member = services.members.set_password(actor, member.member_id, chosen)
    if json:
        emit(member_object(member))
    else:
        print(f"password set  {member.member_id}")


@app.command()
def audit(
    context: typer.Context,
    organisation: options.Organisation = None,
    about: Annotated[
        str | None,
        typer.Option(
            "--about",
            metavar="ID",
            parser=options.text,
            help="Only what this one did, or was done to it.",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option("--last", metavar="N", min=1, help="Only the newest N, newest first.", show_default=False),
    ] = None,
    json: options.Json = False,
    home: options.Home = None,
) -> None:
    """Print the audit trail, oldest first."""
    from imgguard.bootstrap import Services
    from imgguard.cli.output import compact
    from imgguard.services.account_objects import event_object

    columns = ("At", 19), ("Action", 24), ("Actor", 30), ("Object", 30), ("Detail", 0)
    rows = Rows([Column(title, width) for title, width in columns])
    with Services(options.settings_for(context, home)) as services:
        actor = services.organisations.console()
        chosen = None if organisation is None else services.organisations.named(actor, organisation).organisation_id
        for event in services.audit.all_events(actor, organisation_id=chosen, about=about, newest=last):
            if json:
                emit(event_object(event))
                continue
            at = f"{event.at:%Y-%m-%d %H:%M:%S}"
            rows.add([at, event.action, event.actor, event.object_id, compact(event.detail)])
