"""What organisations are told by webhook."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, text

from imgguard.storage.sql.tables.base import UtcDateTime, metadata

# ``events`` has spaces between; empty means all. ``after_sequence``: the event of the audit trail up to which
# deliveries were made of it. ``secret`` has to be kept as it is, since every message is signed with it.
# ``paced_until``: up to when what was sent to it would have been sent at an even pace. ``deleted_at``: it is there only
# until its messages are deleted, in parts, and no longer says where they went.
webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", String(64), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), nullable=False),
    Column("member_id", ForeignKey("members.member_id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("previous_secret", Text),
    Column("previous_until", UtcDateTime),
    Column("after_sequence", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("is_slow", Boolean, nullable=False),
    Column("paced_until", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("disabled_because", Text),
    Column("revision", Integer, nullable=False),
    Column("deleted_at", UtcDateTime),
    Index("ix_webhooks_organisation", "organisation_id", "webhook_id"),
)

# One message to one webhook, however often it is tried. ``payload`` is the text that is signed and sent.
# ``lease_until``: when a sender that was not heard of since counts as dead.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery_id", String(64), primary_key=True),
    Column("webhook_id", ForeignKey("webhooks.webhook_id"), nullable=False),
    Column("event_id", String(64)),
    Column("event", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
    Column("last_status", Integer),
    Column("last_error", Text),
    Column("last_tried_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),
    Index("ix_webhook_deliveries_due", "webhook_id", "state", "next_at", "delivery_id"),
    Index("ix_webhook_deliveries_webhook", "webhook_id", "delivery_id"),
    Index("ix_webhook_deliveries_finished", "finished_at"),
    Index(
        "ix_webhook_deliveries_leased",
        "lease_until",
        sqlite_where=text("lease_until IS NOT NULL"),
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
)
