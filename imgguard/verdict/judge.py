"""One examined candidate, judged: measurements in, judgement with its grounds out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgguard.fingerprint.fingerprint import ReferencePicture
from imgguard.fingerprint.perceptual import PdqHashes, hamming_distance
from imgguard.imaging.image import DecodedImage
from imgguard.imaging.views import View
from imgguard.verdict.calibration import Calibration
from imgguard.verdict.edits import Seen, named_edits
from imgguard.verdict.finding import Edit, Judgement, Matrix, Polygon, Transform, Verdict
from imgguard.verdict.policy import (
    Reason,
    few_details,
    reasons_of,
    reasons_without_alignment,
    relation_of,
    strength_of,
    verdict_of,
    worth_listing,
)
from imgguard.verify.examination import Examination, QueryPicture
from imgguard.verify.geometry import Homography, area, decompose, normalised, scaling
from imgguard.verify.regions import Regions, locate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What the earlier stages know of the query and of how the candidate was found."""

    image: DecodedImage
    hashes: PdqHashes
    cosine_similarity: float
    view: View


def features_of(evidence: Evidence, examined: Examination, *, distance: int, quality: int) -> dict[str, float]:
    """Everything measured on a pair, by name: what the calibration reads. ``distance`` and ``quality`` are PDQ's."""
    return {
        **examined.features,
        "cosine_similarity": evidence.cosine_similarity,
        "hamming_distance": float(distance),
        "hash_quality": float(min(evidence.hashes.quality, quality)),
        "view_whole": float(evidence.view.kind == "whole"),
    }


def judge(
    evidence: Evidence,
    query: QueryPicture,
    reference: ReferencePicture,
    examined: Examination,
    calibration: Calibration,
) -> Judgement | None:
    """The judgement, or None where the candidate is neither a copy nor similar enough to be worth a line."""
    distance = hamming_distance(evidence.hashes, reference.pdq)
    features = features_of(evidence, examined, distance=distance, quality=reference.pdq_quality)
    aligned, identical = examined.matrix is not None, _identical(evidence.image, reference)
    if identical:
        ratio = calibration.cap
    elif aligned:
        ratio = calibration.log10_likelihood_ratio(features)
    else:
        ratio = 0.0 if few_details(features) else calibration.unaligned
    verdict = verdict_of(ratio, calibration)
    listed = verdict is Verdict.COPY or (aligned and verdict is Verdict.INCONCLUSIVE)
    if not listed and not worth_listing(evidence.cosine_similarity, features):
        return None
    where = _where(evidence, query, reference, examined) if aligned else None
    copied = verdict in (Verdict.COPY, Verdict.INCONCLUSIVE) and where is not None
    is_copy = verdict is Verdict.COPY and not identical
    edits = _edits(query, reference, examined, where) if is_copy and where is not None else ()
    reasons = reasons_of(verdict, features) if aligned else reasons_without_alignment(verdict)
    if identical:
        reasons = (identical.value, *reasons)
    return Judgement(
        content_sha256=reference.content_sha256,
        verdict=verdict,
        relation=relation_of(edits) if verdict is Verdict.COPY else None,
        log10_likelihood_ratio=round(ratio, 3),
        strength=strength_of(ratio),
        reasons=reasons,
        cosine_similarity=round(evidence.cosine_similarity, 4),
        hamming_distance=distance,
        inlier_count=int(features.get("inlier_count", 0)),
        agreement=_rounded(features.get("correlation_median")),
        query_coverage=_rounded(features.get("agreeing_of_query")),
        reference_coverage=_rounded(features.get("agreeing_of_reference")),
        transform=where.transform if copied and where else None,
        query_region=_polygon(where.regions.query) if copied and where else None,
        reference_region=_polygon(where.regions.reference) if copied and where else None,
        edits=edits,
        features={name: round(value, 5) for name, value in features.items()},
    )


def _identical(image: DecodedImage, reference: ReferencePicture) -> Reason | None:
    """What of the two files is the very same, if anything."""
    if image.sha256 == reference.content_sha256:
        return Reason.IDENTICAL_BYTES
    return Reason.IDENTICAL_PIXELS if image.pixel_digest == reference.pixel_digest else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Where:
    """Geometry in full-resolution pixels; shares (0..1) of each picture's area that the regions take."""

    matrix: Homography
    transform: Transform
    regions: Regions
    share_of_query: float
    share_of_reference: float


def _where(
    evidence: Evidence, query: QueryPicture, reference: ReferencePicture, examined: Examination
) -> _Where | None:
    if examined.matrix is None or examined.pair is None or examined.found is None:
        return None
    width, height = reference.width, reference.height
    small = reference.working.shape[1], reference.working.shape[0]
    up = scaling(evidence.image.width / query.size[0], evidence.image.height / query.size[1])
    down = scaling(small[0] / width, small[1] / height)
    full = normalised(up @ examined.matrix @ down)
    if full is None:
        return None
    found = locate(examined.matrix, examined.pair, examined.found, query=query.size, reference=small)
    regions = Regions(
        query=found.query * np.diag(up)[:2], reference=found.reference / np.diag(down)[:2], outline=found.outline
    )
    shape = decompose(full, width, height)
    rows: Matrix = tuple(tuple(float(v) for v in row) for row in full)  # type: ignore[assignment]
    return _Where(
        matrix=full,
        transform=Transform(
            matrix=rows,
            mirrored=shape.mirrored,
            rotation_degrees=round(shape.rotation_degrees, 3),
            scale=round(shape.scale, 5),
        ),
        regions=regions,
        share_of_query=area(regions.query) / (evidence.image.width * evidence.image.height),
        share_of_reference=area(regions.reference) / (width * height),
    )


def _polygon(points: NDArray[np.float64]) -> Polygon | None:
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in points) if len(points) >= 3 else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _edits(query: QueryPicture, reference: ReferencePicture, examined: Examination, where: _Where) -> tuple[Edit, ...]:
    assert examined.matrix is not None
    assert examined.pair is not None
    assert examined.found is not None
    height, width = query.working.shape[:2]
    grow = scaling(width / query.size[0], height / query.size[1])
    pair = examined.pair
    to_patch = normalised(pair.to_patch @ np.linalg.inv(grow))
    matrix = normalised(grow @ examined.matrix)
    if to_patch is None or matrix is None:
        return ()
    shape = decompose(where.matrix, reference.width, reference.height)
    return named_edits(
        Seen(
            shape=shape,
            scale=shape.scale,
            share_of_query=where.share_of_query,
            share_of_reference=where.share_of_reference,
            outline=where.regions.outline,
            blur=examined.features.get("blur", 0.0),
            pair=pair,
            found=examined.found,
            query=query.working,
            reference=reference.working,
            matrix=matrix,
        )
    )
