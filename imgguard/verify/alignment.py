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
    clipped,
    corners,
    decompose,
    normalised,
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
        return max(self.query.shape)


def warp(picture: NDArray[Any], matrix: Homography, size: tuple[int, int]) -> Grey:
    """``picture`` through ``matrix`` (continuous coordinates) into a frame of ``size`` (width, height), black outside.

    Returns float32 with the channels of ``picture``.
    """
    moved = cv2.warpPerspective(picture, _UNCENTRE @ matrix @ _CENTRE, size, flags=cv2.INTER_LINEAR)
    return np.asarray(moved, np.float32)


def resized(picture: NDArray[Any], size: tuple[int, int]) -> Grey:
    """``picture`` resampled to ``size`` (width, height), by area where it shrinks; float32."""
    shrinking = size[0] < picture.shape[1] or size[1] < picture.shape[0]
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.float32)


def samples(picture: Grey, points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Grey levels at ``points`` (n, 2), bilinear; float32 (n,)."""
    where = (points - 0.5).astype(np.float32)[None]
    found = cv2.remap(picture, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).ravel()


def align(query: Grey, reference: Grey, matrix: Homography, *, side: int) -> AlignedPair | None:
    """The overlap of both pictures, its longest side at most ``side``, never finer than either picture shows.

    ``matrix`` maps reference pixels to query pixels. None where the pictures do not overlap enough to be compared.
    """
    (qh, qw), (rh, rw) = query.shape, reference.shape
    frame = transformed(matrix, corners(rw, rh))
    polygon = clipped(frame, qw, qh)
    if len(polygon) < 3:
        return None
    left, top = np.maximum(np.floor(polygon.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(polygon.max(axis=0)), (qw, qh)).astype(int)
    width, height = int(right) - int(left), int(bottom) - int(top)
    if min(width, height) < 4:
        return None
    scale = decompose(matrix, rw, rh).scale
    factor = min(1.0, 1.0 / scale, side / max(width, height))
    out_w, out_h = max(1, round(width * factor)), max(1, round(height * factor))
    if min(out_w, out_h) < _SMALLEST_SIDE:
        return None
    to_patch = scaling(out_w / width, out_h / height) @ translation(-float(left), -float(top))
    patch = resized(query[top:bottom, left:right], (out_w, out_h))
    source, from_source = _reduced(reference, scale * factor)
    whole = normalised(to_patch @ matrix @ from_source)
    if whole is None:
        return None
    valid = np.zeros((out_h, out_w), np.uint8)
    outline = transformed(to_patch @ matrix, corners(rw, rh))
    cv2.fillConvexPoly(valid, np.rint((outline - 0.5) * 16).astype(np.int32), 1, shift=4)
    overlap = float(abs(cv2.contourArea(polygon.astype(np.float32))))
    full = max(float(abs(cv2.contourArea(frame.astype(np.float32)))), 1.0)
    return AlignedPair(
        query=patch,
        reference=warp(source, whole, (out_w, out_h)),
        valid=valid.astype(bool),
        to_patch=to_patch,
        share_of_query=overlap / (qw * qh),
        share_of_reference=min(1.0, overlap / full),
    )


def _reduced(reference: Grey, factor: float) -> tuple[Grey, Homography]:
    """The reference shrunk before it is warped, so that warping does not alias; and the way back to its pixels."""
    if factor > 0.8:
        return reference, np.eye(3)
    height, width = reference.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    back = scaling(width / size[0], height / size[1])
    return resized(reference, size), back
