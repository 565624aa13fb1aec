"""The Accounts, Credentials and AuditTrail ports on a database: one method, one transaction, its event in it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, exists, or_, select

from imgguard.ports import InvitationGrant, KeyGrant, Login, NewCredential, SessionGrant
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
from imgguard.storage.sql import attempts as attempt_rows
from imgguard.storage.sql import audit, credentials, endings, members
from imgguard.storage.sql.engine import BREATH, Database
from imgguard.storage.sql.schema import attempts, invitations, organisations, owners, sessions, sign_ins

_CLEARED_AT_ONCE = 500
"""Messages to webhooks that one transaction deletes."""


def _begin(connection: Connection, member: Member, credential: NewCredential) -> Member:
    """The member with what it begins with. Raises NotFound, Conflict."""
    added = members.add(connection, member, password_hash=credential.password_hash)
    if credential.invitation is not None and credential.token_sha256 is not None:
        credentials.add_invitation(connection, credential.invitation, credential.token_sha256)
    return added


class SqlAccounts:
    """See `imgguard.ports.Accounts` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def operator(self) -> Organisation | None:
        with self._database.read() as connection:
            return members.find_organisation(connection, organisations.c.is_operator)

    def organisation(self, organisation_id: str) -> Organisation:
        with self._database.read() as connection:
            return members.organisation(connection, organisation_id)

    def organisation_named(self, name: str) -> Organisation | None:
        with self._database.read() as connection:
            return members.find_organisation(connection, owners.c.name == name)

    def organisation_of_owner(self, owner_id: str) -> Organisation | None:
        with self._database.read() as connection:
            return members.find_organisation(connection, organisations.c.owner_id == owner_id)

    def organisations(self, *, after: str = "", limit: int = 1000) -> Sequence[Organisation]:
        with self._database.read() as connection:
            return members.organisation_page(connection, after=after, limit=limit)

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
        with self._database.write() as connection:
            made, took_over = members.add_organisation(
                connection, organisation_id, name, disclosure=disclosure, first=first, at=event.at
            )
            _begin(connection, admin, credential)
            audit.record(connection, replace(event, detail={**event.detail, "took_over_owner": took_over}))
            return made

    def set_disclosure(self, organisation_id: str, disclosure: Disclosure, *, event: AuditEvent) -> Organisation:
        with self._database.write() as connection:
            before = members.organisation(connection, organisation_id)
            after = members.set_disclosure(connection, organisation_id, disclosure)
            if after != before:
                audit.record(connection, event)
            return after

    def disable_organisation(self, organisation_id: str, *, at: datetime, event: AuditEvent) -> Organisation:
        return self._ended(
            organisation_id, lambda connection: endings.disable(connection, organisation_id, at=at), event
        )

    def enable_organisation(self, organisation_id: str, *, event: AuditEvent) -> Organisation:
        return self._ended(organisation_id, lambda connection: endings.enable(connection, organisation_id), event)

    def erase_organisation(
        self, organisation_id: str, *, at: datetime, forget: Sequence[str], event: AuditEvent
    ) -> Organisation:
        self._clear_messages(organisation_id)
        tombstone = self._ended(
            organisation_id,
            lambda connection: endings.erase(connection, organisation_id, at=at, forget=forget),
            event,
        )
        self._database.scrub()
        return tombstone

    def _clear_messages(self, organisation_id: str) -> None:
        """Most of what an erasure deletes, in parts: others can write in between."""
        cleared = _CLEARED_AT_ONCE
        while cleared == _CLEARED_AT_ONCE:
            with self._database.write() as connection:
                cleared = endings.clear_messages(connection, organisation_id, most=_CLEARED_AT_ONCE)
            time.sleep(BREATH)

    def _ended(
        self, organisation_id: str, change: Callable[[Connection], Organisation], event: AuditEvent
    ) -> Organisation:
        with self._database.write() as connection:
            before = members.organisation(connection, organisation_id)
            after = change(connection)
            if after != before:
                audit.record(connection, event)
            return after

    def member(self, member_id: str) -> Member:
        with self._database.read() as connection:
            return members.get(connection, member_id)

    def member_with_email(self, email: str) -> Member | None:
        with self._database.read() as connection:
            row = members.row_with_email(connection, email)
            return None if row is None else members.member_of(row)

    def members(self, organisation_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Member]:
        with self._database.read() as connection:
            return members.page(connection, organisation_id, after=after, limit=limit)

    def add_member(self, member: Member, credential: NewCredential, *, event: AuditEvent) -> Member:
        with self._database.write() as connection:
            added = _begin(connection, member, credential)
            audit.record(connection, event)
            return added

    def change_member(
        self, member_id: str, *, name: str | None = None, roles: frozenset[Role] | None = None, event: AuditEvent
    ) -> Member:
        with self._database.write() as connection:
            before = members.get(connection, member_id)
            after = members.change(connection, member_id, name=name, roles=roles)
            if after != before:
                audit.record(connection, event)
            return after

    def disable_member(self, member_id: str, *, at: datetime, event: AuditEvent) -> Member:
        with self._database.write() as connection:
            before = members.get(connection, member_id)
            after = members.disable(connection, member_id, at=at)
            if after != before:
                audit.record(connection, event)
            return after

    def enable_member(self, member_id: str, *, event: AuditEvent) -> Member:
        with self._database.write() as connection:
            before = members.get(connection, member_id)
            after = members.enable(connection, member_id)
            if after != before:
                audit.record(connection, event)
            return after

    def erase_member(self, member_id: str, *, at: datetime, forget: Sequence[str], event: AuditEvent) -> Member:
        with self._database.write() as connection:
            tombstone = members.erase(connection, member_id, at=at, forget=forget)
            audit.record(connection, event)
        self._database.scrub()
        return tombstone


