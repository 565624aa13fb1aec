"""Pens for overlays: anti-aliased layers, real fonts, wording of shops."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from imgguard.bench.edits.picture import Pixels
from imgguard.errors import ConfigurationError

type Ink = tuple[int, int, int, int]
"""Red, green, blue, opacity, each 0..255."""

FONT_FILES = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSerif-Italic.ttf",
    "DejaVuSansMono-Bold.ttf",
    "STIXGeneralBol.ttf",
    "STIXGeneralItalic.ttf",
)
SANS, BOLD = FONT_FILES[:2]

SLOGANS = (
    "FREE SHIPPING", "NEW ARRIVAL", "BEST PRICE", "SALE", "Limited offer!", "Original quality", "HOT DEAL", "In stock",
    "100% cotton", "Size S-XXL", "Top seller 2026", "Ships in 24 h", "Buy 2 get 1 free", "Last pieces", "Premium",
    "Распродажа", "Δωρεάν αποστολή", "Nuevo", "Nur heute", "Livraison gratuite",
)  # fmt: skip
MARKS = (
    "best-outlet.example", "@shop_24", "SAMPLE", "© Lena's Store", "PREVIEW", "Fashion Hub", "do not copy",
    "megastore.example", "№1 магазин", "vintage.finds",
)  # fmt: skip
TITLES = (
    "Classic everyday item, brand new", "Comfort edition - several colours", "Must have for this season",
    "Original piece with free returns", "Top quality, fast dispatch", "As seen on the street, size M",
    "Gift idea: ready in 24 hours", "Warehouse clearance, last ones",
)  # fmt: skip
COLOURS = (
    (229, 57, 53), (255, 111, 0), (253, 216, 53), (67, 160, 71), (30, 136, 229), (94, 53, 177), (216, 27, 96),
    (33, 33, 33), (255, 255, 255), (0, 137, 123),
)  # fmt: skip

_FINE_PIXELS = 1_500_000
"""Layers of smaller pictures are drawn at double size, because Pillow's shapes are not anti-aliased."""


@cache
def _font_folder() -> Path:
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "the benchmark's fonts come with matplotlib, which is not installed",
            hint="Install the development dependencies with `make setup`.",
        )
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A font of FONT_FILES, ``size`` pixels high."""
    # Basic layout everywhere, so that the drawing does not depend on a system library for complex scripts.
    return ImageFont.truetype(_font_folder() / name, max(6, size), layout_engine=ImageFont.Layout.BASIC)


def colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """One of the saturated colours of shop graphics."""
    return COLOURS[int(rng.integers(len(COLOURS)))]


def readable_on(background: tuple[int, int, int]) -> tuple[int, int, int]:
    """Black or white, whichever can be read on ``background``."""
    dark = 0.299 * background[0] + 0.587 * background[1] + 0.114 * background[2] < 150
    return (255, 255, 255) if dark else (20, 20, 20)


def ink(rgb: tuple[int, int, int], opacity: float = 1.0) -> Ink:
    """``rgb`` with an opacity of 0..1."""
    return (*rgb, round(255 * opacity))


class Layer:
    """A transparent sheet over a picture, drawn on in the picture's pixels at ``factor`` times their resolution."""

    def __init__(self, pixels: Pixels, *, fine: bool = True) -> None:
        self._pixels = pixels
        self.height, self.width = pixels.shape[:2]
        self.factor = 2 if fine and self.width * self.height < _FINE_PIXELS else 1
        self.sheet = Image.new("RGBA", (self.width * self.factor, self.height * self.factor))
        self._pen = ImageDraw.Draw(self.sheet)

    def _scaled(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x * self.factor, y * self.factor) for x, y in points]

    def box(
        self, place: tuple[float, float, float, float], fill: Ink | None, *, radius: float = 0,
        outline: Ink | None = None, line: float = 1,
    ) -> None:  # fmt: skip
        """A rectangle (left, top, right, bottom), rounded by ``radius``."""
        left, top, right, bottom = place
        corners = self._scaled([(left, top), (right, bottom)])
        self._pen.rounded_rectangle(
            corners, radius * self.factor, fill=fill, outline=outline, width=max(1, round(line * self.factor))
        )

    def disc(self, centre: tuple[float, float], radius: float, fill: Ink | None, *, outline: Ink | None = None) -> None:
        """A filled circle."""
        x, y = centre
        corners = self._scaled([(x - radius, y - radius), (x + radius, y + radius)])
        self._pen.ellipse(corners, fill=fill, outline=outline, width=max(1, round(radius * 0.08 * self.factor)))

    def polygon(self, points: list[tuple[float, float]], fill: Ink) -> None:
        """A filled polygon."""
        self._pen.polygon(self._scaled(points), fill=fill)

    def arc(
        self, centre: tuple[float, float], radius: float, degrees: tuple[float, float], stroke: Ink, line: float
    ) -> None:
        """Part of a circle, clockwise from 3 o'clock."""
        x, y = centre
        corners = self._scaled([(x - radius, y - radius), (x + radius, y + radius)])
        self._pen.arc(corners, *degrees, fill=stroke, width=max(1, round(line * self.factor)))

    def text(
        self, place: tuple[float, float], words: str, size: float, fill: Ink, *, face: str = SANS, anchor: str = "la",
        stroke: Ink | None = None,
    ) -> None:  # fmt: skip
        """``words`` at ``place``; ``size`` in pixels of the picture, ``anchor`` as in Pillow."""
        used = font(face, round(size * self.factor))
        width = max(1, round(size * 0.06 * self.factor)) if stroke else 0
        x, y = self._scaled([place])[0]
        self._pen.text((x, y), words, font=used, fill=fill, anchor=anchor, stroke_width=width, stroke_fill=stroke)

    def length(self, words: str, size: float, face: str = SANS) -> float:
        """Width of ``words`` in pixels of the picture."""
        return font(face, round(size * self.factor)).getlength(words) / self.factor

    def stamp(self, other: "Layer", degrees: float, centre: tuple[float, float]) -> None:
        """Another layer turned (counter-clockwise) and laid with its middle at ``centre``."""
        turned = other.sheet.rotate(degrees, resample=Image.Resampling.BICUBIC, expand=True)
        turned = turned.resize([max(1, round(side * self.factor / other.factor)) for side in turned.size])
        x, y = self._scaled([centre])[0]
        place = round(x - turned.width / 2), round(y - turned.height / 2)
        sheet = Image.new("RGBA", self.sheet.size)
        sheet.paste(turned, place)
        self.sheet.alpha_composite(sheet)

    def flattened(self) -> Pixels:
        """The picture with the sheet laid over it."""
        sheet = self.sheet.reduce(self.factor) if self.factor > 1 else self.sheet
        base = Image.fromarray(self._pixels).convert("RGBA")
        base.alpha_composite(sheet)
        return np.array(base.convert("RGB"))
