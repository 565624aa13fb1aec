"""A scene that goes on beyond the frame speaks against a copy; an edge, a bezel, a busy neighbour do not."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.imaging.image import Pixels
from imgguard.verify.agreement import agreement
from imgguard.verify.alignment import Pyramid, align
from imgguard.verify.continuation import continuation
from imgguard.verify.examination import grey_of
from imgguard.verify.geometry import translation

type Sample = Callable[[str], Pixels]
type Picture = NDArray[np.float32]

LEFT, TOP, WIDTH, HEIGHT = 90, 100, 220, 260


def grey(sample: Sample, name: str) -> Picture:
    return grey_of(sample(name), 520).astype(np.float32)


def measured(query: Picture, reference: Picture) -> float:
    matrix = translation(LEFT, TOP)
    pair = align(Pyramid(query), Pyramid(reference), matrix, side=400)
    assert pair is not None
    return continuation(query, matrix, (reference.shape[1], reference.shape[0]), pair, agreement(pair))


def part(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH])


def test_a_wider_view_of_the_scene_goes_on(sample: Sample) -> None:
    whole = grey(sample, "mug")
    assert measured(whole, part(whole)) > 0.5


def test_a_picture_pasted_into_another_ends_at_its_edge(sample: Sample) -> None:
    reference = part(grey(sample, "plaid-shirt"))
    query = grey(sample, "denim-jacket")
    query[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH] = reference
    assert measured(query, reference) < 0.3


def test_the_glow_of_a_screen_on_its_bezel_is_no_scene(sample: Sample) -> None:
    reference = part(grey(sample, "plaid-shirt"))
    query = np.full_like(grey(sample, "plaid-shirt"), 18.0)
    query[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH] = reference
    glow = cv2.GaussianBlur(query, (0, 0), 3.0)  # as bright as the picture just inside, and following it
    query = np.asarray(0.92 * query + 0.08 * glow, np.float32)
    assert measured(query, reference) < 0.3
