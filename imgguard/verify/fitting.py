"""The last fraction of a pixel: the alignment that brings two patches, locally normalised, nearest to each other.

Robust Gauss-Newton on the grey levels themselves (after Lucas and Kanade 1981; Baker and Matthews 2004). Normalising
locally makes it indifferent to shading, filters and a screen's glow. Beside the homography it finds the bend of a lens
or of a curved screen, which no homography describes and which a copy of a copy often has.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.verify.agreement import Agreement, smoothed
from imgguard.verify.alignment import AlignedPair, Grey, samples
from imgguard.verify.geometry import Homography, normalised, scaling, transformed

_SIGMAS = (3.0, 1.2)  # blur at which it is fitted, coarse to fine, in pixels of a patch of 400
_ROUNDS = 6
_POINTS = 3000
_STILL = 0.02  # pixels; smaller steps end the search
_WINDOW = 0.07  # of the patch's longest side: normalisation
_NOISE = 3.0  # grey levels
_TOO_FAR = 0.03, 0.12  # of the patch's longest side, median and largest: beyond, it is another alignment
_GRID = 24
_STRAIGHT = 0.15  # pixels of a patch of 400: a smaller bend is noise, and resampling would cost detail


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Correction:
    """How the reference must move: ``matrix`` maps reference to query pixels; ``bend`` (n, n, 2) is what a lens adds to
    that on an even grid over the patch it was fitted on, in query pixels, and ``bend_size`` its root mean square in
    pixels of a patch of 400. ``to_unit`` maps query pixels to the grid's unit square."""

    matrix: Homography
    bend: NDArray[np.float32]
    bend_size: float
    to_unit: Homography


def fit(pair: AlignedPair, found: Agreement, matrix: Homography) -> Correction | None:
    """The correction of ``matrix``, which ``pair`` was aligned with; None where nothing can be said."""
    points = _guides(pair, found)
    if len(points) < 150:
        return None
    side = pair.side
    terms = _terms((points - _middle(pair)) / (side / 2))
    motion = np.zeros(terms.shape[1])
    for sigma in _SIGMAS:
        scaled = sigma * side / 400
        query = _normalised(smoothed(pair.query, scaled), side)
        reference = _normalised(smoothed(pair.reference, scaled), side)
        motion = _descend(query, reference, points, terms, motion)
    shift = np.linalg.norm(_moved(terms, motion), axis=1)
    if not np.isfinite(shift).all() or np.median(shift) > _TOO_FAR[0] * side or shift.max() > _TOO_FAR[1] * side:
        return None
    return _correction(pair, matrix, motion)


