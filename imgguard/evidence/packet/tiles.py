"""Pictures as the template sets them: name, proportions, and the outline that is drawn over them."""

from typing import Any

from imgguard.evidence.packet.finding import PacketFinding
from imgguard.evidence.packet.model import Packet
from imgguard.evidence.packet.pictures import Pictures
from imgguard.evidence.packet.reference import PacketReference
from imgguard.evidence.packet.telling import Teller

DRAWN = ("side_by_side", "aligned", "difference")
"""The evidence pictures that the report can show, in this order; the packet may hold more. Side by side the report sets
the two pictures itself, with captions in its own language, wherever it has both."""

_MOST_CORNERS = 1000

type Tile = dict[str, Any]
"""``caption``, ``picture`` (a name, or None), ``ratio`` (width to height), ``outline`` (corners as shares of both)."""


class Tiles:
    """Made from the packet's pictures; raises what `Pictures.embedded` raises."""

    def __init__(self, teller: Teller, pictures: Pictures) -> None:
        self._labels = teller.labels
        self._captions: dict[str, str] = teller.words["captions"]
        self._pictures = pictures

    def pair(self, finding: PacketFinding, reference: PacketReference | None) -> list[Tile]:
        """The registered picture on the left, the listing picture on the right; the latter alone without a match."""
        regions, listing = finding.regions, finding.listing
        right = self._tile(listing.thumbnail, caption=self._labels["listing"])
        right["outline"] = [] if regions is None else outline(regions.listing, listing.width, listing.height)
        if reference is None:
            return [right]
        left = self.reference(reference)
        pixels = reference.pixels
        left["outline"] = [] if regions is None else outline(regions.reference, pixels.width, pixels.height)
        return [left, right]

    def reference(self, reference: PacketReference) -> Tile:
        """A registered picture without an outline."""
        return self._tile(reference.thumbnail, caption=self._labels["registered"])

    def drawn(self, finding: PacketFinding, reference: PacketReference | None) -> list[Tile]:
        """The evidence pictures of a finding."""
        names = drawn_of(finding, reference)
        return [self._tile(finding.pictures[name], caption=self._captions[name]) for name in names]

    def _tile(self, path: str | None, *, caption: str) -> Tile:
        if path is None:
            return {"caption": caption, "picture": None, "ratio": 1.0, "outline": []}
        made = self._pictures.embedded(path)
        return {"caption": caption, "picture": made.name, "ratio": made.width / made.height, "outline": []}


def count_of(packet: Packet) -> int:
    """How many pictures the report of a packet shows."""
    drawn = sum(len(drawn_of(finding, packet.reference(finding.reference_id))) for finding in packet.findings)
    pictures = [*(one.thumbnail for one in packet.references), *(one.listing.thumbnail for one in packet.findings)]
    return drawn + sum(path is not None for path in pictures)


def drawn_of(finding: PacketFinding, reference: PacketReference | None) -> list[str]:
    """Which of a finding's evidence pictures the report shows, by name."""
    both = reference is not None and None not in (reference.thumbnail, finding.listing.thumbnail, finding.regions)
    return [name for name in DRAWN if name in finding.pictures and not (both and name == "side_by_side")]


def outline(corners: tuple[tuple[float, float], ...], width: int, height: int) -> list[list[float]]:
    """Corners in pixels of a picture of that size as shares of it, kept inside; empty for what is no polygon."""
    if not 3 <= len(corners) <= _MOST_CORNERS:
        return []
    return [[round(min(max(x / width, 0.0), 1.0), 5), round(min(max(y / height, 0.0), 1.0), 5)] for x, y in corners]
