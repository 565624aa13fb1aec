"""Drawing primitives shared by the evidence pictures: fonts, outlines, legends, and the sheet they are set on.

Everything here works on RGB uint8 pictures of shape (height, width, 3); polygons and points are (n, 2) x, y in the
pixels of the picture drawn on, with (0, 0) the outer corner of the top left pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imgguard.imaging.image import Pixels

type Colour = tuple[int, int, int]
type Points = NDArray[np.float64]

PAPER: Colour = (255, 255, 255)
INK: Colour = (24, 26, 32)
OUTLINE: Colour = (230, 0, 126)  # magenta: rare in product photographs, told from grey by every common colour vision
HALO: Colour = (255, 255, 255)
VEIL: Colour = (96, 98, 104)  # laid over what is outside: a mid grey changes dark and bright pictures alike

SHEET_WIDTH = 1400
GAP = 20
TITLE_SIZE = 28
TEXT_SIZE = 24
_MIN_PANEL_WIDTH = 300
_MIN_SHEET_WIDTH = 820
_SHIFT = 4  # fractional bits of the coordinates handed to OpenCV


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """One picture on a sheet, under its title."""

    title: str
    picture: Pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LegendLine:
    """One line under the pictures: ``before``, then a swatch, then ``text`` (wrapped to the sheet)."""

    text: str
    swatch: Pixels | None = None
    before: str = ""


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's bundled font, so that labels look the same on every machine."""
    return ImageFont.load_default(size=size)


def fixed_point(points: Points) -> NDArray[np.int32]:
    """OpenCV's coordinates with ``_SHIFT`` fractional bits; the half pixel moves corners to centres, its origin."""
    bounded = np.clip(points - 0.5, -30_000, 30_000)
    return np.asarray(np.round(bounded * (1 << _SHIFT)), dtype=np.int32)


def polygon_mask(polygon: Points, *, width: int, height: int) -> NDArray[np.bool_]:
    """True inside ``polygon``; shape (height, width)."""
    mask = np.zeros((height, width), dtype=np.uint8)
    cv2.fillPoly(mask, [fixed_point(polygon)], (255,), shift=_SHIFT)
    return np.asarray(mask > 0)


def outlined(picture: Pixels, polygon: Points, *, colour: Colour = OUTLINE) -> Pixels:
    """The polygon drawn with a double stroke, which shows on any background.

    Points on or beyond the edge are pulled in by the stroke's half width, or half of the line would be cut off.
    """
    height, width = picture.shape[:2]
    inner = np.clip(polygon, 4.0, [max(width - 4.0, 4.0), max(height - 4.0, 4.0)])
    result = np.ascontiguousarray(picture)
    result = result.copy() if result is picture else result
    for shade, thickness in ((HALO, 9), (colour, 5)):
        cv2.polylines(result, [fixed_point(inner)], True, shade, thickness, cv2.LINE_AA, _SHIFT)
    return result


def veiled(picture: Pixels, inside: NDArray[np.bool_], *, strength: float = 0.62) -> Pixels:
    """``picture`` with everything where ``inside`` is False faded towards grey."""
    faded = picture * (1.0 - strength) + np.array(VEIL) * strength
    return np.where(inside[..., None], picture, np.round(faded)).astype(np.uint8)


