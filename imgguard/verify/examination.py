"""One query against one reference: the best alignment that can be found, and everything measured on it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.fingerprint import keypoints as local
from imgguard.fingerprint.fingerprint import Keypoints, ReferencePicture
from imgguard.imaging.image import Pixels
from imgguard.imaging.views import WHOLE, Window
from imgguard.verify.agreement import NO_RESIDUALS, Agreement, agreement, match_sharpness, residuals
from imgguard.verify.alignment import AlignedPair, Pyramid, align, resized
from imgguard.verify.continuation import continuation
from imgguard.verify.geometry import Homography, decompose, plausible, transformed
from imgguard.verify.hypotheses import step
from imgguard.verify.matching import KeypointMatcher, KeypointMatches
from imgguard.verify.search import AlignmentSearch

QUERY_SIDE = 768  # longest side of the query in verification: pasted-in copies keep enough pixels
KEYPOINT_SIDE = 640  # longest side for the query's keypoints
KEYPOINT_LIMIT = 1000
CLOSE_UP_SIDE = 448
_FINE_SIDE = 400


def grey_of(picture: Pixels, side: int) -> NDArray[np.uint8]:
    """Luma, uint8 (h, w), longest side at most ``side``."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    factor = min(1.0, side / max(height, width))
    if factor == 1.0:
        return np.asarray(grey, np.uint8)
    return np.asarray(resized(grey, (max(1, round(width * factor)), max(1, round(height * factor)))), np.uint8)


