"""All tables. A change here needs a migration beside it: a test compares the two."""

from imgguard.storage.sql.tables.accounts import (
    api_keys,
    attempts,
    audit_events,
    audit_parties,
    identities,
    invitations,
    members,
    organisations,
    sessions,
    sign_ins,
)
from imgguard.storage.sql.tables.base import UtcDateTime, metadata
from imgguard.storage.sql.tables.catalogue import (
    blob_deletions,
    contents,
    counters,
    descriptors,
    findings,
    generations,
    index_changes,
    index_history,
    owners,
    queries,
    refs,
    works,
)
from imgguard.storage.sql.tables.claims import reference_claims, reference_proofs
from imgguard.storage.sql.tables.log import claimant_keys, log_checkpoints, log_keys, log_leaves, log_openings
from imgguard.storage.sql.tables.messages import webhook_deliveries, webhooks
from imgguard.storage.sql.tables.rights import (
    checks,
    collection_works,
    collections,
    decisions,
    licence_acceptances,
    licence_documents,
    licence_works,
    licences,
    standings,
)
from imgguard.storage.sql.tables.work import (
    feeds,
    idempotency_keys,
    job_items,
    jobs,
)

HEAD = "0008"
"""The newest migration, here so that opening a current store need not import Alembic; a test keeps it true."""

__all__ = [
    "HEAD",
    "UtcDateTime",
    "api_keys",
    "attempts",
    "audit_events",
    "audit_parties",
    "blob_deletions",
    "checks",
    "claimant_keys",
    "collection_works",
    "collections",
    "contents",
    "counters",
    "decisions",
    "descriptors",
    "feeds",
    "findings",
    "generations",
    "idempotency_keys",
    "identities",
    "index_changes",
    "index_history",
    "invitations",
    "job_items",
    "jobs",
    "licence_acceptances",
    "licence_documents",
    "licence_works",
    "licences",
    "log_checkpoints",
    "log_keys",
    "log_leaves",
    "log_openings",
    "members",
    "metadata",
    "organisations",
    "owners",
    "queries",
    "reference_claims",
    "reference_proofs",
    "refs",
    "sessions",
    "sign_ins",
    "standings",
    "webhook_deliveries",
    "webhooks",
    "works",
]
