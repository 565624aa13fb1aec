"""The transparency log: leaves and what opens them, checkpoints, and the keys of the log and of claimants."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, text

from imgguard.storage.sql.tables.base import UtcDateTime, metadata

# ``position`` counts from 0 without a gap, in the order of commits. A row never changes: checkpoints have signed it.
# No foreign key to what the leaf tells of, which may be gone.
log_leaves = Table(
    "log_leaves",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("object_id", String(64), nullable=False),
    Column("owner_id", ForeignKey("owners.owner_id")),
    Column("logged_at", UtcDateTime, nullable=False),
    Index("ix_log_leaves_object", "object_id", "kind", "position"),
)

# Private. A row that is deleted leaves a leaf that nobody can read any more, nor tell from any other.
log_openings = Table(
    "log_openings",
    metadata,
    Column("position", ForeignKey("log_leaves.position"), primary_key=True, autoincrement=False),
    Column("salt", LargeBinary(32), nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("claimant_salt", LargeBinary(32)),
    Column("claimant_key", LargeBinary(32)),
    Column("claimant_signature", LargeBinary(64)),
)

# All that was ever signed, as it was signed.
log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("signed_at", UtcDateTime, nullable=False),
)

# One row for each authority that is asked about a checkpoint, and one for each renewal of a token. ``url``: as in the
# settings. A row that is stamped never changes. Whether anybody believes the token is not stored: that depends on who
# looks. ``covered_by``: the larger checkpoint that has a token instead.
log_tokens = Table(
    "log_tokens",
    metadata,
    Column("token_id", Integer, primary_key=True),
    Column("size", ForeignKey("log_checkpoints.size"), nullable=False),
    Column("url", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("renews", ForeignKey("log_tokens.token_id")),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("error", Text),
    Column("token", LargeBinary),
    Column("gen_time", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("covered_by", Integer),
    Index("ix_log_tokens_state", "state", "url", "size"),
    Index("ix_log_tokens_expires", "expires_at"),
    Index(
        "uq_log_tokens_first",
        "size",
        "url",
        unique=True,
        sqlite_where=text("renews IS NULL"),
        postgresql_where=text("renews IS NULL"),
    ),
    Index("uq_log_tokens_renewal", "renews", unique=True),
)

# One row for each calendar that is asked about a checkpoint. ``url``: as in the settings. ``ots``: the file, once the
# calendar has answered. A row that is attested never changes.
log_anchors = Table(
    "log_anchors",
    metadata,
    Column("anchor_id", Integer, primary_key=True),
    Column("size", ForeignKey("log_checkpoints.size"), nullable=False),
    Column("url", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    Column("error", Text),
    Column("ots", LargeBinary),
    Index("ix_log_anchors_state", "state", "url", "size"),
    Index("uq_log_anchors_checkpoint", "size", "url", unique=True),
)

# ``line``: as it stands below the note, verified when it was stored.
log_cosignatures = Table(
    "log_cosignatures",
    metadata,
    Column("size", ForeignKey("log_checkpoints.size"), primary_key=True, autoincrement=False),
    Column("witness", String(255), primary_key=True),
    Column("key_id", LargeBinary(4), primary_key=True),
    Column("line", Text, nullable=False),
    Column("collected_at", UtcDateTime, nullable=False),
)

# ``vkey`` begins with the origin of the log. ``private_key``: PEM; NULL when it lies in a file of its own.
# ``first_size``: checkpoints with as many leaves and more need the signature of this key, until it is retired.
log_keys = Table(
    "log_keys",
    metadata,
    Column("vkey", Text, primary_key=True),
    Column("private_key", LargeBinary),
    Column("first_size", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
)

# ``private_key``: PEM; NULL when only the owner has it, and the store signs nothing for that owner.
claimant_keys = Table(
    "claimant_keys",
    metadata,
    Column("public_key", LargeBinary(32), primary_key=True),
    Column("owner_id", ForeignKey("owners.owner_id"), nullable=False),
    Column("private_key", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
    Index(
        "uq_claimant_keys_active",
        "owner_id",
        unique=True,
        sqlite_where=text("retired_at IS NULL"),
        postgresql_where=text("retired_at IS NULL"),
    ),
)
