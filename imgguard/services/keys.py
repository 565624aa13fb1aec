"""API keys: made by people for programs, shown once, and never worth more than their maker."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from imgguard.errors import InputError, InvalidTransition, NotFound, PermissionDenied
from imgguard.ports import Accounts, Clock, Credentials
from imgguard.registry.access import Actor, scopes_of
from imgguard.registry.accounts import Action, ApiKey, AuditEvent, Member, Scope
from imgguard.registry.ids import new_id
from imgguard.services import tokens
from imgguard.services.audit import event_of
from imgguard.services.invitations import checked_name

LIFETIME = timedelta(days=365)
"""Of keys for which nobody says how long they are to live."""

MOST_KEYS = 50
"""Valid ones of a member at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """``secret`` is the whole key; it is shown this once."""

    key: ApiKey
    secret: str = field(repr=False)


class Keys:
    """Thread safe."""

    def __init__(self, *, accounts: Accounts, credentials: Credentials, clock: Clock) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._clock = clock

    def issue(
        self,
        actor: Actor,
        name: str,
        *,
        scopes: Iterable[Scope] | None = None,
        lifetime: timedelta | None = LIFETIME,
        member_id: str | None = None,
    ) -> IssuedKey:
        """A key of the actor; the console makes one for the member it names. ``scopes``: all that the roles allow now,
        if None. ``lifetime`` None: until it is revoked.

        Raises PermissionDenied for a key that asks, for another member's key, and for scopes beyond the roles,
        InputError, NotFound, InvalidTransition when the member is disabled or has 50 valid keys.
        """
        member = self._maker(actor, member_id)
        wanted = _allowed(member, scopes)
        if lifetime is not None and lifetime <= timedelta():
            raise InputError("a key that has expired already is of no use", hint="Give a longer time.")
        now, key_id = self._clock.now(), new_id("key")
        self._require_room(member, at=now)
        key = ApiKey(
            key_id=key_id,
            organisation_id=member.organisation_id,
            member_id=member.member_id,
            name=checked_name(name, whose="a key"),
            scopes=wanted,
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
            last_used_at=None,
            revoked_at=None,
        )
        secret = tokens.new_secret(key_id)
        event = _event(actor, Action.KEY_ISSUED, key, at=now, detail={"scopes": sorted(wanted)})
        self._credentials.add_key(key, tokens.digest(secret), event=event)
        return IssuedKey(key=key, secret=secret)

    def _require_room(self, member: Member, *, at: datetime) -> None:
        made = self._credentials.keys(member.organisation_id, member_id=member.member_id)
        if sum(key.state(at) == "valid" for key in made) >= MOST_KEYS:
            raise InvalidTransition(
                f"{member.member_id} has {MOST_KEYS} valid keys, the limit", hint="Revoke one that is not used."
            )

    def _maker(self, actor: Actor, member_id: str | None) -> Member:
        actor.require_person()
        if member_id is None and actor.member_id is None:
            raise InputError("a key belongs to a member", hint="Say whose key it is to be.")
        if member_id not in (None, actor.member_id) and not actor.is_console:
            raise PermissionDenied("nobody makes keys for another member", hint="Let the member make it.")
        return self._accounts.member(member_id or actor.member_id or "")

    def keys(self, actor: Actor, *, organisation_id: str | None = None) -> Sequence[ApiKey]:
        """Those of the organisation for who looks after it, otherwise the actor's own. Raises NotFound."""
        meant = actor.organisation_meant(organisation_id)
        if Scope.ORGANISATION_WRITE in actor.scopes:
            return self._credentials.keys(meant)
        return self._credentials.keys(meant, member_id=actor.member_id)

    def revoke(self, actor: Actor, key_id: str) -> ApiKey:
        """From now on it opens nothing; once more changes nothing. A key may revoke itself.

        Raises NotFound for a key that is neither the actor's own nor of an organisation it looks after.
        """
        key = self._credentials.key(key_id)
        looks_after = Scope.ORGANISATION_WRITE in actor.scopes and (
            actor.administers_installation or key.organisation_id == actor.organisation_id
        )
        if key.member_id != actor.member_id and not looks_after:
            raise NotFound(f"no key {key_id}", hint="Look at the keys you have.")
        now = self._clock.now()
        event = _event(actor, Action.KEY_REVOKED, key, at=now)
        return self._credentials.revoke_key(key_id, at=now, event=event)


def _allowed(member: Member, scopes: Iterable[Scope] | None) -> frozenset[Scope]:
    """The scopes of a key. Raises InputError when there are none, PermissionDenied for what the roles do not allow."""
    allowed = scopes_of(member.roles)
    wanted = allowed if scopes is None else frozenset(scopes)
    if not wanted:
        raise InputError("a key has at least one scope", hint=f"Scopes are {', '.join(Scope)}.")
    if wanted - allowed:
        raise PermissionDenied(f"the roles of the member do not allow {', '.join(sorted(wanted - allowed))}")
    return wanted


def _event(
    actor: Actor, action: Action, key: ApiKey, *, at: datetime, detail: Mapping[str, object] | None = None
) -> AuditEvent:
    whose = {"member_id": key.member_id, **(detail or {})}
    return event_of(actor, action, key.key_id, at=at, organisation_id=key.organisation_id, detail=whose)
