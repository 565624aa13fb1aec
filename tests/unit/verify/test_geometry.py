"""Homographies: what goes through comes back, and words describe the map that was made."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imgguard.verify.geometry import (
    MIRROR_X,
    Homography,
    area,
    clipped,
    corners,
    decompose,
    normalised,
    onto,
    plausible,
    scaling,
    transformed,
    translation,
)

angles = st.floats(-179, 179)
scales = st.floats(0.2, 5)


def turned(degrees: float) -> Homography:
    """Counter-clockwise as seen, in coordinates whose y points down."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


@given(angles, scales, st.booleans(), st.floats(-300, 300))
def test_a_similarity_is_described_by_its_parts(angle: float, scale: float, mirrored: bool, shift: float) -> None:
    matrix = translation(shift, -shift) @ turned(angle) @ scaling(scale) @ (MIRROR_X if mirrored else np.eye(3))
    shape = decompose(matrix, 400, 300)
    assert shape.scale == pytest.approx(scale, rel=1e-6)
    assert shape.mirrored is mirrored
    assert (shape.rotation_degrees - angle + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)
    assert shape.anisotropy == pytest.approx(1)
    assert shape.shear == pytest.approx(0, abs=1e-9)
    assert shape.perspective == pytest.approx(0, abs=1e-9)


def test_stretching_and_perspective_are_told_apart() -> None:
    stretched = decompose(scaling(1.4, 1.0), 400, 300)
    assert stretched.anisotropy == pytest.approx(1.4)
    assert stretched.perspective == 0
    tilted = onto((400, 300), np.array([[0, 0], [400, 30], [400, 270], [0, 300]]))
    assert decompose(tilted, 400, 300).perspective > 0.1


@given(angles, scales, st.floats(-50, 50))
def test_points_come_back_through_the_inverse(angle: float, scale: float, shift: float) -> None:
    matrix = translation(shift, 3) @ turned(angle) @ scaling(scale)
    points = np.array([[0.0, 0.0], [17.5, 200.25], [399.0, 299.0]])
    assert transformed(np.linalg.inv(matrix), transformed(matrix, points)) == pytest.approx(points, abs=1e-6)


@example(angle=-4.9e-13, scale=1.0, x=1.0, y=0.0)
@given(angles, st.floats(0.1, 3), st.floats(-400, 400), st.floats(-400, 400))
def test_a_clipped_frame_lies_in_both(angle: float, scale: float, x: float, y: float) -> None:
    frame = transformed(translation(x, y) @ turned(angle) @ scaling(scale), corners(200, 100))
    part = clipped(frame, 320, 240)
    assert area(part) <= min(area(frame), 320 * 240) + 1
    if len(part):
        assert part.min() >= -0.01
        assert part[:, 0].max() <= 320.01
        assert part[:, 1].max() <= 240.01


def test_outside_leaves_nothing() -> None:
    assert len(clipped(corners(10, 10) + 1000, 320, 240)) == 0


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.full((3, 3), np.nan)])
def test_a_map_that_cannot_be_normalised_is_none(matrix: Homography) -> None:
    assert normalised(matrix) is None


def test_folded_and_vanishing_maps_are_not_plausible() -> None:
    assert plausible(np.eye(3), (400, 300), (400, 300))
    assert plausible(translation(400, 0) @ MIRROR_X, (400, 300), (400, 300))
    assert not plausible(scaling(0.001), (400, 300), (400, 300))
    horizon = np.array([[1.0, 0, 0], [0, 1, 0], [-0.004, 0, 1]])
    assert not plausible(horizon, (400, 300), (400, 300))
