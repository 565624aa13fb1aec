"""The evidence pictures: what a person looks at to judge a finding for themselves.

Pure functions from `Material` to RGB pictures at most about 1400 pixels wide. Each carries its own titles and legend,
for it may be seen on its own. The words are neutral: the pictures show what corresponds, people conclude.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.evidence import tones
from imgguard.evidence.canvas import (
    OUTLINE,
    LegendLine,
    Panel,
    Points,
    bar_swatch,
    fixed_point,
    hatched,
    layout,
    lettered,
    outlined,
    polygon_mask,
    sheet,
    solid_swatch,
    veiled,
)
from imgguard.evidence.scene import (
    Material,
    Overlay,
    homography_of,
    overlay_of,
    panel_sizes,
    points_of,
    polygon_of,
    through,
)
from imgguard.imaging.image import Pixels

LISTING, ORIGINAL = "Listing image", "Registered original"
LAID_OVER = "Registered original, laid onto the listing"
MOST_LINES = 48
# Okabe & Ito's colours, told apart by people with any common colour vision; black left out, it drowns in pictures.
_LINE_COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167))
_DIFFERENCE_TITLE = "What differs after matching the colours"


def draw_evidence(material: Material) -> dict[str, Pixels]:
    """Every picture that the material allows, by name, in the order in which they are best read."""
    drawers: dict[str, Callable[[Material], Pixels | None]] = {
        "side_by_side": side_by_side,
        "aligned": aligned,
        "checkerboard": checkerboard,
        "difference": difference,
        "agreement": agreement,
        "keypoints": keypoints,
    }
    drawn = {name: draw(material) for name, draw in drawers.items()}
    return {name: picture for name, picture in drawn.items() if picture is not None}


def side_by_side(material: Material) -> Pixels:
    """Both pictures at equal height, the corresponding parts outlined and lettered, the rest faded."""
    marks = _corner_marks(material)
    panels = []
    for title, picture, region, size, points in zip(
        (LISTING, ORIGINAL),
        (material.query, material.reference),
        (polygon_of(material.query_region), polygon_of(material.reference_region)),
        panel_sizes(material),
        marks or (None, None),
        strict=True,
    ):
        scale = np.array([size[0] / picture.shape[1], size[1] / picture.shape[0]])
        shown = _resized(picture, size)
        if region is not None:
            inside = polygon_mask(region * scale, width=size[0], height=size[1])
            shown = outlined(veiled(shown, inside), region * scale)
        if points is not None:
            shown = lettered(shown, points * scale)
        panels.append(Panel(title=title, picture=shown))
    if polygon_of(material.query_region) is None:
        return sheet(panels, legend=[LegendLine(text="No corresponding part was found in the two pictures.")])
    text = "Outlined: the part of each picture that was found in the other one. The rest is faded."
    legend = [LegendLine(swatch=solid_swatch(OUTLINE), text=text)]
    if marks:
        legend.append(LegendLine(text="The same letter marks spots that come to lie on each other."))
    return sheet(panels, legend=legend)


def flip_pair(material: Material) -> tuple[Pixels, Pixels] | None:
    """Listing and original laid onto it, two pictures of one size without titles, for a page to switch between."""
    overlay = overlay_of(material)
    return None if overlay is None else (overlay.query, _laid_over(overlay))


def aligned(material: Material) -> Pixels | None:
    """The listing, and beside it the original moved, turned and scaled so that it lies where the listing has it."""
    overlay = overlay_of(material)
    if overlay is None:
        return None
    text = (
        "The original was moved, turned and scaled (mirrored if need be) to lie exactly where the listing shows it. "
        "Striped: beyond the edge of the original."
    )
    panels = [
        Panel(title=_listing_title(overlay), picture=outlined(overlay.query, overlay.region)),
        Panel(title=LAID_OVER, picture=outlined(_laid_over(overlay), overlay.region)),
    ]
    return sheet(panels, legend=[LegendLine(text=text)])


def checkerboard(material: Material) -> Pixels | None:
    """Tiles of listing and original in turn: where edges run through the tiles, the two are one photograph."""
    overlay = overlay_of(material)
    if overlay is None:
        return None
    low, high = overlay.region.min(axis=0), overlay.region.max(axis=0)
    tile = max(float((high - low).min()) / 6.0, 28.0)
    y, x = np.indices((overlay.framing.height, overlay.framing.width), dtype=np.float32)
    column, row = np.floor((x - low[0]) / tile), np.floor((y - low[1]) / tile)
    ours = overlay.compared & ((column + row) % 2 == 1)
    tiles = np.where(ours[..., None], overlay.warped, overlay.query)
    # A thin line inside each tile of the original: on an unchanged copy nobody could see that there are tiles at all.
    edge = ours & ~cv2.erode(ours.astype(np.uint8), np.ones((3, 3), dtype=np.uint8)).astype(bool)
    tiles[edge] = np.round(tiles[edge] * 0.35 + np.array(OUTLINE) * 0.65).astype(np.uint8)
    shown = outlined(veiled(tiles, overlay.compared), overlay.region)
    text = (
        "Tiles with a thin frame are cut from the registered original, the tiles between them from the listing. "
        "Edges, folds and shadows that run on from tile to tile: the same photograph. Edges that break: another one."
    )
    panels = [
        Panel(title=_listing_title(overlay), picture=outlined(overlay.query, overlay.region)),
        Panel(title="Tiles of listing and original in turn", picture=shown),
    ]
    return sheet(panels, legend=[LegendLine(text=text)])


def difference(material: Material) -> Pixels | None:
    """What is left of the difference after the original's colours were matched to the listing's."""
    overlay = overlay_of(material)
    if overlay is None:
        return None
    values = tones.difference(overlay.query, warped=overlay.warped, where=overlay.compared, upscale=overlay.upscale)
    grey = cv2.cvtColor(overlay.query, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    # A hint of the listing stays, so that a person can tell what the coloured places are.
    mixed = np.round(tones.coloured(values) * 0.86 + grey * 0.14)
    shown = np.where(overlay.compared[..., None], mixed, _background(overlay))
    panels = [
        Panel(title=_listing_title(overlay), picture=outlined(overlay.query, overlay.region)),
        Panel(title=_DIFFERENCE_TITLE, picture=outlined(shown.astype(np.uint8), overlay.region)),
    ]
    note = "Yellow where something was added, covered or moved, such as text or a sticker. Striped: not compared."
    return sheet(panels, legend=_colour_legend(note, same="no difference", other="large difference"))


def agreement(material: Material) -> Pixels | None:
    """Where the listing's fine structure agrees with the original's, measured window by window."""
    overlay = overlay_of(material)
    if overlay is None or material.agreement is None:
        return None
    values = _agreement_shown(material.agreement, overlay, size=material.query.shape[:2])
    measured = np.isfinite(values)
    far = tones.disagreement(np.where(measured, values, 1.0))
    grey = cv2.cvtColor(overlay.query, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    # Some of the listing shines through, so that a person sees which object each colour belongs to.
    mixed = tones.coloured(far) * 0.78 + grey * 0.22
    unmeasured = grey * 0.35 + 255 * 0.55
    shown = np.round(np.where(measured[..., None], mixed, unmeasured)).astype(np.uint8)
    panels = [
        Panel(title=_listing_title(overlay), picture=outlined(overlay.query, overlay.region)),
        Panel(title="Where fine detail agrees", picture=outlined(shown, overlay.region)),
    ]
    note = "Pale grey: not compared, or too plain to measure."
    return sheet(panels, legend=_colour_legend(note, same="same", other="different"))


def keypoints(material: Material) -> Pixels | None:
    """Lines between details found in both pictures: at most `MOST_LINES`, spread over the listing."""
    ours, theirs = points_of(material.query_points), points_of(material.reference_points)
    if ours is None or theirs is None or len(ours) != len(theirs):
        return None
    chosen = spread(ours, count=MOST_LINES)
    panels, ends = [], []
    for title, picture, size, points in zip(
        (LISTING, ORIGINAL),
        (material.query, material.reference),
        panel_sizes(material),
        (ours, theirs),
        strict=True,
    ):
        panels.append(Panel(title=title, picture=_pale(_resized(picture, size))))
        ends.append(points[chosen] * [size[0] / picture.shape[1], size[1] / picture.shape[0]])
    shown = f"{len(chosen)} of {len(ours)}" if len(chosen) < len(ours) else f"{len(ours)}"
    text = (
        f"{shown} matching details. Each line joins a detail of the listing to its look-alike in the original. "
        "Orderly lines mean that one picture can be laid over the other; that alone does not prove a copy."
    )
    drawn = sheet(panels, legend=[LegendLine(text=text)])
    for number, (start, end) in enumerate(zip(*_on_sheet(panels, ends), strict=True)):
        _join(drawn, start=start, end=end, colour=_LINE_COLOURS[number % len(_LINE_COLOURS)])
    return drawn


def spread(points: Points, *, count: int) -> NDArray[np.intp]:
    """Indices of at most ``count`` of ``points`` (n, 2), each as far as can be from those before it, top to bottom."""
    if len(points) <= count:
        chosen = np.arange(len(points))
    else:
        indices = [int(np.argmin(points.sum(axis=1)))]
        distance = np.full(len(points), np.inf)
        while len(indices) < count:
            distance = np.minimum(distance, np.linalg.norm(points - points[indices[-1]], axis=1))
            indices.append(int(np.argmax(distance)))
        chosen = np.array(indices)
    return np.asarray(chosen[np.argsort(points[chosen, 1], kind="stable")])


def _on_sheet(panels: list[Panel], ends: list[Points]) -> tuple[Points, Points]:
    """Points of the two panels in the sheet's pixels."""
    origins = np.array(layout(panels).origins, dtype=np.float64)
    return ends[0] + origins[0], ends[1] + origins[1]


