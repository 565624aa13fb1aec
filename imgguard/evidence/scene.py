"""What the evidence pictures are drawn from, and how it is brought to the size in which it is shown."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from imgguard.evidence.canvas import Points, polygon_mask
from imgguard.imaging.image import Pixels

PANEL_WIDTH = 670  # two of them and their margins are 1400 pixels
PANEL_HEIGHT = 720
_LARGEST_ENLARGEMENT = 6.0  # beyond that a person sees blocks, not the picture
_ZOOM_BELOW = 0.45  # share of the listing's area under which the matched part is shown enlarged
_ZOOM_MARGIN = 0.12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Material:
    """One listing image and one registered original, as they were compared.

    ``query`` and ``reference`` are RGB uint8 of any size. ``matrix`` (3x3) maps reference pixels to query pixels;
    the regions are polygons (n, 2) in each picture's pixels; all coordinates have their origin at the outer corner
    of the top left pixel. ``query_points`` and ``reference_points`` (n, 2) are keypoints that belong together.
    ``agreement`` float32 (h, w) covers the whole query at any resolution: local correlation, -1..1, NaN where not
    measured. What is None was not found or not measured; pictures that need it are left out.
    """

    query: Pixels
    reference: Pixels
    matrix: ArrayLike | None = None
    query_region: ArrayLike | None = None
    reference_region: ArrayLike | None = None
    query_points: ArrayLike | None = None
    reference_points: ArrayLike | None = None
    agreement: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Framing:
    """A window on the query: ``to_display`` (3x3) maps query pixels to the pixels of a picture of this size."""

    to_display: NDArray[np.float64]
    width: int
    height: int
    enlarged_part: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlay:
    """Listing and original in one framing. ``region`` (n, 2) in display pixels; ``compared`` bool (height, width):
    inside the region and inside the original's frame; ``upscale`` display pixels per pixel of the coarser picture."""

    framing: Framing
    query: Pixels
    warped: Pixels
    warped_inside: NDArray[np.bool_]
    region: Points
    compared: NDArray[np.bool_]
    upscale: float


def points_of(values: ArrayLike | None) -> Points | None:
    """Float64 (n, 2), or None."""
    if values is None:
        return None
    points = np.asarray(values, dtype=np.float64).reshape(-1, 2)
    return points if len(points) and bool(np.isfinite(points).all()) else None


def polygon_of(values: ArrayLike | None) -> Points | None:
    """Float64 (n, 2) with n >= 3, or None."""
    points = points_of(values)
    return points if points is not None and len(points) >= 3 else None


def homography_of(values: ArrayLike | None) -> NDArray[np.float64] | None:
    """Float64 (3, 3) that can be inverted, or None."""
    if values is None:
        return None
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-12:
        return None
    return matrix


def through(matrix: NDArray[np.float64], points: Points) -> Points:
    """Points (n, 2) through a homography."""
    mapped = np.c_[points, np.ones(len(points))] @ matrix.T
    weight = np.where(np.abs(mapped[:, 2:]) < 1e-9, 1e-9, mapped[:, 2:])
    return np.asarray(mapped[:, :2] / weight)