def hatched(*, width: int, height: int) -> Pixels:
    """Grey with diagonal stripes: nothing to show here."""
    y, x = np.indices((height, width), dtype=np.int32)
    stripe = ((x + y) // 9) % 2
    return np.repeat(np.where(stripe[..., None] == 1, 206, 192), 3, axis=2).astype(np.uint8)


def lettered(picture: Pixels, points: Points, *, letters: str = "ABCDEFGH") -> Pixels:
    """A disc with a letter at each point, kept wholly inside the picture."""
    radius = 16
    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    margin = radius + 2.0
    for letter, (x, y) in zip(letters, points, strict=False):
        at = (float(np.clip(x, margin, max(width - margin, margin))),
              float(np.clip(y, margin, max(height - margin, margin))))  # fmt: skip
        draw.ellipse((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), OUTLINE, HALO, 2)
        draw.text(at, letter, HALO, font(22), anchor="mm")
    return np.array(image)


def solid_swatch(colour: Colour) -> Pixels:
    """A small frame in ``colour`` for the legend."""
    swatch = np.full((24, 40, 3), PAPER, dtype=np.uint8)
    cv2.rectangle(swatch, (3, 3), (36, 20), colour, 5)
    return swatch


def bar_swatch(palette: Pixels) -> Pixels:
    """A colour bar from ``palette`` (256, 3)."""
    return np.repeat(cv2.resize(palette[None], (280, 1))[None, 0], 24, axis=0)


def wrapped(text: str, *, size: int, width: float, first: float = 0.0) -> list[str]:
    """``text`` broken into lines of at most ``width`` pixels; the first may be ``first`` pixels shorter."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        room = width - (first if len(lines) == 1 else 0.0)
        if lines[-1] and font(size).getlength(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything stands on a sheet: ``origins`` (x, y) of each picture, ``centres`` x of each title."""

    width: int
    header: int
    tallest: int
    origins: tuple[tuple[int, int], ...]
    centres: tuple[float, ...]
    titles: tuple[tuple[str, ...], ...]
    title_size: int


def layout(panels: Sequence[Panel]) -> Layout:
    """Pictures in a row, each under its title, centred on a sheet wide enough for the legend to be read."""
    slots = [max(panel.picture.shape[1], _MIN_PANEL_WIDTH) for panel in panels]
    width = max(sum(slots) + GAP * (len(panels) + 1), _MIN_SHEET_WIDTH)
    titles, title_size = _titles(panels, slots=slots)
    header = 18 + max(map(len, titles)) * (title_size + 6)
    left = (width - sum(slots) - GAP * (len(panels) - 1)) // 2
    lefts = [left + sum(slots[:number]) + GAP * number for number in range(len(slots))]
    return Layout(
        width=width,
        header=header,
        tallest=max(panel.picture.shape[0] for panel in panels),
        origins=tuple(
            (x + (slot - panel.picture.shape[1]) // 2, header)
            for x, slot, panel in zip(lefts, slots, panels, strict=True)
        ),
        centres=tuple(x + slot / 2 for x, slot in zip(lefts, slots, strict=True)),
        titles=titles,
        title_size=title_size,
    )


def sheet(panels: Sequence[Panel], *, legend: Sequence[LegendLine] = ()) -> Pixels:
    """Pictures in a row on white, each under its title, above the legend. Shape (height, width, 3)."""
    plan = layout(panels)
    footer = _footer(legend, width=plan.width)
    bottom = plan.header + plan.tallest + 12
    image = Image.new("RGB", (plan.width, bottom + footer.shape[0]), PAPER)
    draw = ImageDraw.Draw(image)
    for panel, (x, y), centre, lines in zip(panels, plan.origins, plan.centres, plan.titles, strict=True):
        for number, line in enumerate(lines):
            at = (centre, 12 + number * (plan.title_size + 6))
            draw.text(at, line, INK, font(plan.title_size), anchor="ma")
        height, width = panel.picture.shape[:2]
        image.paste(Image.fromarray(panel.picture), (x, y))
        draw.rectangle((x - 1, y - 1, x + width, y + height), None, VEIL)
    image.paste(Image.fromarray(footer), (0, bottom))
    return np.array(image)


def _titles(panels: Sequence[Panel], *, slots: Sequence[int]) -> tuple[tuple[tuple[str, ...], ...], int]:
    """Each panel's title, broken to its slot: one size for all, smaller only where that saves a line."""
    for size in (TITLE_SIZE, TITLE_SIZE - 4):
        titles = tuple(
            tuple(wrapped(panel.title, size=size, width=slot)) for panel, slot in zip(panels, slots, strict=True)
        )
        if max(map(len, titles)) == 1:
            break
    return titles, size


def _footer(legend: Sequence[LegendLine], *, width: int) -> Pixels:
    """The legend on white, shape (height, ``width``, 3)."""
    line_height = TEXT_SIZE + 10
    image = Image.new("RGB", (width, 4 + line_height * 4 * max(len(legend), 1)), PAPER)
    draw = ImageDraw.Draw(image)
    y = 4
    for entry in legend:
        x = float(GAP)
        if entry.before:
            draw.text((x, y), entry.before, INK, font(TEXT_SIZE))
            x += font(TEXT_SIZE).getlength(entry.before) + 12
        if entry.swatch is not None:
            image.paste(Image.fromarray(entry.swatch), (round(x), y + 2))
            x += entry.swatch.shape[1] + 12
        lines = wrapped(entry.text, size=TEXT_SIZE, width=width - 2 * GAP, first=x - GAP)
        for number, line in enumerate(lines):
            draw.text((x if number == 0 else GAP, y), line, INK, font(TEXT_SIZE))
            y += line_height
    return np.asarray(image)[: y + 8]
