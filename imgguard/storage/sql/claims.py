"""Claims and proofs of references, each with its leaf. Each function runs inside the caller's transaction."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from imgguard.errors import InvalidTransition, NotFound
from imgguard.provenance.records import Kind, ProofKind, claims_of, event_record
from imgguard.registry.claims import AttachedProof, Keeping, NewClaims, Statement
from imgguard.registry.ids import new_id
from imgguard.registry.records import Reference, ReferenceStatus
from imgguard.storage.sql import claimants, log, queries, references
from imgguard.storage.sql.schema import reference_claims, reference_proofs

_CLAIMS, _PROOFS = reference_claims.c, reference_proofs.c


def _statement(row: Row[Any]) -> Statement:
    return Statement(**{**row._mapping, "claims": claims_of(json.loads(row.claims))})


def _proof(row: Row[Any]) -> AttachedProof:
    return AttachedProof(**{**row._mapping, "kind": ProofKind(row.kind), "keeping": Keeping(row.keeping)})


def statements(
    connection: Connection, *which: ColumnElement[bool], after: str = "", limit: int = 1000
) -> list[Statement]:
    """Oldest first."""
    chosen = select(reference_claims).where(*which, _CLAIMS.claim_id > after).order_by(_CLAIMS.claim_id)
    return [_statement(row) for row in connection.execute(chosen.limit(limit))]


def proofs(
    connection: Connection, *which: ColumnElement[bool], after: str = "", limit: int = 1000
) -> list[AttachedProof]:
    """Oldest first."""
    chosen = select(reference_proofs).where(*which, _PROOFS.proof_id > after).order_by(_PROOFS.proof_id)
    return [_proof(row) for row in connection.execute(chosen.limit(limit))]


def add_registered(connection: Connection, reference_id: str, stated: NewClaims, *, at: datetime) -> None:
    """What was stated with the registration, whose record has it."""
    _add(connection, reference_id, stated, at_registration=True, at=at)


def add(connection: Connection, reference_id: str, stated: NewClaims, *, most: int, at: datetime) -> Statement:
    """Raises NotFound, InvalidTransition for an erased reference, or one with ``most`` statements."""
    reference = _changeable(connection, reference_id)
    count = select(func.count()).select_from(reference_claims).where(_CLAIMS.reference_id == reference_id)
    if connection.execute(count).scalar_one() >= most:
        raise InvalidTransition(f"{reference_id} has {most} statements already", hint="Nothing more can be stated.")
    made = _add(connection, reference_id, stated, at_registration=False, at=at)
    facts = {"event": "claimed", "claims": stated.claims.to_object()}
    _tell(connection, made.claim_id, reference, facts=facts, digests={}, at=at)
    return made


def _add(
    connection: Connection, reference_id: str, stated: NewClaims, *, at_registration: bool, at: datetime
) -> Statement:
    made = Statement(
        claim_id=new_id("clm"),
        reference_id=reference_id,
        claims=stated.claims,
        at_registration=at_registration,
        member_id=stated.member_id,
        made_at=at,
    )
    values = {column.name: getattr(made, column.name) for column in reference_claims.columns}
    values["claims"] = json.dumps(stated.claims.to_object(), ensure_ascii=False)
    connection.execute(insert(reference_claims).values(values))
    return made


def attach(connection: Connection, proof: AttachedProof, *, most: int) -> None:
    """Raises NotFound, InvalidTransition for an erased reference, or one with ``most`` proofs."""
    reference = _changeable(connection, proof.reference_id)
    count = select(func.count()).select_from(reference_proofs).where(_PROOFS.reference_id == proof.reference_id)
    if connection.execute(count).scalar_one() >= most:
        raise InvalidTransition(f"{proof.reference_id} has {most} proofs already", hint="Put several into one archive.")
    values = {column.name: getattr(proof, column.name) for column in reference_proofs.columns}
    connection.execute(insert(reference_proofs).values(values))
    if proof.keeping is Keeping.STORED:
        queries.cancel_deletion(connection, proof.sha256)
    facts = {
        "event": "attached",
        "proof": {"kind": proof.kind.value, "sha256": proof.sha256, "bytes": proof.byte_length, "name": proof.name},
    }
    _tell(connection, proof.proof_id, reference, facts=facts, digests={"proof": proof.sha256}, at=proof.added_at)


def remove(connection: Connection, reference_id: str, proof_id: str, *, at: datetime) -> AttachedProof:
    """Its file is to be deleted; the digest stays. Raises NotFound, InvalidTransition when no file of it is kept."""
    reference = _changeable(connection, reference_id)
    before = proof_of(connection, reference_id, proof_id)
    if before.keeping is not Keeping.STORED:
        raise InvalidTransition(f"no file of {proof_id} is kept", hint="There is nothing to be deleted.")
    after = replace(before, keeping=Keeping.REMOVED, removed_at=at)
    chosen = update(reference_proofs).where(_PROOFS.proof_id == proof_id)
    connection.execute(chosen.values(keeping=after.keeping, removed_at=at))
    queries.queue_deletions(connection, [before.sha256], at=at)
    facts = {"event": "removed", "proof": {"kind": before.kind.value, "sha256": before.sha256}}
    _tell(connection, proof_id, reference, facts=facts, digests={"proof": before.sha256}, at=at)
    return after


def proof_of(connection: Connection, reference_id: str, proof_id: str) -> AttachedProof:
    """Raises NotFound."""
    for found in proofs(connection, _PROOFS.reference_id == reference_id, _PROOFS.proof_id == proof_id):
        return found
    raise NotFound(f"no proof {proof_id}", hint="Look at the proofs of the reference.")


def erase(connection: Connection, reference_id: str, *, at: datetime) -> None:
    """Everything that was stated about the reference and attached to it; leaves stay, and nothing opens them."""
    stated = select(_CLAIMS.claim_id).where(_CLAIMS.reference_id == reference_id)
    attached = proofs(connection, _PROOFS.reference_id == reference_id)
    for object_id in (*connection.execute(stated).scalars().all(), *(proof.proof_id for proof in attached)):
        log.close(connection, object_id)
    connection.execute(delete(reference_claims).where(_CLAIMS.reference_id == reference_id))
    connection.execute(delete(reference_proofs).where(_PROOFS.reference_id == reference_id))
    stored = {proof.sha256 for proof in attached if proof.keeping is Keeping.STORED}
    queries.queue_deletions(connection, sorted(stored), at=at)


def _changeable(connection: Connection, reference_id: str) -> Reference:
    """Raises NotFound, InvalidTransition."""
    found = references.get(connection, reference_id)
    if found.status is ReferenceStatus.ERASED:
        raise InvalidTransition(f"{reference_id} is erased", hint="Nothing can be stated about it any more.")
    return found


def _tell(
    connection: Connection,
    object_id: str,
    reference: Reference,
    *,
    facts: Mapping[str, Any],
    digests: Mapping[str, str],
    at: datetime,
) -> None:
    """The log, signed by the owner."""
    record = event_record(
        Kind.CLAIM, subject=reference.reference_id, occurred_at=log.second(at), digests=digests, facts=facts
    )
    claimant = claimants.ensure(connection, reference.owner_id, at=at)
    log.append(connection, record, object_id=object_id, owner_id=reference.owner_id, at=at, claimant=claimant)
