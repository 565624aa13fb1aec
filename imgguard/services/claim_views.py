"""What people and programs are shown of claims and proofs: never to strangers (docs/privacy.md)."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from imgguard.provenance.records import ProofKind
from imgguard.registry.claims import AttachedProof, Keeping, Statement

STATES = "the claimant states (not verified)"
"""The heading under which people are shown claims."""


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DateView(_View):
    """``at``: a year, month, day, or time in UTC."""

    what: str
    at: str


class StatementView(_View):
    """What the claimant states. Not verified."""

    claim_id: str
    reference_id: str
    dates: list[DateView]
    places: list[str]
    urls: list[str]
    statement: str | None
    at_registration: bool = Field(description="Whether it is in the record of the registration.")
    made_at: AwareDatetime


class ProofView(_View):
    """A file that the claimant attached. Not examined. ``digest_only``: the file stayed with the claimant."""

    proof_id: str
    reference_id: str
    kind: ProofKind
    name: str
    sha256: str
    byte_length: int
    keeping: Keeping
    added_at: AwareDatetime
    removed_at: AwareDatetime | None


def statement_view(statement: Statement) -> StatementView:
    claims = statement.claims
    return StatementView(
        claim_id=statement.claim_id,
        reference_id=statement.reference_id,
        dates=[DateView(what=what, at=at) for what, at in claims.dates],
        places=list(claims.places),
        urls=list(claims.urls),
        statement=claims.statement,
        at_registration=statement.at_registration,
        made_at=statement.made_at,
    )


def proof_view(proof: AttachedProof) -> ProofView:
    return ProofView(
        proof_id=proof.proof_id,
        reference_id=proof.reference_id,
        kind=proof.kind,
        name=proof.name,
        sha256=proof.sha256,
        byte_length=proof.byte_length,
        keeping=proof.keeping,
        added_at=proof.added_at,
        removed_at=proof.removed_at,
    )


def statement_object(statement: Statement) -> dict[str, Any]:
    """As JSON."""
    return statement_view(statement).model_dump(mode="json")


def proof_object(proof: AttachedProof) -> dict[str, Any]:
    """As JSON."""
    return proof_view(proof).model_dump(mode="json")
