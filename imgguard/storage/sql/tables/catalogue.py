"""Owners, references, contents, the index's history, findings, blobs."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from imgguard.storage.sql.tables.base import UtcDateTime, metadata

owners = Table(
    "owners",
    metadata,
    Column("owner_id", String(64), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)

works = Table(
    "works",
    metadata,
    Column("work_id", String(64), primary_key=True),
    Column("owner_id", ForeignKey("owners.owner_id"), nullable=False, index=True),
    Column("title", Text),
    Column("created_at", UtcDateTime, nullable=False),
)

# A number names a vector in snapshots of the index that may be older than an erasure: it is never used again.
contents = Table(
    "contents",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("byte_length", Integer, nullable=False),
    Column("pixel_digest", String(128), nullable=False, index=True),
    Column("media_type", String(64), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("decoder", Text, nullable=False),
    Column("decoder_version", Text, nullable=False),
    Column("declared_times", Text, nullable=False),
    Column("credentials", Text),
    sqlite_autoincrement=True,
)

# Registrations. ``salt`` makes commitments to a reference (transparency log) unlinkable once it is destroyed.
refs = Table(
    "refs",
    metadata,
    Column("reference_id", String(64), primary_key=True),
    Column("owner_id", ForeignKey("owners.owner_id"), nullable=False),
    Column("work_id", ForeignKey("works.work_id"), index=True),
    Column("content_number", ForeignKey("contents.number"), index=True),
    Column("file", Text),
    Column("salt", LargeBinary(32)),
    Column("status", String(16), nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("erased_at", UtcDateTime),
    CheckConstraint("status IN ('active', 'withdrawn', 'erased')", name="status"),
    CheckConstraint(
        "(status = 'erased' AND content_number IS NULL AND work_id IS NULL AND file IS NULL AND salt IS NULL)"
        " OR (status <> 'erased' AND content_number IS NOT NULL AND work_id IS NOT NULL AND file IS NOT NULL"
        " AND salt IS NOT NULL)",
        name="tombstone",
    ),
    Index("ix_refs_owner_status", "owner_id", "status", "reference_id"),
    Index(
        "uq_refs_active",
        "owner_id",
        "content_number",
        unique=True,
        sqlite_where=text("status = 'active'"),
        postgresql_where=text("status = 'active'"),
    ),
)

# ``weights_sha256`` is '' where no weights are involved: NULLs are distinct from each other in a unique constraint.
descriptors = Table(
    "descriptors",
    metadata,
    Column("descriptor_id", Integer, primary_key=True, autoincrement=True),
    Column("content_number", ForeignKey("contents.number"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("weights_sha256", String(64), nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    UniqueConstraint("content_number", "kind", "weights_sha256"),
)

generations = Table(
    "generations",
    metadata,
    Column("generation_id", String(64), primary_key=True),
    Column("weights_sha256", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("activated_at", UtcDateTime),
    CheckConstraint("status IN ('building', 'active', 'retired')", name="status"),
    Index(
        "uq_generations_active",
        "status",
        unique=True,
        sqlite_where=text("status = 'active'"),
        postgresql_where=text("status = 'active'"),
    ),
)

# The latest change of each content; no foreign key, since it outlives what was erased.
index_changes = Table(
    "index_changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False, unique=True),
    Column("present", Integer, nullable=False),
)

# A random token for each change, so that a moment in the history of this database can be told from the one with the
# same number in another: after a backup was restored, numbers are given out a second time. Nothing else is here.
index_history = Table(
    "index_history",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("token", String(32), nullable=False),
)

# A row, not a sequence of the database: those are handed out before commit, and a reader would skip late ones.
counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Integer, nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("finding_id", String(64), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("file", Text, nullable=False),
    Column("query_sha256", String(64), nullable=False, index=True),
    Column("document", Text, nullable=False),
)

queries = Table(
    "queries",
    metadata,
    Column("query_sha256", String(64), primary_key=True),
    Column("kept_since", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

blob_deletions = Table(
    "blob_deletions",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("decided_at", UtcDateTime, nullable=False),
)
