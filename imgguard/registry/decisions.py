"""What people decided about a pair: a checked picture and a reference."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DecisionKind(StrEnum):
    NOT_A_COPY = "not_a_copy"  # "this is not my picture"
    CONFIRMED_COPY = "confirmed_copy"


class DecidedBy(StrEnum):
    """In which capacity. A decision of the owner's own organisation is always the owner's."""

    OWNER = "owner"
    REVIEWER = "reviewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """About the reference and every picture with these bytes or these pixels. Made about a match of ``finding_id`` by
    ``member_id`` of ``organisation_id``."""

    decision_id: str
    reference_id: str
    finding_id: str
    query_sha256: str
    query_pixel_digest: str
    kind: DecisionKind
    by: DecidedBy
    organisation_id: str
    member_id: str
    note: str
    decided_at: datetime
    retracted_at: datetime | None


def in_force(decisions: Iterable[Decision]) -> Decision | None:
    """Which of ``decisions`` about one pair counts: a reviewer's before the owner's, then the latest; none that is
    retracted."""
    standing = (decision for decision in decisions if decision.retracted_at is None)
    return max(standing, key=_weight, default=None)


def _weight(decision: Decision) -> tuple[bool, datetime, str]:
    return decision.by is DecidedBy.REVIEWER, decision.decided_at, decision.decision_id
