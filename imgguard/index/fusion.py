"""One ranking from the hits of all views of a query."""

from collections.abc import Sequence
from dataclasses import dataclass

from imgguard.index.base import Hit


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedHit:
    """A stored vector, its best cosine similarity over the views, and the position of the view that reached it."""

    number: int
    cosine_similarity: float
    view: int


def fuse(hits_per_view: Sequence[Sequence[Hit]], limit: int) -> list[FusedHit]:
    """Best cosine similarity per number over the views, best first, at most ``limit``.

    The maximum, not a sum or a vote: one window that shows the stolen picture is enough, and most windows of a collage
    show something else. Ties go to the lower number and the earlier view, so that the order is reproducible.
    """
    best: dict[int, FusedHit] = {}
    for view, hits in enumerate(hits_per_view):
        for hit in hits:
            found = best.get(hit.number)
            if found is None or hit.cosine_similarity > found.cosine_similarity:
                best[hit.number] = FusedHit(number=hit.number, cosine_similarity=hit.cosine_similarity, view=view)
    return sorted(best.values(), key=lambda hit: (-hit.cosine_similarity, hit.number))[:limit]
