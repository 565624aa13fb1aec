"""Does the query's scene go on beyond the reference's frame?

A copy can be pasted into another picture, but it ends at its edge. Where the query shows how the scene goes on outside
of what the reference shows, the query was not made from the reference: it is another photograph of the same scene (or
both were cut from a third).
"""

import numpy as np
from numpy.typing import NDArray

from imgguard.verify.agreement import Agreement
from imgguard.verify.alignment import AlignedPair, Grey, samples
from imgguard.verify.geometry import Homography, corners, transformed

_OFFSET = 0.009  # distance of the two probed lines from the frame's edge, as a share of the query's longest side
_MARGIN = 0.015  # edges nearer than this to the query's own border say nothing
_SPREAD = 4.0  # grey levels: a line plainer than this cannot be compared


def continuation(
    query: Grey, matrix: Homography, reference: tuple[int, int], pair: AlignedPair, found: Agreement
) -> float:
    """Concordance (-1..1) of the query just inside and just outside of the reference's frame, weighted by how much of
    the frame lies well inside the query; 0 where nothing can be said. ``reference`` is (width, height).

    Concordance is correlation that also asks for the same contrast: a faint echo of the edge in the bezel of a screen,
    or in a busy picture that it was pasted into, is no continuation.

    Only places count where the pictures agree just inside of the frame: a new background goes on across it as well, but
    is none of the reference's scene.
    """
    agreeing = (found.agreeing & found.textured).astype(np.float32)
    height, width = query.shape
    side = max(query.shape)
    frame = transformed(matrix, corners(*reference))
    middle = frame.mean(axis=0)
    total, weight = 0.0, 0.0
    for start, end in zip(frame, np.roll(frame, -1, axis=0), strict=True):
        points = _inner_points(start, end, (width, height), _MARGIN * side)
        inward = points + (middle - points) * 0.06
        points = points[samples(agreeing, transformed(pair.to_patch, inward)) > 0.5]
        if len(points) < 0.06 * side:
            continue
        value = _across(query, points, start, end, middle, _OFFSET * side)
        if value is not None:
            total += value * len(points)
            weight += len(points)
    if not weight:
        return 0.0
    return float(total / weight * min(1.0, weight / (0.25 * side)))


def _inner_points(
    start: NDArray[np.float64], end: NDArray[np.float64], size: tuple[int, int], margin: float
) -> NDArray[np.float64]:
    """One point a pixel along the edge, those well inside the query; shape (n, 2)."""
    length = float(np.linalg.norm(end - start))
    count = int(np.clip(length, 2, 4000))
    steps = np.linspace(0.03, 0.97, count)[:, None]
    points = start + (end - start) * steps
    inside = ((points > margin) & (points < np.array(size) - margin)).all(axis=1)
    return np.asarray(points[inside])


def _across(
    query: Grey,
    points: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    middle: NDArray[np.float64],
    offset: float,
) -> float | None:
    direction = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
    normal = np.array([-direction[1], direction[0]])
    if (middle - start) @ normal < 0:
        normal = -normal
    inner, outer = samples(query, points + normal * offset), samples(query, points - normal * offset)
    if inner.std() < _SPREAD and outer.std() < _SPREAD:
        return None
    inner, outer = inner - inner.mean(), outer - outer.mean()
    return float(2 * (inner * outer).sum() / max(float((inner**2).sum() + (outer**2).sum()), 1e-6))
