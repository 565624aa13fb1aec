"""Edits of geometry: sizes, crops, mirror images, turns, perspective."""

from dataclasses import replace
from typing import Literal

import cv2
import numpy as np

from imgguard.bench.edits.picture import (
    Donors,
    EditedPicture,
    Matrix,
    Pixels,
    Range,
    Step,
    draw,
    draw_log,
    frame,
    moved,
    resized,
    through,
    translation,
    warped,
)


def resize(scale: Range) -> Step:
    """Both sides times ``scale``."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        factor = draw_log(rng, scale)
        return resized(state, state.width * factor, state.height * factor, scale=factor)

    return step


def aspect(ratio: Range) -> Step:
    """Stretched by ``ratio`` one way or the other, the area kept."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        stretch = draw(rng, ratio)
        root = np.sqrt(stretch if rng.random() < 0.5 else 1 / stretch)
        return resized(state, state.width * root, state.height / root, aspect=root**2)

    return step


def cut(state: EditedPicture, *, left: int, top: int, width: int, height: int, **drawn: float | str) -> EditedPicture:
    """The rectangle alone, in query pixels."""
    pixels = state.pixels[top : top + height, left : left + width]
    return moved(state, pixels, translation(-left, -top), **drawn)


def crop(share: Range, *, stretch: Range = (0.8, 1.25)) -> Step:
    """A rectangle of ``share`` of the area anywhere in the picture, its proportions changed by ``stretch``."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        part, root = draw_log(rng, share), np.sqrt(draw_log(rng, stretch))
        side = np.sqrt(part)
        root = float(np.clip(root, side, 1 / side))
        width = max(8, min(state.width, round(state.width * side * root)))
        height = max(8, min(state.height, round(state.height * side / root)))
        left = int(rng.integers(0, state.width - width + 1))
        top = int(rng.integers(0, state.height - height + 1))
        return cut(state, left=left, top=top, width=width, height=height, crop=part)

    return step


def mirror(state: EditedPicture, _rng: np.random.Generator, _donors: Donors) -> EditedPicture:
    """Left and right exchanged."""
    matrix = np.array([[-1.0, 0.0, state.width], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    return moved(state, state.pixels[:, ::-1], matrix, mirror=1)


def flip(state: EditedPicture, _rng: np.random.Generator, _donors: Donors) -> EditedPicture:
    """Upside down as in water: top and bottom exchanged."""
    matrix = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, state.height], [0.0, 0.0, 1.0]])
    return moved(state, state.pixels[::-1], matrix, flip=1)


def quarter_turns(*choices: int) -> Step:
    """Turned counter-clockwise by one of ``choices`` quarter turns (1 to 3)."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        turns = int(rng.choice(choices))
        result = state
        for _ in range(turns):
            quarter = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, result.width], [0.0, 0.0, 1.0]])
            result = moved(result, np.rot90(result.pixels), quarter)
        return replace(result, parameters={**result.parameters, "quarter_turns": turns})

    return step


def turning(degrees: float, *, about: tuple[float, float]) -> Matrix:
    """Counter-clockwise as seen, about a point in pixels."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle), 0.0], [-np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]])
    matrix: Matrix = translation(*about) @ turn @ translation(-about[0], -about[1])
    return matrix


def plain(width: float, height: float, colour: tuple[int, ...]) -> Pixels:
    """A picture of one colour, sides rounded."""
    return np.full((max(8, round(height)), max(8, round(width)), 3), colour, dtype=np.uint8)


def fill_colour(rng: np.random.Generator, pixels: Pixels) -> tuple[int, ...]:
    """What an editor fills gaps with: white, black, or the picture's own border colour."""
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    own = tuple(int(value) for value in np.median(border, axis=0))
    return ((255, 255, 255), (0, 0, 0), own)[int(rng.integers(3))]


def rotate(degrees: Range, *, gaps: Literal["fill", "crop", "either"] = "either") -> Step:
    """Turned either way; the gaps filled on a canvas that holds everything, or cropped away."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        angle = draw(rng, degrees) * (1 if rng.random() < 0.5 else -1)
        filled = gaps == "fill" or (gaps == "either" and rng.random() < 0.5)
        size = _spanned(state, angle) if filled else _inscribed(state, angle)
        canvas = plain(*size, fill_colour(rng, state.pixels))
        height, width = canvas.shape[:2]
        matrix = translation((width - state.width) / 2, (height - state.height) / 2)
        matrix = matrix @ turning(angle, about=(state.width / 2, state.height / 2))
        return warped(state, matrix, canvas, rotation_degrees=angle, gaps="filled" if filled else "cropped")

    return step


def _spanned(state: EditedPicture, degrees: float) -> tuple[float, float]:
    """Sides of the smallest upright canvas that holds the whole turned picture."""
    corners = through(turning(degrees, about=(0.0, 0.0)), frame(state.width, state.height))
    width, height = np.ptp(corners, axis=0)
    return float(width), float(height)


def _inscribed(state: EditedPicture, degrees: float) -> tuple[float, float]:
    """Sides of the largest upright rectangle of the same proportions without gaps."""
    cosine, sine = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    width, height = state.width, state.height
    part = min(width / (width * cosine + height * sine), height / (width * sine + height * cosine))
    return width * part, height * part


def perspective(strength: Range, *, background: tuple[int, ...] | None = None) -> Step:
    """Each corner pulled inwards by up to ``strength`` of the sides; gaps filled."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        reach = draw(rng, strength)
        colour = background or fill_colour(rng, state.pixels)
        corners = frame(state.width, state.height)
        inwards = np.sign(np.array([state.width, state.height]) / 2 - corners)
        target = corners + inwards * rng.uniform(0.0, reach, (4, 2)) * (state.width, state.height)
        matrix = onto(corners, target)
        return warped(state, matrix, plain(state.width, state.height, colour), perspective=reach)

    return step


def onto(source: Matrix, target: Matrix) -> Matrix:
    """The homography between two quadrilaterals (4, 2)."""
    found = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    return np.asarray(found, dtype=np.float64)


def shear(strength: Range) -> Step:
    """Slanted sideways; the gaps cropped away."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        slant = draw(rng, strength) * (1 if rng.random() < 0.5 else -1)
        reach = abs(slant) * state.height
        shift = 0.0 if slant < 0 else -reach
        matrix = translation(shift, 0) @ np.array([[1.0, slant, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        canvas = plain(state.width - reach, state.height, (255, 255, 255))
        return warped(state, matrix, canvas, shear=slant)

    return step


def lens(strength: Range) -> Step:
    """Barrel distortion as of a wide lens: no homography describes it, so the truth has no matrix."""

    def step(state: EditedPicture, rng: np.random.Generator, _donors: Donors) -> EditedPicture:
        bend = draw(rng, strength)
        middle = np.array([state.width, state.height]) / 2
        radius = float(np.hypot(*middle))

        def source(points: Matrix) -> Matrix:
            offset = (points - middle) / radius
            return np.asarray(middle + offset * radius * (1 - bend + bend * (offset**2).sum(-1, keepdims=True)))

        x, y = np.meshgrid(np.arange(state.width) + 0.5, np.arange(state.height) + 0.5)
        grid = source(np.stack([x, y], axis=-1)).astype(np.float32) - 0.5
        pixels = cv2.remap(state.pixels, grid[..., 0], grid[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        return replace(
            state,
            pixels=np.asarray(pixels, dtype=np.uint8),
            matrix=None,
            region=frame(state.width, state.height),
            reference_region=source(frame(state.width, state.height)),
            parameters={**state.parameters, "lens": bend},
        )

    return step
