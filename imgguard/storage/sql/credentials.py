"""Rows of passwords, invitations, sessions and keys. Each function runs inside the caller's transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from imgguard.errors import NotFound
from imgguard.ports import InvitationGrant, KeyGrant, SessionGrant
from imgguard.registry.accounts import ApiKey, Invitation, Member, Scope, Session
from imgguard.storage.sql import members as member_rows
from imgguard.storage.sql.schema import api_keys, invitations, members, sessions

# passwords and invitations


def set_password(connection: Connection, member_id: str, password_hash: str) -> Member:
    member_rows.present(connection, member_id)
    member_rows.end_sessions(connection, member_id)
    connection.execute(delete(invitations).where(invitations.c.member_id == member_id))
    _write_hash(connection, member_id, password_hash)
    return member_rows.get(connection, member_id)


def _write_hash(connection: Connection, member_id: str, password_hash: str) -> None:
    connection.execute(update(members).where(members.c.member_id == member_id).values(password_hash=password_hash))


def add_invitation(connection: Connection, invitation: Invitation, token_sha256: str) -> None:
    member_rows.enabled(connection, invitation.member_id)
    connection.execute(delete(invitations).where(invitations.c.member_id == invitation.member_id))
    connection.execute(
        insert(invitations).values(
            token_sha256=token_sha256,
            member_id=invitation.member_id,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
            invited_by=invitation.invited_by,
        )
    )


def invited(connection: Connection, token_sha256: str, *, at: datetime) -> InvitationGrant | None:
    chosen = invitations.c.token_sha256 == token_sha256, invitations.c.expires_at > at
    row = connection.execute(select(invitations).where(*chosen)).one_or_none()
    if row is None:
        return None
    invitation = Invitation(
        member_id=row.member_id, created_at=row.created_at, expires_at=row.expires_at, invited_by=row.invited_by
    )
    member = member_rows.get(connection, row.member_id)
    organisation = member_rows.organisation(connection, member.organisation_id)
    if not (member.is_enabled and organisation.is_enabled):
        return None
    return InvitationGrant(invitation=invitation, member=member, organisation=organisation)


# sessions


def _session_of(row: Row[Any]) -> Session:
    return Session(
        session_id=row.session_id,
        member_id=row.member_id,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )


def open_session(
    connection: Connection, session: Session, token_sha256: str, *, verified_hash: str, new_hash: str | None
) -> bool:
    """False when the password was changed or the member disabled since it was verified."""
    chosen = member_rows.MEMBERS.where(members.c.member_id == session.member_id)
    row = connection.execute(chosen).one_or_none()
    if row is None or row.password_hash != verified_hash or not member_rows.member_of(row).is_enabled:
        return False
    if new_hash is not None:
        _write_hash(connection, session.member_id, new_hash)
    add_session(connection, session, token_sha256)
    return True


def add_session(connection: Connection, session: Session, token_sha256: str) -> None:
    """Drops those that have expired."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= session.created_at))
    values = {name: getattr(session, name) for name in ("session_id", "member_id", "created_at", "seen_at")}
    connection.execute(insert(sessions).values(token_sha256=token_sha256, expires_at=session.expires_at, **values))


def session(connection: Connection, token_sha256: str) -> SessionGrant | None:
    row = connection.execute(select(sessions).where(sessions.c.token_sha256 == token_sha256)).one_or_none()
    if row is None:
        return None
    member = member_rows.get(connection, row.member_id)
    organisation = member_rows.organisation(connection, member.organisation_id)
    return SessionGrant(session=_session_of(row), member=member, organisation=organisation)


def sessions_of(connection: Connection, member_id: str) -> list[Session]:
    mine = select(sessions).where(sessions.c.member_id == member_id).order_by(sessions.c.session_id)
    return [_session_of(row) for row in connection.execute(mine)]


def touch_session(connection: Connection, session_id: str, *, at: datetime) -> None:
    connection.execute(update(sessions).where(sessions.c.session_id == session_id).values(seen_at=at))


def end_session(connection: Connection, token_sha256: str) -> bool:
    """Whether there was one."""
    return connection.execute(delete(sessions).where(sessions.c.token_sha256 == token_sha256)).rowcount > 0


# keys


def _key_of(row: Row[Any]) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        organisation_id=row.organisation_id,
        member_id=row.member_id,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )


def add_key(connection: Connection, key: ApiKey, secret_sha256: str) -> None:
    member_rows.enabled(connection, key.member_id)
    connection.execute(
        insert(api_keys).values(
            key_id=key.key_id,
            organisation_id=key.organisation_id,
            member_id=key.member_id,
            name=key.name,
            secret_sha256=secret_sha256,
            scopes=" ".join(sorted(key.scopes)),
            created_at=key.created_at,
            expires_at=key.expires_at,
        )
    )


def _find_key(connection: Connection, condition: ColumnElement[bool]) -> ApiKey | None:
    row = connection.execute(select(api_keys).where(condition)).one_or_none()
    return None if row is None else _key_of(row)


def key(connection: Connection, key_id: str) -> ApiKey:
    found = _find_key(connection, api_keys.c.key_id == key_id)
    if found is None:
        raise NotFound(f"no key {key_id}", hint="Look at the keys with `imgguard admin key list`.")
    return found


def key_with_secret(connection: Connection, secret_sha256: str) -> KeyGrant | None:
    found = _find_key(connection, api_keys.c.secret_sha256 == secret_sha256)
    if found is None:
        return None
    member = member_rows.get(connection, found.member_id)
    organisation = member_rows.organisation(connection, found.organisation_id)
    return KeyGrant(key=found, member=member, organisation=organisation)


def keys(connection: Connection, organisation_id: str, *, member_id: str | None) -> list[ApiKey]:
    mine = select(api_keys).where(api_keys.c.organisation_id == organisation_id).order_by(api_keys.c.key_id)
    if member_id is not None:
        mine = mine.where(api_keys.c.member_id == member_id)
    return [_key_of(row) for row in connection.execute(mine)]


def touch_key(connection: Connection, key_id: str, *, at: datetime) -> None:
    connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(last_used_at=at))


def revoke_key(connection: Connection, key_id: str, *, at: datetime) -> ApiKey:
    key(connection, key_id)
    connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(revoked_at=at))
    return key(connection, key_id)
