"""Stored checks as they are shown: the finding, how its matches stood, and the policies and decisions of now."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import ValidationError

from imgguard.errors import DigestMismatch
from imgguard.ports import CheckStore, MadeCheck, Original
from imgguard.registry.access import Actor
from imgguard.registry.licences import Use
from imgguard.registry.records import Reference, ReferenceStatus
from imgguard.registry.standing import Standing
from imgguard.services import findings, redaction
from imgguard.services.captures import captured_view
from imgguard.services.findings import FindingDocument
from imgguard.services.redaction import Seen
from imgguard.services.standing_record import StandingRecord
from imgguard.services.views import CheckView, UseView

_log = logging.getLogger(__name__)


class Standings(Protocol):
    """How references stand for whoever asks: see `imgguard.services.standings`."""

    def of(
        self,
        organisation_id: str,
        owner_id: str,
        references: Sequence[Reference],
        *,
        query_sha256: str,
        query_pixel_digest: str,
        use: Use,
        at: datetime,
    ) -> Mapping[str, Standing]: ...


@dataclass(frozen=True, slots=True)
class DamagedCheck:
    """A check whose stored document cannot be read: it is there, and `imgguard doctor` names it too."""

    finding_id: str


class CheckViews:
    """Reads only. Thread safe. Raises DigestMismatch for what is damaged, StoreUnavailable."""

    def __init__(self, *, store: CheckStore, standings: Standings) -> None:
        self._store = store
        self._standings = standings

    def of(self, actor: Actor, made: Sequence[MadeCheck]) -> list[CheckView]:
        """What ``actor``, who may see these checks, is shown of them."""
        documents = [findings.read(one.finding) for one in made]
        originals = self._originals(documents)
        return [self._view(actor, one, document, originals) for one, document in zip(made, documents, strict=True)]

    def listed(self, actor: Actor, made: Sequence[MadeCheck]) -> list[CheckView | DamagedCheck]:
        """As `of`; what is damaged hides none of the others."""
        try:
            return list(self.of(actor, made))
        except DigestMismatch:
            return [self._view_of_one(actor, one) for one in made]

    def _view_of_one(self, actor: Actor, made: MadeCheck) -> CheckView | DamagedCheck:
        try:
            (view,) = self.of(actor, [made])
        except DigestMismatch as error:
            _log.warning("a check is listed without its document: %s", error.detail)
            return DamagedCheck(made.finding.finding_id)
        return view

    def seen(self, actor: Actor, made: MadeCheck) -> list[Seen]:
        """The matches in the order and number in which they are shown."""
        document = findings.read(made.finding)
        originals = self._originals([document])
        return redaction.seen_by(actor, document.matches, originals, self._stood(made, document, originals))

    def _originals(self, documents: Sequence[FindingDocument]) -> Mapping[str, Original]:
        matches = (match for document in documents for match in document.matches)
        return self._store.originals({match.reference_id for match in matches if match.reference_id is not None})

    def _view(
        self, actor: Actor, made: MadeCheck, document: FindingDocument, originals: Mapping[str, Original]
    ) -> CheckView:
        standings = self._stood(made, document, originals)
        seen = redaction.seen_by(actor, document.matches, originals, standings)
        counted = [
            (match, standings[match.reference_id])
            for match in document.matches
            if match.reference_id in standings
            and originals[match.reference_id].reference.status is not ReferenceStatus.ERASED
        ]
        return CheckView(
            finding_id=made.finding.finding_id,
            checked_at=made.finding.created_at,
            file=document.file,
            sha256=made.finding.query_sha256,
            width=document.width or 0,
            height=document.height or 0,
            content_credentials=document.content_credentials,
            captured=captured_view(made.capture),
            profile=document.profile,
            use=_use_view(made),
            verdict=document.verdict,
            conclusion=redaction.conclusion_of(counted, reasons=document.reasons),
            reasons=redaction.reasons_shown(document.reasons, document.verdict, seen),
            matches=redaction.match_views(seen, finding_id=made.finding.finding_id),
            weights=document.weights or "",
            calibration=document.calibration or "",
        )

    def _stood(
        self, made: MadeCheck, document: FindingDocument, originals: Mapping[str, Original]
    ) -> dict[str, Standing]:
        """For whoever asked: licences as when the check was made, decisions as now, for they are made about findings.

        Nobody asked for a check that was made at the console: nothing is licensed there.
        """
        asker, view = made.asker, _use_view(made)
        ids = [match.reference_id or "" for match in document.matches]
        now = self._standings.of(
            "" if asker is None else asker.organisation_id,
            "" if asker is None else asker.owner_id,
            [originals[reference_id].reference for reference_id in ids if reference_id in originals],
            query_sha256=made.finding.query_sha256,
            query_pixel_digest=document.query_pixel_digest,
            use=Use() if view is None else Use(**view.model_dump()),
            at=made.finding.created_at,
        )
        return {
            reference_id: _as_then(made, reference_id).standing(standing.decision)
            if reference_id in made.standings
            else standing
            for reference_id, standing in now.items()
        }


def _use_view(made: MadeCheck) -> UseView | None:
    return None if made.asker is None else UseView.model_validate_json(made.asker.intended_use)


def _as_then(made: MadeCheck, reference_id: str) -> StandingRecord:
    try:
        return StandingRecord.model_validate_json(made.standings[reference_id])
    except ValidationError as error:
        raise DigestMismatch(f"the document of {made.finding.finding_id} is damaged") from error