class QueryPicture:
    """A query prepared for verification once; keypoints are computed when first needed. Thread safe."""

    def __init__(self, working: Pixels) -> None:
        self.working = working
        self.pyramid = Pyramid(grey_of(working, QUERY_SIDE).astype(np.float32))
        self._lock = threading.Lock()
        self._matcher: KeypointMatcher | None = None
        self.keypoints: Keypoints | None = None
        self._close_ups: dict[Window, KeypointMatcher] = {}

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the verification frame."""
        return self.pyramid.size

    def matcher(self) -> KeypointMatcher:
        with self._lock:
            if self._matcher is None:
                self.keypoints = local.extract(grey_of(self.working, KEYPOINT_SIDE), limit=KEYPOINT_LIMIT)
                self._matcher = KeypointMatcher(self.keypoints)
            return self._matcher

    def close_up(self, window: Window) -> KeypointMatcher:
        """Keypoints of a part of the picture and its surroundings, enlarged: a small paste-in has few in the whole."""
        with self._lock:
            if window not in self._close_ups:
                self._close_ups[window] = KeypointMatcher(_enlarged(self.working, window))
            return self._close_ups[window]


def _enlarged(picture: Pixels, window: Window) -> Keypoints:
    """Keypoints of ``window`` and a margin, from pixels enlarged to ``CLOSE_UP_SIDE``; positions in the whole."""
    height, width = picture.shape[:2]
    margin = 0.25 * max(window[2] - window[0], window[3] - window[1])
    left, top = max(0.0, window[0] - margin), max(0.0, window[1] - margin)
    right, bottom = min(1.0, window[2] + margin), min(1.0, window[3] + margin)
    part = picture[int(top * height) : int(np.ceil(bottom * height)), int(left * width) : int(np.ceil(right * width))]
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    factor = CLOSE_UP_SIDE / max(grey.shape)
    size = max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor))
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    found = local.extract(np.asarray(cv2.resize(grey, size, interpolation=interpolation), np.uint8), limit=600)
    spans = np.array([part.shape[1] / width, part.shape[0] / height], np.float32)
    origin = np.array([int(left * width) / width, int(top * height) / height], np.float32)
    return replace(found, positions=np.asarray(origin + found.positions * spans, np.float32))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examination:
    """The best alignment of a pair, and its measurements.

    ``matrix`` maps the reference's working pixels to the query's verification frame; None: no alignment was found.
    ``features`` are plain numbers, the calibration's input. ``matches`` are the keypoint pairs behind it.
    """

    matrix: Homography | None
    origin: str
    features: dict[str, float]
    matches: KeypointMatches | None
    pair: AlignedPair | None
    found: Agreement | None


def examine_pair(
    query: QueryPicture, reference: ReferencePicture, *, windows: Sequence[Window] = (), closer: bool = True
) -> Examination:
    """Register ``reference`` on ``query`` and measure the best alignment.

    ``windows`` are the parts of the query in which the index found the reference. ``closer`` allows the dear means
    where the cheap ones find nothing. No alignment is reported where none agrees better than chance does.
    """
    grey = Pyramid(cv2.cvtColor(reference.working, cv2.COLOR_RGB2GRAY).astype(np.float32))
    search = AlignmentSearch(query.pyramid, grey, reference.keypoints)
    search.by_keypoints(query.matcher())
    for window in (WHOLE, *windows):
        search.by_window(window)
    if closer and not search.trusted:
        for window in windows:
            search.by_keypoints(query.close_up(window))
    if closer and not search.trusted:
        search.by_template()
    best = search.best() if search.promising else None
    pair = align(query.pyramid, grey, best.matrix, side=_FINE_SIDE) if best else None
    features = {
        "keypoints_query": float(len(query.keypoints or ())),
        "keypoints_reference": float(len(reference.keypoints)),
    }
    if best is None or pair is None:
        return Examination(matrix=None, origin="none", features=features, matches=None, pair=None, found=None)
    shape = decompose(best.matrix, *grey.size)
    support = search.support(mirrored=shape.mirrored)
    matrix, pair, found, blur = _settled(query.pyramid, grey, best.matrix, pair)
    features |= (
        _measured(pair, found)
        | _placed(pair, found, matrix, grey.size)
        | {
            "match_count": float(len(support.matches)),
            "inlier_count": float(support.homography_inliers),
            "similarity_inlier_count": float(support.similarity_inliers),
            "consistent_count": float(_consistent(support.matches, matrix, grey.size, query.size)),
            "scale": shape.scale,
            "rotation": abs(shape.rotation_degrees),
            "anisotropy": shape.anisotropy,
            "shear": shape.shear,
            "perspective": shape.perspective,
            "blur": blur,
            "continuation": continuation(query.pyramid.picture, matrix, grey.size, pair, found),
        }
    )
    return Examination(
        matrix=matrix, origin=best.origin, features=features, matches=support.matches, pair=pair, found=found
    )


def _settled(
    query: Pyramid, reference: Pyramid, matrix: Homography, pair: AlignedPair
) -> tuple[Homography, AlignedPair, Agreement, float]:
    """One last step at full resolution, between pictures of equal sharpness; kept where the agreement gains by it."""
    pair, blur = match_sharpness(pair)
    found = agreement(pair)
    if not found.textured.any() or np.median(found.correlation[found.textured]) < 0.4:
        return matrix, pair, found, blur
    moved = step(pair, matrix, affine=False)
    if moved is None or not plausible(moved, reference.size, query.size):
        return matrix, pair, found, blur
    again = align(query, reference, moved, side=_FINE_SIDE)
    if again is None:
        return matrix, pair, found, blur
    again, again_blur = match_sharpness(again)
    better = agreement(again)
    if better.weight / max(1, int(better.valid.sum())) <= found.weight / max(1, int(found.valid.sum())):
        return matrix, pair, found, blur
    return moved, again, better, again_blur


def _consistent(
    matches: KeypointMatches, matrix: Homography, reference: tuple[int, int], query: tuple[int, int]
) -> int:
    """How many keypoint pairs the final alignment explains, within 3 pixels at 512."""
    if not len(matches):
        return 0
    moved = transformed(matrix, matches.reference * np.array(reference))
    distance = np.linalg.norm(moved - matches.query * np.array(query), axis=1)
    return int((distance < 3.0 * max(query) / 512).sum())


def _measured(pair: AlignedPair, found: Agreement) -> dict[str, float]:
    """Features of the aligned pixels; shares are of the overlap unless the name says otherwise."""
    valid = max(1, int(pair.valid.sum()))
    values = found.correlation[found.textured]
    left = residuals(pair, found) if len(values) else NO_RESIDUALS
    if not len(values):
        values = np.zeros(1, np.float32)
    agreeing = found.agreeing & found.valid
    largest = _largest(agreeing) / valid
    share = float(agreeing.sum()) / valid
    core = values[values > 0.5]
    return {
        "patch_side": float(pair.side),
        "overlap_of_query": pair.share_of_query,
        "overlap_of_reference": pair.share_of_reference,
        "textured_share": float(found.textured.sum()) / valid,
        "textured_pixels": float(found.textured.sum()),
        "correlation_median": float(np.median(values)),
        "correlation_mean": float(values.mean()),
        "correlation_p25": float(np.percentile(values, 25)),
        "correlation_p75": float(np.percentile(values, 75)),
        "correlation_core": float(np.median(core)) if len(core) else 0.0,
        "share_above_50": float((values > 0.5).mean()),
        "share_above_80": float((values > 0.8).mean()),
        "share_above_95": float((values > 0.95).mean()),
        "agreeing_share": share,
        "agreeing_largest": largest,
        "agreeing_of_query": share * pair.share_of_query,
        "agreeing_of_reference": share * pair.share_of_reference,
        "flow_median": left.flow_median,
        "flow_high": left.flow_high,
        "flow_rough": left.flow_rough,
        "grey_median": left.grey_median,
        "grey_mean": left.grey_mean,
        "gain": left.gain,
        "detail": left.detail,
    }


def _placed(pair: AlignedPair, found: Agreement, matrix: Homography, reference: tuple[int, int]) -> dict[str, float]:
    """Where on the reference the pictures agree: shares (0..1) of its seen centre and of its seen rim.

    A copy on a new background agrees in the centre; two photographs from one tripod, in the rim.
    """
    height, width = found.valid.shape
    step = max(1, max(height, width) // 80)
    ys, xs = np.mgrid[0:height:step, 0:width:step]
    points = np.c_[xs.ravel(), ys.ravel()] + 0.5
    places = transformed(np.linalg.inv(pair.to_patch @ matrix), points) / np.array(reference)
    off_centre = np.abs(places - 0.5).max(axis=1)
    valid = found.valid[::step, ::step].ravel()
    agreeing = (found.agreeing & found.valid)[::step, ::step].ravel()
    centre, rim = valid & (off_centre < 0.22), valid & (off_centre > 0.38)
    return {
        "agreeing_centre": float(agreeing[centre].mean()) if centre.sum() > 10 else 0.5,
        "agreeing_rim": float(agreeing[rim].mean()) if rim.sum() > 10 else 0.5,
    }


def _largest(mask: NDArray[np.bool_]) -> int:
    """Pixels of the largest connected part."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return int(stats[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0
