"""How matches stand for whoever asked: own, licensed, decided about. For all matches of a check at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from imgguard.ports.rights import Rights
from imgguard.registry.decisions import in_force
from imgguard.registry.licences import LicenceStanding, Use, standing_of
from imgguard.registry.records import Reference
from imgguard.registry.standing import Standing


class Standings:
    """Reads only. Thread safe."""

    def __init__(self, *, rights: Rights) -> None:
        self._rights = rights

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
    ) -> Mapping[str, Standing]:
        """By reference id, for the organisation that asks, which is the owner ``owner_id``.

        Two statements, however many references there are: licences, and decisions about the picture with these bytes
        or these pixels. Raises StoreUnavailable.
        """
        licences = self._licensed(organisation_id, owner_id, references, use=use, at=at)
        decided = self._rights.decisions_about(
            [reference.reference_id for reference in references],
            query_sha256=query_sha256,
            query_pixel_digest=query_pixel_digest,
        )
        return {
            reference.reference_id: Standing(
                is_own=reference.owner_id == owner_id,
                licence=licences.get(reference.reference_id),
                decision=in_force(decided.get(reference.reference_id, ())),
            )
            for reference in references
        }

    def _licensed(
        self, organisation_id: str, owner_id: str, references: Sequence[Reference], *, use: Use, at: datetime
    ) -> dict[str, LicenceStanding]:
        """Of the references that are others'."""
        foreign = [reference for reference in references if reference.owner_id != owner_id]
        if not foreign:
            return {}
        held = self._rights.licences_held(
            organisation_id,
            owner_ids={reference.owner_id for reference in foreign},
            work_ids={reference.work_id for reference in foreign if reference.work_id is not None},
        )
        return {
            reference.reference_id: standing_of(
                held.get(reference.owner_id, ()), work_id=reference.work_id, use=use, at=at
            )
            for reference in foreign
        }
