"""Difference and agreement as colours: what is left after the tones of two aligned pictures were matched."""

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.imaging.image import Pixels

_ROUNDS = 4
_MOST_SAMPLES = 20_000
_VISIBLE = 6.0  # grey levels: recompression leaves about this much, copies differ by 1 to 3 on average
_STRONG = 56.0
SAME_FROM, DIFFERENT_FROM = 0.92, 0.25  # local correlation at the two ends of the agreement palette


def palette() -> Pixels:
    """256 colours from "same" (deep blue) to "different" (yellow), shape (256, 3).

    Cividis: made to look alike with and without red-green deficiency, and its brightness rises evenly, so it
    survives a grey print (Nunez, Anderton & Renslow, PLoS ONE 2018).
    """
    ramp = np.arange(256, dtype=np.uint8)[None]
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(ramp, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)[0])


def coloured(values: NDArray[np.floating]) -> Pixels:
    """Values 0 (same) .. 1 (different) through the palette; shape (height, width, 3)."""
    steps = np.round(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)
    return np.asarray(palette()[steps])


def matched_tones(source: Pixels, *, target: Pixels, where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """``source`` with its colours moved to those of ``target``, float32 (height, width, 3).

    One affine map of RGB (3x4), fitted where ``where`` is True by least squares, then again without the pixels that
    fit worst: it undoes brightness, contrast, hue and greyscale changes, and leaves stickers and text standing out.
    """
    rows = np.flatnonzero(where)
    rows = rows[:: max(len(rows) // _MOST_SAMPLES, 1)]
    plain = source.astype(np.float32)
    if len(rows) < 50:
        return plain
    samples = np.c_[plain.reshape(-1, 3)[rows], np.ones(len(rows), dtype=np.float32)]
    wanted = target.reshape(-1, 3)[rows].astype(np.float32)
    kept = np.ones(len(rows), dtype=bool)
    for _ in range(_ROUNDS):
        solution = np.linalg.lstsq(samples[kept], wanted[kept], rcond=None)[0]
        residual = np.abs(samples @ solution - wanted).mean(axis=1)
        kept = residual <= max(2.5 * float(np.median(residual)), 2.0)
    fitted = plain.reshape(-1, 3) @ solution[:3] + solution[3]
    return np.asarray(np.clip(fitted, 0, 255).reshape(source.shape), dtype=np.float32)


def difference(query: Pixels, *, warped: Pixels, where: NDArray[np.bool_], upscale: float) -> NDArray[np.float32]:
    """Remaining difference, 0 (none visible) .. 1 (strong), float32 (height, width).

    Both pictures are first blurred to the resolution of the coarser one (``upscale`` display pixels per its pixel);
    otherwise a mere reduction in size would show as a difference along every edge.
    """
    sigma = max(1.2, 0.9 * upscale)
    ours = cv2.GaussianBlur(query, (0, 0), sigma)
    theirs = cv2.GaussianBlur(warped, (0, 0), sigma)
    gap = np.abs(matched_tones(np.asarray(theirs), target=np.asarray(ours), where=where) - ours).max(axis=2)
    return np.asarray(np.clip((gap - _VISIBLE) / (_STRONG - _VISIBLE), 0, 1), dtype=np.float32)


def disagreement(agreement: NDArray[np.floating]) -> NDArray[np.float32]:
    """Local correlation (-1..1, NaN kept) as 0 (same) .. 1 (different)."""
    return np.asarray(np.clip((SAME_FROM - agreement) / (SAME_FROM - DIFFERENT_FROM), 0, 1), dtype=np.float32)
