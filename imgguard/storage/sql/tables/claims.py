"""What claimants state, and the files that are to back it."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Integer, String, Table, Text

from imgguard.storage.sql.tables.base import UtcDateTime, metadata

# ``claims`` is JSON, as records have it. The rows of a reference go when it is erased.
reference_claims = Table(
    "reference_claims",
    metadata,
    Column("claim_id", String(64), primary_key=True),
    Column("reference_id", ForeignKey("refs.reference_id"), nullable=False, index=True),
    Column("claims", Text, nullable=False),
    Column("at_registration", Boolean, nullable=False),
    Column("member_id", ForeignKey("members.member_id"), index=True),
    Column("made_at", UtcDateTime, nullable=False),
)

# The file of a row is a blob only while ``keeping`` is stored.
reference_proofs = Table(
    "reference_proofs",
    metadata,
    Column("proof_id", String(64), primary_key=True),
    Column("reference_id", ForeignKey("refs.reference_id"), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("byte_length", Integer, nullable=False),
    Column("keeping", String(16), nullable=False),
    Column("member_id", ForeignKey("members.member_id"), index=True),
    Column("added_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    CheckConstraint("keeping IN ('stored', 'digest_only', 'removed')", name="keeping"),
)
