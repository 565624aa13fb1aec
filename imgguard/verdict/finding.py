"""The finding: what one check concluded about one picture, and on what grounds.

Frozen and serializable, so that CLI, page, packet and benchmark show the same numbers. Nothing here knows owners:
a judgement names the content (by SHA-256) whose pixels were compared; rights are joined later.
"""

from dataclasses import dataclass
from enum import StrEnum

from imgguard.imaging.image import DeclaredTime

type Polygon = tuple[tuple[float, float], ...]
"""Corner points (x, y) in pixels of the upright full-resolution picture, origin top left."""

type Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
"""3x3 homography, maps reference pixels to query pixels (both upright, full resolution)."""


class Verdict(StrEnum):
    """What a check says of one picture, or of one pair."""

    COPY = "copy"
    SAME_PRODUCT = "same_product"
    NO_MATCH = "no_match"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class Relation(StrEnum):
    """How a copy relates to its reference."""

    IDENTICAL = "identical"  # the whole picture, nothing visibly changed
    EDITED = "edited"  # the whole picture or nearly, visibly changed
    PARTIAL = "partial"  # a part of the reference, or the reference as a part of another picture


class Strength(StrEnum):
    """Verbal scale of a likelihood ratio, after the ENFSI guideline for evaluative reporting (2015), section 2.4."""

    NONE = "none"
    WEAK = "weak"
    MODERATE = "moderate"
    MODERATELY_STRONG = "moderately_strong"
    STRONG = "strong"
    VERY_STRONG = "very_strong"
    EXTREMELY_STRONG = "extremely_strong"


class Edit(StrEnum):
    """Edits that can be named from the measurements."""

    CROPPED = "cropped"
    MIRRORED = "mirrored"
    ROTATED = "rotated"
    RESIZED = "resized"
    RECOLOURED = "recoloured"
    BLURRED = "blurred"
    OVERLAY = "overlay"  # text, watermark or sticker laid over the picture
    PASTED = "pasted"  # the reference is a part of another picture
    BACKGROUND_REPLACED = "background_replaced"
    BORDER_ADDED = "border_added"
    DISTORTED = "distorted"  # stretched, sheared or seen in perspective


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """Geometry of the match. ``rotation_degrees`` in (-180, 180], counter-clockwise; ``scale`` query/reference."""

    matrix: Matrix
    mirrored: bool
    rotation_degrees: float
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One candidate content, examined. Fields that do not apply are None.

    ``agreement`` is the median local correlation (-1..1) over the textured overlap; coverages are shares (0..1) of
    each picture's area that agree; ``hamming_distance`` is of PDQ (0..256), least over the query's 8 orientations.
    ``features`` are the calibration's inputs, kept so that a verdict can be re-derived.
    """

    content_sha256: str
    verdict: Verdict
    relation: Relation | None
    log10_likelihood_ratio: float
    strength: Strength
    reasons: tuple[str, ...]
    cosine_similarity: float
    hamming_distance: int | None
    inlier_count: int
    agreement: float | None
    query_coverage: float | None
    reference_coverage: float | None
    transform: Transform | None
    query_region: Polygon | None
    reference_region: Polygon | None
    edits: tuple[Edit, ...]
    features: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One picture, checked. ``judgements`` best first. Times in milliseconds; ``declared_times`` are the file's own."""

    query_sha256: str
    query_pixel_digest: str
    width: int
    height: int
    verdict: Verdict
    reasons: tuple[str, ...]
    judgements: tuple[Judgement, ...]
    profile: str
    weights_sha256: str
    query_weights_sha256: str
    calibration_sha256: str
    generation_id: str
    timings_ms: dict[str, float]
    declared_times: tuple[DeclaredTime, ...] = ()
