"""The value every edit hands on, and the moves that keep its ground truth exact.

Coordinates are continuous: (0, 0) is the outer corner of the top-left pixel and a picture spans [0, width] x
[0, height], so a resize is a pure scaling and a mirror image is x -> width - x, with no half-pixel terms in a chain.
`centred` converts a matrix for OpenCV's warps, which put (0, 0) at the centre of that pixel.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

type Pixels = NDArray[np.uint8]
"""RGB picture, uint8, shape (height, width, 3)."""
type Matrix = NDArray[np.float64]
"""3x3, [2, 2] = 1, maps reference pixels to query pixels."""
type Polygon = NDArray[np.float64]
"""Simple polygon, shape (n, 2), x then y, in pixels."""
type Parameters = Mapping[str, float | str]
type Donors = Callable[[np.random.Generator], Pixels]
"""Draws one other picture (never a registered one, or the truth would be incomplete)."""
type Range = tuple[float, float]
"""Lowest and highest strength; equal ends make a fixed strength."""

DEFAULT_QUALITY = 88
"""JPEG quality of an edit that is not about compression: what phones and shop uploads commonly use."""


class EditNotApplicable(Exception):
    """This edit makes no sense on this picture (for example no foreground that could be cut out)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedPicture:
    """A query picture with its truth.

    ``pixels``: uint8 RGB (h, w, 3). ``matrix``: 3x3 float64, reference pixels to query pixels, None where no homography
    describes the edit. ``region``: polygon (n, 2) in query pixels inside which reference content is visible (small
    overlays such as text do not cut it). ``reference_region``: the same area in reference pixels. ``parameters``: the
    strengths that were drawn. ``quality``: JPEG quality this edit is meant to be stored at.
    """

    pixels: Pixels
    matrix: Matrix | None
    region: Polygon
    reference_region: Polygon
    name: str = "identity"
    parameters: Parameters
    quality: int = DEFAULT_QUALITY

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.pixels.shape[0])


type Step = Callable[[EditedPicture, np.random.Generator, Donors], EditedPicture]
"""One elementary change; steps compose because each starts from the truth so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A named sequence of steps. Calling it never changes ``picture``; the same ``rng`` state gives the same result."""

    name: str
    steps: tuple[Step, ...]
    quality: int | None = None

    def __call__(self, picture: Pixels, rng: np.random.Generator, donors: Donors) -> EditedPicture:
        """``picture`` edited; raises EditNotApplicable where the edit makes no sense."""
        edited = reduce(lambda state, step: step(state, rng, donors), self.steps, untouched(picture))
        return replace(edited, name=self.name, quality=self.quality or edited.quality)


def frame(width: float, height: float) -> Polygon:
    """The outline of a picture, clockwise from the top left, shape (4, 2)."""
    return np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])


def through(matrix: Matrix, points: NDArray[np.floating]) -> Polygon:
    """``points`` (n, 2) through ``matrix``."""
    homogeneous = np.c_[points, np.ones(len(points))] @ matrix.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], dtype=np.float64)


def clipped(polygon: Polygon, *, left: float, top: float, right: float, bottom: float) -> Polygon:
    """``polygon`` (any simple one) cut to a rectangle, by Sutherland and Hodgman (1974); shape (m, 2)."""
    points = [np.asarray(point, dtype=np.float64) for point in polygon]
    for axis, sign, limit in ((0, 1, left), (0, -1, right), (1, 1, top), (1, -1, bottom)):
        kept: list[NDArray[np.float64]] = []
        for here, after in zip(points, points[1:] + points[:1], strict=True):
            inside, inside_after = sign * (here[axis] - limit) >= 0, sign * (after[axis] - limit) >= 0
            if inside:
                kept.append(here)
            if inside != inside_after:
                kept.append(here + (after - here) * (limit - here[axis]) / (after[axis] - here[axis]))
        points = kept
    return np.array(points).reshape(-1, 2)


