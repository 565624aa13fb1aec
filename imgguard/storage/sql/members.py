"""Rows of organisations and members. Each function runs inside the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, insert, select, update

from imgguard.errors import Conflict, InvalidTransition, NotFound
from imgguard.registry.accounts import Disclosure, Member, Organisation, Role
from imgguard.registry.names import email_key
from imgguard.storage.sql import references
from imgguard.storage.sql.schema import (
    api_keys,
    attempts,
    checks,
    identities,
    invitations,
    jobs,
    members,
    organisations,
    owners,
    sessions,
)

_organisation: Select[Any] = select(
    organisations.c.organisation_id,
    organisations.c.owner_id,
    references.name_of(owners).label("name"),
    organisations.c.disclosure,
    organisations.c.is_operator,
    organisations.c.created_at,
    organisations.c.disabled_at,
    organisations.c.erased_at,
).join(owners, owners.c.owner_id == organisations.c.owner_id)

MEMBERS: Select[Any] = select(
    members,
    select(identities.c.subject).where(identities.c.member_id == members.c.member_id).exists().label("is_linked"),
)
"""What `member_of` takes the rows of."""

_SHOW_MEMBERS = "Look at the members with `imgguard admin members`."


def _organisation_of(row: Row[Any]) -> Organisation:
    return Organisation(**{**row._mapping, "disclosure": Disclosure(row.disclosure)})


def member_of(row: Row[Any]) -> Member:
    """The record of a row of `MEMBERS`."""
    return Member(
        member_id=row.member_id,
        organisation_id=row.organisation_id,
        email=row.email,
        name=row.name,
        roles=frozenset(Role(role) for role in row.roles.split()),
        has_password=row.password_hash is not None,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        erased_at=row.erased_at,
        is_linked=bool(row.is_linked),
    )


def _roles_text(roles: Iterable[Role]) -> str:
    return " ".join(sorted(roles))


# organisations


def find_organisation(connection: Connection, condition: ColumnElement[bool]) -> Organisation | None:
    row = connection.execute(_organisation.where(condition)).one_or_none()
    return None if row is None else _organisation_of(row)


def organisation(connection: Connection, organisation_id: str) -> Organisation:
    found = find_organisation(connection, organisations.c.organisation_id == organisation_id)
    if found is None:
        raise NotFound(
            f"no organisation {organisation_id}", hint="Look at the organisations with `imgguard admin organisations`."
        )
    return found


def organisation_page(connection: Connection, *, after: str, limit: int) -> list[Organisation]:
    behind = _organisation.where(organisations.c.organisation_id > after)
    rows = connection.execute(behind.order_by(organisations.c.organisation_id).limit(limit))
    return [_organisation_of(row) for row in rows]


def add_organisation(
    connection: Connection, organisation_id: str, name: str, *, disclosure: Disclosure, first: bool, at: datetime
) -> tuple[Organisation, bool]:
    """The organisation, and whether it took over an owner that was there already. Raises Conflict."""
    is_first = connection.execute(select(organisations.c.organisation_id)).first() is None
    if first != is_first:
        raise Conflict(
            "this installation has an organisation already" if first else "this installation has no organisation yet",
            hint="Look at the organisations with `imgguard admin organisations`.",
        )
    took_over = references.owner(connection, name) is not None
    owner = references.ensure_owner(connection, name, at)
    if find_organisation(connection, organisations.c.owner_id == owner.owner_id) is not None:
        raise Conflict(f"there is an organisation named {name!r} already", hint="Choose another name.")
    connection.execute(
        insert(organisations).values(
            organisation_id=organisation_id,
            owner_id=owner.owner_id,
            disclosure=disclosure,
            is_operator=first,
            created_at=at,
        )
    )
    return organisation(connection, organisation_id), took_over


def set_disclosure(connection: Connection, organisation_id: str, disclosure: Disclosure) -> Organisation:
    before = organisation(connection, organisation_id)
    chosen = organisations.c.organisation_id == organisation_id
    connection.execute(update(organisations).where(chosen).values(disclosure=disclosure))
    return replace(before, disclosure=disclosure)


# members


def get(connection: Connection, member_id: str) -> Member:
    row = connection.execute(MEMBERS.where(members.c.member_id == member_id)).one_or_none()
    if row is None:
        raise NotFound(f"no member {member_id}", hint=_SHOW_MEMBERS)
    return member_of(row)


def row_with_email(connection: Connection, email: str) -> Row[Any] | None:
    return connection.execute(MEMBERS.where(members.c.email_key == email_key(email))).one_or_none()


def page(connection: Connection, organisation_id: str, *, after: str, limit: int) -> list[Member]:
    organisation(connection, organisation_id)
    mine = MEMBERS.where(members.c.organisation_id == organisation_id, members.c.member_id > after)
    return [member_of(row) for row in connection.execute(mine.order_by(members.c.member_id).limit(limit))]


def add(connection: Connection, member: Member, *, password_hash: str | None) -> Member:
    """Raises NotFound, Conflict."""
    organisation(connection, member.organisation_id)
    if member.email is None:
        raise ValueError("a member begins with an address")
    if row_with_email(connection, member.email) is not None:
        raise Conflict(
            f"the address {member.email} belongs to a member already",
            hint="Use another address: one belongs to one member of one organisation.",
        )
    connection.execute(
        insert(members).values(
            member_id=member.member_id,
            organisation_id=member.organisation_id,
            email=member.email,
            email_key=email_key(member.email),
            name=member.name,
            password_hash=password_hash,
            roles=_roles_text(member.roles),
            created_at=member.created_at,
        )
    )
    return get(connection, member.member_id)


def present(connection: Connection, member_id: str) -> Member:
    """One that is not erased. Raises NotFound, InvalidTransition."""
    found = get(connection, member_id)
    if found.erased_at is not None:
        raise InvalidTransition(f"{member_id} is erased", hint=_SHOW_MEMBERS)
    return found


def enabled(connection: Connection, member_id: str) -> Member:
    """One whose sessions and keys count. Raises NotFound, InvalidTransition."""
    found = present(connection, member_id)
    if not found.is_enabled:
        raise InvalidTransition(f"{member_id} is disabled", hint="Enable the member first.")
    return found


def change(connection: Connection, member_id: str, *, name: str | None, roles: frozenset[Role] | None) -> Member:
    before = present(connection, member_id)
    values = {} if name is None else {"name": name}
    values |= {} if roles is None else {"roles": _roles_text(roles)}
    return _write(connection, before, values)


def disable(connection: Connection, member_id: str, *, at: datetime) -> Member:
    before = present(connection, member_id)
    if before.disabled_at is not None:
        return before
    end_sessions(connection, member_id)
    return _write(connection, before, {"disabled_at": at})


def enable(connection: Connection, member_id: str) -> Member:
    return _write(connection, present(connection, member_id), {"disabled_at": None})


def unlink(connection: Connection, member_id: str) -> Member:
    before = present(connection, member_id)
    if not before.is_linked:
        return before
    connection.execute(delete(identities).where(identities.c.member_id == member_id))
    end_sessions(connection, member_id)
    return _write(connection, before, {})


def erase(
    connection: Connection, member_id: str, *, at: datetime, forget: Sequence[str], last_too: bool = False
) -> Member:
    before = present(connection, member_id)
    for table in (checks, jobs):  # they stay, and no longer say which key was used
        connection.execute(update(table).where(table.c.member_id == member_id).values(key_id=None))
    for table in (sessions, api_keys, invitations, identities):
        connection.execute(delete(table).where(table.c.member_id == member_id))
    for beginning in forget:
        connection.execute(delete(attempts).where(attempts.c.subject.startswith(beginning, autoescape=True)))
    tombstone = {"email": None, "email_key": None, "name": None, "password_hash": None, "roles": "", "erased_at": at}
    return _write(connection, before, tombstone, last_too=last_too)


def end_sessions(connection: Connection, member_id: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.member_id == member_id))


def _write(connection: Connection, before: Member, values: dict[str, Any], *, last_too: bool = False) -> Member:
    """Raises InvalidTransition when ``before`` was the last one to look after the organisation and would not be, unless
    it is to end (``last_too``)."""
    if values:
        connection.execute(update(members).where(members.c.member_id == before.member_id).values(values))
    after = get(connection, before.member_id)
    if before.can_administer and not after.can_administer and not last_too:
        mine = MEMBERS.where(members.c.organisation_id == before.organisation_id)
        if not any(member_of(row).can_administer for row in connection.execute(mine)):
            raise InvalidTransition(
                f"{before.member_id} is the last admin of the organisation",
                hint="Make another member, who can sign in, an admin first.",
            )
    return after
