"""The transparency log."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_leaves",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=True),
        sa.Column("logged_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.owner_id"], name=op.f("fk_log_leaves_owner_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_log_leaves")),
    )
    op.create_index("ix_log_leaves_object", "log_leaves", ["object_id", "kind", "position"], unique=False)
    op.create_table(
        "log_openings",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("claimant_salt", sa.LargeBinary(length=32), nullable=True),
        sa.Column("claimant_key", sa.LargeBinary(length=32), nullable=True),
        sa.Column("claimant_signature", sa.LargeBinary(length=64), nullable=True),
        sa.ForeignKeyConstraint(["position"], ["log_leaves.position"], name=op.f("fk_log_openings_position")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_log_openings")),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoints")),
    )
    _create_keys()
    _keep_what_was_logged()
    _count()


def _create_keys() -> None:
    op.create_table(
        "log_keys",
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=True),
        sa.Column("first_size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("retired_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("vkey", name=op.f("pk_log_keys")),
    )
    op.create_table(
        "claimant_keys",
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("retired_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.owner_id"], name=op.f("fk_claimant_keys_owner_id")),
        sa.PrimaryKeyConstraint("public_key", name=op.f("pk_claimant_keys")),
    )
    op.create_index(
        "uq_claimant_keys_active",
        "claimant_keys",
        ["owner_id"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )


def _keep_what_was_logged() -> None:
    """Not even by a mistake of ours is a leaf or a checkpoint changed or taken out."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in ("log_leaves", "log_checkpoints"):
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'what the log has cannot be changed'); END"
            )


def _count() -> None:
    """``log_backlog`` is 1 as long as references from before have no leaf (`imgguard.storage.sql.log_backlog`)."""
    counters = sa.table("counters", *map(sa.column, ("name", "value")))
    refs = sa.table("refs", sa.column("reference_id"))
    is_any = op.get_bind().execute(sa.select(refs).limit(1)).first() is not None
    op.bulk_insert(counters, [{"name": "log_leaves", "value": 0}, {"name": "log_backlog", "value": int(is_any)}])
