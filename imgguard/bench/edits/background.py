"""The product cut out and put before another background."""

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.bench.edits.picture import (
    Donors,
    EditedPicture,
    EditNotApplicable,
    Pixels,
    Polygon,
    Range,
    Step,
    draw,
    masked,
    moved,
    recoloured,
    resized_pixels,
    scaling,
    translation,
)
from imgguard.bench.edits.placing import covering
from imgguard.bench.edits.shape import plain

type Mask = NDArray[np.uint8]
"""uint8 (h, w), 1 on the product and 0 elsewhere."""

_CUT_SIDE = 240
"""Longest side at which the product is cut out: enough for an outline, and GrabCut takes .1 s instead of 1 s."""
KEPT_SHARE = (0.10, 0.90)
"""A cut-out smaller or larger than this share of the picture has failed or leaves no background to replace."""
LEAST_VARIATION = 4.0
"""Standard deviation, in grey levels, of a picture with something in it; on less, GrabCut took 16 s."""
LEAST_FILL = 0.6
"""Share of its outline that a cut-out has to fill; a pair of shoes side by side fills about .75."""


def foreground(pixels: Pixels) -> Mask:
    """The product, by GrabCut (Rother et al. 2004) started from a frame of 4 %; raises EditNotApplicable."""
    height, width = pixels.shape[:2]
    factor = min(1.0, _CUT_SIDE / max(width, height))
    small = resized_pixels(pixels, max(8, round(width * factor)), max(8, round(height * factor)))
    if float(small.std(axis=(0, 1)).max()) < LEAST_VARIATION:
        raise EditNotApplicable("the picture is plain")
    rows, columns = small.shape[:2]
    edge = max(2, round(0.04 * min(rows, columns)))
    labels = np.zeros((rows, columns), dtype=np.uint8)
    box = (edge, edge, columns - 2 * edge, rows - 2 * edge)
    cv2.setRNGSeed(1)  # GrabCut clusters from random starts; the benchmark has to be reproducible
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    try:
        cv2.grabCut(bgr, labels, box, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_RECT)
    except cv2.error as error:
        raise EditNotApplicable("no foreground could be modelled") from error
    found = _tidied(np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8))
    share = float(found.mean())
    if not KEPT_SHARE[0] <= share <= KEPT_SHARE[1]:
        raise EditNotApplicable(f"the cut-out covers {share:.0%} of the picture")
    large = cv2.resize(found * 255, (width, height), interpolation=cv2.INTER_CUBIC)
    return (large > 127).astype(np.uint8)


def _tidied(found: Mask) -> Mask:
    """Specks removed, holes closed, parts below a tenth of the largest dropped."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    opened = cv2.morphologyEx(cv2.morphologyEx(found, cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel)
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max((cv2.contourArea(contour) for contour in contours), default=0.0)
    kept = [contour for contour in contours if cv2.contourArea(contour) >= 0.1 * largest]
    result = np.zeros_like(found)
    cv2.drawContours(result, kept, -1, 1, cv2.FILLED)
    return result


def outline(mask: Mask) -> Polygon:
    """Polygon round the product: its contour, or the hull of all parts where there are several.

    Raises EditNotApplicable where the parts lie so far apart that no single outline describes them.
    """
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contours = sorted(contours, key=cv2.contourArea, reverse=True)
    if cv2.contourArea(contours[0]) < 0.9 * float(mask.sum()):
        shape = cv2.convexHull(np.concatenate(contours))
    else:
        shape = cv2.approxPolyDP(contours[0], 0.004 * max(mask.shape), True)
    if float(mask.sum()) < LEAST_FILL * cv2.contourArea(shape):
        raise EditNotApplicable("the cut-out fell apart")
    return np.asarray(shape.reshape(-1, 2) + 0.5, dtype=np.float64)


def _scenery(rng: np.random.Generator, width: int, height: int, donors: Donors) -> tuple[Pixels, str]:
    """A plain, graded or photographed background."""
    kind = ("plain", "gradient", "studio", "photo", "soft photo")[int(rng.integers(5))]
    # Muted, as backdrops are: a grey level with a tint.
    first, second = (np.clip(rng.uniform(90, 250) + rng.normal(0, 28, 3), 0, 255) for _ in range(2))
    if kind == "plain":
        white = rng.random() < 0.5
        return plain(width, height, (255, 255, 255) if white else tuple(int(value) for value in first)), kind
    if kind in ("gradient", "studio"):
        y, x = np.mgrid[0:height, 0:width] / (max(width, height) - 1)
        along = y if kind == "gradient" else np.clip(np.hypot(x - 0.45, y - 0.4) * 1.2, 0, 1)
        second = second if kind == "gradient" else first * 0.6
        return np.rint(first + (second - first) * along[..., None]).astype(np.uint8), kind
    photo = covering(donors(rng), width, height)
    if kind == "soft photo":
        photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), 0.02 * min(width, height)), dtype=np.uint8)
    return photo, kind


def background_replaced(scale: Range = (0.75, 1.0)) -> Step:
    """The product before a new background, sometimes smaller and elsewhere, with a soft edge and a faint shadow."""

    def step(state: EditedPicture, rng: np.random.Generator, donors: Donors) -> EditedPicture:
        mask = foreground(state.pixels)
        kept = float(mask.mean())
        factor = draw(rng, scale) if rng.random() < 0.5 else 1.0
        width, height = state.width, state.height
        shift = rng.uniform(0, 1 - factor, 2) * (width, height)
        # Whole pixels: the composite is then an exact copy of the scaled product.
        size = max(8, round(width * factor)), max(8, round(height * factor))
        x, y = (int(value) for value in shift)
        matrix = translation(x, y) @ scaling(size[0] / width, size[1] / height)
        product, cover = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.float32)
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.8, 0.003 * min(width, height)))
        right, bottom = min(width, x + size[0]), min(height, y + size[1])
        product[y:bottom, x:right] = resized_pixels(state.pixels, *size)[: bottom - y, : right - x]
        cover[y:bottom, x:right] = cv2.resize(soft, size, interpolation=cv2.INTER_AREA)[: bottom - y, : right - x]
        scenery, kind = _scenery(rng, width, height, donors)
        shadow = cv2.GaussianBlur(np.roll(cover, round(0.01 * height), axis=0), (0, 0), 0.02 * min(width, height))
        backdrop = scenery * (1 - rng.uniform(0, 0.35) * shadow[..., None])
        mixed = product * cover[..., None] + backdrop * (1 - cover[..., None])
        visible = masked(state, outline(mask))
        result = moved(visible, np.rint(mixed).astype(np.uint8), matrix, kept_share=kept, background=kind)
        return recoloured(result, result.pixels, product_scale=factor)

    return step
