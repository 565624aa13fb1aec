"""A finding as `packet.json` has it: the listing picture, what the pixels say, and what people say."""

from collections.abc import Iterator

from pydantic import Field

from imgguard.evidence.packet.values import (
    Count,
    Id,
    Keyword,
    LongText,
    PacketObject,
    PacketPath,
    Sha256,
    Share,
    Side,
    Text,
    UtcTime,
    given,
)
from imgguard.registry.decisions import DecidedBy, DecisionKind
from imgguard.registry.licences import Because, LicenceStatus
from imgguard.verdict.finding import Edit, Relation, Strength, Verdict


class Listing(PacketObject):
    """The picture that was checked. Size in pixels, upright.

    ``url`` and ``fetched_at``: where and when the installation fetched it, as its record of that says, which is among
    the finding's ``proofs``; both None for a picture that it was sent.
    """

    file_name: Text
    url: LongText | None
    fetched_at: UtcTime | None
    sha256: Sha256
    width: Side
    height: Side
    asset: PacketPath | None
    thumbnail: PacketPath | None


class LicenceState(PacketObject):
    """How the use stands to the licences that are recorded, at the time of the check."""

    status: LicenceStatus
    because: tuple[Because, ...] = ()
    ends_at: UtcTime | None = None


class Figures(PacketObject):
    """The measurements, as in the finding (docs/json-contract.md)."""

    log10_likelihood_ratio: float | None = None
    agreement: float | None = Field(default=None, ge=-1.01, le=1.01)
    reference_coverage: Share | None = None
    query_coverage: Share | None = None
    inlier_count: Count | None = None
    cosine_similarity: float | None = Field(default=None, ge=-1.01, le=1.01)
    hamming_distance: int | None = Field(default=None, ge=0, le=256)


class Regions(PacketObject):
    """The part of each picture that was found in the other one: corners (x, y) in its own full-size pixels."""

    listing: tuple[tuple[float, float], ...]
    reference: tuple[tuple[float, float], ...]


class DecisionOfPeople(PacketObject):
    """What people decided about the pair."""

    kind: DecisionKind
    by: DecidedBy
    decided_at: UtcTime
    note: LongText


class PacketFinding(PacketObject):
    """One listing picture, checked. ``reference_id`` names the match, one of the packet's references, or is None.

    ``pictures``: the evidence drawn, by name (`imgguard.evidence.pictures`). ``licence`` None: nothing was asked.
    """

    finding_id: Id
    checked_at: UtcTime
    listing: Listing
    verdict: Verdict
    relation: Relation | None
    reference_id: Id | None
    edits: tuple[Edit, ...]
    strength: Strength | None
    reasons: tuple[Keyword, ...]
    figures: Figures
    regions: Regions | None
    licence: LicenceState | None
    decision: DecisionOfPeople | None
    pictures: dict[Keyword, PacketPath]
    proofs: tuple[PacketPath, ...]

    def paths(self) -> Iterator[str]:
        """Every path that is named here."""
        listing = self.listing
        yield from given((listing.asset, listing.thumbnail, *self.pictures.values(), *self.proofs))
