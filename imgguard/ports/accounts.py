"""The database of organisations, members, what proves who asks, and the trail of what they did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from imgguard.registry.accounts import (
    ApiKey,
    AuditEvent,
    Disclosure,
    Invitation,
    Member,
    Organisation,
    Role,
    Session,
)
from imgguard.registry.throttling import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A member with the password's digest; None where no password was set yet."""

    member: Member
    password_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionGrant:
    """A session and whom it stands for, as they are now."""

    session: Session
    member: Member
    organisation: Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationGrant:
    """An invitation and whom it is for, as they are now."""

    invitation: Invitation
    member: Member
    organisation: Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGrant:
    """A key and whom it stands for, as they are now."""

    key: ApiKey
    member: Member
    organisation: Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """What a new member begins with: a password that is set already, or an invitation and its token's SHA-256."""

    password_hash: str | None = field(default=None, repr=False)
    invitation: Invitation | None = None
    token_sha256: str | None = None


class Accounts(Protocol):
    """Organisations and members. Each method is one transaction, in which ``event`` is written too. Thread safe.

    Every method raises StoreUnavailable when the database cannot be used. What is not there raises NotFound. A change
    that changes nothing writes no event.
    """

    def operator(self) -> Organisation | None:
        """The installation's own organisation; None before the first one is made."""
        ...

    def organisation(self, organisation_id: str) -> Organisation: ...
    def organisation_named(self, name: str) -> Organisation | None: ...
    def organisation_of_owner(self, owner_id: str) -> Organisation | None: ...
    def organisations(self, *, after: str = "", limit: int = 1000) -> Sequence[Organisation]:
        """In order of ``organisation_id``, those behind ``after``."""
        ...

    def add_organisation(
        self,
        organisation_id: str,
        name: str,
        admin: Member,
        credential: NewCredential,
        *,
        disclosure: Disclosure,
        first: bool,
        event: AuditEvent,
    ) -> Organisation:
        """Make the organisation with its first member; it becomes, or takes over, the owner called ``name``.

        ``first``: it must be the first of the installation, and becomes its operator; otherwise it must not be. The
        event's detail is completed with ``took_over_owner``. Raises Conflict, for a name or address that is taken too.
        """
        ...

    def set_disclosure(self, organisation_id: str, disclosure: Disclosure, *, event: AuditEvent) -> Organisation: ...

    def disable_organisation(self, organisation_id: str, *, at: datetime, event: AuditEvent) -> Organisation:
        """Ends the sessions of its members. Raises InvalidTransition for the operator and for one that is erased."""
        ...

    def enable_organisation(self, organisation_id: str, *, event: AuditEvent) -> Organisation:
        """Raises InvalidTransition as `disable_organisation` does."""
        ...

    def erase_organisation(
        self, organisation_id: str, *, at: datetime, forget: Sequence[str], event: AuditEvent
    ) -> Organisation:
        """Destroys its name, its members as `erase_member` does, webhooks, feeds, collections, names of what its jobs
        worked on, and notes of its decisions; leaves a tombstone.

        Raises InvalidTransition as `disable_organisation` does, unless it is disabled, and while it has references.
        """
        ...

    def member(self, member_id: str) -> Member: ...
    def member_with_email(self, email: str) -> Member | None: ...
    def members(self, organisation_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Member]:
        """In order of ``member_id``, those behind ``after``; tombstones too."""
        ...

    def add_member(self, member: Member, credential: NewCredential, *, event: AuditEvent) -> Member:
        """Raises Conflict when the address belongs to a member already."""
        ...

    def change_member(
        self, member_id: str, *, name: str | None = None, roles: frozenset[Role] | None = None, event: AuditEvent
    ) -> Member:
        """What is None stays. Raises InvalidTransition when erased, or when no admin would remain."""
        ...

    def disable_member(self, member_id: str, *, at: datetime, event: AuditEvent) -> Member:
        """Ends the sessions. Raises InvalidTransition when erased, or when no admin would remain."""
        ...

    def enable_member(self, member_id: str, *, event: AuditEvent) -> Member:
        """Raises InvalidTransition when erased."""
        ...

    def erase_member(self, member_id: str, *, at: datetime, forget: Sequence[str], event: AuditEvent) -> Member:
        """Destroys address, name, password, identities, sessions, keys and invitations; leaves a tombstone.

        ``forget``: counts of attempts to sign in whose subject begins with one of these go too. Raises
        InvalidTransition when erased already, or when no admin would remain.
        """
        ...


