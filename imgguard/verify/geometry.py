"""Plane geometry: homographies, what they do to a picture's frame, and how plausible they are as an edit."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

type Homography = NDArray[np.float64]
"""3x3, maps reference pixels to query pixels; [2, 2] is 1."""

MIRROR_X = np.diag([-1.0, 1.0, 1.0])


def normalised(matrix: NDArray[np.floating]) -> Homography | None:
    """float64 with [2, 2] = 1, or None where that is impossible."""
    result = np.asarray(matrix, dtype=np.float64)
    if result.shape == (2, 3):
        result = np.vstack([result, [0.0, 0.0, 1.0]])
    if not np.isfinite(result).all() or abs(result[2, 2]) < 1e-9:
        return None
    return np.asarray(result / result[2, 2], dtype=np.float64)


def scaling(x: float, y: float | None = None) -> Homography:
    """Multiplies coordinates by ``x`` (and ``y``, if different)."""
    return np.diag([x, x if y is None else y, 1.0])


def translation(x: float, y: float) -> Homography:
    """Adds (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def transformed(matrix: Homography, points: NDArray[np.floating]) -> NDArray[np.float64]:
    """``points`` (n, 2) through ``matrix``."""
    homogeneous = np.c_[points, np.ones(len(points))] @ matrix.T
    weights = homogeneous[:, 2:]
    safe = np.where(np.abs(weights) < 1e-9, 1e-9, weights)
    return np.asarray(homogeneous[:, :2] / safe)


def corners(width: float, height: float) -> NDArray[np.float64]:
    """The frame's corners, clockwise from the top left, shape (4, 2)."""
    return np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])


def onto(source: tuple[float, float], target: NDArray[np.floating]) -> Homography:
    """Maps the frame of size ``source`` (width, height) onto the quadrilateral ``target`` (4, 2)."""
    matrix = cv2.getPerspectiveTransform(corners(*source).astype(np.float32), target.astype(np.float32))
    return np.asarray(matrix, dtype=np.float64)


def clipped(polygon: NDArray[np.floating], width: float, height: float) -> NDArray[np.float64]:
    """A convex polygon (n, 2) cut to the frame (0, 0, width, height); shape (m, 2), empty when outside.

    Sutherland and Hodgman (1974). OpenCV's own intersection of convex polygons returns the whole frame when two edges
    all but coincide, which is what an unedited copy's do.
    """
    points = [(float(x), float(y)) for x, y in polygon]
    for axis, bound, sign in ((0, 0.0, 1.0), (0, width, -1.0), (1, 0.0, 1.0), (1, height, -1.0)):
        points = _cut(points, axis, bound, sign)
        if len(points) < 3:
            return np.empty((0, 2))
    return np.array(points, dtype=np.float64)


def _cut(points: list[tuple[float, float]], axis: int, bound: float, sign: float) -> list[tuple[float, float]]:
    """The part of a convex polygon on the side of ``bound`` that ``sign`` names (1: above it, -1: below it)."""
    kept: list[tuple[float, float]] = []
    for start, end in zip(points, points[1:] + points[:1], strict=True):
        before, after = (start[axis] - bound) * sign, (end[axis] - bound) * sign
        if before >= 0:
            kept.append(start)
        if (before >= 0) != (after >= 0):
            share = before / (before - after)
            kept.append((start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])))
    return kept


def area(polygon: NDArray[np.floating]) -> float:
    """Area of a simple polygon (n, 2), in square pixels."""
    if len(polygon) < 3:
        return 0.0
    return float(abs(cv2.contourArea(polygon.astype(np.float32))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposition:
    """A homography near the middle of the reference, in words.

    ``scale`` is query pixels per reference pixel (geometric mean); ``anisotropy`` the ratio of the larger to the
    smaller stretch along the picture's own axes (>= 1); ``shear`` the cosine between the images of the axes (0..1);
    ``perspective`` the relative change of scale across the reference (0: none). ``rotation_degrees`` in (-180, 180],
    counter-clockwise as seen, after undoing the mirror image (left-right).
    """

    scale: float
    rotation_degrees: float
    mirrored: bool
    anisotropy: float
    shear: float
    perspective: float


def decompose(matrix: Homography, width: float, height: float) -> Decomposition:
    """How ``matrix`` treats a reference of ``width`` x ``height`` pixels."""
    centre = np.array([[width / 2, height / 2]])
    step = max(width, height) * 0.01
    probes = np.vstack([centre, centre + np.array([step, 0.0]), centre + np.array([0.0, step])])
    moved = transformed(matrix, probes)
    across, down = (moved[1] - moved[0]) / step, (moved[2] - moved[0]) / step
    determinant = float(across[0] * down[1] - across[1] * down[0])
    mirrored = determinant < 0
    lengths = max(float(np.hypot(*across)), 1e-9), max(float(np.hypot(*down)), 1e-9)
    direction = -across if mirrored else across
    rotation = -np.degrees(np.arctan2(direction[1], direction[0]))
    weights = np.c_[corners(width, height), np.ones(4)] @ matrix[2]
    perspective = float(np.ptp(weights) / max(float(np.abs(weights).mean()), 1e-9))
    return Decomposition(
        scale=float(np.sqrt(abs(determinant))),
        rotation_degrees=180.0 if rotation <= -180 else float(rotation),
        mirrored=mirrored,
        anisotropy=max(lengths) / min(lengths),
        shear=float(abs(across @ down) / (lengths[0] * lengths[1])),
        perspective=perspective,
    )


def plausible(matrix: Homography, reference: tuple[int, int], query: tuple[int, int]) -> bool:
    """Whether ``matrix`` maps the reference's frame (width, height) to a sane convex quadrilateral near the query's."""
    weights = np.c_[corners(*reference), np.ones(4)] @ matrix[2]
    if weights.min() < 0.1 * weights.max():
        return False
    quadrilateral = transformed(matrix, corners(*reference))
    if not cv2.isContourConvex(quadrilateral.astype(np.float32)):
        return False
    shape = decompose(matrix, *reference)
    if not (0.02 < shape.scale < 50 and shape.anisotropy < 4 and shape.shear < 0.7 and shape.perspective < 1.5):
        return False
    covered = area(clipped(quadrilateral, *query))
    return covered > 0.002 * query[0] * query[1] or covered > 0.2 * area(quadrilateral)