def area(polygon: Polygon) -> float:
    """Area of a simple polygon in square pixels (shoelace formula)."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def untouched(picture: Pixels) -> EditedPicture:
    """The start of every edit: the reference itself."""
    height, width = picture.shape[:2]
    outline = frame(width, height)
    return EditedPicture(
        pixels=picture, matrix=np.eye(3), region=outline, reference_region=outline.copy(), parameters={}
    )


def recoloured(state: EditedPicture, pixels: NDArray[np.floating] | Pixels, **drawn: float | str) -> EditedPicture:
    """New values in the same places; floats are clipped to 0..255."""
    values = pixels if pixels.dtype == np.uint8 else np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    return replace(state, pixels=np.ascontiguousarray(values), parameters={**state.parameters, **drawn})


def moved(state: EditedPicture, pixels: Pixels, matrix: Matrix, **drawn: float | str) -> EditedPicture:
    """The picture after a move that took its coordinates through ``matrix`` into ``pixels``; the truth follows."""
    height, width = pixels.shape[:2]
    region = clipped(through(matrix, state.region), left=0, top=0, right=width, bottom=height)
    if len(region) < 3 or area(region) < 16:
        raise EditNotApplicable("nothing of the reference would stay visible")
    composed = None if state.matrix is None else matrix @ state.matrix
    composed = None if composed is None else composed / composed[2, 2]
    return replace(
        state,
        pixels=np.ascontiguousarray(pixels),
        matrix=composed,
        region=region,
        reference_region=state.reference_region if composed is None else through(np.linalg.inv(composed), region),
        parameters={**state.parameters, **drawn},
    )


def masked(state: EditedPicture, region: Polygon) -> EditedPicture:
    """The same picture with less of the reference visible: ``region`` (inside the present one) in query pixels."""
    reference_region = state.reference_region
    if state.matrix is not None:
        reference_region = through(np.linalg.inv(state.matrix), region)
    return replace(state, region=region, reference_region=reference_region)


def covered_border(state: EditedPicture, *, left: float, top: float, right: float, bottom: float) -> EditedPicture:
    """Only the rectangle (in query pixels) still shows the reference: a banner or frame lies over the rest."""
    region = clipped(state.region, left=left, top=top, right=right, bottom=bottom)
    if len(region) < 3:
        raise EditNotApplicable("the cover would hide the whole reference")
    return masked(state, region)


def scaling(x: float, y: float) -> Matrix:
    """Multiplies coordinates by ``x`` and ``y``."""
    return np.diag([x, y, 1.0])


def translation(x: float, y: float) -> Matrix:
    """Adds (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def centred(matrix: Matrix) -> Matrix:
    """The same map for OpenCV, whose integer coordinates are pixel centres."""
    return translation(-0.5, -0.5) @ matrix @ translation(0.5, 0.5)


def resized_pixels(pixels: Pixels, width: int, height: int) -> Pixels:
    """``pixels`` at another size, averaged when it shrinks (no aliasing) and cubic when it grows."""
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), dtype=np.uint8)


def resized(state: EditedPicture, width: float, height: float, **drawn: float | str) -> EditedPicture:
    """Scaled to ``width`` x ``height`` (rounded, at least 8 pixels)."""
    size = max(8, round(width)), max(8, round(height))
    matrix = scaling(size[0] / state.width, size[1] / state.height)
    return moved(state, resized_pixels(state.pixels, *size), matrix, **drawn)


def placed(state: EditedPicture, canvas: Pixels, x: int, y: int, **drawn: float | str) -> EditedPicture:
    """Put onto a copy of ``canvas`` with its top left at (x, y), cut where it sticks out."""
    result = canvas.copy()
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + state.width, canvas.shape[1]), min(y + state.height, canvas.shape[0])
    if right <= left or bottom <= top:
        raise EditNotApplicable("placed outside the canvas")
    result[top:bottom, left:right] = state.pixels[top - y : bottom - y, left - x : right - x]
    return moved(state, result, translation(x, y), **drawn)


def warped(state: EditedPicture, matrix: Matrix, canvas: Pixels, **drawn: float | str) -> EditedPicture:
    """Moved through ``matrix`` onto a copy of ``canvas``, anti-aliased when it shrinks and at its edge."""
    height, width = canvas.shape[:2]
    x, y = state.width / 2, state.height / 2
    middle = np.array([[x, y], [x + 1, y], [x, y + 1]])
    here = through(matrix, middle)
    scale = np.sqrt(abs(np.linalg.det(here[1:] - here[0])))
    source = state.pixels if scale > 0.9 else np.asarray(cv2.GaussianBlur(state.pixels, (0, 0), 0.4 / scale))
    view, size = centred(matrix), (width, height)
    picture = cv2.warpPerspective(source, view, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    cover = np.full(source.shape[:2], 1.0, dtype=np.float32)
    weight = cv2.warpPerspective(cover, view, size, flags=cv2.INTER_LINEAR)[..., None]
    blend = picture * weight + canvas * (1 - weight)
    return moved(state, np.clip(np.rint(blend), 0, 255).astype(np.uint8), matrix, **drawn)


def encode(edited: EditedPicture, quality: int | None = None) -> bytes:
    """JPEG bytes (4:2:0) at ``quality``, by default the one the edit asks for."""
    return jpeg(edited.pixels, quality or edited.quality)


def jpeg(pixels: Pixels, quality: int) -> bytes:
    """JPEG bytes of ``pixels``."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=int(quality))
    return buffer.getvalue()


def decoded(data: bytes) -> Pixels:
    """RGB pixels of an image file that this project made or published itself (trusted: no limits apply)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"))


def draw(rng: np.random.Generator, limits: Range) -> float:
    """One strength between ``limits``."""
    return float(rng.uniform(*limits)) if limits[0] < limits[1] else float(limits[0])


def draw_log(rng: np.random.Generator, limits: Range) -> float:
    """One strength between ``limits`` (> 0), evenly in proportion, as scales and areas are."""
    return float(np.exp(draw(rng, (np.log(limits[0]), np.log(limits[1]))))) if limits[0] < limits[1] else limits[0]
