"""How a match stands for whoever asked: what the pixels say is one thing, whether the use is allowed another."""

from dataclasses import dataclass
from enum import StrEnum

from imgguard.registry.decisions import Decision, DecisionKind
from imgguard.registry.licences import LicenceStanding, LicenceStatus


class Summary(StrEnum):
    """A standing in one word; the first of these that applies."""

    OWN = "own"
    NOT_A_COPY = "not_a_copy"  # somebody who may decided so; then nobody needs a licence
    LICENSED = "licensed"
    CONFIRMED = "confirmed"  # decided to be a copy, and not licensed
    UNLICENSED = "unlicensed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """``is_own``: the reference is the asker's own; then there is no ``licence``. ``decision``: the one in force."""

    is_own: bool
    licence: LicenceStanding | None
    decision: Decision | None

    @property
    def summary(self) -> Summary:
        if self.is_own:
            return Summary.OWN
        kind = None if self.decision is None else self.decision.kind
        if kind is DecisionKind.NOT_A_COPY:
            return Summary.NOT_A_COPY
        if self.licence is not None and self.licence.status is LicenceStatus.LICENSED:
            return Summary.LICENSED
        return Summary.UNLICENSED if kind is None else Summary.CONFIRMED
