"""Keypoints: stored compactly, spread over the picture, and matched through a mirror without a second extraction."""

import numpy as np
import pytest
from numpy.typing import NDArray

from imgguard.fingerprint import keypoints
from imgguard.verify.matching import KeypointMatcher, homography


@pytest.fixture
def noise() -> NDArray[np.uint8]:
    """A grey picture full of blobs, uint8 (300, 400)."""
    rng = np.random.default_rng(3)
    small = rng.integers(0, 255, (30, 40)).astype(np.uint8)
    return np.asarray(np.kron(small, np.ones((10, 10), np.uint8)), np.uint8)


def test_what_is_stored_is_read_back(noise: NDArray[np.uint8]) -> None:
    found = keypoints.extract(noise, limit=150)
    back = keypoints.load(keypoints.dump(found))
    assert len(found) == len(back) == 150
    assert np.array_equal(found.descriptors, back.descriptors)
    assert np.abs(found.positions - back.positions).max() < 1e-4
    assert np.allclose(found.sizes, back.sizes, rtol=1e-2)
    assert np.allclose(found.angles, back.angles, atol=0.2)


def test_a_plain_picture_has_none() -> None:
    assert len(keypoints.extract(np.full((100, 100), 90, np.uint8), limit=50)) == 0
    assert len(keypoints.load(keypoints.dump(keypoints.empty()))) == 0


def test_keypoints_are_spread_over_the_picture(noise: NDArray[np.uint8]) -> None:
    calm = noise.copy()
    calm[:, 200:] = noise[:, 200:] // 12 + 100
    found = keypoints.extract(calm, limit=100)
    assert (found.positions[:, 0] > 0.55).sum() >= 25


def test_the_mirror_image_is_matched_by_permuting_descriptors(noise: NDArray[np.uint8]) -> None:
    reference = keypoints.extract(noise, limit=300)
    matcher = KeypointMatcher(keypoints.extract(np.ascontiguousarray(noise[:, ::-1]), limit=300))
    upright = homography(matcher.match(reference, mirrored=False), (400, 300), (400, 300))
    mirrored = homography(matcher.match(reference, mirrored=True), (400, 300), (400, 300))
    assert mirrored is not None
    assert mirrored.inlier_count > 150
    assert upright is None or upright.inlier_count < 30
    assert mirrored.matrix == pytest.approx(np.array([[-1, 0, 400], [0, 1, 0], [0, 0, 1]]), abs=1.0)
