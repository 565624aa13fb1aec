"""Views of a query: the parts of it in which a registered picture might have been placed, each searched on its own."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.imaging.image import Pixels

type Window = tuple[float, float, float, float]
"""left, top, right, bottom as fractions (0..1) of the picture."""

WHOLE: Window = (0.0, 0.0, 1.0, 1.0)
_SMALLEST_SIDE = 24  # pixels: below it a view holds nothing to search for
_FLAT = 6.0  # standard deviation, grey levels, of a row or column that counts as border


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A part of the picture. ``kind``: ``whole``, ``trimmed``, ``half`` or ``third``."""

    window: Window
    kind: str


def cut(picture: Pixels, view: View) -> Pixels:
    """The pixels of a view."""
    height, width = picture.shape[:2]
    left, top, right, bottom = view.window
    part = picture[
        int(top * height) : max(int(bottom * height), int(top * height) + 1),
        int(left * width) : max(int(right * width), int(left * width) + 1),
    ]
    return np.ascontiguousarray(part)


def grid(parts: int, size: float, kind: str) -> list[View]:
    """``parts`` x ``parts`` overlapping windows of ``size`` times the picture's sides, evenly spread, row by row."""
    starts = np.linspace(0.0, 1.0 - size, parts)
    return [
        View(window=(float(x), float(y), float(x + size), float(y + size)), kind=kind) for y in starts for x in starts
    ]


def trimmed(picture: Pixels) -> View | None:
    """The picture without uniform borders and banners; None where there is next to nothing to trim.

    Rows and columns are cut from the outside for as long as they are nearly of one tone.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    height, width = grey.shape
    top, bottom = _extent(grey.std(axis=1))
    if bottom - top < _SMALLEST_SIDE:
        return None
    left, right = _extent(grey[top:bottom].std(axis=0))
    if right - left < _SMALLEST_SIDE or (right - left) * (bottom - top) > 0.94 * width * height:
        return None
    return View(window=(left / width, top / height, right / width, bottom / height), kind="trimmed")


def _extent(spread: NDArray[np.floating]) -> tuple[int, int]:
    busy = np.flatnonzero(spread > _FLAT)
    return (int(busy[0]), int(busy[-1]) + 1) if len(busy) else (0, 0)


def views_of(picture: Pixels, *, thorough: bool) -> list[View]:
    """The views of a profile, the whole picture first."""
    views = [View(window=WHOLE, kind="whole")]
    if (trim := trimmed(picture)) is not None:
        views.append(trim)
    views += grid(3, 0.5, "half")
    if thorough:
        views += grid(4, 0.34, "third")
    height, width = picture.shape[:2]
    return [
        view
        for view in views
        if min((view.window[2] - view.window[0]) * width, (view.window[3] - view.window[1]) * height) >= _SMALLEST_SIDE
        or view.kind == "whole"
    ]
