"""The picture on an offer page of a marketplace, photographed by a screenshot."""

from collections.abc import Sequence

import numpy as np

from imgguard.bench.edits import drawing
from imgguard.bench.edits.picture import Donors, EditedPicture, Pixels, draw, placed, recoloured, resized
from imgguard.bench.edits.placing import covering, filling
from imgguard.bench.edits.shape import plain


def screenshot(state: EditedPicture, rng: np.random.Generator, donors: Donors) -> EditedPicture:
    """The picture on an offer page of a marketplace: a phone app or a shop in a desktop browser."""
    return _phone_page(state, rng, donors) if rng.random() < 0.55 else _desktop_page(state, rng, donors)


def _fitting(state: EditedPicture, width: int, height: int, *, fill: bool) -> EditedPicture:
    """Inside a box: cut to fill it, or whole with space at the sides."""
    if fill:
        return filling(state, width, height)
    factor = min(width / state.width, height / state.height)
    return resized(state, state.width * factor, state.height * factor)


def _phone_page(state: EditedPicture, rng: np.random.Generator, donors: Donors) -> EditedPicture:
    unit = draw(rng, (0.8, 1.25))  # pixels per point of a 540 x 1110 design
    width, height = round(540 * unit), round(1110 * unit)
    accent, tall = drawing.colour(rng), round(draw(rng, (500, 620)) * unit)
    accent = (30, 136, 229) if min(accent) > 200 else accent
    bar = round(104 * unit)
    fitted = _fitting(state, width, tall, fill=bool(rng.random() < 0.5))
    canvas = plain(width, height, (255, 255, 255))
    canvas[bar : bar + tall] = (246, 246, 246)
    page = placed(fitted, canvas, (width - fitted.width) // 2, bar + (tall - fitted.height) // 2, screenshot="phone")
    layer, below = drawing.Layer(page.pixels), bar + tall
    _phone_header(layer, unit, accent)
    _phone_offer(layer, rng, unit, accent, below)
    row = below + 262 * unit
    pictures = [covering(donors(rng), round(160 * unit), round(120 * unit)) for _ in range(3)]
    painted = layer.flattened()
    _thumbnails(painted, pictures, [(round((16 + 174 * i) * unit), round(row)) for i in range(3)])
    return recoloured(page, painted)


def _thumbnails(canvas: Pixels, pictures: Sequence[Pixels], places: Sequence[tuple[int, int]]) -> None:
    """Other offers, cut off where the page ends."""
    for picture, (x, y) in zip(pictures, places, strict=True):
        spot = canvas[y : y + picture.shape[0], x : x + picture.shape[1]]
        spot[:] = picture[: spot.shape[0], : spot.shape[1]]


def _phone_header(layer: drawing.Layer, unit: float, accent: tuple[int, int, int]) -> None:
    dark, width = drawing.ink((30, 30, 30)), layer.width
    layer.text((24 * unit, 8 * unit), "14:07", 20 * unit, dark, face=drawing.BOLD)
    layer.box((width - 62 * unit, 12 * unit, width - 24 * unit, 28 * unit), None, radius=4 * unit, outline=dark,
              line=2 * unit)  # fmt: skip
    layer.box((width - 59 * unit, 15 * unit, width - 34 * unit, 25 * unit), dark, radius=2 * unit)
    for i in range(4):
        layer.box((width - (110 - 9 * i) * unit, (25 - 4 * i) * unit, width - (104 - 9 * i) * unit, 28 * unit), dark)
    layer.text((18 * unit, 70 * unit), "‹", 50 * unit, dark, anchor="lm")
    layer.box((56 * unit, 46 * unit, width - 76 * unit, 92 * unit), drawing.ink((238, 238, 240)), radius=23 * unit)
    layer.text((78 * unit, 69 * unit), "Search in all offers", 20 * unit, drawing.ink((140, 140, 140)), anchor="lm")
    layer.box((width - 56 * unit, 56 * unit, width - 26 * unit, 86 * unit), None, radius=5 * unit, outline=dark,
              line=3 * unit)  # fmt: skip
    layer.disc((width - 24 * unit, 54 * unit), 12 * unit, drawing.ink(accent))
    layer.text((width - 24 * unit, 54 * unit), "2", 15 * unit, drawing.ink((255, 255, 255)), face=drawing.BOLD,
               anchor="mm")  # fmt: skip


def _phone_offer(
    layer: drawing.Layer, rng: np.random.Generator, unit: float, accent: tuple[int, int, int], top: float
) -> None:
    dark, pale, left = drawing.ink((30, 30, 30)), drawing.ink((130, 130, 130)), 20 * unit
    for i in range(5):
        shade = accent if i == 0 else (200, 200, 200)
        layer.disc((layer.width / 2 + (i - 2) * 18 * unit, top - 16 * unit), 5 * unit, drawing.ink(shade))
    price = f"{('$', '€', '£')[int(rng.integers(3))]}{int(rng.integers(4, 150))}.{int(rng.integers(0, 10))}9"
    layer.text((left, top + 16 * unit), price, 40 * unit, drawing.ink(accent), face=drawing.BOLD)
    beside = left + layer.length(price, 40 * unit, drawing.BOLD) + 16 * unit
    layer.text((beside, top + 34 * unit), f"-{int(rng.integers(2, 15)) * 5}%", 22 * unit, pale)
    title = drawing.TITLES[int(rng.integers(len(drawing.TITLES)))]
    layer.text((left, top + 74 * unit), title, 25 * unit, dark)
    layer.text((left, top + 112 * unit), "★★★★★", 22 * unit, drawing.ink((255, 171, 0)))
    layer.text((left + 122 * unit, top + 113 * unit), f"{rng.uniform(4, 5):.1f} · {int(rng.integers(9, 4000))} sold",
               20 * unit, pale)  # fmt: skip
    middle = layer.width / 2
    layer.box((left, top + 152 * unit, middle - 8 * unit, top + 206 * unit), None, radius=27 * unit,
              outline=drawing.ink(accent), line=2 * unit)  # fmt: skip
    layer.box((middle + 8 * unit, top + 152 * unit, layer.width - left, top + 206 * unit), drawing.ink(accent),
              radius=27 * unit)  # fmt: skip
    button = drawing.ink(drawing.readable_on(accent))
    layer.text(((left + middle) / 2, top + 179 * unit), "Add to basket", 22 * unit, drawing.ink(accent), anchor="mm")
    layer.text(((middle + layer.width - left) / 2, top + 179 * unit), "Buy now", 22 * unit, button, anchor="mm")
    layer.text((left, top + 222 * unit), "Similar offers", 24 * unit, dark, face=drawing.BOLD)


def _desktop_page(state: EditedPicture, rng: np.random.Generator, donors: Donors) -> EditedPicture:
    unit = draw(rng, (0.75, 1.1))  # pixels per point of a 1280 x 800 design
    width, height = round(1280 * unit), round(800 * unit)
    accent = drawing.colour(rng)
    accent = (30, 60, 120) if min(accent) > 200 else accent
    left, top, side = round(130 * unit), round(130 * unit), round(draw(rng, (440, 540)) * unit)
    canvas = plain(width, height, (255, 255, 255))
    canvas[top : top + side, left : left + side] = (247, 247, 247)
    fitted = _fitting(state, side, side, fill=bool(rng.random() < 0.4))
    place = left + (side - fitted.width) // 2, top + (side - fitted.height) // 2
    page = placed(fitted, canvas, *place, screenshot="desktop")
    layer = drawing.Layer(page.pixels)
    _desktop_header(layer, rng, unit, accent)
    _desktop_offer(layer, rng, unit, accent, left + side + 50 * unit)
    painted = layer.flattened()
    small, gap = round(80 * unit), round(92 * unit)
    views = [covering(donors(rng), small, small) for _ in range(4)]
    _thumbnails(painted, views, [(round(30 * unit), top + gap * i) for i in range(4)])
    card = round(170 * unit)
    others = [covering(donors(rng), card, round(0.8 * card)) for _ in range(5)]
    row = top + side + round(60 * unit)
    _thumbnails(painted, others, [(left + round(200 * unit) * i, row) for i in range(5)])
    return recoloured(page, painted)


def _desktop_header(layer: drawing.Layer, rng: np.random.Generator, unit: float, accent: tuple[int, int, int]) -> None:
    light = drawing.ink(drawing.readable_on(accent))
    layer.box((0, 0, layer.width, 64 * unit), drawing.ink(accent))
    shop = ("megastore", "offerhub", "dealhouse", "bazaar")[int(rng.integers(4))]
    layer.text((30 * unit, 32 * unit), shop, 28 * unit, light, face=drawing.BOLD, anchor="lm")
    layer.box((300 * unit, 14 * unit, 880 * unit, 50 * unit), drawing.ink((255, 255, 255)), radius=6 * unit)
    pale = drawing.ink((140, 140, 140))
    layer.text((316 * unit, 32 * unit), "What are you looking for?", 16 * unit, pale, anchor="lm")
    layer.text((1250 * unit, 32 * unit), "Sign in     Orders     Basket (1)", 16 * unit, light, anchor="rm")
    path = "Home  ›  Offers  ›  All categories  ›  Item"
    layer.text((130 * unit, 92 * unit), path, 15 * unit, drawing.ink((110, 110, 110)), anchor="lm")


def _desktop_offer(
    layer: drawing.Layer, rng: np.random.Generator, unit: float, accent: tuple[int, int, int], left: float
) -> None:
    dark, pale = drawing.ink((30, 30, 30)), drawing.ink((120, 120, 120))
    title = drawing.TITLES[int(rng.integers(len(drawing.TITLES)))]
    layer.text((left, 130 * unit), title, 25 * unit, dark, face=drawing.BOLD)
    layer.text((left, 174 * unit), "★★★★☆", 20 * unit, drawing.ink((255, 171, 0)))
    layer.text((left + 108 * unit, 175 * unit), f"{int(rng.integers(9, 4000))} reviews", 17 * unit, pale)
    price = f"{('$', '€', '£')[int(rng.integers(3))]} {int(rng.integers(4, 150))}.{int(rng.integers(0, 10))}9"
    layer.text((left, 216 * unit), price, 42 * unit, dark, face=drawing.BOLD)
    facts = ("Free returns within 30 days", "Delivery in 2-4 days", "Sold by a verified shop", "More than 10 available")
    for i, fact in enumerate(facts):
        layer.text((left, (286 + 30 * i) * unit), f"•  {fact}", 17 * unit, pale)
    for i, (words, filled) in enumerate((("Buy it now", True), ("Add to basket", False))):
        top = (424 + 62 * i) * unit
        place = left, top, left + 300 * unit, top + 48 * unit
        layer.box(place, drawing.ink(accent) if filled else None, radius=24 * unit, outline=drawing.ink(accent),
                  line=2 * unit)  # fmt: skip
        ink = drawing.ink(drawing.readable_on(accent)) if filled else drawing.ink(accent)
        layer.text((left + 150 * unit, top + 24 * unit), words, 19 * unit, ink, anchor="mm")
