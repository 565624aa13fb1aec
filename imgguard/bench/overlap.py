"""How well an outlined region lies on the true one."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_RASTER = 1024  # cells along the longest side: an outline is off by at most half a cell
_SHIFT = 8  # cv2 takes corners in fractions of 1/256 cell


def intersection_over_union(
    first: Sequence[Sequence[float]] | NDArray[np.float64], second: Sequence[Sequence[float]] | NDArray[np.float64]
) -> float:
    """Area shared by two simple polygons over the area of both together (Jaccard 1901), 0..1.

    ``first`` and ``second`` are corners (n, 2) in the same pixels, n >= 3, convex or not. Counted on a grid fitted to
    both: good to about 0.005 for regions that are not slivers.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if len(a) < 3 or len(b) < 3:
        return 0.0
    corners = np.concatenate([a, b])
    origin = corners.min(axis=0)
    extent = float((corners.max(axis=0) - origin).max())
    if not extent > 0:
        return 0.0
    masks = [_filled((polygon - origin) * (_RASTER / extent)) for polygon in (a, b)]
    union = int((masks[0] | masks[1]).sum())
    return float((masks[0] & masks[1]).sum() / union) if union else 0.0


def _filled(polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
    canvas = np.zeros((_RASTER + 1, _RASTER + 1), np.uint8)
    # Integer coordinates are cell centres for cv2, corners of cells for us.
    fixed = np.rint((polygon - 0.5) * 2**_SHIFT).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], 1, shift=_SHIFT)
    return canvas.astype(bool)