def local_scale(matrix: NDArray[np.float64], at: Points) -> float:
    """Length scale of ``matrix`` around the point ``at`` (2,): square root of the area scale."""
    origin, right, down = through(matrix, at + np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    area = (right - origin)[0] * (down - origin)[1] - (right - origin)[1] * (down - origin)[0]
    return float(np.sqrt(abs(area))) if np.isfinite(area) else 1.0


def rendered(
    picture: Pixels, *, to_display: NDArray[np.float64], width: int, height: int, around: Points
) -> tuple[Pixels, NDArray[np.bool_]]:
    """``picture`` through ``to_display``, and where it has pixels. ``around`` (2,): the display point that matters.

    A picture that shrinks is reduced by area first: a warp alone would skip pixels and show patterns that are in
    neither photograph.
    """
    inverse = np.linalg.inv(to_display)
    scale = local_scale(to_display, through(inverse, around[None])[0])
    source, matrix = picture, to_display
    if scale < 0.9:
        size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
        source = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        matrix = to_display @ np.diag([picture.shape[1] / size[0], picture.shape[0] / size[1], 1.0])
    half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])  # OpenCV counts from pixel centres
    centred = np.linalg.inv(half) @ matrix @ half
    kind = cv2.INTER_CUBIC if scale > 1.2 else cv2.INTER_LINEAR
    shown = cv2.warpPerspective(source, centred, (width, height), flags=kind, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpPerspective(
        np.full(source.shape[:2], 255, dtype=np.uint8), centred, (width, height), flags=cv2.INTER_NEAREST
    )
    return np.asarray(shown, dtype=np.uint8), (inside > 0) & _same_side(
        inverse, width=width, height=height, around=around
    )


def _same_side(inverse: NDArray[np.float64], *, width: int, height: int, around: Points) -> NDArray[np.bool_]:
    """Where the mapping back stays on the same side of the horizon as ``around``: beyond it lie mirror ghosts."""
    x = np.arange(width) + 0.5
    y = np.arange(height) + 0.5
    weight = inverse[2, 0] * x[None, :] + inverse[2, 1] * y[:, None] + inverse[2, 2]
    centre = inverse[2, 0] * around[0] + inverse[2, 1] * around[1] + inverse[2, 2]
    return np.asarray(weight * np.sign(centre) > 1e-9)


def panel_sizes(material: Material) -> tuple[tuple[int, int], tuple[int, int]]:
    """(width, height) at which query and reference stand side by side, at equal height unless one is a mere strip."""
    shapes = (material.query.shape[:2], material.reference.shape[:2])
    aspects = [width / height for height, width in shapes]
    largest = _LARGEST_ENLARGEMENT * max(height for height, _ in shapes)
    common = min(PANEL_HEIGHT, 2 * PANEL_WIDTH / sum(aspects), largest)
    if common >= min(240, largest):
        first, second = ((max(round(common * a), 1), max(round(common), 1)) for a in aspects)
        return first, second
    first, second = (_fitted(width, height) for height, width in shapes)
    return first, second


def _fitted(width: float, height: float) -> tuple[int, int]:
    """The largest (width, height) of this shape that fits a panel."""
    scale = min(PANEL_WIDTH / width, PANEL_HEIGHT / height, _LARGEST_ENLARGEMENT)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def framing_on(query: Pixels, *, region: Points) -> Framing:
    """The whole query, or an enlarged window around ``region`` where that is only a small part of it."""
    height, width = query.shape[:2]
    low = np.clip(region.min(axis=0), 0.0, [width, height])
    high = np.clip(region.max(axis=0), 0.0, [width, height])
    part = float(np.prod(high - low)) < _ZOOM_BELOW * width * height and bool((high - low > 2.0).all())
    if part:
        margin = _ZOOM_MARGIN * float((high - low).max())
        low = np.clip(low - margin, 0.0, [width, height])
        high = np.clip(high + margin, 0.0, [width, height])
    else:
        low, high = np.zeros(2), np.array([float(width), float(height)])
    size = _fitted(*(high - low))
    scale = np.array(size) / (high - low)
    matrix = np.array([[scale[0], 0.0, -low[0] * scale[0]], [0.0, scale[1], -low[1] * scale[1]], [0.0, 0.0, 1.0]])
    return Framing(to_display=matrix, width=size[0], height=size[1], enlarged_part=part)


def overlay_of(material: Material) -> Overlay | None:
    """Listing and warped original in one framing, or None where matrix or region is missing."""
    matrix, region = homography_of(material.matrix), polygon_of(material.query_region)
    if matrix is None or region is None:
        return None
    framing = framing_on(material.query, region=region)
    shown_region = through(framing.to_display, region)
    around = np.clip(shown_region.mean(axis=0), 0.0, [framing.width, framing.height])
    whole = framing.to_display @ matrix
    query, _ = rendered(
        material.query, to_display=framing.to_display, width=framing.width, height=framing.height, around=around
    )
    warped, inside = rendered(
        material.reference, to_display=whole, width=framing.width, height=framing.height, around=around
    )
    at_reference = through(np.linalg.inv(whole), around[None])[0]
    return Overlay(
        framing=framing,
        query=query,
        warped=warped,
        warped_inside=inside,
        region=shown_region,
        compared=polygon_mask(shown_region, width=framing.width, height=framing.height) & inside,
        upscale=max(float(framing.to_display[0, 0]), local_scale(whole, at_reference)),
    )
