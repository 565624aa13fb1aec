"""Keypoints of two pictures, matched, and the homographies that they support."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.fingerprint.fingerprint import Keypoints
from imgguard.verify.geometry import MIRROR_X, Homography, normalised

_RATIO = 0.85  # Lowe's ratio on Hellinger distances; for mutual matches
_THRESHOLD = 3.0  # reprojection error in pixels of a 512-pixel frame

# A SIFT descriptor is 4 x 4 cells (rows across the keypoint's direction) of 8 gradient directions. The mirror image
# of a patch has the rows in reverse order and the directions negated, so a mirrored query needs no second extraction.
_MIRRORED = np.arange(128).reshape(4, 4, 8)[::-1][:, :, (-np.arange(8)) % 8].reshape(-1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeypointMatches:
    """Pairs of positions as fractions of each frame, float32 (n, 2) each; ``mirrored``: found in the mirror image."""

    reference: NDArray[np.float32]
    query: NDArray[np.float32]
    mirrored: bool

    def __len__(self) -> int:
        return len(self.reference)


def _unit(descriptors: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = descriptors.astype(np.float32)
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6))


class KeypointMatcher:
    """A query's keypoints, prepared once, matched against many references."""

    def __init__(self, query: Keypoints) -> None:
        self._query = query
        self._plain = _unit(query.descriptors)
        self._mirrored = np.ascontiguousarray(self._plain[:, _MIRRORED])

    def match(self, reference: Keypoints, *, mirrored: bool) -> KeypointMatches:
        """Mutual nearest neighbours that pass the ratio test in both directions."""
        if len(self._query) < 2 or len(reference) < 2:
            none = np.empty((0, 2), np.float32)
            return KeypointMatches(reference=none, query=none, mirrored=mirrored)
        query = self._mirrored if mirrored else self._plain
        similarity = _unit(reference.descriptors) @ query.T
        nearest = similarity.argmax(axis=1)
        rows = np.arange(len(nearest))
        best = similarity[rows, nearest]
        mutual = similarity.argmax(axis=0)[nearest] == rows
        similarity[rows, nearest] = -1.0
        second = similarity.max(axis=1)
        distinct = (1.0 - best) < _RATIO**2 * (1.0 - second)  # squared distance is 2 - 2 cos
        kept = np.flatnonzero(mutual & distinct)
        return KeypointMatches(
            reference=reference.positions[kept],
            query=self._query.positions[nearest[kept]],
            mirrored=mirrored,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A model found in matches: reference -> query pixels, and which matches (bool (n,)) it explains."""

    matrix: Homography
    inliers: NDArray[np.bool_]

    @property
    def inlier_count(self) -> int:
        return int(self.inliers.sum())


def homography(matches: KeypointMatches, reference: tuple[int, int], query: tuple[int, int]) -> Fit | None:
    """MAGSAC++ homography (Barath et al. 2020) between frames of the given sizes (width, height)."""
    if len(matches) < 5:
        return None
    source, target, mirror = _points(matches, reference, query)
    matrix, mask = cv2.findHomography(
        source, target, cv2.USAC_MAGSAC, _threshold(query), maxIters=2000, confidence=0.999
    )
    return _fit(matrix, mask, mirror)


def similarity(matches: KeypointMatches, reference: tuple[int, int], query: tuple[int, int]) -> Fit | None:
    """Rotation, uniform scale and shift (with the mirror image where the matches are mirrored)."""
    if len(matches) < 3:
        return None
    source, target, mirror = _points(matches, reference, query)
    matrix, mask = cv2.estimateAffinePartial2D(
        source, target, ransacReprojThreshold=_threshold(query), maxIters=2000, confidence=0.999
    )
    return _fit(matrix, mask, mirror)


def _threshold(query: tuple[int, int]) -> float:
    return _THRESHOLD * max(query) / 512


def _points(
    matches: KeypointMatches, reference: tuple[int, int], query: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], Homography]:
    """Pixel positions in both frames, the reference's mirrored beforehand where the matches are; and that mirror.

    OpenCV's estimators discard every model that turns a picture over, so the turning must be done for them.
    """
    mirror = MIRROR_X if matches.mirrored else np.eye(3)
    source = matches.reference * np.array(reference, dtype=np.float32)
    if matches.mirrored:
        source = source * np.array([-1.0, 1.0], dtype=np.float32)
    return source, matches.query * np.array(query, dtype=np.float32), mirror


def _fit(matrix: NDArray[Any] | None, mask: NDArray[Any] | None, mirror: Homography) -> Fit | None:
    if matrix is None or mask is None:
        return None
    square = normalised(matrix)
    result = None if square is None else normalised(square @ mirror)
    return None if result is None else Fit(matrix=result, inliers=mask.ravel().astype(bool))
