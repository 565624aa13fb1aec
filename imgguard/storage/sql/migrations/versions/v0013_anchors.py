"""Anchors of checkpoints: what calendars of OpenTimestamps promise, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_anchors",
        sa.Column("anchor_id", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("begun_at", sa.DateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("ots", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoints.size"], name=op.f("fk_log_anchors_size")),
        sa.PrimaryKeyConstraint("anchor_id", name=op.f("pk_log_anchors")),
    )
    op.create_index("ix_log_anchors_state", "log_anchors", ["state", "url", "size"], unique=False)
    op.create_index("uq_log_anchors_checkpoint", "log_anchors", ["size", "url"], unique=True)
    if op.get_bind().dialect.name != "sqlite":
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER log_anchors_no_{change.lower()} BEFORE {change} ON log_anchors "
            "WHEN OLD.state = 'attested' BEGIN SELECT RAISE(ABORT, 'an anchor that is attested cannot be changed'); END"
        )
