"""Evidence packets that members had built, and what they contain."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "packets",
        sa.Column("packet_id", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("byte_length", sa.Integer(), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("state IN ('kept', 'expired', 'deleted', 'erased')", name=op.f("ck_packets_state")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.organisation_id"], name=op.f("fk_packets_organisation_id")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.member_id"], name=op.f("fk_packets_member_id")),
        sa.PrimaryKeyConstraint("packet_id", name=op.f("pk_packets")),
    )
    op.create_index("ix_packets_organisation", "packets", ["organisation_id", "packet_id"], unique=False)
    op.create_index("ix_packets_due", "packets", ["state", "expires_at"], unique=False)
    for column in ("member_id", "sha256"):
        op.create_index(op.f(f"ix_packets_{column}"), "packets", [column], unique=False)
    op.create_table(
        "packet_subjects",
        sa.Column("packet_id", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.CheckConstraint("kind IN ('reference', 'finding')", name=op.f("ck_packet_subjects_kind")),
        sa.ForeignKeyConstraint(["packet_id"], ["packets.packet_id"], name=op.f("fk_packet_subjects_packet_id")),
        sa.PrimaryKeyConstraint("packet_id", "object_id", name=op.f("pk_packet_subjects")),
    )
    op.create_index(op.f("ix_packet_subjects_object_id"), "packet_subjects", ["object_id"], unique=False)
