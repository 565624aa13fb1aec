"""Edits that lay something over the picture: text, watermarks, banners, badges, frames, stickers."""

import numpy as np

from imgguard.bench.edits import drawing
from imgguard.bench.edits.drawing import BOLD, FONT_FILES, Layer, ink, readable_on
from imgguard.bench.edits.picture import (
    Donors,
    EditedPicture,
    Range,
    Step,
    covered_border,
    draw,
    placed,
    recoloured,
)
from imgguard.bench.edits.shape import plain


def _pick(rng: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(rng.integers(len(choices)))]


def text(lines: Range, size: Range) -> Step:
    """Lines of wording anywhere; letter height as a share of the picture's height; plain, outlined or on a plate."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        layer, count = Layer(state.pixels), round(draw(rng, lines))
        drawn = draw(rng, size)
        taken: list[tuple[float, float]] = []
        for _ in range(count):
            _line(layer, rng, drawn * state.height, taken)
        return recoloured(state, layer.flattened(), text_lines=count, text_size=drawn)

    return step


def _line(layer: Layer, rng: np.random.Generator, letters: float, taken: list[tuple[float, float]]) -> None:
    """One line at a height where none is yet (``taken``: top and bottom of the others), as far as there is room."""
    words, face, colour = _pick(rng, drawing.SLOGANS), _pick(rng, FONT_FILES), drawing.colour(rng)
    letters *= min(1.0, 0.92 * layer.width / layer.length(words, letters, face))
    width = layer.length(words, letters, face)
    x = rng.uniform(0.03 * layer.width, max(0.04 * layer.width, 0.97 * layer.width - width))
    heights = rng.uniform(0.02, 0.98, 12) * (layer.height - 1.5 * letters)
    free = [y for y in heights if all(y + 1.8 * letters < top or y > bottom for top, bottom in taken)]
    y = float((free or list(heights))[0])
    taken.append((y, y + 1.8 * letters))
    style = int(rng.integers(3))
    if style == 0:
        pad = 0.25 * letters
        plate = ink(readable_on(colour), 0.85)
        layer.box((x - pad, y - pad, x + width + pad, y + 1.25 * letters + pad), plate, radius=pad)
    layer.text((x, y), words, letters, ink(colour), face=face, stroke=ink(readable_on(colour)) if style == 1 else None)


def watermark(opacity: Range, size: Range) -> Step:
    """One mark tiled over everything at a slant, half transparent."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        alpha, letters = draw(rng, opacity), draw(rng, size) * min(state.width, state.height)
        words, face = _pick(rng, drawing.MARKS), _pick(rng, FONT_FILES)
        shade = ((255, 255, 255), (0, 0, 0), (128, 128, 128))[int(rng.integers(3))]
        layer, side = Layer(state.pixels, fine=False), int(1.5 * max(state.width, state.height))
        tile = Layer(np.zeros((side, side, 3), dtype=np.uint8), fine=False)
        across, down = tile.length(words, letters, face) + 2 * letters, 3 * letters
        for row in range(int(side / down) + 1):
            for column in range(-1, int(side / across) + 1):
                x = column * across + (row % 2) * across / 2
                tile.text((x, row * down), words, letters, ink(shade, alpha), face=face)
        angle = float(rng.uniform(15, 45)) * (1 if rng.random() < 0.7 else -1)
        layer.stamp(tile, angle, (state.width / 2, state.height / 2))
        return recoloured(state, layer.flattened(), watermark_opacity=alpha)

    return step


