"""Where the reference might lie in the query: several guesses, cheap to make and cheap to test; the pixels decide."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.verify.agreement import agreement, flow, tone_fit
from imgguard.verify.alignment import AlignedPair, Grey, Pyramid, align, resized
from imgguard.verify.geometry import Homography, corners, normalised, onto, plausible, transformed

_COARSE_SIDE = 128
_ORIENTATION_SIDE = 24
_TEMPLATE_SIDE = 128
_TEMPLATE_SHARES = (0.96, 0.86, 0.77, 0.69, 0.61, 0.55, 0.49, 0.44, 0.39, 0.35, 0.31, 0.27)
_TEMPLATE_LEAST = 0.5  # correlation below which a place is chance
_SAME = 0.015  # guesses whose corners differ by less than this share of the region's side are one


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hypothesis:
    """A guess: ``matrix`` maps reference to query pixels, ``origin`` says where it came from.

    ``weight`` is what speaks for it, in query pixels; ``quality`` (0..1) how well the overlap agrees on average.
    """

    matrix: Homography
    origin: str
    weight: float
    quality: float


def orientations(width: float, height: float) -> Iterator[NDArray[np.float64]]:
    """The frame's corners (4, 2) in the eight orders in which a picture can be laid onto it: 4 turns, mirrored too."""
    upright = corners(width, height)
    for turn in range(4):
        yield np.roll(upright, -turn, axis=0)
    mirrored = upright[[1, 0, 3, 2]]
    for turn in range(4):
        yield np.roll(mirrored, -turn, axis=0)


def whole_onto(
    query: Pyramid, reference: Pyramid, window: tuple[float, float, float, float], *, most: int
) -> list[Homography]:
    """The whole reference stretched onto ``window`` (left, top, right, bottom) of the query, in its ``most`` likeliest
    orientations by the correlation of thumbnails."""
    left, top, right, bottom = window
    side = _ORIENTATION_SIDE
    thumbnail, small = _thumbnail(query, window), _thumbnail(reference, (0.0, 0.0, *reference.size))
    width, height = reference.size
    scored: list[tuple[float, int, Homography]] = []
    for number, quadrilateral in enumerate(orientations(right - left, bottom - top)):
        turned = np.asarray(cv2.warpPerspective(small, _TURNS[number], (side, side)), np.float32)
        matrix = onto((width, height), quadrilateral + np.array([left, top]))
        scored.append((-_correlation(thumbnail, turned), number, matrix))
    scored.sort(key=lambda item: item[:2])
    return [matrix for _, _, matrix in scored[:most]]


def _thumbnail(pyramid: Pyramid, window: tuple[float, float, float, float]) -> Grey:
    left, top, right, bottom = window
    level, to_level = pyramid.at(_ORIENTATION_SIDE / max(right - left, bottom - top, 1.0))
    x, y = to_level[0, 0], to_level[1, 1]
    first_row, first_column = int(top * y), int(left * x)
    rows = slice(first_row, max(int(bottom * y), first_row + 2))
    columns = slice(first_column, max(int(right * x), first_column + 2))
    return resized(level[rows, columns], (_ORIENTATION_SIDE, _ORIENTATION_SIDE))


def _thumbnail_turn(number: int) -> Homography:
    side = _ORIENTATION_SIDE - 1  # pixel centres, so that turning a thumbnail is exact
    quadrilateral = list(orientations(side, side))[number]
    return onto((side, side), quadrilateral)


_TURNS = [_thumbnail_turn(number) for number in range(8)]


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))


def weigh(query: Pyramid, reference: Pyramid, matrix: Homography, origin: str) -> Hypothesis | None:
    """Test a guess at low resolution; None where it is impossible as an edit."""
    if not plausible(matrix, reference.size, query.size):
        return None
    pair = align(query, reference, matrix, side=_COARSE_SIDE)
    if pair is None:
        return None
    # Weight is counted in query pixels, so that guesses of different extent can be compared.
    per_pixel = pair.share_of_query * query.picture.size / max(1, int(pair.valid.sum()))
    found = agreement(pair)
    return Hypothesis(matrix=matrix, origin=origin, weight=found.weight * per_pixel, quality=found.quality)


