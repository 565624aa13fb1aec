"""The ClaimStore port on a database: one method, one transaction, its leaf and its event in it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from imgguard.registry.accounts import AuditEvent
from imgguard.registry.claims import AttachedProof, NewClaims, Statement
from imgguard.registry.records import Reference
from imgguard.storage.sql import audit, claims, references
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import reference_claims, reference_proofs

type Event = Callable[[str, Reference], AuditEvent]


def _tell(connection: Connection, object_id: str, reference_id: str, event: Event | None) -> None:
    if event is not None:
        audit.record(connection, event(object_id, references.get(connection, reference_id)))


class SqlClaims:
    """See `imgguard.ports.ClaimStore` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self, reference_id: str, stated: NewClaims, *, at: datetime, most: int, event: Event | None = None
    ) -> Statement:
        with self._database.write() as connection:
            made = claims.add(connection, reference_id, stated, most=most, at=at)
            _tell(connection, made.claim_id, reference_id, event)
            return made

    def attach(
        self,
        proof: AttachedProof,
        *,
        most: int,
        store_blob: Callable[[], object] | None = None,
        event: Event | None = None,
    ) -> None:
        with self._database.write() as connection:
            claims.attach(connection, proof, most=most)
            _tell(connection, proof.proof_id, proof.reference_id, event)
            if store_blob is not None:
                store_blob()

    def remove(self, reference_id: str, proof_id: str, *, at: datetime, event: Event | None = None) -> AttachedProof:
        with self._database.write() as connection:
            removed = claims.remove(connection, reference_id, proof_id, at=at)
            _tell(connection, proof_id, reference_id, event)
            return removed

    def statements(self, reference_id: str) -> Sequence[Statement]:
        with self._database.read() as connection:
            references.get(connection, reference_id)
            return claims.statements(connection, reference_claims.c.reference_id == reference_id)

    def proofs(self, reference_id: str) -> Sequence[AttachedProof]:
        with self._database.read() as connection:
            references.get(connection, reference_id)
            return claims.proofs(connection, reference_proofs.c.reference_id == reference_id)

    def proof(self, reference_id: str, proof_id: str) -> AttachedProof:
        with self._database.read() as connection:
            return claims.proof_of(connection, reference_id, proof_id)