def _join(picture: Pixels, *, start: Points, end: Points, colour: tuple[int, int, int]) -> None:
    """A thin line with a dark rim and a ring at both ends, drawn in place."""
    first, last = (tuple(int(v) for v in fixed_point(point)) for point in (start, end))
    for shade, thickness in (((64, 64, 70), 2), (colour, 1)):
        cv2.line(picture, first, last, shade, thickness, cv2.LINE_AA, 4)
    for at in (first, last):
        for shade, thickness in (((64, 64, 70), 4), (colour, 2)):
            cv2.circle(picture, at, 5 << 4, shade, thickness, cv2.LINE_AA, 4)


def _corner_marks(material: Material) -> tuple[Points, Points] | None:
    """Up to four corners of the listing's region, clockwise from its top left, and the same spots in the original."""
    region, matrix = polygon_of(material.query_region), homography_of(material.matrix)
    if region is None or matrix is None:
        return None
    hull = cv2.convexHull(region.astype(np.float32))
    tolerance = 0.01 * cv2.arcLength(hull, True)
    corners = hull
    while len(corners) > 4 and tolerance < 1e6:
        corners = cv2.approxPolyDP(hull, tolerance, True)
        tolerance *= 1.4
    points = corners.reshape(-1, 2).astype(np.float64)
    if len(points) < 3:
        return None
    centred = points - points.mean(axis=0)
    points = points[np.argsort(np.arctan2(centred[:, 1], centred[:, 0]))]  # clockwise on screen, y points down
    points = np.roll(points, -int(np.argmin(points.sum(axis=1))), axis=0)
    return points, through(np.linalg.inv(matrix), points)


