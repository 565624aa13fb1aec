"""How the matches of a check stood when it was made, in the form in which the store keeps it."""

from pydantic import BaseModel, ConfigDict

from imgguard.registry.decisions import Decision
from imgguard.registry.licences import LicenceStanding
from imgguard.registry.standing import Standing
from imgguard.services.views import DecisionView, LicenceView, decision_view, licence_view


class StandingRecord(BaseModel):
    """How a match stood when its check was made, as it is stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    is_own: bool
    licence: LicenceView | None
    decision: DecisionView | None

    @classmethod
    def of(cls, standing: Standing) -> "StandingRecord":
        return cls(
            is_own=standing.is_own,
            licence=licence_view(standing.licence),
            decision=decision_view(standing.decision),
        )

    def standing(self, decision: Decision | None) -> Standing:
        """The same with the ``decision`` that is in force now."""
        licence = None
        if self.licence is not None:
            licence = LicenceStanding(
                status=self.licence.status,
                licence_id=self.licence.licence_id,
                ends_at=self.licence.ends_at,
                because=tuple(self.licence.because),
            )
        return Standing(is_own=self.is_own, licence=licence, decision=decision)
