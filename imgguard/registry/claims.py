"""What a claimant states about a reference, and the files that are to back it. imgguard checks neither."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from imgguard.provenance.records import Claims, ProofKind

MOST_STATEMENTS = 50
MOST_PROOFS = 50
"""Of one reference; removed files count, since their digests stay."""


class Keeping(StrEnum):
    """``digest_only``: the file never came here. ``removed``: it was kept here, and is deleted."""

    STORED = "stored"
    DIGEST_ONLY = "digest_only"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClaims:
    """What is stated, and by which member; None at the console."""

    claims: Claims
    member_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """``at_registration``: it is in the record of the registration, so there is no leaf about it alone."""

    claim_id: str
    reference_id: str
    claims: Claims
    at_registration: bool
    member_id: str | None
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedProof:
    """A file by its SHA-256 and its length in bytes. It is never decoded here."""

    proof_id: str
    reference_id: str
    kind: ProofKind
    name: str
    sha256: str
    byte_length: int
    keeping: Keeping
    member_id: str | None
    added_at: datetime
    removed_at: datetime | None = None
