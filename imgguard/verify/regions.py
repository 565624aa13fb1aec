"""Which part of the query shows which part of the reference."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.verify.agreement import Agreement
from imgguard.verify.alignment import AlignedPair, warp
from imgguard.verify.geometry import Homography, area, clipped, corners, scaling, transformed

_GRID = 96  # cells along the longer side of the reference, on which agreement is summed up
_EDGE_SHARE = 0.5  # an outer row or column whose agreeing share is below this is not part of the region
_TRIMMED = 0.92  # share of what is seen of the reference: a rectangle above it is the whole frame
_FILLED = 0.9  # share of the rectangle that the outline of a crop fills
_FRAME_SHARE = 0.6  # a rectangle that agrees less than this is described by its outline instead

type Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regions:
    """Polygons (n, 2) in pixels of the query's and the reference's frames; ``outline``: not a rectangle of the
    reference but the outline of what agrees (a cut-out before another background)."""

    query: Points
    reference: Points
    outline: bool


def locate(
    matrix: Homography, pair: AlignedPair, found: Agreement, *, query: tuple[int, int], reference: tuple[int, int]
) -> Regions:
    """The matching regions of a pair that was aligned by ``matrix``. Sizes are (width, height)."""
    width, height = reference
    cell = max(width, height) / _GRID
    size = max(4, round(width / cell)), max(4, round(height / cell))
    to_grid = scaling(size[0] / width, size[1] / height)
    back = to_grid @ np.linalg.inv(pair.to_patch @ matrix)
    seen = warp(pair.valid.astype(np.float32), back, size) > 0.5
    agree = (warp((found.agreeing & pair.valid).astype(np.float32), back, size) > 0.5) & seen
    bounds, hull = _bounds(agree, seen), _outline(agree)
    box = corners(*size)
    if bounds is not None:
        left, top, right, bottom = bounds
        box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    outline = hull is not None and (bounds is None or _is_cut_out(agree, seen, bounds, hull))
    part = hull if outline and hull is not None else box
    return _regions(transformed(np.linalg.inv(to_grid), part), matrix, query, reference, outline=outline)


def _is_cut_out(
    agree: NDArray[np.bool_], seen: NDArray[np.bool_], bounds: tuple[int, int, int, int], hull: Points
) -> bool:
    """Whether what agrees is better described by its outline than by the rectangle left of the reference.

    A crop that was pasted elsewhere fills its rectangle, stickers apart; a cut-out leaves the corners empty.
    """
    left, top, right, bottom = bounds
    inside = seen[top:bottom, left:right]
    if int(agree[top:bottom, left:right].sum()) < _FRAME_SHARE * max(1, int(inside.sum())):
        return True
    trimmed = int(inside.sum()) < _TRIMMED * max(1, int(seen.sum()))
    return trimmed and area(hull) < _FILLED * int(inside.sum())


def _regions(
    part: Points, matrix: Homography, query: tuple[int, int], reference: tuple[int, int], *, outline: bool
) -> Regions:
    on_query = clipped(transformed(matrix, part), *query)
    if area(on_query) < 1:
        return Regions(query=np.empty((0, 2)), reference=np.empty((0, 2)), outline=outline)
    on_reference = transformed(np.linalg.inv(matrix), on_query)
    on_reference = np.clip(on_reference, 0, np.array(reference, np.float64))
    return Regions(query=on_query, reference=on_reference, outline=outline)


def _bounds(agree: NDArray[np.bool_], seen: NDArray[np.bool_]) -> tuple[int, int, int, int] | None:
    """left, top, right, bottom of the rectangle left when rows and columns that disagree are cut from the outside."""
    rows = agree.sum(axis=1) > _EDGE_SHARE * np.maximum(seen.sum(axis=1), 1)
    top, bottom = _extent(rows)
    if bottom - top < 2:
        return None
    middle_agree, middle_seen = agree[top:bottom], seen[top:bottom]
    columns = middle_agree.sum(axis=0) > _EDGE_SHARE * np.maximum(middle_seen.sum(axis=0), 1)
    left, right = _extent(columns)
    return (left, top, right, bottom) if right - left >= 2 else None


def _extent(kept: NDArray[np.bool_]) -> tuple[int, int]:
    where = np.flatnonzero(kept)
    return (int(where[0]), int(where[-1]) + 1) if len(where) else (0, 0)


def _outline(agree: NDArray[np.bool_]) -> Points | None:
    """Convex outline of the largest agreeing part and of the others that are not small beside it."""
    closed = cv2.morphologyEx(agree.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    if count < 2:
        return None
    sizes = stats[1:, cv2.CC_STAT_AREA]
    kept = np.isin(labels, 1 + np.flatnonzero(sizes >= 0.2 * sizes.max()))
    ys, xs = np.nonzero(kept)
    if len(xs) < 6:
        return None
    hull = cv2.convexHull(np.c_[xs, ys].astype(np.float32) + 0.5)
    return np.asarray(hull.reshape(-1, 2), np.float64) if len(hull) >= 3 else None