def _agreement_shown(values: NDArray[np.float32], overlay: Overlay, *, size: tuple[int, ...]) -> NDArray[np.float32]:
    """The agreement map (any resolution, covers the query of ``size`` height, width) as the overlay shows it."""
    known = np.isfinite(values)
    to_query = np.diag([size[1] / values.shape[1], size[0] / values.shape[0], 1.0])
    half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    matrix = np.linalg.inv(half) @ overlay.framing.to_display @ to_query @ half
    frame = (overlay.framing.width, overlay.framing.height)
    # Values and weights are moved apart: NaN would eat into every neighbour when interpolated.
    total = cv2.warpPerspective(np.where(known, values, 0).astype(np.float32), matrix, frame, flags=cv2.INTER_LINEAR)
    weight = cv2.warpPerspective(known.astype(np.float32), matrix, frame, flags=cv2.INTER_LINEAR)
    return np.where(weight > 0.5, total / np.maximum(weight, 1e-6), np.nan).astype(np.float32)


def _colour_legend(note: str, *, same: str, other: str) -> list[LegendLine]:
    """The palette between its two words, and what has no colour."""
    return [LegendLine(before=same, swatch=bar_swatch(tones.palette()), text=other), LegendLine(text=note)]


def _laid_over(overlay: Overlay) -> Pixels:
    """The warped original, striped where it has no pixels."""
    return np.where(overlay.warped_inside[..., None], overlay.warped, _background(overlay)).astype(np.uint8)


def _background(overlay: Overlay) -> Pixels:
    return hatched(width=overlay.framing.width, height=overlay.framing.height)


def _listing_title(overlay: Overlay) -> str:
    return f"{LISTING} (part, enlarged)" if overlay.framing.enlarged_part else LISTING


def _pale(picture: Pixels) -> Pixels:
    """Half way to light grey, so that coloured lines stand out."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    return np.round(picture * 0.3 + grey * 0.3 + 0.4 * 236).astype(np.uint8)


def _resized(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """``picture`` at ``size`` (width, height), by area where it shrinks."""
    kind = cv2.INTER_AREA if size[0] < picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=kind), dtype=np.uint8)
