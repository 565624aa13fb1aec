"""New members, and the one-time tokens with which people set their password or are linked to an identity: there is no
mail here, so whoever invites hands the token over."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from imgguard.errors import AuthenticationRequired, InputError
from imgguard.ports import NewCredential
from imgguard.registry.accounts import Invitation, Member, Role
from imgguard.registry.ids import new_id
from imgguard.registry.names import LONGEST_NAME, composed, is_email, is_name
from imgguard.services import tokens
from imgguard.services.passwords import Passwords, accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """The member, and what to hand over; ``token`` is shown this once, and None when a password is set already."""

    member: Member
    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitee:
    """Whom an invitation is for, and what that person is to know before accepting it. ``invited_by`` is a name; None
    when it was the console, or somebody who is erased."""

    member: Member
    organisation: str
    invited_by: str | None


def no_invitation() -> AuthenticationRequired:
    """For whoever comes with a token that is none, or no more."""
    return AuthenticationRequired(
        "this invitation is unknown, used up, or has expired", hint="Ask an admin of your organisation for a new one."
    )


def checked_name(name: str, *, whose: str) -> str:
    """``name`` composed. Raises InputError."""
    name = composed(name)
    if not is_name(name):
        raise InputError(
            f"{whose} has a name of 1 to {LONGEST_NAME} printable characters, not {name[:LONGEST_NAME]!r}",
            hint="Choose another name.",
        )
    return name


def checked_roles(roles: Iterable[Role]) -> frozenset[Role]:
    """Raises InputError when there are none."""
    roles = frozenset(roles)
    if not roles:
        raise InputError("a member has at least one role", hint=f"Roles are {', '.join(Role)}.")
    return roles


def new_member(organisation_id: str, *, email: str, name: str | None, roles: Iterable[Role], at: datetime) -> Member:
    """Not stored yet. The address serves as a name where there is none. Raises InputError."""
    email = email.strip()
    if not is_email(email):
        raise InputError(f"{email[:LONGEST_NAME]!r} is not a mail address", hint="Give one like ann@example.org.")
    return Member(
        member_id=new_id("mem"),
        organisation_id=organisation_id,
        email=email,
        name=checked_name(name or email[:LONGEST_NAME], whose="a member"),
        roles=checked_roles(roles),
        has_password=False,
        created_at=at,
        disabled_at=None,
        erased_at=None,
    )


def invitation_for(
    member: Member, *, invited_by: str | None, at: datetime, lifetime: timedelta
) -> tuple[Invitation, str]:
    """A new one and its token."""
    invitation = Invitation(member_id=member.member_id, created_at=at, expires_at=at + lifetime, invited_by=invited_by)
    return invitation, tokens.new_token()


def credential_for(
    member: Member,
    password: str | None,
    passwords: Passwords,
    *,
    invited_by: str | None,
    at: datetime,
    lifetime: timedelta,
) -> tuple[NewCredential, Invited]:
    """What the member begins with: ``password``, or an invitation. Raises InputError, Overloaded."""
    if password is not None:
        password_hash = passwords.hash(accepted(password, email=member.email))
        return NewCredential(password_hash=password_hash), Invited(member=member)
    invitation, token = invitation_for(member, invited_by=invited_by, at=at, lifetime=lifetime)
    credential = NewCredential(invitation=invitation, token_sha256=tokens.digest(token))
    return credential, Invited(member=member, token=token, expires_at=invitation.expires_at)
