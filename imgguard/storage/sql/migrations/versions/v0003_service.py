"""Who had what checked, licences, decisions, collections; jobs, idempotency keys."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_licences()
    _create_checks()
    _create_jobs()


def _create_licences() -> None:
    op.create_table(
        "licences",
        sa.Column("licence_id", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("licensee_id", sa.String(length=64), nullable=True),
        sa.Column("shop", sa.Text(), nullable=True),
        sa.Column("link_sha256", sa.String(length=64), nullable=True),
        sa.Column("uses", sa.Text(), nullable=False),
        sa.Column("platforms", sa.Text(), nullable=False),
        sa.Column("territories", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.Column("reminded_at", sa.DateTime(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "CASE WHEN licensee_id IS NULL THEN 0 ELSE 1 END + CASE WHEN shop IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN link_sha256 IS NULL THEN 0 ELSE 1 END = 1",
            name=op.f("ck_licences_licensee"),
        ),
        sa.ForeignKeyConstraint(
            ["licensee_id"], ["organisations.organisation_id"], name=op.f("fk_licences_licensee_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.organisation_id"], name=op.f("fk_licences_organisation_id")
        ),
        sa.PrimaryKeyConstraint("licence_id", name=op.f("pk_licences")),
        sa.UniqueConstraint("link_sha256", name=op.f("uq_licences_link_sha256")),
    )
    op.create_index(op.f("ix_licences_ends_at"), "licences", ["ends_at"], unique=False)
    op.create_index(op.f("ix_licences_licensee_id"), "licences", ["licensee_id"], unique=False)
    op.create_index("ix_licences_organisation", "licences", ["organisation_id", "licence_id"], unique=False)
    op.create_table(
        "licence_acceptances",
        sa.Column("licence_id", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("accepted_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["licences.licence_id"], name=op.f("fk_licence_acceptances_licence_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.organisation_id"], name=op.f("fk_licence_acceptances_organisation_id")
        ),
        sa.PrimaryKeyConstraint("licence_id", "organisation_id", name=op.f("pk_licence_acceptances")),
    )
    op.create_index(
        op.f("ix_licence_acceptances_organisation_id"), "licence_acceptances", ["organisation_id"], unique=False
    )
    op.create_table(
        "licence_documents",
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("licence_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("byte_length", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["licence_id"], ["licences.licence_id"], name=op.f("fk_licence_documents_licence_id")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_licence_documents")),
    )
    op.create_index(op.f("ix_licence_documents_licence_id"), "licence_documents", ["licence_id"], unique=False)
    op.create_index(op.f("ix_licence_documents_sha256"), "licence_documents", ["sha256"], unique=False)
    op.create_table(
        "licence_works",
        sa.Column("licence_id", sa.String(length=64), nullable=False),
        sa.Column("work_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["licence_id"], ["licences.licence_id"], name=op.f("fk_licence_works_licence_id")),
        sa.ForeignKeyConstraint(["work_id"], ["works.work_id"], name=op.f("fk_licence_works_work_id")),
        sa.PrimaryKeyConstraint("licence_id", "work_id", name=op.f("pk_licence_works")),
    )
    op.create_index(op.f("ix_licence_works_work_id"), "licence_works", ["work_id"], unique=False)


def _create_checks() -> None:
    op.create_table(
        "collections",
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.owner_id"], name=op.f("fk_collections_owner_id")),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_collections")),
    )
    op.create_index("uq_collections_name", "collections", ["owner_id", "name"], unique=True)
    op.create_table(
        "collection_works",
        sa.Column("collection_id", sa.String(length=64), nullable=False),
        sa.Column("work_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.collection_id"], name=op.f("fk_collection_works_collection_id")
        ),
        sa.ForeignKeyConstraint(["work_id"], ["works.work_id"], name=op.f("fk_collection_works_work_id")),
        sa.PrimaryKeyConstraint("collection_id", "work_id", name=op.f("pk_collection_works")),
    )
    op.create_index(op.f("ix_collection_works_work_id"), "collection_works", ["work_id"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String(length=64), nullable=False),
        sa.Column("reference_id", sa.String(length=64), nullable=False),
        sa.Column("finding_id", sa.String(length=64), nullable=False),
        sa.Column("query_sha256", sa.String(length=64), nullable=False),
        sa.Column("query_pixel_digest", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.Column("retracted_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('not_a_copy', 'confirmed_copy')", name=op.f("ck_decisions_kind")),
        sa.ForeignKeyConstraint(["finding_id"], ["findings.finding_id"], name=op.f("fk_decisions_finding_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.member_id"], name=op.f("fk_decisions_member_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.organisation_id"], name=op.f("fk_decisions_organisation_id")
        ),
        sa.ForeignKeyConstraint(["reference_id"], ["refs.reference_id"], name=op.f("fk_decisions_reference_id")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_bytes", "decisions", ["query_sha256", "reference_id"], unique=False)
    op.create_index("ix_decisions_organisation", "decisions", ["organisation_id", "decision_id"], unique=False)
    op.create_index("ix_decisions_pixels", "decisions", ["query_pixel_digest", "reference_id"], unique=False)
    op.create_table(
        "checks",
        sa.Column("finding_id", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=True),
        sa.Column("intended_use", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["finding_id"], ["findings.finding_id"], name=op.f("fk_checks_finding_id")),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.key_id"], name=op.f("fk_checks_key_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.member_id"], name=op.f("fk_checks_member_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.organisation_id"], name=op.f("fk_checks_organisation_id")
        ),
        sa.PrimaryKeyConstraint("finding_id", name=op.f("pk_checks")),
    )
    op.create_index("ix_checks_organisation", "checks", ["organisation_id", "finding_id"], unique=False)
    op.create_table(
        "standings",
        sa.Column("finding_id", sa.String(length=64), nullable=False),
        sa.Column("reference_id", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["finding_id"], ["checks.finding_id"], name=op.f("fk_standings_finding_id")),
        sa.ForeignKeyConstraint(["reference_id"], ["refs.reference_id"], name=op.f("fk_standings_reference_id")),
        sa.PrimaryKeyConstraint("finding_id", "reference_id", name=op.f("pk_standings")),
    )
    op.create_index(op.f("ix_standings_reference_id"), "standings", ["reference_id"], unique=False)


def _create_jobs() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.organisation_id"], name=op.f("fk_idempotency_keys_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_expires_at"), "idempotency_keys", ["expires_at"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("done_count", sa.Integer(), nullable=False),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'cancelled')", name=op.f("ck_jobs_state")),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.key_id"], name=op.f("fk_jobs_key_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.member_id"], name=op.f("fk_jobs_member_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.organisation_id"], name=op.f("fk_jobs_organisation_id")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_organisation", "jobs", ["organisation_id", "job_id"], unique=False)
    op.create_table(
        "job_items",
        sa.Column("job_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.DateTime(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_job_items_state")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_job_items_job_id")),
        sa.PrimaryKeyConstraint("job_id", "position", name=op.f("pk_job_items")),
    )
    op.create_index("ix_job_items_queue", "job_items", ["state", "priority", "job_id", "position"], unique=False)
    op.create_index(op.f("ix_job_items_sha256"), "job_items", ["sha256"], unique=False)