def templates(query: Pyramid, reference: Pyramid, *, most: int) -> list[Homography]:
    """Where one picture, whole, shows up in the other, at several sizes and mirrored: for pictures without keypoints.

    Normalised cross-correlation of small versions (at most ``_TEMPLATE_SIDE`` pixels); the ``most`` best places.
    """
    scored: list[tuple[float, int, Homography]] = []
    for inverse in (False, True):
        outer, inner = (query, reference) if inverse else (reference, query)
        for response, matrix in _places(outer, inner):
            # ``matrix`` maps the inner picture onto the outer one.
            scored.append((response, len(scored), matrix if inverse else np.linalg.inv(matrix)))
    scored.sort(key=lambda item: (-item[0], item[1]))
    return [matrix for response, _, matrix in scored[:most] if response > _TEMPLATE_LEAST]


def _places(outer: Pyramid, inner: Pyramid) -> Iterator[tuple[float, Homography]]:
    """Correlation and position of ``inner`` within ``outer``, the best for each size and handedness."""
    (ow, oh), (iw, ih) = outer.size, inner.size
    factor = _TEMPLATE_SIDE / max(ow, oh)
    size = max(1, round(ow * factor)), max(1, round(oh * factor))
    scene = resized(outer.at(factor)[0], size)
    for share in _TEMPLATE_SHARES:
        shrink = share * min(size[0] / iw, size[1] / ih)
        part = round(iw * shrink), round(ih * shrink)
        if min(part) < 14:
            continue
        small = resized(inner.at(min(1.0, shrink))[0], part)
        for mirrored in (False, True):
            template = np.ascontiguousarray(small[:, ::-1]) if mirrored else small
            response = cv2.matchTemplate(scene, template, cv2.TM_CCOEFF_NORMED)
            _, best, _, (x, y) = cv2.minMaxLoc(response)
            left, top, width, height = x / factor, y / factor, part[0] / factor, part[1] / factor
            frame = corners(width, height) + np.array([left, top])
            yield float(best), onto((iw, ih), frame[[1, 0, 3, 2]] if mirrored else frame)


def distinct(guesses: list[Hypothesis], reference: tuple[int, int]) -> list[Hypothesis]:
    """The guesses, best first, without those that say nearly the same as a better one."""
    kept: list[Hypothesis] = []
    frames: list[NDArray[np.float64]] = []
    for tested in sorted(guesses, key=lambda guess: -guess.weight):
        frame = transformed(tested.matrix, corners(*reference))
        tolerance = _SAME * max(float(np.ptp(frame[:, 0])), float(np.ptp(frame[:, 1])))
        if all(float(np.abs(frame - other).max()) > tolerance for other in frames):
            kept.append(tested)
            frames.append(frame)
    return kept


def refine(query: Pyramid, reference: Pyramid, start: Hypothesis, *, side: int, rounds: int = 2) -> Hypothesis:
    """Move the guess to where the pixels fit, by dense optical flow on the aligned patch; keep it if better."""
    best = start
    for number in range(rounds):
        pair = align(query, reference, best.matrix, side=side)
        moved = None if pair is None else step(pair, best.matrix, affine=number == 0)
        if moved is None:
            break
        better = weigh(query, reference, moved, start.origin)
        if better is None or better.weight <= best.weight * 0.995:
            break
        best = better
    return best


def step(pair: AlignedPair, matrix: Homography, *, affine: bool) -> Homography | None:
    """``matrix``, which ``pair`` was aligned with, moved to where the optical flow says that the pixels fit better."""
    found = agreement(pair)
    where = found.textured & (found.correlation > 0.6)
    for least in (0.3, -1.0):  # places that agree already are the best guides; early on there may be none
        if where.sum() >= 400:
            break
        where = found.textured & (found.correlation > least)
    if where.sum() < 60:
        return None
    gain, offset = tone_fit(pair.query, pair.reference, where)
    motion = flow(np.asarray(gain * pair.reference + offset, np.float32), pair.query)
    ys, xs = np.nonzero(where)
    chosen = np.linspace(0, len(ys) - 1, min(len(ys), 600)).astype(int)
    ys, xs = ys[chosen], xs[chosen]
    source = np.c_[xs, ys].astype(np.float32) + 0.5
    target = source + motion[ys, xs]
    threshold = 1.5 * pair.side / 256
    if affine:
        fitted, _ = cv2.estimateAffine2D(source, target, ransacReprojThreshold=threshold, maxIters=500)
    else:
        fitted, _ = cv2.findHomography(source, target, cv2.USAC_MAGSAC, threshold, maxIters=500)
    if fitted is None:
        return None
    square = normalised(fitted)
    if square is None:
        return None
    return normalised(np.linalg.inv(pair.to_patch) @ square @ pair.to_patch @ matrix)
