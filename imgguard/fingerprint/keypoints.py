"""Local keypoints: SIFT (Lowe 2004), descriptors Hellinger-normalised (RootSIFT, Arandjelovic and Zisserman 2012)."""

import struct
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.fingerprint.fingerprint import Keypoints

KEYPOINTS_VERSION = f"opencv {cv2.__version__}"
KEYPOINTS_ALGORITHM = "rootsift-1"

_CONTRAST = 0.015  # half of OpenCV's default: plain garments keep a few dozen keypoints instead of a handful
_CELLS = 8  # keypoints are drawn evenly from an 8x8 grid, so that one busy label does not take them all
_HEADER = struct.Struct("<I")
_KEYPOINT_BYTES = 2 * 2 + 2 + 2 + 128


def extract(grey: NDArray[np.uint8], *, limit: int) -> Keypoints:
    """At most ``limit`` keypoints of a grey picture, uint8 (height, width), strongest first within each grid cell."""
    height, width = grey.shape
    detector = cv2.SIFT.create(contrastThreshold=_CONTRAST)
    detected = detector.detect(grey, None)
    if not len(detected):
        return empty()
    frame = np.array([width, height], dtype=np.float32)
    chosen = _spread(_positions(detected) / frame, np.array([k.response for k in detected], np.float32), limit)
    # Only those are described: a garment has 1900 keypoints at 512 pixels, and describing costs as much as finding.
    found, descriptors = detector.compute(grey, [detected[number] for number in chosen])
    if descriptors is None or not len(found):
        return empty()
    return Keypoints(
        positions=(_positions(found) + np.float32(0.5)) / frame,
        sizes=np.array([keypoint.size for keypoint in found], dtype=np.float32) / max(width, height),
        angles=np.array([keypoint.angle for keypoint in found], dtype=np.float32),
        descriptors=_root(np.asarray(descriptors, np.float32)),
    )


def _positions(found: Sequence[cv2.KeyPoint]) -> NDArray[np.float32]:
    return np.array([keypoint.pt for keypoint in found], dtype=np.float32)


def empty() -> Keypoints:
    """No keypoints: a plain picture."""
    return Keypoints(
        positions=np.empty((0, 2), np.float32),
        sizes=np.empty(0, np.float32),
        angles=np.empty(0, np.float32),
        descriptors=np.empty((0, 128), np.uint8),
    )


def _spread(fractions: NDArray[np.float32], responses: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """Indices of at most ``limit`` keypoints: the strongest of every cell first, then the second strongest, ..."""
    order = np.argsort(-responses, kind="stable")
    cells = np.clip((fractions * _CELLS).astype(int), 0, _CELLS - 1)
    cell = cells[order, 1] * _CELLS + cells[order, 0]
    by_cell = np.argsort(cell, kind="stable")
    starts = np.r_[0, np.flatnonzero(np.diff(cell[by_cell])) + 1]
    rank_sorted = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    rank = np.empty(len(order), dtype=int)
    rank[by_cell] = rank_sorted
    return order[np.argsort(rank, kind="stable")[:limit]]


def _root(descriptors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """RootSIFT, stored as uint8: 255 * sqrt(L1-normalised); its Euclidean distances are Hellinger distances."""
    sums = np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6)
    return np.asarray(np.rint(np.sqrt(descriptors / sums) * 255.0), dtype=np.uint8)


def dump(keypoints: Keypoints) -> bytes:
    """Compact little-endian form: count, positions (uint16 fractions), sizes and angles (float16), descriptors."""
    return b"".join(
        (
            _HEADER.pack(len(keypoints)),
            np.rint(np.clip(keypoints.positions, 0, 1) * 65535).astype("<u2").tobytes(),
            keypoints.sizes.astype("<f2").tobytes(),
            keypoints.angles.astype("<f2").tobytes(),
            keypoints.descriptors.tobytes(),
        )
    )


def load(data: bytes) -> Keypoints:
    """The inverse of ``dump``. Raises ValueError when ``data`` is damaged."""
    if len(data) < _HEADER.size:
        raise ValueError("keypoints without a count")
    (count,) = _HEADER.unpack_from(data)
    if len(data) != _HEADER.size + count * _KEYPOINT_BYTES:
        raise ValueError(f"{len(data)} bytes do not hold {count} keypoints")
    offset = _HEADER.size
    positions = np.frombuffer(data, "<u2", count * 2, offset).reshape(count, 2)
    offset += positions.nbytes
    sizes = np.frombuffer(data, "<f2", count, offset)
    offset += sizes.nbytes
    angles = np.frombuffer(data, "<f2", count, offset)
    offset += angles.nbytes
    descriptors = np.frombuffer(data, np.uint8, count * 128, offset).reshape(count, 128)
    if not (np.isfinite(sizes).all() and np.isfinite(angles).all()):
        raise ValueError("keypoints with a size or angle that is no number")
    return Keypoints(
        positions=(positions / 65535).astype(np.float32),
        sizes=sizes.astype(np.float32),
        angles=angles.astype(np.float32),
        descriptors=descriptors,
    )