def logo(size: Range) -> Step:
    """One solid shop mark in a corner."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        layer, radius = Layer(state.pixels), draw(rng, size) * min(state.width, state.height)
        right, low = rng.random(2) < 0.5
        x = state.width - 1.3 * radius if right else 1.3 * radius
        y = state.height - 1.3 * radius if low else 1.3 * radius
        back = drawing.colour(rng)
        layer.disc((x, y), radius, ink(back, 0.9), outline=ink(readable_on(back)))
        letters = _pick(rng, ("LS", "FH", "24", "M&B", "shop"))
        size_drawn = min(0.75 * radius, 0.75 * radius * 1.6 * radius / layer.length(letters, 0.75 * radius, BOLD))
        layer.text((x, y), letters, size_drawn, ink(readable_on(back)), face=BOLD, anchor="mm")
        return recoloured(state, layer.flattened(), logo=radius)

    return step


def banner(share: Range, *, extends: bool | None = None) -> Step:
    """An opaque bar with wording at the top or bottom, over the picture or (``extends``) beside it."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        part, low = draw(rng, share), bool(rng.random() < 0.6)
        grown = extends if extends is not None else bool(rng.random() < 0.5)
        bar, back = round(part * state.height), drawing.colour(rng)
        if grown:
            canvas = plain(state.width, state.height + bar, back)
            below = placed(state, canvas, 0, 0 if low else bar)
        else:
            below = covered_border(
                state, left=0, top=0 if low else bar, right=state.width, bottom=state.height - (bar if low else 0)
            )
        layer = Layer(below.pixels)
        top = below.height - bar if low else 0
        layer.box((0, top, below.width, top + bar), ink(back))
        words, face = _pick(rng, drawing.SLOGANS), _pick(rng, FONT_FILES)
        letters = 0.5 * bar * min(1.0, 0.9 * below.width / layer.length(words, 0.5 * bar, face))
        place = below.width / 2, top + bar / 2
        layer.text(place, words, letters, ink(readable_on(back)), face=face, anchor="mm")
        return recoloured(below, layer.flattened(), banner=part, banner_extends=float(grown))

    return step


def badges(count: Range) -> Step:
    """What marketplaces print on offers: discount discs, price tags, corner ribbons, rating pills."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        layer, number = Layer(state.pixels), round(draw(rng, count))
        unit = min(state.width, state.height)
        places = [(0.17, 0.15), (0.83, 0.15), (0.2, 0.86), (0.8, 0.86)]
        kinds = (_discount, _price, _ribbon, _rating)
        for place, kind in zip(rng.permutation(4)[:number], rng.permutation(4), strict=False):
            x, y = places[int(place)]
            kinds[int(kind)](layer, rng, (x * state.width, y * state.height), unit)
        return recoloured(state, layer.flattened(), badges=number)

    return step


def _discount(layer: Layer, rng: np.random.Generator, centre: tuple[float, float], unit: float) -> None:
    back, radius = drawing.colour(rng), unit * rng.uniform(0.1, 0.15)
    layer.disc(centre, radius, ink(back), outline=ink(readable_on(back), 0.7))
    words = f"-{int(rng.integers(1, 16)) * 5}%"
    layer.text(centre, words, radius * 0.68, ink(readable_on(back)), face=BOLD, anchor="mm")


def _price(layer: Layer, rng: np.random.Generator, centre: tuple[float, float], unit: float) -> None:
    back, letters = drawing.colour(rng), unit * rng.uniform(0.07, 0.11)
    words = f"{_pick(rng, ('$', '€', '£', ''))}{int(rng.integers(3, 120))}.{int(rng.integers(0, 10))}9"
    half = layer.length(words, letters, BOLD) / 2 + 0.35 * letters
    x = float(np.clip(centre[0], half + 1, max(half + 1, layer.width - 1.8 * half)))
    y, tall = centre[1], 0.75 * letters
    layer.polygon([(x - half, y - tall), (x + half, y - tall), (x + half + tall, y), (x + half, y + tall),
                   (x - half, y + tall)], ink(back))  # fmt: skip
    layer.disc((x + half + 0.3 * tall, y), 0.16 * tall, ink((255, 255, 255)))
    layer.text((x, y), words, letters, ink(readable_on(back)), face=BOLD, anchor="mm")


def _ribbon(layer: Layer, rng: np.random.Generator, centre: tuple[float, float], unit: float) -> None:
    back, band = drawing.colour(rng), max(10, int(unit * rng.uniform(0.09, 0.13)))
    strip = Layer(np.zeros((band, round(unit * 0.62), 3), dtype=np.uint8))
    strip.box((0, 0, strip.width, band), ink(back))
    words = _pick(rng, ("NEW", "SALE", "HOT", "TOP", "BEST"))
    strip.text((strip.width / 2, band / 2), words, 0.65 * band, ink(readable_on(back)), face=BOLD, anchor="mm")
    left, high = centre[0] < layer.width / 2, centre[1] < layer.height / 2
    x, y = 0.16 * unit, 0.16 * unit
    corner = (x if left else layer.width - x, y if high else layer.height - y)
    layer.stamp(strip, 45 if left == high else -45, corner)


def _rating(layer: Layer, rng: np.random.Generator, centre: tuple[float, float], unit: float) -> None:
    letters = unit * rng.uniform(0.045, 0.06)
    words = f"★ {rng.uniform(4, 5):.1f}  ({int(rng.integers(20, 9000))})"
    half = layer.length(words, letters) / 2 + letters * 0.6
    x = float(np.clip(centre[0], half + 2, max(half + 2, layer.width - half - 2)))
    layer.box((x - half, centre[1] - letters, x + half, centre[1] + letters), ink((255, 255, 255), 0.92),
              radius=letters)  # fmt: skip
    layer.text((x, centre[1]), words, letters, ink((40, 40, 40)), anchor="mm")


def border(share: Range, *, over: bool | None = None) -> Step:
    """A frame of one colour round the picture, or over its edge; corners sometimes rounded."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        part, shade = draw(rng, share), drawing.colour(rng)
        width = max(2, round(part * min(state.width, state.height)))
        covers = over if over is not None else bool(rng.random() < 0.3)
        if covers:
            inner = covered_border(state, left=width, top=width, right=state.width - width, bottom=state.height - width)
        else:
            inner = placed(state, plain(state.width + 2 * width, state.height + 2 * width, shade), width, width)
        layer = Layer(inner.pixels)
        radius = width * rng.uniform(0.8, 2.0) if rng.random() < 0.4 else 0.0
        # One thick outline drawn from outside the canvas leaves a rounded window in the middle.
        layer.box(
            (-radius, -radius, inner.width + radius, inner.height + radius), None,
            radius=2 * radius, outline=ink(shade), line=width + radius,
        )  # fmt: skip
        return recoloured(inner, layer.flattened(), border=part, border_over=float(covers))

    return step


