"""Organisations, members, keys, sessions and events as plain JSON: the same wherever they are printed or sent."""

from datetime import datetime

from imgguard.registry.accounts import ApiKey, AuditEvent, LinkedIdentity, Member, Organisation, Session


def iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, with ``Z``."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def organisation_object(organisation: Organisation) -> dict[str, object]:
    return {
        "organisation_id": organisation.organisation_id,
        "organisation": organisation.name,
        "disclosure": organisation.disclosure.value,
        "is_operator": organisation.is_operator,
        "created_at": iso(organisation.created_at),
        "disabled_at": iso(organisation.disabled_at),
        "erased_at": iso(organisation.erased_at),
    }


def member_object(member: Member) -> dict[str, object]:
    return {
        "member_id": member.member_id,
        "organisation_id": member.organisation_id,
        "email": member.email,
        "name": member.name,
        "roles": sorted(member.roles),
        "has_password": member.has_password,
        "is_linked": member.is_linked,
        "created_at": iso(member.created_at),
        "disabled_at": iso(member.disabled_at),
        "erased_at": iso(member.erased_at),
    }


def identity_object(identity: LinkedIdentity) -> dict[str, object]:
    return {
        "issuer": identity.issuer,
        "subject": identity.subject,
        "member_id": identity.member_id,
        "created_at": iso(identity.created_at),
    }


def session_object(session: Session) -> dict[str, object]:
    return {
        "session_id": session.session_id,
        "member_id": session.member_id,
        "created_at": iso(session.created_at),
        "seen_at": iso(session.seen_at),
        "expires_at": iso(session.expires_at),
    }


def key_object(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "organisation_id": key.organisation_id,
        "member_id": key.member_id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at),
        "last_used_at": iso(key.last_used_at),
        "revoked_at": iso(key.revoked_at),
    }


def event_object(event: AuditEvent) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "at": iso(event.at),
        "actor": event.actor,
        "key_id": event.key_id,
        "organisation_id": event.organisation_id,
        "action": event.action,
        "object_id": event.object_id,
        "parties": sorted(event.parties),
        "detail": dict(event.detail),
    }
