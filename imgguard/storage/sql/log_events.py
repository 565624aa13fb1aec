"""Leaves of licences, findings, captures and decisions. Each function runs inside the transaction of the change."""

import hashlib
import json
from datetime import datetime

from sqlalchemy import Connection

from imgguard.ports import Capture, StoredFinding
from imgguard.provenance.canonical import to_canonical
from imgguard.provenance.records import Kind, event_record
from imgguard.registry.decisions import Decision
from imgguard.registry.licences import Licence
from imgguard.storage.sql import claimants, log
from imgguard.storage.sql.members import organisation


def licence(connection: Connection, about: Licence, event: str, *, at: datetime) -> None:
    """That the licence was ``granted``, ``extended`` or ``revoked``, with its terms as they are then, signed by the
    licensor. Of limited works there is the digest of the list of their ids, in order, as canonical JSON."""
    owner_id = organisation(connection, about.organisation_id).owner_id
    works = None if about.work_ids is None else sorted(about.work_ids)
    terms = {
        "licensor": about.organisation_id,
        "licensee": about.licensee_id,
        "shop": about.shop,
        "by_link": about.by_link,
        "work_count": None if works is None else len(works),
        "uses": sorted(about.uses),
        "platforms": sorted(about.platforms),
        "territories": sorted(about.territories),
        "starts_at": log.second(about.starts_at),
        "ends_at": None if about.ends_at is None else log.second(about.ends_at),
    }
    record = event_record(
        Kind.LICENCE_REVOCATION if event == "revoked" else Kind.LICENCE,
        subject=about.licence_id,
        occurred_at=log.second(at),
        digests={} if works is None else {"works": _digest(to_canonical(works))},
        facts={"event": event, "terms": terms},
    )
    claimant = claimants.ensure(connection, owner_id, at=at)
    log.append(connection, record, object_id=about.licence_id, owner_id=owner_id, at=at, claimant=claimant)


def finding(connection: Connection, stored: StoredFinding, *, organisation_id: str | None) -> None:
    """That a check had this outcome: the service says so, and nobody signs."""
    record = event_record(
        Kind.FINDING,
        subject=stored.finding_id,
        occurred_at=log.second(stored.created_at),
        digests={"document": _digest(stored.document.encode()), "query": stored.query_sha256},
        facts={"verdict": _verdict(stored.document)},
    )
    owner_id = None if organisation_id is None else organisation(connection, organisation_id).owner_id
    log.append(connection, record, object_id=stored.finding_id, owner_id=owner_id, at=stored.created_at)


def capture(connection: Connection, stored: StoredFinding, about: Capture, *, organisation_id: str) -> None:
    """That the picture of a check was fetched there and then: the service says so, and nobody signs."""
    record = event_record(
        Kind.CAPTURE,
        subject=stored.finding_id,
        occurred_at=log.second(about.fetched_at),
        digests={"query": stored.query_sha256},
        facts={
            "url": about.url,
            "final_url": about.final_url,
            "address": about.address,
            "status": about.status,
            "declared_type": about.declared_type,
            "bytes": about.byte_length,
        },
    )
    owner_id = organisation(connection, organisation_id).owner_id
    log.append(connection, record, object_id=stored.finding_id, owner_id=owner_id, at=stored.created_at)


def decision(connection: Connection, about: Decision, event: str, *, owner_id: str, at: datetime) -> None:
    """That a decision was ``made`` or ``retracted``. Neither who decided nor the note is in it: both may be erased."""
    record = event_record(
        Kind.DECISION,
        subject=about.decision_id,
        occurred_at=log.second(at),
        digests={"query": about.query_sha256},
        facts={
            "event": event,
            "decision": about.kind.value,
            "by": about.by.value,
            "reference_id": about.reference_id,
            "finding_id": about.finding_id,
        },
    )
    log.append(connection, record, object_id=about.decision_id, owner_id=owner_id, at=at)


def _verdict(document: str) -> str | None:
    """None when the document is not one; it is logged as it is."""
    try:
        found = json.loads(document).get("verdict")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
