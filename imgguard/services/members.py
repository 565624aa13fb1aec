"""The members of an organisation: invite, change, disable, export, erase."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from imgguard.errors import NotFound, PermissionDenied
from imgguard.ports import Accounts, AuditTrail, Clock, Credentials, SignIns
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, AuditEvent, Member, Role, Scope
from imgguard.services import attempts, tokens
from imgguard.services.account_objects import (
    event_object,
    identity_object,
    key_object,
    member_object,
    session_object,
)
from imgguard.services.audit import LONGEST_PAGE, event_of
from imgguard.services.invitations import (
    Invited,
    checked_name,
    checked_roles,
    credential_for,
    invitation_for,
    new_member,
)
from imgguard.services.passwords import Passwords, accepted

_PAGE = 1000


class Members:
    """Thread safe. ``invitation_time``: how long an invitation can be accepted.

    Every method raises PermissionDenied when the actor lacks the scope, and NotFound for members of organisations that
    are not in its charge. Changes raise InvalidTransition for an erased member and where no admin would remain.
    """

    def __init__(
        self,
        *,
        accounts: Accounts,
        credentials: Credentials,
        sign_ins: SignIns,
        trail: AuditTrail,
        passwords: Passwords,
        clock: Clock,
        invitation_time: timedelta,
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._sign_ins = sign_ins
        self._trail = trail
        self._passwords = passwords
        self._clock = clock
        self._invitation_time = invitation_time

    def members(self, actor: Actor, *, organisation_id: str | None = None) -> Iterator[Member]:
        """All of them, oldest first; erased ones as tombstones."""
        actor.require(Scope.ORGANISATION_READ)
        return self._all(actor.organisation_meant(organisation_id))

    def _all(self, organisation_id: str) -> Iterator[Member]:
        after = ""
        while page := self._accounts.members(organisation_id, after=after, limit=_PAGE):
            yield from page
            after = page[-1].member_id

    def member(self, actor: Actor, member_id: str) -> Member:
        """One of an organisation in the actor's charge, or of its own."""
        actor.require(Scope.ORGANISATION_READ)
        return self._reachable(actor, member_id)

    def with_email(self, actor: Actor, email: str) -> Member:
        """Raises PermissionDenied unless the installation is administered, NotFound."""
        actor.require_installation()
        member = self._accounts.member_with_email(email.strip())
        if member is None:
            raise NotFound(f"no member with the address {email}", hint="Look with `imgguard admin members`.")
        return member

    # in and out

    def invite(
        self,
        actor: Actor,
        *,
        email: str,
        name: str | None = None,
        roles: Iterable[Role],
        organisation_id: str | None = None,
        password: str | None = None,
    ) -> Invited:
        """A new member, who sets a password with the token; only the console may set a ``password`` instead.

        Raises PermissionDenied for a key that asks too, InputError, Conflict when the address belongs to a member.
        """
        self._require_person_in_charge(actor)
        self._require_own_password(actor, password)
        now, meant = self._clock.now(), actor.organisation_meant(organisation_id)
        member = new_member(meant, email=email, name=name, roles=roles, at=now)
        credential, invited = credential_for(
            member, password, self._passwords, invited_by=actor.member_id, at=now, lifetime=self._invitation_time
        )
        event = self._event(actor, Action.MEMBER_ADDED, member, at=now, detail={"roles": sorted(member.roles)})
        return replace(invited, member=self._accounts.add_member(member, credential, event=event))

    def reset(self, actor: Actor, member_id: str) -> Invited:
        """A token for a member who has not accepted in time, or has lost the password, which stays until then.

        Raises PermissionDenied for a key that asks too, InvalidTransition for a disabled member.
        """
        self._require_person_in_charge(actor)
        member, now = self._reachable(actor, member_id), self._clock.now()
        invitation, token = invitation_for(member, invited_by=actor.member_id, at=now, lifetime=self._invitation_time)
        event = self._event(actor, Action.INVITATION_ISSUED, member, at=now)
        self._credentials.add_invitation(invitation, tokens.digest(token), event=event)
        return Invited(member=member, token=token, expires_at=invitation.expires_at)

    def set_password(self, actor: Actor, member_id: str, password: str) -> Member:
        """For the console only; ends the member's sessions. Raises InputError, Overloaded."""
        self._require_own_password(actor, password)
        member = self._reachable(actor, member_id)
        password_hash = self._passwords.hash(accepted(password, email=member.email))
        event = self._event(actor, Action.PASSWORD_SET, member, at=self._clock.now())
        return self._credentials.set_password(member_id, password_hash, event=event)

    # changes

    def change(
        self, actor: Actor, member_id: str, *, name: str | None = None, roles: Iterable[Role] | None = None
    ) -> Member:
        """What is None stays. Members may change their own name; roles are given by people, not by keys.

        Raises InputError.
        """
        if roles is None:
            self._require_self_or_charge(actor, member_id)
        else:
            self._require_person_in_charge(actor)
        member = self._reachable(actor, member_id)
        name = None if name is None else checked_name(name, whose="a member")
        chosen = None if roles is None else checked_roles(roles)
        given = {} if chosen is None else {"roles": sorted(chosen)}
        event = self._event(actor, Action.MEMBER_CHANGED, member, at=self._clock.now(), detail=given)
        return self._accounts.change_member(member_id, name=name, roles=chosen, event=event)

    def disable(self, actor: Actor, member_id: str) -> Member:
        """Ends sessions at once, and lets keys rest, until the member is enabled again."""
        actor.require(Scope.ORGANISATION_WRITE)
        member, now = self._reachable(actor, member_id), self._clock.now()
        event = self._event(actor, Action.MEMBER_DISABLED, member, at=now)
        return self._accounts.disable_member(member_id, at=now, event=event)

    def enable(self, actor: Actor, member_id: str) -> Member:
        """The password and the keys count again."""
        actor.require(Scope.ORGANISATION_WRITE)
        member = self._reachable(actor, member_id)
        event = self._event(actor, Action.MEMBER_ENABLED, member, at=self._clock.now())
        return self._accounts.enable_member(member_id, event=event)

    def unlink(self, actor: Actor, member_id: str) -> Member:
        """Lets go of whom the identity provider says the member to be, and ends its sessions. For the member itself,
        and for admins; not by a key.

        It is linked anew with a new invitation, or after signing in by its password: to keep it out, disable it.
        """
        actor.require_person()
        self._require_self_or_charge(actor, member_id)
        member = self._reachable(actor, member_id)
        event = self._event(actor, Action.IDENTITY_UNLINKED, member, at=self._clock.now())
        return self._sign_ins.unlink(member_id, event=event)

    # personal data

    def export(self, actor: Actor, member_id: str) -> dict[str, object]:
        """Everything that is stored about a member, as plain JSON. For the member itself, and for admins."""
        self._require_self_or_charge(actor, member_id)
        member = self._reachable(actor, member_id)
        self._trail.record(self._event(actor, Action.MEMBER_EXPORTED, member, at=self._clock.now()))
        organisation = self._accounts.organisation(member.organisation_id)
        sessions = self._credentials.sessions(member_id)
        keys = self._credentials.keys(member.organisation_id, member_id=member_id)
        return {
            "member": member_object(member) | {"organisation": organisation.name},
            "identities": [identity_object(identity) for identity in self._sign_ins.identities(member_id)],
            "sessions": [session_object(session) for session in sessions],
            "keys": [key_object(key) for key in keys],
            "events": [event_object(event) for event in self._events_about(member_id)],
        }

    def _events_about(self, member_id: str) -> Iterator[AuditEvent]:
        after = ""
        while page := self._trail.events(about=member_id, after=after, limit=LONGEST_PAGE):
            yield from page
            after = page[-1].event_id

    def erase(self, actor: Actor, member_id: str) -> Member:
        """Destroys all personal data, identities, sessions and keys; the id stays, so that the audit trail can name it.

        For the member itself, and for admins.
        """
        member, now = self.require_erasable(actor, member_id), self._clock.now()
        event = self._event(actor, Action.MEMBER_ERASED, member, at=now)
        traces = [] if member.email is None else attempts.traces(member.email)
        return self._accounts.erase_member(member_id, at=now, forget=traces, event=event)

    def require_erasable(self, actor: Actor, member_id: str) -> Member:
        """The member, if ``actor`` may erase it."""
        self._require_self_or_charge(actor, member_id)
        return self._reachable(actor, member_id)

    # inside

    def _reachable(self, actor: Actor, member_id: str) -> Member:
        """Raises NotFound for members of organisations that are not in the actor's charge."""
        member = self._accounts.member(member_id)
        if member.organisation_id != actor.organisation_id and not actor.administers_installation:
            raise NotFound(f"no member {member_id}", hint="Look at the members of your organisation.")
        return member

    def _event(
        self, actor: Actor, action: Action, member: Member, *, at: datetime, detail: Mapping[str, object] | None = None
    ) -> AuditEvent:
        return event_of(actor, action, member.member_id, at=at, organisation_id=member.organisation_id, detail=detail)

    @staticmethod
    def _require_person_in_charge(actor: Actor) -> None:
        actor.require(Scope.ORGANISATION_WRITE)
        actor.require_person()

    @staticmethod
    def _require_own_password(actor: Actor, password: str | None) -> None:
        if password is not None and not actor.is_console:
            raise PermissionDenied("nobody sets the password of another member", hint="Hand over the invitation.")

    @staticmethod
    def _require_self_or_charge(actor: Actor, member_id: str) -> None:
        if actor.key_id is not None or actor.member_id != member_id:
            actor.require(Scope.ORGANISATION_WRITE)