def sticker(size: Range, count: Range = (1, 1)) -> Step:
    """Faces, hearts and stars as people put over pictures; the diameter as a share of the short side."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        layer, unit = Layer(state.pixels), min(state.width, state.height)
        drawn, number = draw(rng, size), round(draw(rng, count))
        for _ in range(number):
            radius = drawn * unit / 2
            x = rng.uniform(min(radius, state.width / 2), max(state.width - radius, state.width / 2))
            y = rng.uniform(min(radius, state.height / 2), max(state.height - radius, state.height / 2))
            (_face, _heart, _star)[int(rng.choice(3, p=(0.6, 0.2, 0.2)))](layer, (x, y), radius)
        return recoloured(state, layer.flattened(), stickers=number, sticker_size=drawn)

    return step


def _face(layer: Layer, centre: tuple[float, float], radius: float) -> None:
    x, y = centre
    layer.disc(centre, radius, ink((255, 204, 51)), outline=ink((222, 156, 20)))
    for side in (-1, 1):
        layer.disc((x + side * 0.34 * radius, y - 0.22 * radius), 0.13 * radius, ink((80, 50, 10)))
    layer.arc((x, y + 0.05 * radius), 0.55 * radius, (20, 160), ink((80, 50, 10)), 0.11 * radius)


def _heart(layer: Layer, centre: tuple[float, float], radius: float) -> None:
    t = np.linspace(0, 2 * np.pi, 60)
    across = centre[0] + radius * np.sin(t) ** 3
    down = centre[1] - radius * (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    layer.polygon([(float(x), float(y)) for x, y in zip(across, down, strict=True)], ink((229, 40, 60)))


def _star(layer: Layer, centre: tuple[float, float], radius: float) -> None:
    angles = np.arange(10) * np.pi / 5 - np.pi / 2
    lengths = np.where(np.arange(10) % 2 == 0, radius, 0.42 * radius)
    across, down = centre[0] + lengths * np.cos(angles), centre[1] + lengths * np.sin(angles)
    layer.polygon([(float(x), float(y)) for x, y in zip(across, down, strict=True)], ink((255, 193, 7)))
