"""Evidence packets that members had built."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

from imgguard.storage.sql.tables.base import UtcDateTime, metadata

# The file of a row is a blob only while ``state`` is kept. ``told`` is JSON: what the packet states. Of a row that is
# erased, ``sha256``, ``byte_length`` and ``told`` are null.
packets = Table(
    "packets",
    metadata,
    Column("packet_id", String(64), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), nullable=False),
    Column("member_id", ForeignKey("members.member_id"), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("sha256", String(64), index=True),
    Column("byte_length", Integer),
    Column("told", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    CheckConstraint("state IN ('kept', 'expired', 'deleted', 'erased')", name="state"),
    Index("ix_packets_organisation", "organisation_id", "packet_id"),
    Index("ix_packets_due", "state", "expires_at"),
)

# What a packet contains, named or brought by a finding. No foreign key: findings that are erased leave no row.
packet_subjects = Table(
    "packet_subjects",
    metadata,
    Column("packet_id", ForeignKey("packets.packet_id"), primary_key=True),
    Column("object_id", String(64), primary_key=True, index=True),
    Column("kind", String(16), nullable=False),
    CheckConstraint("kind IN ('reference', 'finding')", name="kind"),
)