def bent(pair: AlignedPair, correction: Correction) -> AlignedPair:
    """``pair``, aligned with the corrected matrix, with its reference bent as well where that is worth it."""
    if correction.bend_size < _STRAIGHT:
        return pair
    height, width = pair.valid.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    to_unit = correction.to_unit @ np.linalg.inv(pair.to_patch)
    cells = correction.bend.shape[0]
    at_x = ((x + 0.5) * to_unit[0, 0] + to_unit[0, 2]) * cells - 0.5
    at_y = ((y + 0.5) * to_unit[1, 1] + to_unit[1, 2]) * cells - 0.5
    motion = cv2.remap(
        correction.bend,
        at_x.astype(np.float32),
        at_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    moved = cv2.remap(
        pair.reference,
        x + motion[..., 0] * np.float32(pair.to_patch[0, 0]),
        y + motion[..., 1] * np.float32(pair.to_patch[1, 1]),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return replace(pair, reference=np.asarray(moved, np.float32))


def _middle(pair: AlignedPair) -> NDArray[np.float64]:
    height, width = pair.valid.shape
    return np.array([width / 2, height / 2])


def _guides(pair: AlignedPair, found: Agreement) -> NDArray[np.float64]:
    """Pixel centres (n, 2) that may guide: textured, and not at odds with each other."""
    where = found.textured & (found.correlation > 0.3)
    inner = cv2.erode(pair.valid.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=0).astype(bool)
    ys, xs = np.nonzero(where & inner)
    chosen = np.linspace(0, len(ys) - 1, min(len(ys), _POINTS)).astype(int)
    return np.stack([xs[chosen], ys[chosen]], axis=1) + 0.5


def _terms(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Motions (n, 11, 2) that a small homography (first 8) and a lens with any centre (last 3) make."""
    x, y = unit[:, 0], unit[:, 1]
    one, none, r = np.ones_like(x), np.zeros_like(x), x * x + y * y
    columns = [
        (one, none),
        (none, one),
        (x, none),
        (y, none),
        (none, x),
        (none, y),
        (x * x, x * y),
        (x * y, y * y),
        (r, none),
        (none, r),
        (r * x, r * y),
    ]
    return np.asarray(np.stack([np.stack(pair, axis=1) for pair in columns], axis=1))


def _moved(terms: NDArray[np.float64], motion: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.einsum("njc,j->nc", terms, motion))


def _normalised(picture: Grey, side: int) -> Grey:
    window = max(9, round(_WINDOW * side)) | 1
    mean = cv2.boxFilter(picture, -1, (window, window))
    variance = np.maximum(cv2.boxFilter(picture * picture, -1, (window, window)) - mean * mean, 0)
    return np.asarray((picture - mean) / np.sqrt(variance + _NOISE**2), np.float32)


def _descend(
    query: Grey,
    reference: Grey,
    points: NDArray[np.float64],
    terms: NDArray[np.float64],
    motion: NDArray[np.float64],
) -> NDArray[np.float64]:
    """``motion`` moved to where the reference, sampled at the moved ``points``, is nearest to the query at them.

    Tukey's weights let go of what does not belong to the reference: stickers, a new background.
    """
    wanted = samples(query, points)
    slopes = [np.asarray(cv2.Sobel(reference, cv2.CV_32F, x, 1 - x, scale=1 / 8), np.float32) for x in (1, 0)]
    best, least = motion, np.inf
    for _ in range(_ROUNDS):
        places = points + _moved(terms, motion)
        error = (samples(reference, places) - wanted).astype(np.float64)
        spread = max(1.4826 * float(np.median(np.abs(error))), 0.05)
        cost = float(np.minimum(np.abs(error), 1.0).mean())
        if cost >= least * 0.999:
            break
        best, least = motion, cost
        weight = np.square(np.clip(1 - (error / (4.7 * spread)) ** 2, 0, None))
        gx, gy = (samples(slope, places).astype(np.float64) for slope in slopes)
        jacobian = gx[:, None] * terms[..., 0] + gy[:, None] * terms[..., 1]
        weighted = jacobian * weight[:, None]
        normal = weighted.T @ jacobian
        # Damped, and never singular: where the patches have no slope at all, nothing moves.
        normal += np.diag(np.full(len(normal), 1e-4 * np.trace(normal) / len(normal) + 1e-9))
        change = np.linalg.solve(normal, -weighted.T @ error)
        motion = motion + change
        if np.abs(change).max() < _STILL:
            break
    return best


def _correction(pair: AlignedPair, matrix: Homography, motion: NDArray[np.float64]) -> Correction | None:
    height, width = pair.valid.shape
    steps = (np.arange(_GRID) + 0.5) / _GRID
    x, y = np.meshgrid(steps * width, steps * height)
    every = np.c_[x.ravel(), y.ravel()]
    moved = every + _moved(_terms((every - _middle(pair)) / (pair.side / 2)), motion)
    # The query's patch shows at `every` what the reference's patch shows at `moved`.
    found, _ = cv2.findHomography(every, moved, 0)
    straight = None if found is None else normalised(found)
    if straight is None:
        return None
    result = normalised(np.linalg.inv(straight @ pair.to_patch) @ pair.to_patch @ matrix)
    if result is None:
        return None
    left_over = moved - transformed(straight, every)
    scale = np.array([pair.to_patch[0, 0], pair.to_patch[1, 1]])
    return Correction(
        matrix=result,
        bend=(left_over / scale).reshape(_GRID, _GRID, 2).astype(np.float32),
        bend_size=float(np.sqrt((left_over**2).sum(axis=1).mean())) * 400 / pair.side,
        to_unit=scaling(1 / width, 1 / height) @ pair.to_patch,
    )
