"""Edits that show the picture as a part of another one: pastes and collages."""

import numpy as np

from imgguard.bench.edits.picture import (
    Donors,
    EditedPicture,
    Pixels,
    Range,
    Step,
    draw,
    draw_log,
    placed,
    recoloured,
    resized,
    resized_pixels,
    warped,
)
from imgguard.bench.edits.shape import cut, plain, turning


def covering(pixels: Pixels, width: int, height: int) -> Pixels:
    """``pixels`` scaled and cut about the middle so that they fill ``width`` x ``height``."""
    factor = max(width / pixels.shape[1], height / pixels.shape[0])
    large = resized_pixels(
        pixels, max(width, round(pixels.shape[1] * factor)), max(height, round(pixels.shape[0] * factor))
    )
    left, top = (large.shape[1] - width) // 2, (large.shape[0] - height) // 2
    return large[top : top + height, left : left + width]


def filling(state: EditedPicture, width: int, height: int) -> EditedPicture:
    """The same for an edited picture, its truth kept."""
    factor = max(width / state.width, height / state.height)
    large = resized(state, max(width, state.width * factor), max(height, state.height * factor))
    left, top = (large.width - width) // 2, (large.height - height) // 2
    return cut(large, left=left, top=top, width=width, height=height)


def paste(share: Range, *, turn: Range = (0.0, 0.0), feather: bool = False) -> Step:
    """Pasted into a donor picture at ``share`` of its area, at a place that holds it whole."""

    def step(state: EditedPicture, rng: np.random.Generator, donors: Donors) -> EditedPicture:
        part, angle = draw_log(rng, share), draw(rng, turn) * (1 if rng.random() < 0.5 else -1)
        donor = donors(rng)
        canvas = resized_pixels(donor, *_canvas_size(donor, state, part))
        height, width = canvas.shape[:2]
        factor = np.sqrt(part * width * height / (state.width * state.height))
        factor = min(factor, width / state.width, height / state.height)
        small = resized(state, state.width * factor, state.height * factor)
        small = recoloured(small, small.pixels, paste=small.width * small.height / (width * height))
        x = int(rng.integers(0, max(0, width - small.width) + 1))
        y = int(rng.integers(0, max(0, height - small.height) + 1))
        small, canvas, x, y = _fitted(small, canvas, x, y)
        if angle == 0 and not feather:
            return placed(small, canvas, x, y)
        matrix = turning(angle, about=(x + small.width / 2, y + small.height / 2))
        matrix = matrix @ np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
        return warped(small, matrix, canvas, paste_degrees=angle)

    return step


def _fitted(small: EditedPicture, canvas: Pixels, x: int, y: int) -> tuple[EditedPicture, Pixels, int, int]:
    """Rounding may make the inset one pixel larger than the canvas; the canvas gives way."""
    height, width = max(canvas.shape[0], small.height), max(canvas.shape[1], small.width)
    if (height, width) != canvas.shape[:2]:
        canvas = resized_pixels(canvas, width, height)
    return small, canvas, x, y


def _canvas_size(donor: Pixels, state: EditedPicture, part: float) -> tuple[int, int]:
    """The donor's proportions, large enough that the inset keeps at least half of its scale.

    Pastes into tiny canvases would measure resolution, not search.
    """
    height, width = donor.shape[:2]
    wanted = 0.25 * state.width * state.height / part
    factor = max(1.0, np.sqrt(wanted / (width * height)), np.sqrt(state.width * state.height / (width * height)))
    factor = min(factor, 1600 / max(width, height)) if max(width, height) < 1600 else 1.0
    return round(width * factor), round(height * factor)


def collage(rows: int, columns: int, *, gap: Range = (0.0, 0.03)) -> Step:
    """A grid of pictures, this one at a drawn place; cells are cut to fill."""

    def step(state: EditedPicture, rng: np.random.Generator, donors: Donors) -> EditedPicture:
        side = 1.15 * np.sqrt(state.width * state.height) / np.sqrt(max(rows, columns) / 1.2)
        ratio = draw(rng, (0.85, 1.2)) if rows == columns else state.width / state.height
        cell_width, cell_height = round(side * np.sqrt(ratio)), round(side / np.sqrt(ratio))
        space = round(draw(rng, gap) * side)
        shade = ((255, 255, 255), (20, 20, 20), (240, 236, 228))[int(rng.integers(3))]
        canvas = plain(columns * (cell_width + space) + space, rows * (cell_height + space) + space, shade)
        chosen = int(rng.integers(rows * columns))
        places = [
            (space + column * (cell_width + space), space + row * (cell_height + space))
            for row in range(rows)
            for column in range(columns)
        ]
        for number, (x, y) in enumerate(places):
            if number != chosen:
                canvas[y : y + cell_height, x : x + cell_width] = covering(donors(rng), cell_width, cell_height)
        return placed(filling(state, cell_width, cell_height), canvas, *places[chosen], collage=rows * columns)

    return step
