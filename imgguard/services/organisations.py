"""Organisations: making them, and what a stranger's check may reveal of their originals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from imgguard.errors import ConfigurationError, InputError, PermissionDenied
from imgguard.ports import Accounts, Clock
from imgguard.registry.access import CONSOLE, Actor, console
from imgguard.registry.accounts import Action, AuditEvent, Disclosure, Organisation, Role, Scope
from imgguard.registry.ids import new_id
from imgguard.registry.names import composed
from imgguard.services.audit import event_of
from imgguard.services.invitations import Invited, checked_name, credential_for, new_member
from imgguard.services.passwords import Passwords

_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A new organisation and its first member."""

    organisation: Organisation
    admin: Invited


class Organisations:
    """Thread safe. ``invitation_time``: how long an invitation can be accepted."""

    def __init__(self, *, accounts: Accounts, passwords: Passwords, clock: Clock, invitation_time: timedelta) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._clock = clock
        self._invitation_time = invitation_time

    def console(self) -> Actor:
        """For commands on the machine that holds the store. Raises ConfigurationError before there is an operator."""
        operator = self._accounts.operator()
        if operator is None:
            raise ConfigurationError(
                "there is no organisation yet", hint="Make the first one with `imgguard admin create`."
            )
        return console(operator)

    def has_operator(self) -> bool:
        """Whether the first organisation has been made."""
        return self._accounts.operator() is not None

    def found(
        self, name: str, *, email: str, member_name: str | None, roles: Iterable[Role], password: str | None
    ) -> Founded:
        """The first organisation: the installation's operator. For the console only.

        Without ``password`` the member is invited. Raises InputError, Conflict when it is not the first.
        """
        return self._make(None, name, email, member_name, roles, password, Disclosure.OUTLINE)

    def create(
        self,
        actor: Actor,
        name: str,
        *,
        email: str,
        member_name: str | None = None,
        roles: Iterable[Role] = (Role.ADMIN,),
        password: str | None = None,
        disclosure: Disclosure = Disclosure.OUTLINE,
    ) -> Founded:
        """An organisation with its first admin. If references of an owner called ``name`` exist, they are its from now.

        Only the console may set a ``password``; others hand over the invitation. Raises PermissionDenied unless a
        person who administers the installation asks, InputError, Conflict for a name or address that is taken.
        """
        actor.require_installation()
        actor.require_person()
        if password is not None and not actor.is_console:
            raise PermissionDenied("nobody sets the password of another member", hint="Hand over the invitation.")
        return self._make(actor, name, email, member_name, roles, password, disclosure)

    def _make(
        self,
        actor: Actor | None,
        name: str,
        email: str,
        member_name: str | None,
        roles: Iterable[Role],
        password: str | None,
        disclosure: Disclosure,
    ) -> Founded:
        now, organisation_id = self._clock.now(), new_id("org")
        name = checked_name(name, whose="an organisation")
        member = new_member(organisation_id, email=email, name=member_name, roles=roles, at=now)
        if Role.ADMIN not in member.roles:
            raise InputError("the first member of an organisation is an admin", hint="Give the role admin too.")
        credential, invited = credential_for(
            member,
            password,
            self._passwords,
            invited_by=None if actor is None else actor.member_id,
            at=now,
            lifetime=self._invitation_time,
        )
        event = AuditEvent(
            event_id=new_id("evt"),
            at=now,
            actor=CONSOLE if actor is None else actor.name,
            key_id=None,
            organisation_id=organisation_id,
            action=Action.ORGANISATION_CREATED,
            object_id=organisation_id,
            parties=frozenset({organisation_id} if actor is None else {organisation_id, actor.organisation_id}),
            detail={
                "member_id": member.member_id,
                "roles": sorted(member.roles),
                "disclosure": disclosure.value,
            },
        )
        made = self._accounts.add_organisation(
            organisation_id, name, member, credential, disclosure=disclosure, first=actor is None, event=event
        )
        return Founded(organisation=made, admin=replace(invited, member=self._accounts.member(member.member_id)))

    def organisation(self, actor: Actor, organisation_id: str | None = None) -> Organisation:
        """The actor's own, or, for administrators of the installation, any. Raises PermissionDenied, NotFound."""
        actor.require(Scope.ORGANISATION_READ)
        return self._accounts.organisation(actor.organisation_meant(organisation_id))

    def named(self, actor: Actor, name_or_id: str) -> Organisation:
        """By name or by id. Raises PermissionDenied unless the installation is administered, NotFound."""
        actor.require_installation()
        return self._accounts.organisation_named(composed(name_or_id)) or self._accounts.organisation(name_or_id)

    def organisations(self, actor: Actor) -> Iterator[Organisation]:
        """All of them, oldest first. Raises PermissionDenied unless the installation is administered."""
        actor.require_installation()
        return self._all()

    def _all(self) -> Iterator[Organisation]:
        after = ""
        while page := self._accounts.organisations(after=after, limit=_PAGE):
            yield from page
            after = page[-1].organisation_id

    def meant(self, actor: Actor, name_or_id: str | None) -> Iterator[Organisation]:
        """The one that is named; all of them, if none is. Raises as `named` does."""
        return self.organisations(actor) if name_or_id is None else iter([self.named(actor, name_or_id)])

    def set_disclosure(
        self, actor: Actor, disclosure: Disclosure, *, organisation_id: str | None = None
    ) -> Organisation:
        """What strangers' checks reveal from now on. Raises PermissionDenied, NotFound."""
        actor.require(Scope.ORGANISATION_WRITE)
        meant = actor.organisation_meant(organisation_id)
        event = event_of(
            actor,
            Action.DISCLOSURE_CHANGED,
            meant,
            at=self._clock.now(),
            organisation_id=meant,
            detail={"disclosure": disclosure.value},
        )
        return self._accounts.set_disclosure(meant, disclosure, event=event)

    def disable(self, actor: Actor, organisation_id: str) -> Organisation:
        """Nobody acts for it until it is enabled again: sessions end, keys rest, jobs fail. What it has registered and
        licensed goes on to count.

        Raises PermissionDenied unless the installation is administered, NotFound, InvalidTransition for the operator
        and for one that is erased.
        """
        actor.require_installation()
        now = self._clock.now()
        event = event_of(actor, Action.ORGANISATION_DISABLED, organisation_id, at=now, organisation_id=organisation_id)
        return self._accounts.disable_organisation(organisation_id, at=now, event=event)

    def enable(self, actor: Actor, organisation_id: str) -> Organisation:
        """Sessions can be opened and keys count again. Raises as `disable` does."""
        actor.require_installation()
        now = self._clock.now()
        event = event_of(actor, Action.ORGANISATION_ENABLED, organisation_id, at=now, organisation_id=organisation_id)
        return self._accounts.enable_organisation(organisation_id, event=event)

    def disclosure_of(self, owner_id: str) -> Disclosure:
        """What a stranger's check reveals of this owner's originals; of an owner without accounts, an outline."""
        organisation = self._accounts.organisation_of_owner(owner_id)
        return Disclosure.OUTLINE if organisation is None else organisation.disclosure
