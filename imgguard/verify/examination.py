"""One query against one reference: the best alignment that can be found, and everything measured on it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

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
from imgguard.verify.fitting import bent, fit
from imgguard.verify.geometry import Homography, decompose, plausible, transformed
from imgguard.verify.matching import KeypointMatcher, KeypointMatches
from imgguard.verify.search import AlignmentSearch

QUERY_SIDE = 768  # longest side of the query in verification: pasted-in copies keep enough pixels
KEYPOINT_SIDE = 640  # longest side for the query's keypoints
KEYPOINT_LIMIT = 1000
_FINE_SIDE = 400
_LAST_STEPS = 2
_WORTH_ANOTHER = 1.02  # gain of agreement after which one more step is tried


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
    settled = _settled(query.pyramid, grey, best.matrix, pair)
    matrix, pair, found = settled.matrix, settled.pair, settled.found
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
            "blur": settled.blur,
            "bend": settled.bend,
            "continuation": continuation(query.pyramid.picture, matrix, grey.size, pair, found),
        }
    )
    return Examination(
        matrix=matrix, origin=best.origin, features=features, matches=support.matches, pair=pair, found=found
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Settled:
    """The final alignment and what is measured on it; ``blur`` as of `match_sharpness`, ``bend`` as of `fitting`."""

    matrix: Homography
    pair: AlignedPair
    found: Agreement
    blur: float
    bend: float

    @property
    def worth(self) -> float:
        return self.found.weight / max(1, int(self.found.valid.sum()))


def _settled(query: Pyramid, reference: Pyramid, matrix: Homography, pair: AlignedPair) -> _Settled:
    """The last steps at full resolution, between pictures of equal sharpness, while the agreement gains."""
    best = _compared(matrix, pair)
    for _ in range(_LAST_STEPS):
        if not best.found.textured.any() or np.median(best.found.correlation[best.found.textured]) < 0.4:
            break
        correction = fit(best.pair, best.found, best.matrix)
        if correction is None or not plausible(correction.matrix, reference.size, query.size):
            break
        moved = align(query, reference, correction.matrix, side=_FINE_SIDE)
        if moved is None:
            break
        better = _compared(correction.matrix, bent(moved, correction), correction.bend_size)
        if better.worth <= best.worth:
            break
        gain, best = better.worth / best.worth, better
        if gain < _WORTH_ANOTHER:
            break
    return best


def _compared(matrix: Homography, pair: AlignedPair, bend: float = 0.0) -> _Settled:
    pair, blur = match_sharpness(pair)
    return _Settled(matrix=matrix, pair=pair, found=agreement(pair), blur=blur, bend=bend)


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
