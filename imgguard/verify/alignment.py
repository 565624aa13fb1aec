"""A reference brought onto the query: the common patch of both pictures at a fair resolution.

Coordinates are continuous: the origin is the top left corner of the top left pixel, pixel centres lie at .5.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.verify.geometry import (
    Homography,
    area,
    clipped,
    corners,
    decompose,
    scaling,
    transformed,
    translation,
)

type Grey = NDArray[np.float32]
"""Grey picture, float32, 0..255, shape (height, width)."""

_SMALLEST_SIDE = 20  # a patch below this many pixels holds too little to compare
_CENTRE = translation(0.5, 0.5)
_UNCENTRE = translation(-0.5, -0.5)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AlignedPair:
    """The same patch from both pictures.

    ``query`` and ``reference`` float32 (h, w); ``valid`` bool (h, w): inside the reference's frame. ``to_patch`` maps
    query pixels to patch pixels; ``share_of_query`` is the overlap's share of the query's frame.
    """

    query: Grey
    reference: Grey
    valid: NDArray[np.bool_]
    to_patch: Homography
    share_of_query: float
    share_of_reference: float

    @property
    def side(self) -> int:
        return int(max(self.query.shape))


def warp(picture: NDArray[Any], matrix: Homography, size: tuple[int, int], *, extend: bool = False) -> Grey:
    """``picture`` through ``matrix`` (continuous coordinates) into a frame of ``size`` (width, height).

    Outside of the picture lies black, or with ``extend`` its outermost pixels go on, so that its edge is not mixed with
    black. Returns float32 with the channels of ``picture``.
    """
    border = cv2.BORDER_REPLICATE if extend else cv2.BORDER_CONSTANT
    through = _UNCENTRE @ matrix @ _CENTRE
    moved = cv2.warpPerspective(picture, through, size, flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(moved, np.float32)


def resized(picture: NDArray[Any], size: tuple[int, int]) -> Grey:
    """``picture`` resampled to ``size`` (width, height), by area where it shrinks; float32."""
    shrinking = size[0] < picture.shape[1] or size[1] < picture.shape[0]
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.float32)


def samples(picture: Grey, points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Grey levels at ``points`` (n, 2), bilinear; float32 (n,)."""
    if not len(points):
        return np.empty(0, np.float32)
    where = (points - 0.5).astype(np.float32)[None]
    found = cv2.remap(picture, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).ravel()


class Pyramid:
    """A grey picture and its halved versions, made when asked for: coarse comparisons need not read fine pixels."""

    def __init__(self, picture: Grey) -> None:
        self._levels = [picture]

    @property
    def picture(self) -> Grey:
        return self._levels[0]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the full picture."""
        return self.picture.shape[1], self.picture.shape[0]

    def at(self, factor: float) -> tuple[Grey, Homography]:
        """The smallest version that is still finer than ``factor``, and the map from the full picture to it."""
        wanted = max(0, int(np.floor(np.log2(1.0 / max(factor, 1e-3)))))
        levels = self._levels  # appending twice from two threads would only waste a level, so nothing is locked
        while len(levels) <= wanted and min(levels[-1].shape) >= 16:
            last = levels[-1]
            levels = [*levels, resized(last, (max(1, last.shape[1] // 2), max(1, last.shape[0] // 2)))]
            self._levels = levels
        level = levels[min(wanted, len(levels) - 1)]
        return level, scaling(level.shape[1] / self.size[0], level.shape[0] / self.size[1])


def align(query: Pyramid, reference: Pyramid, matrix: Homography, *, side: int) -> AlignedPair | None:
    """The overlap of both pictures, its longest side at most ``side``, never finer than either picture shows.

    ``matrix`` maps reference pixels to query pixels. None where the pictures do not overlap enough to be compared.
    """
    (qw, qh), (rw, rh) = query.size, reference.size
    frame = transformed(matrix, corners(rw, rh))
    polygon = clipped(frame, qw, qh)
    if len(polygon) < 3:
        return None
    left, top = np.maximum(np.floor(polygon.min(axis=0)), 0)
    right, bottom = np.minimum(np.ceil(polygon.max(axis=0)), (qw, qh))
    width, height = float(right - left), float(bottom - top)
    if min(width, height) < 4:
        return None
    scale = decompose(matrix, rw, rh).scale
    factor = min(1.0, 1.0 / scale, side / max(width, height))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if min(size) < _SMALLEST_SIDE:
        return None
    to_patch = scaling(size[0] / width, size[1] / height) @ translation(-float(left), -float(top))
    outline = transformed(to_patch @ matrix, corners(rw, rh))
    valid = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(valid, np.rint((outline - 0.5) * 16).astype(np.int32), 1, shift=4)
    overlap, whole = area(polygon), max(area(frame), 1.0)
    return AlignedPair(
        query=_brought(query, to_patch, factor, size),
        reference=_brought(reference, to_patch @ matrix, scale * factor, size),
        valid=valid.astype(bool),
        to_patch=to_patch,
        share_of_query=overlap / (qw * qh),
        share_of_reference=min(1.0, overlap / whole),
    )


def _brought(pyramid: Pyramid, matrix: Homography, factor: float, size: tuple[int, int]) -> Grey:
    """The picture through ``matrix``, which shrinks it by about ``factor``; shrunk by area first, to avoid aliasing."""
    picture, to_level = pyramid.at(factor)
    left_over = factor / max(float(to_level[0, 0]), 1e-6)
    if left_over < 0.8:
        height, width = picture.shape
        smaller = max(1, round(width * left_over)), max(1, round(height * left_over))
        to_level = scaling(smaller[0] / width, smaller[1] / height) @ to_level
        picture = resized(picture, smaller)
    return warp(picture, matrix @ np.linalg.inv(to_level), size, extend=True)
