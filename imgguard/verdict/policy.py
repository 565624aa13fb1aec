"""From a likelihood ratio to words: verdict, relation, strength, reasons. The only place where thresholds decide."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from imgguard.verdict.calibration import Calibration
from imgguard.verdict.finding import Edit, Judgement, Relation, Strength, Verdict

# Another photograph is worth listing when it looks very much alike, or alike and the same things are found in both.
# Half of all second photographs of a product are above .6, and one in six photographs of other garments by one seller.
_ALIKE = 0.6
_SOMEWHAT_ALIKE = 0.4
_COMMON_KEYPOINTS = 15
_FEW_KEYPOINTS = 30
_LITTLE_TEXTURE = 0.06  # share of the overlap with any texture
_SMALL = 0.02  # share of the query's area

_SCALE = ((0.3, Strength.NONE), (1.0, Strength.WEAK), (2.0, Strength.MODERATE), (3.0, Strength.MODERATELY_STRONG))
_HIGH = ((4.0, Strength.STRONG), (6.0, Strength.VERY_STRONG))


class Reason(StrEnum):
    """Grounds of a verdict, as stable codes; `imgguard.evidence.wording` has the sentences."""

    IDENTICAL_BYTES = "identical_bytes"
    IDENTICAL_PIXELS = "identical_pixels"
    PIXELS_AGREE = "pixels_agree"
    PIXELS_DISAGREE = "pixels_disagree"
    GEOMETRY_CONSISTENT = "geometry_consistent"
    GEOMETRY_INCONSISTENT = "geometry_inconsistent"
    NOT_ALIGNED = "not_aligned"
    SAME_SCENE_MOVED = "same_scene_moved"
    SMALL_REGION = "small_region"
    TOO_PLAIN = "too_plain"
    TOO_FEW_DETAILS = "too_few_details"
    CONFLICTING_MEASUREMENTS = "conflicting_measurements"
    NO_CANDIDATE = "no_candidate"
    REFERENCE_DAMAGED = "reference_damaged"


def strength_of(log10_likelihood_ratio: float) -> Strength:
    """Verbal equivalent of the ratio's size, in either direction."""
    size = abs(log10_likelihood_ratio)
    for limit, strength in _SCALE + _HIGH:
        if size < limit:
            return strength
    return Strength.EXTREMELY_STRONG


def worth_listing(cosine_similarity: float, features: Mapping[str, float]) -> bool:
    """Whether a candidate that is no copy is shown as (likely) the same product, or as too plain to tell."""
    if cosine_similarity >= _ALIKE:
        return True
    common = features.get("consistent_count", 0.0) >= _COMMON_KEYPOINTS
    return cosine_similarity >= _SOMEWHAT_ALIKE and (common or few_details(features))


def few_details(features: Mapping[str, float]) -> bool:
    """Whether both pictures are so plain that a failure to lay one over the other says nothing."""
    return max(features.get("keypoints_query", 0.0), features.get("keypoints_reference", 0.0)) < _FEW_KEYPOINTS


def verdict_of(log10_likelihood_ratio: float, calibration: Calibration) -> Verdict:
    """Copy, same product, or neither for sure."""
    if log10_likelihood_ratio >= calibration.copy_threshold:
        return Verdict.COPY
    if log10_likelihood_ratio <= calibration.reject_threshold:
        return Verdict.SAME_PRODUCT
    return Verdict.INCONCLUSIVE


def relation_of(edits: Sequence[Edit]) -> Relation:
    """How a copy relates to its reference, by its edits."""
    if {Edit.CROPPED, Edit.PASTED, Edit.BACKGROUND_REPLACED} & set(edits):
        return Relation.PARTIAL
    return Relation.EDITED if set(edits) - {Edit.RESIZED} else Relation.IDENTICAL


def reasons_without_alignment(verdict: Verdict) -> tuple[str, ...]:
    """Where one picture could not be laid over the other: nothing was compared pixel by pixel."""
    if verdict is Verdict.COPY:  # of identical files or pixels: the reason is named already
        return ()
    return (Reason.TOO_PLAIN.value if verdict is Verdict.INCONCLUSIVE else Reason.NOT_ALIGNED.value,)


def reasons_of(verdict: Verdict, features: Mapping[str, float]) -> tuple[str, ...]:
    """The measurements on the aligned pictures that carry the verdict, most important first."""
    reasons: list[Reason] = []
    correlation = features.get("correlation_median", 0.0)
    plain = features.get("textured_share", 0.0) < _LITTLE_TEXTURE
    few = min(features.get("keypoints_query", 0.0), features.get("keypoints_reference", 0.0)) < _FEW_KEYPOINTS
    fits = features.get("consistent_count", 0.0) >= 12
    moved = features.get("flow_median", 9.0) > 0.6
    if verdict is Verdict.COPY:
        reasons.append(Reason.PIXELS_AGREE)
        if fits:
            reasons.append(Reason.GEOMETRY_CONSISTENT)
        if features.get("agreeing_of_query", 1.0) < _SMALL:
            reasons.append(Reason.SMALL_REGION)
    elif verdict is Verdict.SAME_PRODUCT:
        if correlation > 0.5 and moved:
            reasons.append(Reason.SAME_SCENE_MOVED)
        reasons.append(Reason.PIXELS_DISAGREE)
        if not fits:
            reasons.append(Reason.GEOMETRY_INCONSISTENT)
    else:
        if plain:
            reasons.append(Reason.TOO_PLAIN)
        if few:
            reasons.append(Reason.TOO_FEW_DETAILS)
        if features.get("agreeing_of_query", 1.0) < _SMALL:
            reasons.append(Reason.SMALL_REGION)
        if not reasons:
            reasons.append(Reason.CONFLICTING_MEASUREMENTS)
    return tuple(reason.value for reason in reasons)


def conclude(judgements: Sequence[Judgement], *, unread: int = 0) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict on the picture as a whole, from those on its candidates (best first).

    ``unread`` candidates could not be compared, because what is stored of them is damaged.
    """
    damaged = (Reason.REFERENCE_DAMAGED.value,) if unread else ()
    if not judgements and unread:
        return Verdict.INCONCLUSIVE, damaged
    if not judgements:
        return Verdict.NO_MATCH, (Reason.NO_CANDIDATE.value,)
    weight = {Verdict.COPY: 0, Verdict.INCONCLUSIVE: 1, Verdict.SAME_PRODUCT: 2}
    gravest = min(judgements, key=lambda judgement: weight[judgement.verdict])
    return gravest.verdict, gravest.reasons + damaged