class Credentials(Protocol):
    """Passwords, invitations, sessions, keys, and the counting of failures; secrets only as their SHA-256.

    Each method is one transaction, in which ``event`` is written too. Thread safe. Raises StoreUnavailable.
    """

    # passwords and invitations
    def login(self, email: str) -> Login | None: ...
    def set_password(self, member_id: str, password_hash: str, *, event: AuditEvent) -> Member:
        """Ends all sessions and invitations of the member. Raises NotFound, InvalidTransition when erased."""
        ...

    def add_invitation(self, invitation: Invitation, token_sha256: str, *, event: AuditEvent) -> None:
        """Replaces earlier ones of the member. Raises NotFound, InvalidTransition when disabled or erased."""
        ...

    def invited(self, token_sha256: str, *, at: datetime) -> InvitationGrant | None:
        """Whose invitation it is; None when there is none, it has expired, or the member or its organisation is
        disabled."""
        ...

    def accept_invitation(
        self, token_sha256: str, password_hash: str, *, at: datetime, event: AuditEvent
    ) -> Member | None:
        """Sets the password as `set_password` does, once; None under the conditions of `invited`."""
        ...

    # sessions
    def open_session(
        self,
        session: Session,
        token_sha256: str,
        *,
        verified_hash: str,
        new_hash: str | None,
        forgive: Mapping[str, bool],
        event: AuditEvent,
    ) -> bool:
        """Open it if the member is enabled and its password is still the one that was verified; otherwise False.

        ``new_hash`` replaces the verified one (same password, other parameters). ``forgive``: subjects of `admit`;
        True forgets all their failures, False takes one back. The event's detail is completed with
        ``failures_before``: how often signing in had failed for the first of them. Drops sessions that have expired.
        """
        ...

    def session(self, token_sha256: str) -> SessionGrant | None: ...
    def sessions(self, member_id: str) -> Sequence[Session]: ...
    def touch_session(self, session_id: str, *, at: datetime) -> None: ...
    def end_session(self, token_sha256: str, *, event: AuditEvent) -> None:
        """Does nothing when there is no such session."""
        ...

    # keys
    def add_key(self, key: ApiKey, secret_sha256: str, *, event: AuditEvent) -> None:
        """Raises InvalidTransition when the member is disabled or erased."""
        ...

    def key(self, key_id: str) -> ApiKey:
        """Raises NotFound."""
        ...

    def key_with_secret(self, secret_sha256: str) -> KeyGrant | None: ...
    def keys(self, organisation_id: str, *, member_id: str | None = None) -> Sequence[ApiKey]:
        """In order of ``key_id``, revoked and expired ones too."""
        ...

    def touch_key(self, key_id: str, *, at: datetime) -> None: ...
    def revoke_key(self, key_id: str, *, at: datetime, event: AuditEvent) -> ApiKey:
        """Raises NotFound. One that is revoked stays as it is."""
        ...

    # attempts to sign in
    def admit(self, subjects: Mapping[str, Limit], *, at: datetime) -> datetime | None:
        """Count a failure of each subject in advance, unless one of them must wait: then until when, and none counts.

        Counting before the password is looked at leaves nothing to gain from asking many times at once; a success
        takes it back.
        """
        ...

    def forget_expired(self, *, now: datetime) -> None:
        """Drop sessions, invitations, sign-ins and counts whose time is over. Cheap when there are none."""
        ...


class AuditTrail(Protocol):
    """What was done; can only grow. Thread safe. Raises StoreUnavailable."""

    def record(self, event: AuditEvent) -> None:
        """For what changes nothing else in the database; a change writes its event in its own transaction."""
        ...

    def events(
        self,
        *,
        party: str | None = None,
        about: str | None = None,
        after: str = "",
        newest_first: bool = False,
        limit: int = 100,
    ) -> Sequence[AuditEvent]:
        """In the order in which they were committed, or the reverse, those behind the event ``after``.

        ``party``: only those that concern this organisation. ``about``: only those with this actor or object. Raises
        NotFound when there is no event ``after``, or none that concerns ``party``.
        """
        ...