class SqlCredentials:
    """See `imgguard.ports.Credentials` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # passwords and invitations

    def login(self, email: str) -> Login | None:
        with self._database.read() as connection:
            row = members.row_with_email(connection, email)
            return None if row is None else Login(member=members.member_of(row), password_hash=row.password_hash)

    def set_password(self, member_id: str, password_hash: str, *, event: AuditEvent) -> Member:
        with self._database.write() as connection:
            member = credentials.set_password(connection, member_id, password_hash)
            audit.record(connection, event)
            return member

    def add_invitation(self, invitation: Invitation, token_sha256: str, *, event: AuditEvent) -> None:
        with self._database.write() as connection:
            credentials.add_invitation(connection, invitation, token_sha256)
            audit.record(connection, event)

    def invited(self, token_sha256: str, *, at: datetime) -> InvitationGrant | None:
        with self._database.read() as connection:
            return credentials.invited(connection, token_sha256, at=at)

    def accept_invitation(
        self, token_sha256: str, password_hash: str, *, at: datetime, event: AuditEvent
    ) -> Member | None:
        with self._database.write() as connection:
            grant = credentials.invited(connection, token_sha256, at=at)
            if grant is None:
                return None
            member = credentials.set_password(connection, grant.member.member_id, password_hash)
            audit.record(connection, event)
            return member

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
        with self._database.write() as connection:
            opened = credentials.open_session(
                connection, session, token_sha256, verified_hash=verified_hash, new_hash=new_hash
            )
            if opened:
                before = [max(attempt_rows.failures(connection, subject) - 1, 0) for subject in forgive][:1]
                attempt_rows.forgive(connection, forgive)
                audit.record(connection, replace(event, detail={**event.detail, "failures_before": sum(before)}))
            return opened

    def session(self, token_sha256: str) -> SessionGrant | None:
        with self._database.read() as connection:
            return credentials.session(connection, token_sha256)

    def sessions(self, member_id: str) -> Sequence[Session]:
        with self._database.read() as connection:
            return credentials.sessions_of(connection, member_id)

    def touch_session(self, session_id: str, *, at: datetime) -> None:
        with self._database.write() as connection:
            credentials.touch_session(connection, session_id, at=at)

    def end_session(self, token_sha256: str, *, event: AuditEvent) -> None:
        with self._database.write() as connection:
            if credentials.end_session(connection, token_sha256):
                audit.record(connection, event)

    # keys

    def add_key(self, key: ApiKey, secret_sha256: str, *, event: AuditEvent) -> None:
        with self._database.write() as connection:
            credentials.add_key(connection, key, secret_sha256)
            audit.record(connection, event)

    def key(self, key_id: str) -> ApiKey:
        with self._database.read() as connection:
            return credentials.key(connection, key_id)

    def key_with_secret(self, secret_sha256: str) -> KeyGrant | None:
        with self._database.read() as connection:
            return credentials.key_with_secret(connection, secret_sha256)

    def keys(self, organisation_id: str, *, member_id: str | None = None) -> Sequence[ApiKey]:
        with self._database.read() as connection:
            return credentials.keys(connection, organisation_id, member_id=member_id)

    def touch_key(self, key_id: str, *, at: datetime) -> None:
        with self._database.write() as connection:
            credentials.touch_key(connection, key_id, at=at)

    def revoke_key(self, key_id: str, *, at: datetime, event: AuditEvent) -> ApiKey:
        with self._database.write() as connection:
            before = credentials.key(connection, key_id)
            if before.revoked_at is not None:
                return before
            audit.record(connection, event)
            return credentials.revoke_key(connection, key_id, at=at)

    # attempts to sign in

    def admit(self, subjects: Mapping[str, Limit], *, at: datetime) -> datetime | None:
        with self._database.write() as connection:
            return attempt_rows.admit(connection, subjects, at=at)

    def forget_expired(self, *, now: datetime) -> None:
        over = [table.c[column] <= now for table, column in _EXPIRING]
        with self._database.read() as connection:
            due = connection.execute(select(or_(*(exists().where(condition) for condition in over)))).scalar_one()
        if due:
            with self._database.write() as connection:
                for (table, _), condition in zip(_EXPIRING, over, strict=True):
                    connection.execute(delete(table).where(condition))


_EXPIRING = (
    (sessions, "expires_at"),
    (invitations, "expires_at"),
    (sign_ins, "expires_at"),
    (attempts, "forgotten_at"),
)


class SqlAuditTrail:
    """See `imgguard.ports.AuditTrail` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, event: AuditEvent) -> None:
        with self._database.write() as connection:
            audit.record(connection, event)

    def events(
        self,
        *,
        party: str | None = None,
        about: str | None = None,
        after: str = "",
        newest_first: bool = False,
        limit: int = 100,
    ) -> Sequence[AuditEvent]:
        with self._database.read() as connection:
            return audit.page(connection, party=party, about=about, after=after, newest_first=newest_first, limit=limit)
