"""The last step of alignment finds shifts, slants and the bend of a lens, and lets go of what was stuck on."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imgguard.imaging.image import Pixels
from imgguard.verify.agreement import agreement
from imgguard.verify.alignment import AlignedPair, Pyramid, align
from imgguard.verify.examination import grey_of
from imgguard.verify.fitting import bent, fit
from imgguard.verify.geometry import Homography, corners, onto, transformed

type Sample = Callable[[str], Pixels]

PICTURE = "plaid-shirt"


def grey(sample: Sample, name: str = PICTURE) -> NDArray[np.float32]:
    return grey_of(sample(name), 480).astype(np.float32)


def barrel(picture: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """The picture through a lens: what lies at x shows what lay at x(1 - s + s r^2), r 1 in the corners."""
    height, width = picture.shape
    x, y = np.meshgrid(np.arange(width) + 0.5 - width / 2, np.arange(height) + 0.5 - height / 2)
    factor = 1 - strength + strength * (x * x + y * y) / (width**2 + height**2) * 4
    at_x, at_y = (x * factor + width / 2 - 0.5), (y * factor + height / 2 - 0.5)
    return np.asarray(cv2.remap(picture, at_x.astype(np.float32), at_y.astype(np.float32), cv2.INTER_CUBIC), np.float32)


def slanted(picture: NDArray[np.float32]) -> Homography:
    height, width = picture.shape
    return onto(
        (width, height), corners(width, height) + np.array([[3.0, -2.0], [-2.5, 2.0], [1.5, 2.5], [-2.0, -1.0]])
    )


def aligned(query: NDArray[np.float32], reference: NDArray[np.float32], matrix: Homography) -> AlignedPair:
    pair = align(Pyramid(query), Pyramid(reference), matrix, side=400)
    assert pair is not None
    return pair


def difference(pair: AlignedPair) -> float:
    """Mean grey level difference, away from the rim."""
    return float(np.abs(pair.query - pair.reference)[20:-20, 20:-20].mean())


def test_a_slightly_wrong_homography_is_put_right(sample: Sample) -> None:
    picture = grey(sample)
    truth = slanted(picture)
    query = np.asarray(cv2.warpPerspective(picture, truth, picture.shape[::-1], flags=cv2.INTER_CUBIC), np.float32)
    pair = aligned(query, picture, np.eye(3))
    found = fit(pair, agreement(pair), np.eye(3))
    assert found is not None
    frame = corners(picture.shape[1], picture.shape[0])
    # cv2 counts from pixel centres, the pyramid from corners: half a pixel is within the tolerance.
    assert np.abs(transformed(found.matrix, frame) - transformed(truth, frame)).max() < 0.8
    assert found.bend_size < 0.3


def test_the_bend_of_a_lens_is_found_and_undone(sample: Sample) -> None:
    picture = grey(sample)
    query = barrel(picture, 0.12)
    pair = aligned(query, picture, np.eye(3))
    first = fit(pair, agreement(pair), np.eye(3))
    assert first is not None
    pair = aligned(query, picture, first.matrix)
    second = fit(pair, agreement(pair), first.matrix)
    assert second is not None
    straight = aligned(query, picture, second.matrix)
    assert second.bend_size > 1
    assert difference(bent(straight, second)) < 0.5 * difference(straight)


def test_tone_and_a_sticker_do_not_pull(sample: Sample) -> None:
    picture = grey(sample)
    truth = slanted(picture)
    query = np.asarray(cv2.warpPerspective(picture, truth, picture.shape[::-1], flags=cv2.INTER_CUBIC), np.float32)
    query = np.clip(query * 0.7 + 30 + np.linspace(0, 40, query.shape[1], dtype=np.float32), 0, 255)
    query[120:220, 100:240] = sample("mug")[120:220, 100:240, 0]
    pair = aligned(query, picture, np.eye(3))
    found = fit(pair, agreement(pair), np.eye(3))
    assert found is not None
    frame = corners(picture.shape[1], picture.shape[0])
    assert np.abs(transformed(found.matrix, frame) - transformed(truth, frame)).max() < 1.5


@pytest.mark.parametrize("level", [0.0, 200.0])
def test_plain_patches_say_nothing(sample: Sample, level: float) -> None:
    picture = grey(sample)
    pair = aligned(picture, picture, np.eye(3))
    plain = replace(pair, query=np.full_like(pair.query, level), reference=np.full_like(pair.reference, level))
    assert fit(plain, agreement(plain), np.eye(3)) is None


def test_a_small_bend_costs_no_detail(sample: Sample) -> None:
    picture = grey(sample)
    pair = aligned(picture, picture, np.eye(3))
    found = fit(pair, agreement(pair), np.eye(3))
    assert found is not None
    assert bent(pair, found) is pair
