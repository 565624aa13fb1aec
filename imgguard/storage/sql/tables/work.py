"""Work off the request path, and answers that are given twice."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

from imgguard.storage.sql.tables.base import UtcDateTime, metadata

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), nullable=False),
    Column("member_id", ForeignKey("members.member_id"), nullable=False),
    Column("key_id", ForeignKey("api_keys.key_id")),
    Column("kind", String(32), nullable=False),
    Column("options", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("item_count", Integer, nullable=False),
    Column("done_count", Integer, nullable=False),
    Column("failed_count", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    CheckConstraint("state IN ('queued', 'running', 'done', 'cancelled')", name="state"),
    Index("ix_jobs_organisation", "organisation_id", "job_id"),
)

# One picture each. ``sha256`` (of bytes in the blob store, kept until the item is finished) or ``url``.
# ``made_id``: the finding or the reference that it led to, for their names go out of here with them.
# ``lease_until``: when a worker that was not heard of since counts as dead, and the item is given to another.
job_items = Table(
    "job_items",
    metadata,
    Column("job_id", ForeignKey("jobs.job_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("priority", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("file", Text, nullable=False),
    Column("sha256", String(64), index=True),
    Column("url", Text),
    Column("attempts", Integer, nullable=False),
    Column("worker", String(64)),
    Column("lease_until", UtcDateTime),
    Column("result", Text),
    Column("made_id", String(64), index=True),
    Column("error", Text),
    Column("finished_at", UtcDateTime),
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
    Index("ix_job_items_queue", "state", "priority", "job_id", "position"),
)

# A product feed whose pictures a job checks. ``sha256``: the feed as it was handed in, kept as long as this row. With
# ``form`` and ``encoding`` it is read again as it was read first.
feeds = Table(
    "feeds",
    metadata,
    Column("feed_id", String(64), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), nullable=False),
    Column("member_id", ForeignKey("members.member_id"), nullable=False),
    Column("job_id", ForeignKey("jobs.job_id"), nullable=False, unique=True),
    Column("file", Text, nullable=False),
    Column("form", String(32), nullable=False),
    Column("encoding", String(32), nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("url", Text),
    Column("product_count", Integer, nullable=False),
    Column("picture_count", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_feeds_organisation", "organisation_id", "feed_id"),
)

# The answer to a request that was sent with an Idempotency-Key; ``status`` is 0 while it is being answered.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("organisation_id", ForeignKey("organisations.organisation_id"), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)
