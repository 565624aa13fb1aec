"""Which edits the measurements show. Names only what was measured; an edit that leaves no trace is not named."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.imaging.image import Pixels
from imgguard.verdict.finding import Edit
from imgguard.verify.agreement import Agreement
from imgguard.verify.alignment import AlignedPair, resized, warp
from imgguard.verify.geometry import Decomposition, Homography

_ROTATED = 1.5  # degrees
_RESIZED = 0.05
_STRETCHED = 1.04
_SHEARED = 0.03
_PERSPECTIVE = 0.06
_BLUR = 0.8  # pixels of the aligned patch
_CROPPED = 0.94  # share of the reference's area that is seen; the region is found to within a hundredth of a side
_PASTED = 0.93  # share of the query's area that the reference fills
_COLOUR = 7.0  # grey levels of mean difference per channel, beyond what JPEG does
_OVERLAY = 0.004  # share of the overlap covered by something that is only in the query
_TONE = 18.0  # grey levels by which an overlay stands out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What the edits are read from. ``scale`` in full-resolution pixels; shares 0..1 of each picture's area."""

    shape: Decomposition
    scale: float
    share_of_query: float
    share_of_reference: float
    outline: bool
    blur: float
    pair: AlignedPair
    found: Agreement
    query: Pixels
    reference: Pixels
    matrix: Homography


def named_edits(seen: Seen) -> tuple[Edit, ...]:
    """The edits that turn the reference into the query, as far as they can be told."""
    shape = seen.shape
    edits: list[Edit] = []
    background = seen.outline
    if seen.share_of_reference < _CROPPED and not background:
        edits.append(Edit.CROPPED)
    if shape.mirrored:
        edits.append(Edit.MIRRORED)
    if abs(shape.rotation_degrees) > _ROTATED:
        edits.append(Edit.ROTATED)
    if abs(np.log(seen.scale)) > _RESIZED:
        edits.append(Edit.RESIZED)
    if shape.anisotropy > _STRETCHED or shape.shear > _SHEARED or shape.perspective > _PERSPECTIVE:
        edits.append(Edit.DISTORTED)
    if seen.blur > _BLUR:
        edits.append(Edit.BLURRED)
    query, reference = _colour_patches(seen)
    agreeing = seen.found.agreeing & seen.pair.valid
    if _recoloured(query, reference, agreeing):
        edits.append(Edit.RECOLOURED)
    if background:
        edits.append(Edit.BACKGROUND_REPLACED)
    elif _overlaid(query, reference, seen):
        edits.append(Edit.OVERLAY)
    if not background and seen.share_of_query < _PASTED:
        edits.append(Edit.BORDER_ADDED if _plain_outside(seen) else Edit.PASTED)
    return tuple(edits)


def _colour_patches(seen: Seen) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both pictures' colours on the aligned patch, float32 (h, w, 3), lightly smoothed."""
    height, width = seen.pair.query.shape
    query = warp(seen.query.astype(np.float32), seen.pair.to_patch, (width, height))
    # Shrink first where the reference is much larger than the patch, so that warping does not alias.
    factor = min(1.0, max(height, width) / max(seen.reference.shape[:2]) * 1.5)
    size = max(1, round(seen.reference.shape[1] * factor)), max(1, round(seen.reference.shape[0] * factor))
    small = resized(seen.reference.astype(np.float32), size)
    back = np.diag([seen.reference.shape[1] / size[0], seen.reference.shape[0] / size[1], 1.0])
    reference = warp(small, seen.pair.to_patch @ seen.matrix @ back, (width, height))
    smooth = [cv2.GaussianBlur(np.asarray(p, np.float32), (0, 0), 2.0) for p in (query, reference)]
    return np.asarray(smooth[0], np.float32), np.asarray(smooth[1], np.float32)


def _recoloured(query: NDArray[np.float32], reference: NDArray[np.float32], where: NDArray[np.bool_]) -> bool:
    if where.sum() < 50:
        return False
    difference = np.abs(query[where] - reference[where])
    return float(np.median(difference, axis=0).max()) > _COLOUR


def _overlaid(query: NDArray[np.float32], reference: NDArray[np.float32], seen: Seen) -> bool:
    """Compact places inside the overlap where the query shows something that the reference, recoloured, does not."""
    valid = cv2.erode(seen.pair.valid.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    agreeing = seen.found.agreeing & valid
    if agreeing.sum() < 100:
        return False
    toned = _colour_matched(query, reference, agreeing)
    # Along strong edges a fraction of a pixel makes a large difference: there an overlay must stand out by more.
    kernel = np.ones((5, 5), np.uint8)
    unsure = (cv2.dilate(toned, kernel) - cv2.erode(toned, kernel)).max(axis=2)
    apart = (np.abs(query - toned).max(axis=2) > _TONE + unsure) & valid
    apart = cv2.morphologyEx(apart.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(bool)
    return float(apart.sum()) / max(1, int(valid.sum())) > _OVERLAY


def _colour_matched(
    query: NDArray[np.float32], reference: NDArray[np.float32], where: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """``reference`` through the affine colour map (3x3 and offset) that brings it nearest to the query."""
    source = np.c_[reference[where], np.ones(int(where.sum()), np.float32)]
    mapping, *_ = np.linalg.lstsq(source, query[where], rcond=None)
    flat = np.c_[reference.reshape(-1, 3), np.ones(reference.shape[0] * reference.shape[1], np.float32)]
    return np.asarray((flat @ mapping).reshape(reference.shape), np.float32)


def _plain_outside(seen: Seen) -> bool:
    """Whether the query is of one tone wherever the reference does not reach (a frame, not another picture)."""
    height, width = seen.query.shape[:2]
    ones = np.ones(seen.reference.shape[:2], np.float32)
    covered = warp(ones, seen.matrix, (width, height)) > 0.01
    outside = ~cv2.dilate(covered.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    if outside.sum() < 0.004 * outside.size:
        return True
    grey = cv2.cvtColor(seen.query, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gradient = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return float((gradient[outside] > 60).mean()) < 0.03
