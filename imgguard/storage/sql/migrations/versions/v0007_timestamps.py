"""Timestamp tokens and cosignatures of checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_tokens",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("renews", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("gen_time", sa.DateTime(), nullable=True),
        sa.Column("expires_at", sa.DateTime(), nullable=True),
        sa.Column("covered_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoints.size"], name=op.f("fk_log_tokens_size")),
        sa.ForeignKeyConstraint(["renews"], ["log_tokens.token_id"], name=op.f("fk_log_tokens_renews")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_log_tokens")),
    )
    op.create_index("ix_log_tokens_state", "log_tokens", ["state", "url", "size"], unique=False)
    op.create_index("ix_log_tokens_expires", "log_tokens", ["expires_at"], unique=False)
    op.create_index(
        "uq_log_tokens_first",
        "log_tokens",
        ["size", "url"],
        unique=True,
        sqlite_where=sa.text("renews IS NULL"),
        postgresql_where=sa.text("renews IS NULL"),
    )
    op.create_index("uq_log_tokens_renewal", "log_tokens", ["renews"], unique=True)
    op.create_table(
        "log_cosignatures",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("witness", sa.String(length=255), nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=4), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("collected_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoints.size"], name=op.f("fk_log_cosignatures_size")),
        sa.PrimaryKeyConstraint("size", "witness", "key_id", name=op.f("pk_log_cosignatures")),
    )
    _keep_what_was_stamped()


def _keep_what_was_stamped() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER log_tokens_no_{change.lower()} BEFORE {change} ON log_tokens WHEN OLD.state = 'stamped' "
            "BEGIN SELECT RAISE(ABORT, 'a token that is stamped cannot be changed'); END"
        )
