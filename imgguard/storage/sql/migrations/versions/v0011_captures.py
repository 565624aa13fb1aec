"""Where the picture of a check was fetched, for those that were not sent."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "captures",
        sa.Column("finding_id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("final_url", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("declared_type", sa.Text(), nullable=True),
        sa.Column("byte_length", sa.Integer(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["finding_id"], ["checks.finding_id"], name=op.f("fk_captures_finding_id")),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_captures")),
    )
