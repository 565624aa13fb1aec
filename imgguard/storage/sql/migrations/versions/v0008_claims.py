"""What claimants state about their references, and the files that are to back it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reference_claims",
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("reference_id", sa.String(length=64), nullable=False),
        sa.Column("claims", sa.Text(), nullable=False),
        sa.Column("at_registration", sa.Boolean(), nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["reference_id"], ["refs.reference_id"], name=op.f("fk_reference_claims_reference_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.member_id"], name=op.f("fk_reference_claims_member_id")),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_reference_claims")),
    )
    op.create_table(
        "reference_proofs",
        sa.Column("proof_id", sa.String(length=64), nullable=False),
        sa.Column("reference_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("byte_length", sa.Integer(), nullable=False),
        sa.Column("keeping", sa.String(length=16), nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=True),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("removed_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("keeping IN ('stored', 'digest_only', 'removed')", name=op.f("ck_reference_proofs_keeping")),
        sa.ForeignKeyConstraint(["reference_id"], ["refs.reference_id"], name=op.f("fk_reference_proofs_reference_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.member_id"], name=op.f("fk_reference_proofs_member_id")),
        sa.PrimaryKeyConstraint("proof_id", name=op.f("pk_reference_proofs")),
    )
    for table, column in (
        ("reference_claims", "reference_id"),
        ("reference_claims", "member_id"),
        ("reference_proofs", "reference_id"),
        ("reference_proofs", "member_id"),
        ("reference_proofs", "sha256"),
    ):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
