"""The SignIns port on a database, and its rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, delete, insert, or_, select

from imgguard.ports import PendingSignIn, Proof
from imgguard.registry.accounts import AuditEvent, LinkedIdentity, Member, Session
from imgguard.storage.sql import attempts, audit, credentials, members
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import identities, invitations, sign_ins


class SqlSignIns:
    """See `imgguard.ports.SignIns` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, state_sha256: str, pending: PendingSignIn) -> None:
        proof = pending.proof
        with self._database.write() as connection:
            connection.execute(
                insert(sign_ins).values(
                    state_sha256=state_sha256,
                    browser_sha256=pending.browser_sha256,
                    nonce=pending.nonce,
                    code_verifier=pending.code_verifier,
                    return_to=pending.return_to,
                    proof_by=None if proof is None else proof.by,
                    proof_sha256=None if proof is None else proof.token_sha256,
                    expires_at=pending.expires_at,
                )
            )

    def take(self, state_sha256: str, *, at: datetime) -> PendingSignIn | None:
        chosen = sign_ins.c.state_sha256 == state_sha256
        with self._database.write() as connection:
            row = connection.execute(select(sign_ins).where(chosen)).one_or_none()
            if row is None:
                return None
            connection.execute(delete(sign_ins).where(chosen))
        pending = PendingSignIn(
            browser_sha256=row.browser_sha256,
            nonce=row.nonce,
            code_verifier=row.code_verifier,
            return_to=row.return_to,
            expires_at=row.expires_at,
            proof=None if row.proof_by is None else Proof(by=row.proof_by, token_sha256=row.proof_sha256),
        )
        return pending if pending.expires_at > at else None

    def member_of(self, issuer: str, subject: str) -> Member | None:
        with self._database.read() as connection:
            member_id = _member_id(connection, issuer, subject)
            return None if member_id is None else members.get(connection, member_id)

    def proven(self, proof: Proof, *, at: datetime) -> Member | None:
        with self._database.read() as connection:
            return _proven(connection, proof, at=at)

    def link(self, identity: LinkedIdentity, *, proof: Proof, event: AuditEvent) -> bool:
        with self._database.write() as connection:
            is_linked = _link(connection, identity, proof)
            if is_linked:
                audit.record(connection, event)
            return is_linked

    def open_session(
        self,
        session: Session,
        token_sha256: str,
        *,
        issuer: str,
        subject: str,
        forgive: Mapping[str, bool],
        event: AuditEvent,
    ) -> bool:
        with self._database.write() as connection:
            is_still = _member_id(connection, issuer, subject) == session.member_id
            if not is_still or not members.get(connection, session.member_id).is_enabled:
                return False
            credentials.add_session(connection, session, token_sha256)
            attempts.forgive(connection, forgive)
            audit.record(connection, event)
            return True

    def identities(self, member_id: str) -> Sequence[LinkedIdentity]:
        mine = select(identities).where(identities.c.member_id == member_id)
        with self._database.read() as connection:
            rows = connection.execute(mine.order_by(identities.c.issuer, identities.c.subject))
            return [LinkedIdentity(**row._mapping) for row in rows]

    def unlink(self, member_id: str, *, event: AuditEvent) -> Member:
        with self._database.write() as connection:
            before = members.get(connection, member_id)
            after = members.unlink(connection, member_id)
            if after != before:
                audit.record(connection, event)
            return after


def _member_id(connection: Connection, issuer: str, subject: str) -> str | None:
    chosen = and_(identities.c.issuer == issuer, identities.c.subject == subject)
    found: str | None = connection.execute(select(identities.c.member_id).where(chosen)).scalar_one_or_none()
    return found


def _proven(connection: Connection, proof: Proof, *, at: datetime) -> Member | None:
    if proof.by == "invitation":
        invited = credentials.invited(connection, proof.token_sha256, at=at)
        return None if invited is None else invited.member
    grant = credentials.session(connection, proof.token_sha256)
    if grant is None or grant.session.expires_at <= at:
        return None
    return grant.member if grant.member.is_enabled and grant.organisation.is_enabled else None


def _link(connection: Connection, identity: LinkedIdentity, proof: Proof) -> bool:
    member = _proven(connection, proof, at=identity.created_at)
    if member is None or member.member_id != identity.member_id:
        return False
    either = or_(identities.c.subject == identity.subject, identities.c.member_id == identity.member_id)
    taken = select(identities.c.subject).where(identities.c.issuer == identity.issuer, either)
    if connection.execute(taken).first() is not None:
        return False
    connection.execute(
        insert(identities).values(
            issuer=identity.issuer,
            subject=identity.subject,
            member_id=identity.member_id,
            created_at=identity.created_at,
        )
    )
    if proof.by == "invitation":
        connection.execute(delete(invitations).where(invitations.c.token_sha256 == proof.token_sha256))
    return True
