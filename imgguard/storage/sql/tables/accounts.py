"""Organisations, members, what proves who asks, the audit trail."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, text

from imgguard.storage.sql.tables.base import UtcDateTime, metadata

organisations = Table(
    "organisations",
    metadata,
    Column("organisation_id", String(64), primary_key=True),
    Column("owner_id", ForeignKey("owners.owner_id"), nullable=False, unique=True),
    Column("disclosure", String(16), nullable=False),
    Column("is_operator", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("erased_at", UtcDateTime),
    CheckConstraint("disclosure IN ('full', 'outline', 'contact')", name="disclosure"),
    Index(
        "uq_organisations_operator",
        "is_operator",
        unique=True,
        sqlite_where=text("is_operator"),
        postgresql_where=text("is_operator"),
    ),
)

# All personal data of a member is here. ``email_key`` is the address as it is compared; roles have spaces between.
members = Table(
    "members",
    metadata,
    Column("member_id", String(64), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), nullable=False, index=True),
    Column("email", Text),
    Column("email_key", Text, unique=True),
    Column("name", Text),
    Column("password_hash", Text),
    Column("roles", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("erased_at", UtcDateTime),
    CheckConstraint(
        "(erased_at IS NULL AND email IS NOT NULL AND email_key IS NOT NULL AND name IS NOT NULL)"
        " OR (erased_at IS NOT NULL AND email IS NULL AND email_key IS NULL AND name IS NULL"
        " AND password_hash IS NULL AND roles = '')",
        name="tombstone",
    ),
)

invitations = Table(
    "invitations",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("member_id", ForeignKey("members.member_id"), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("invited_by", String(64)),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("session_id", String(64), nullable=False, unique=True),
    Column("member_id", ForeignKey("members.member_id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# Who a member is for an OpenID Connect provider.
identities = Table(
    "identities",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("member_id", ForeignKey("members.member_id"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
)

# Somebody who was sent to the provider and has not come back yet. ``browser_sha256`` is of a cookie: only the browser
# that began may end it. ``proof_sha256`` is of what showed which member it is, where something did.
sign_ins = Table(
    "sign_ins",
    metadata,
    Column("state_sha256", String(64), primary_key=True),
    Column("browser_sha256", String(64), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("code_verifier", String(128), nullable=False),
    Column("return_to", Text, nullable=False),
    Column("proof_by", String(16)),
    Column("proof_sha256", String(64)),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(64), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), nullable=False, index=True),
    Column("member_id", ForeignKey("members.member_id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("secret_sha256", String(64), nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

# Failed attempts to sign in. Subjects are digests: the addresses they stand for are not written down.
attempts = Table(
    "attempts",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("blocked_until", UtcDateTime, nullable=False),
    Column("forgotten_at", UtcDateTime, nullable=False, index=True),
)

# Append-only, by triggers. ``sequence`` is the order of commits; see ``counters``.
audit_events = Table(
    "audit_events",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("event_id", String(64), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(64), nullable=False, index=True),
    Column("key_id", String(64)),
    Column("organisation_id", ForeignKey("organisations.organisation_id"), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object_id", String(64), nullable=False, index=True),
    Column("detail", Text, nullable=False),
)

audit_parties = Table(
    "audit_parties",
    metadata,
    Column("organisation_id", ForeignKey("organisations.organisation_id"), primary_key=True),
    Column("sequence", ForeignKey("audit_events.sequence"), primary_key=True, index=True),
)
