"""The model is data: it is parsed strictly, evaluated by hand, and never claims more than its cap."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgguard.errors import ConfigurationError
from imgguard.verdict.calibration import parse, shipped

STUMP = {
    "feature": [0, 0, 0],
    "threshold": [0.5, 0.0, 0.0],
    "left": [1, -1, -1],
    "right": [2, -1, -1],
    "value": [0.0, -2.0, 3.0],
}
DOCUMENT = {
    "features": ["agreement"],
    "trees": [STUMP, STUMP],
    "baseline": 0.5,
    "slope": 2.0,
    "intercept": -1.0,
    "cap": 3.0,
    "copy_threshold": 1.0,
    "reject_threshold": 0.0,
    "unaligned": -2.0,
}


def test_trees_are_summed_mapped_and_capped() -> None:
    model = parse(json.dumps(DOCUMENT).encode())
    assert model.raw({"agreement": 0.5}) == pytest.approx(-3.5)  # a value on the threshold goes left
    assert model.raw({"agreement": 0.51}) == pytest.approx(6.5)
    assert model.raw({}) == pytest.approx(-3.5)
    assert model.log10_likelihood_ratio({"agreement": 0.1}) == -3.0
    assert model.log10_likelihood_ratio({"agreement": 0.9}) == 3.0


@pytest.mark.parametrize(
    "broken", [b"", b"[]", b"{}", b'{"features": 3}', json.dumps({**DOCUMENT, "cap": None}).encode()]
)
def test_what_is_not_a_model_is_refused(broken: bytes) -> None:
    with pytest.raises(ConfigurationError):
        parse(broken)


def test_the_shipped_model_is_whole_and_bounded() -> None:
    model = shipped()
    assert len(model.trees) > 10
    assert 2.0 < model.cap < 5.0
    assert model.unaligned < model.reject_threshold < 0 < model.copy_threshold < model.cap
    for tree in model.trees:
        assert tree.feature.max() < len(model.features)
        inner = tree.left >= 0
        assert (tree.left[inner] < len(tree.left)).all()
        assert (tree.right[inner] < len(tree.left)).all()


PERFECT = {
    "cosine_similarity": 0.95,
    "correlation_median": 0.99,
    "correlation_mean": 0.98,
    "correlation_p25": 0.98,
    "correlation_p75": 0.995,
    "correlation_core": 0.99,
    "share_above_50": 1.0,
    "share_above_80": 0.99,
    "share_above_95": 0.95,
    "agreeing_share": 0.99,
    "agreeing_largest": 0.99,
    "agreeing_centre": 1.0,
    "agreeing_rim": 1.0,
    "agreeing_of_query": 0.99,
    "agreeing_of_reference": 0.99,
    "overlap_of_query": 1.0,
    "overlap_of_reference": 1.0,
    "textured_share": 0.7,
    "textured_pixels": 60000.0,
    "flow_median": 0.04,
    "flow_high": 0.1,
    "flow_rough": 0.03,
    "grey_median": 1.0,
    "grey_mean": 1.5,
    "gain": 1.0,
    "detail": 0.95,
    "inlier_count": 200.0,
    "similarity_inlier_count": 200.0,
    "consistent_count": 200.0,
    "match_count": 220.0,
    "keypoints_query": 600.0,
    "keypoints_reference": 400.0,
    "hamming_distance": 8.0,
    "hash_quality": 100.0,
    "anisotropy": 1.0,
    "scale": 1.0,
    "patch_side": 400.0,
}


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 6))
def test_more_agreement_never_speaks_against_a_copy(a: float, b: float, detail: float, flow: float) -> None:
    low, high = sorted((a, b))
    shared = {**PERFECT, "detail": detail, "flow_median": flow}
    worse = shipped().log10_likelihood_ratio({**shared, "correlation_median": low})
    better = shipped().log10_likelihood_ratio({**shared, "correlation_median": high})
    assert better >= worse - 1e-9


def test_a_perfect_fit_is_a_copy_and_chance_is_not() -> None:
    model = shipped()
    assert model.log10_likelihood_ratio(PERFECT) > model.copy_threshold
    nothing = dict.fromkeys(PERFECT, 0.0) | {"flow_median": 5.0, "flow_high": 10.0, "grey_mean": 60.0}
    assert model.log10_likelihood_ratio(nothing) < model.reject_threshold
    assert np.isfinite(model.log10_likelihood_ratio({}))
