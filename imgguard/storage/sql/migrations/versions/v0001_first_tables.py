"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blob_deletions",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob_deletions")),
    )
    op.create_table(
        "contents",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("byte_length", sa.Integer(), nullable=False),
        sa.Column("pixel_digest", sa.String(length=128), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("decoder", sa.Text(), nullable=False),
        sa.Column("decoder_version", sa.Text(), nullable=False),
        sa.Column("declared_times", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_contents")),
        sa.UniqueConstraint("sha256", name=op.f("uq_contents_sha256")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_contents_pixel_digest"), "contents", ["pixel_digest"], unique=False)
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "findings",
        sa.Column("finding_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("query_sha256", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_findings")),
    )
    op.create_index(op.f("ix_findings_created_at"), "findings", ["created_at"], unique=False)
    op.create_index(op.f("ix_findings_query_sha256"), "findings", ["query_sha256"], unique=False)
    op.create_table(
        "generations",
        sa.Column("generation_id", sa.String(length=64), nullable=False),
        sa.Column("weights_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("activated_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("status IN ('building', 'active', 'retired')", name=op.f("ck_generations_status")),
        sa.PrimaryKeyConstraint("generation_id", name=op.f("pk_generations")),
    )
    op.create_index(
        "uq_generations_active",
        "generations",
        ["status"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "index_changes",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("present", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_index_changes")),
        sa.UniqueConstraint("sequence", name=op.f("uq_index_changes_sequence")),
    )
    op.create_table(
        "owners",
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_owners")),
        sa.UniqueConstraint("name", name=op.f("uq_owners_name")),
    )
    op.create_table(
        "queries",
        sa.Column("query_sha256", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("query_sha256", name=op.f("pk_queries")),
    )
    op.create_index(op.f("ix_queries_expires_at"), "queries", ["expires_at"], unique=False)
    op.create_table(
        "descriptors",
        sa.Column("descriptor_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("content_number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("weights_sha256", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["content_number"], ["contents.number"], name=op.f("fk_descriptors_content_number")),
        sa.PrimaryKeyConstraint("descriptor_id", name=op.f("pk_descriptors")),
        sa.UniqueConstraint(
            "content_number", "kind", "weights_sha256", name=op.f("uq_descriptors_content_number_kind_weights_sha256")
        ),
    )
    op.create_table(
        "works",
        sa.Column("work_id", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.owner_id"], name=op.f("fk_works_owner_id")),
        sa.PrimaryKeyConstraint("work_id", name=op.f("pk_works")),
    )
    op.create_index(op.f("ix_works_owner_id"), "works", ["owner_id"], unique=False)
    op.create_table(
        "refs",
        sa.Column("reference_id", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("work_id", sa.String(length=64), nullable=True),
        sa.Column("content_number", sa.Integer(), nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("registered_at", sa.DateTime(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(), nullable=True),
        sa.Column("erased_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "(status = 'erased' AND content_number IS NULL AND work_id IS NULL AND file IS NULL AND salt IS NULL)"
            " OR (status <> 'erased' AND content_number IS NOT NULL AND work_id IS NOT NULL AND file IS NOT NULL"
            " AND salt IS NOT NULL)",
            name=op.f("ck_refs_tombstone"),
        ),
        sa.CheckConstraint("status IN ('active', 'withdrawn', 'erased')", name=op.f("ck_refs_status")),
        sa.ForeignKeyConstraint(["content_number"], ["contents.number"], name=op.f("fk_refs_content_number")),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.owner_id"], name=op.f("fk_refs_owner_id")),
        sa.ForeignKeyConstraint(["work_id"], ["works.work_id"], name=op.f("fk_refs_work_id")),
        sa.PrimaryKeyConstraint("reference_id", name=op.f("pk_refs")),
    )
    op.create_index(op.f("ix_refs_content_number"), "refs", ["content_number"], unique=False)
    op.create_index("ix_refs_owner_status", "refs", ["owner_id", "status", "reference_id"], unique=False)
    op.create_index(op.f("ix_refs_work_id"), "refs", ["work_id"], unique=False)
    op.create_index(
        "uq_refs_active",
        "refs",
        ["owner_id", "content_number"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    counters = sa.table("counters", sa.column("name", sa.String), sa.column("value", sa.Integer))
    op.bulk_insert(counters, [{"name": "index_changes", "value": 0}])
    _forbid_updates_of_findings()


def _forbid_updates_of_findings() -> None:
    """A finding is evidence: not even a mistake in our own code may change one."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER findings_are_immutable BEFORE UPDATE ON findings"
            " BEGIN SELECT RAISE(ABORT, 'a finding cannot be changed'); END"
        )
