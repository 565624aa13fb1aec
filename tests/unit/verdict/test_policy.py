"""Words for numbers: thresholds, strengths and the picture's verdict."""

import dataclasses

import pytest

from imgguard.verdict.calibration import Calibration
from imgguard.verdict.finding import Edit, Judgement, Relation, Strength, Verdict
from imgguard.verdict.policy import Reason, conclude, reasons_of, relation_of, strength_of, verdict_of

MODEL = Calibration(
    sha256="0" * 64,
    features=(),
    trees=(),
    baseline=0.0,
    slope=1.0,
    intercept=0.0,
    cap=3.0,
    copy_threshold=1.5,
    reject_threshold=0.0,
    unaligned=-2.0,
)
JUDGEMENT = Judgement(
    content_sha256="0" * 64,
    verdict=Verdict.COPY,
    relation=Relation.EDITED,
    log10_likelihood_ratio=3.0,
    strength=Strength.MODERATELY_STRONG,
    reasons=("pixels_agree",),
    cosine_similarity=0.9,
    hamming_distance=4,
    inlier_count=50,
    agreement=0.99,
    query_coverage=1.0,
    reference_coverage=1.0,
    transform=None,
    query_region=None,
    reference_region=None,
    edits=(),
    features={},
)


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (3.0, "copy"),
        (1.5, "copy"),
        (1.49, "inconclusive"),
        (0.01, "inconclusive"),
        (0.0, "same_product"),
        (-3, "same_product"),
    ],
)
def test_two_thresholds_make_three_verdicts(ratio: float, verdict: str) -> None:
    assert verdict_of(ratio, MODEL) == verdict


@pytest.mark.parametrize(
    ("ratio", "strength"),
    [
        (0.0, Strength.NONE),
        (0.5, Strength.WEAK),
        (-0.5, Strength.WEAK),
        (1.2, Strength.MODERATE),
        (-2.5, Strength.MODERATELY_STRONG),
        (3.0, Strength.STRONG),
        (5.0, Strength.VERY_STRONG),
        (7.0, Strength.EXTREMELY_STRONG),
    ],
)
def test_strength_is_of_either_direction(ratio: float, strength: Strength) -> None:
    assert strength_of(ratio) is strength


def test_relations_follow_from_edits() -> None:
    assert relation_of(()) is Relation.IDENTICAL
    assert relation_of((Edit.RESIZED,)) is Relation.IDENTICAL
    assert relation_of((Edit.RECOLOURED,)) is Relation.EDITED
    assert relation_of((Edit.MIRRORED, Edit.CROPPED)) is Relation.PARTIAL
    assert relation_of((Edit.PASTED,)) is Relation.PARTIAL


def test_the_best_verdict_among_candidates_is_the_pictures() -> None:
    other = dataclasses.replace(JUDGEMENT, verdict=Verdict.SAME_PRODUCT, reasons=("pixels_disagree",))
    doubt = dataclasses.replace(JUDGEMENT, verdict=Verdict.INCONCLUSIVE, reasons=("too_plain",))
    assert conclude([]) == (Verdict.NO_MATCH, ("no_candidate",))
    assert conclude([], unread=1) == (Verdict.INCONCLUSIVE, ("reference_damaged",))
    assert conclude([other]) == (Verdict.SAME_PRODUCT, ("pixels_disagree",))
    assert conclude([doubt, other]) == (Verdict.INCONCLUSIVE, ("too_plain",))
    assert conclude([JUDGEMENT, doubt, other]) == (Verdict.COPY, ("pixels_agree",))


def test_doubt_says_why() -> None:
    plain = reasons_of(Verdict.INCONCLUSIVE, {"textured_share": 0.01, "keypoints_query": 5.0})
    assert plain == (Reason.TOO_PLAIN, Reason.TOO_FEW_DETAILS)
    rich = {"textured_share": 0.8, "keypoints_query": 500.0, "keypoints_reference": 400.0, "agreeing_of_query": 0.5}
    assert reasons_of(Verdict.INCONCLUSIVE, rich) == (Reason.CONFLICTING_MEASUREMENTS,)
