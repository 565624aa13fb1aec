"""Organisations, members and events to store."""

from datetime import timedelta

from imgguard.ports import NewCredential
from imgguard.registry.accounts import Action, ApiKey, AuditEvent, Invitation, Member, Role, Scope, Session
from imgguard.registry.ids import new_id

from .stores import LATER, NOON

ADMIN = frozenset({Role.ADMIN})
HASH, OTHER_HASH = "$argon2id$one", "$argon2id$other"
WITH_PASSWORD = NewCredential(password_hash=HASH)


def digest(name: str) -> str:
    return name.encode().hex().rjust(64, "0")


def member(
    organisation_id: str, email: str = "ann@example.org", *, roles: frozenset[Role] = ADMIN, name: str = "Ann"
) -> Member:
    return Member(
        member_id=new_id("mem"),
        organisation_id=organisation_id,
        email=email,
        name=name,
        roles=roles,
        has_password=False,
        created_at=NOON,
        disabled_at=None,
        erased_at=None,
    )


def event(
    organisation_id: str,
    object_id: str = "thing",
    *,
    action: str = Action.MEMBER_CHANGED,
    actor: str = "console",
    parties: frozenset[str] = frozenset(),
    **detail: object,
) -> AuditEvent:
    return AuditEvent(
        event_id=new_id("evt"),
        at=NOON,
        actor=actor,
        key_id=None,
        organisation_id=organisation_id,
        action=action,
        object_id=object_id,
        parties=parties | {organisation_id},
        detail=detail,
    )


def invitation(member_id: str) -> Invitation:
    return Invitation(member_id=member_id, created_at=NOON, expires_at=LATER)


def session(member_id: str) -> Session:
    return Session(
        session_id=new_id("ses"),
        member_id=member_id,
        created_at=NOON,
        seen_at=NOON,
        expires_at=NOON + timedelta(hours=12),
    )


def key(of: Member, *, name: str = "feed") -> ApiKey:
    return ApiKey(
        key_id=new_id("key"),
        organisation_id=of.organisation_id,
        member_id=of.member_id,
        name=name,
        scopes=frozenset({Scope.CHECKS_READ, Scope.CHECKS_WRITE}),
        created_at=NOON,
        expires_at=LATER,
        last_used_at=None,
        revoked_at=None,
    )
