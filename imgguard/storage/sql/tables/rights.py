"""Who had what checked, who may use which works, and what people decided about a pair of pictures."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

from imgguard.storage.sql.tables.base import UtcDateTime, metadata

# The asker of a finding. Findings themselves know nothing of people; one without a row here was made at the console.
# ``kept_until``: how long the asker may see the picture, which may be kept longer for others.
checks = Table(
    "checks",
    metadata,
    Column("finding_id", ForeignKey("findings.finding_id"), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), nullable=False),
    Column("member_id", ForeignKey("members.member_id"), nullable=False),
    Column("key_id", ForeignKey("api_keys.key_id")),
    Column("intended_use", Text, nullable=False),
    Column("kept_until", UtcDateTime),
    Index("ix_checks_organisation", "organisation_id", "finding_id"),
)

# How each match of a check stood when it was made: licences and decisions of that moment.
standings = Table(
    "standings",
    metadata,
    Column("finding_id", ForeignKey("checks.finding_id"), primary_key=True),
    Column("reference_id", ForeignKey("refs.reference_id"), primary_key=True, index=True),
    Column("document", Text, nullable=False),
)

# Where the picture of a check was fetched; one that was sent has no row here.
captures = Table(
    "captures",
    metadata,
    Column("finding_id", ForeignKey("checks.finding_id"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("final_url", Text, nullable=False),
    Column("address", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("declared_type", Text),
    Column("byte_length", Integer, nullable=False),
    Column("fetched_at", UtcDateTime, nullable=False),
)

# ``licensee_id`` is an organisation, ``shop`` a named shop, ``link_sha256`` everyone who was given the link: exactly
# one. Lists have spaces between; an empty one is no limit. Without rows in ``licence_works`` it covers every work.
licences = Table(
    "licences",
    metadata,
    Column("licence_id", String(64), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), nullable=False),
    Column("licensee_id", ForeignKey("organisations.organisation_id"), index=True),
    Column("shop", Text),
    Column("link_sha256", String(64), unique=True),
    Column("uses", Text, nullable=False),
    Column("platforms", Text, nullable=False),
    Column("territories", Text, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, index=True),
    Column("note", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("reminded_at", UtcDateTime),
    Column("revision", Integer, nullable=False),
    CheckConstraint(
        "CASE WHEN licensee_id IS NULL THEN 0 ELSE 1 END + CASE WHEN shop IS NULL THEN 0 ELSE 1 END"
        " + CASE WHEN link_sha256 IS NULL THEN 0 ELSE 1 END = 1",
        name="licensee",
    ),
    Index("ix_licences_organisation", "organisation_id", "licence_id"),
)

licence_works = Table(
    "licence_works",
    metadata,
    Column("licence_id", ForeignKey("licences.licence_id"), primary_key=True),
    Column("work_id", ForeignKey("works.work_id"), primary_key=True, index=True),
)

# Organisations that took up a licence by its link, or say that a named shop is theirs.
licence_acceptances = Table(
    "licence_acceptances",
    metadata,
    Column("licence_id", ForeignKey("licences.licence_id"), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), primary_key=True, index=True),
    Column("accepted_at", UtcDateTime, nullable=False),
)

# The chain of authorisation, in order: from whoever made the picture down to the licensor.
licence_documents = Table(
    "licence_documents",
    metadata,
    Column("document_id", String(64), primary_key=True),
    Column("licence_id", ForeignKey("licences.licence_id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("media_type", String(128), nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("byte_length", Integer, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)

# About a picture (by its bytes, or by its pixels) and a reference. The latest one that is not retracted counts.
decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", String(64), primary_key=True),
    Column("reference_id", ForeignKey("refs.reference_id"), nullable=False),
    Column("finding_id", ForeignKey("findings.finding_id"), nullable=False),
    Column("query_sha256", String(64), nullable=False),
    Column("query_pixel_digest", String(128), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), nullable=False),
    Column("member_id", ForeignKey("members.member_id"), nullable=False),
    Column("note", Text, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("retracted_at", UtcDateTime),
    CheckConstraint("kind IN ('not_a_copy', 'confirmed_copy')", name="kind"),
    Index("ix_decisions_bytes", "query_sha256", "reference_id"),
    Index("ix_decisions_pixels", "query_pixel_digest", "reference_id"),
    Index("ix_decisions_organisation", "organisation_id", "decision_id"),
)

collections = Table(
    "collections",
    metadata,
    Column("collection_id", String(64), primary_key=True),
    Column("owner_id", ForeignKey("owners.owner_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("uq_collections_name", "owner_id", "name", unique=True),
)

collection_works = Table(
    "collection_works",
    metadata,
    Column("collection_id", ForeignKey("collections.collection_id"), primary_key=True),
    Column("work_id", ForeignKey("works.work_id"), primary_key=True, index=True),
)
