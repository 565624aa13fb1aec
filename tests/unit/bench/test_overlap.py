"""Overlap of polygons against areas known from geometry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from imgguard.bench.overlap import intersection_over_union


def box(left: float, top: float, right: float, bottom: float) -> NDArray[np.float64]:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def test_the_same_region() -> None:
    assert intersection_over_union(box(3, 4, 103, 54), box(3, 4, 103, 54)) == 1.0


@pytest.mark.parametrize("scale", [0.01, 1.0, 5000.0])
def test_half_covered_at_any_scale(scale: float) -> None:
    found = intersection_over_union(scale * box(0, 0, 2, 1), scale * box(1, 0, 3, 1))
    assert found == pytest.approx(1 / 3, abs=0.005)


def test_apart_and_degenerate() -> None:
    assert intersection_over_union(box(0, 0, 1, 1), box(5, 5, 6, 6)) == 0.0
    assert intersection_over_union([], box(0, 0, 1, 1)) == 0.0
    assert intersection_over_union(box(1, 1, 1, 1), box(1, 1, 1, 1)) == 0.0


def test_triangle_in_a_box_and_a_region_with_a_notch() -> None:
    triangle = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    assert intersection_over_union(triangle, box(0, 0, 10, 10)) == pytest.approx(0.5, abs=0.005)
    notched = np.array([[0, 0], [10, 0], [10, 10], [6, 10], [6, 4], [4, 4], [4, 10], [0, 10]], dtype=np.float64)
    assert intersection_over_union(notched, box(0, 0, 10, 10)) == pytest.approx(0.88, abs=0.005)


@given(
    st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(60, 100), st.floats(60, 100)),
    st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(60, 100), st.floats(60, 100)),
)
def test_boxes_against_arithmetic(first: tuple[float, ...], second: tuple[float, ...]) -> None:
    a, b = box(*first), box(*second)
    inner = np.minimum(a.max(0), b.max(0)) - np.maximum(a.min(0), b.min(0))
    shared = float(inner.prod())
    areas = [float((polygon.max(0) - polygon.min(0)).prod()) for polygon in (a, b)]
    found = intersection_over_union(a, b)
    assert found == pytest.approx(shared / (sum(areas) - shared), abs=0.01)
    assert found == pytest.approx(intersection_over_union(b, a), abs=1e-9)
