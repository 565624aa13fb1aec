"""Licences, decisions and standings as plain JSON: the same wherever they are printed or sent."""

from datetime import datetime

from imgguard.registry.decisions import Decision
from imgguard.registry.licences import Licence, LicenceDocument, LicenceStanding
from imgguard.registry.standing import Standing
from imgguard.services.account_objects import iso


def licence_object(licence: Licence, *, at: datetime) -> dict[str, object]:
    """``state`` is that of ``at``; ``work_ids`` null means all works."""
    return {
        "licence_id": licence.licence_id,
        "licensor": {"organisation_id": licence.organisation_id, "organisation": licence.licensor},
        "licensee": None
        if licence.licensee_id is None
        else {"organisation_id": licence.licensee_id, "organisation": licence.licensee},
        "shop": licence.shop,
        "by_link": licence.by_link,
        "holders": [
            {
                "organisation_id": holder.organisation_id,
                "organisation": holder.name,
                "accepted_at": iso(holder.accepted_at),
            }
            for holder in licence.holders
        ],
        "work_ids": None if licence.work_ids is None else sorted(licence.work_ids),
        "uses": sorted(licence.uses),
        "platforms": sorted(licence.platforms),
        "territories": sorted(licence.territories),
        "starts_at": iso(licence.starts_at),
        "ends_at": iso(licence.ends_at),
        "state": licence.state(at),
        "note": licence.note,
        "created_at": iso(licence.created_at),
        "revoked_at": iso(licence.revoked_at),
        "revision": licence.revision,
    }


def document_object(document: LicenceDocument) -> dict[str, object]:
    return {
        "document_id": document.document_id,
        "licence_id": document.licence_id,
        "position": document.position,
        "title": document.title,
        "media_type": document.media_type,
        "sha256": document.sha256,
        "byte_length": document.byte_length,
        "added_at": iso(document.added_at),
    }


def decision_object(decision: Decision) -> dict[str, object]:
    """For whoever `imgguard.services.decisions` shows it to. Without digests: an owner is not told those of pictures
    that others had checked."""
    return {
        "decision_id": decision.decision_id,
        "reference_id": decision.reference_id,
        "finding_id": decision.finding_id,
        "kind": decision.kind.value,
        "by": decision.by.value,
        "organisation_id": decision.organisation_id,
        "member_id": decision.member_id,
        "note": decision.note,
        "decided_at": iso(decision.decided_at),
        "retracted_at": iso(decision.retracted_at),
    }


def licence_standing_object(standing: LicenceStanding) -> dict[str, object]:
    return {
        "status": standing.status.value,
        "licence_id": standing.licence_id,
        "ends_at": iso(standing.ends_at),
        "because": [code.value for code in standing.because],
    }


def standing_object(standing: Standing) -> dict[str, object]:
    """For whoever asked: of a decision only what it says and in which capacity it was made, not by whom or why."""
    decision = standing.decision
    return {
        "standing": standing.summary.value,
        "is_own": standing.is_own,
        "licence": None if standing.licence is None else licence_standing_object(standing.licence),
        "decision": None
        if decision is None
        else {"kind": decision.kind.value, "by": decision.by.value, "decided_at": iso(decision.decided_at)},
    }
