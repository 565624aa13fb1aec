"""A screen photographed with a phone: the copy that never was a file."""

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.bench.edits.picture import (
    Donors,
    EditedPicture,
    Pixels,
    Range,
    Step,
    draw,
    frame,
    moved,
    recoloured,
    resized_pixels,
    scaling,
    warped,
)
from imgguard.bench.edits.shape import onto

_DOT = 3
"""Screen pixels are drawn as three stripes (red, green, blue) of one pixel each."""


def _as_screen(pixels: Pixels, contrast: float) -> Pixels:
    """The picture as lit stripes, ``_DOT`` times as large. Sampling it at another grid gives a true moire."""
    large = np.repeat(np.repeat(pixels, _DOT, axis=0), _DOT, axis=1).astype(np.float32)
    stripes = np.full((_DOT, _DOT, 3), 1 - contrast, dtype=np.float32)
    for channel in range(3):
        stripes[:, channel, channel] = 1 + contrast
    stripes[-1] *= 1 - 0.5 * contrast
    stripes /= stripes.mean(axis=(0, 1))
    tiled = np.tile(stripes, (pixels.shape[0], pixels.shape[1], 1))
    return np.asarray(np.clip(large * tiled, 0, 255), dtype=np.uint8)


def recapture(tilt: Range = (0.03, 0.1), contrast: Range = (0.25, 0.6)) -> Step:
    """Screen with bezel in a dim room, seen at a slant: moire, shading, glare, colour cast, noise and slight blur."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        slant, stripes = draw(rng, tilt), draw(rng, contrast)
        screen_side = 620 / max(state.width, state.height)
        size = round(state.width * screen_side), round(state.height * screen_side)
        shown = resized_pixels(state.pixels, *size)
        lit = _as_screen(shown, stripes)
        large = moved(state, lit, scaling(lit.shape[1] / state.width, lit.shape[0] / state.height))
        margin = draw(rng, (0.02, 0.09))
        out_width = round(size[0] * draw(rng, (1.02, 1.3)))
        out_height = round(out_width * size[1] / size[0] * draw(rng, (0.97, 1.03)))
        target = _quadrilateral(rng, out_width, out_height, margin=margin, slant=slant)
        bezel = _room(rng, out_width, out_height, target)
        taken = warped(large, onto(frame(large.width, large.height), target), bezel)
        lighted = _lighting(taken.pixels.astype(np.float32), rng)
        return recoloured(taken, lighted, recapture_tilt=slant, stripe_contrast=stripes)

    return step


def _quadrilateral(
    rng: np.random.Generator, width: int, height: int, *, margin: float, slant: float
) -> NDArray[np.float64]:
    """Where the screen's corners fall: inside a margin, each off by up to ``slant``, the whole slightly turned."""
    corners = frame(width, height)
    inwards = np.sign(np.array([width, height]) / 2 - corners)
    depth = margin + rng.uniform(0, slant, (4, 2))
    return np.asarray(corners + inwards * depth * (width, height))


def _room(rng: np.random.Generator, width: int, height: int, screen: NDArray[np.float64]) -> Pixels:
    """A dim wall behind the black bezel of the screen."""
    shade = rng.uniform(30, 150) * (1 + rng.uniform(-0.1, 0.1, 3))
    slope = np.linspace(rng.uniform(0.7, 1.2), rng.uniform(0.7, 1.2), height)[:, None, None]
    wall = np.broadcast_to(np.clip(shade * slope, 0, 255), (height, width, 3)).astype(np.uint8).copy()
    middle = screen.mean(axis=0)
    outer = middle + (screen - middle) * (1 + rng.uniform(0.03, 0.07))
    cv2.fillConvexPoly(wall, np.rint(outer).astype(np.int32), (18, 18, 20), cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(wall, (0, 0), 1.0), dtype=np.uint8)


def _lighting(values: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Uneven light, one reflection, a colour cast, lens blur and sensor noise."""
    height, width = values.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    shading = 1 + rng.uniform(0.05, 0.22) * (np.cos(angle) * x + np.sin(angle) * y) * 2
    shading *= 1 - rng.uniform(0.05, 0.3) * (x**2 + y**2) * 2
    spot = rng.uniform(-0.5, 0.5, 2)
    glare = rng.uniform(5, 45) * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / rng.uniform(0.02, 0.12))
    cast = np.array([rng.uniform(0.9, 1.02), rng.uniform(0.94, 1.02), rng.uniform(0.98, 1.1)])
    contrast = rng.uniform(0.8, 1.0)
    lit = (values * contrast * shading[..., None] + glare[..., None]) * cast + rng.uniform(0, 12)
    blurred = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.5, 0.9))
    return np.asarray(blurred + rng.normal(0, rng.uniform(1.5, 4.0), values.shape), dtype=np.float32)
