"""From judgements about pixels to matches with names: here rights join vision."""

from collections.abc import Iterable, Iterator

from imgguard.ports import Catalogue
from imgguard.registry.records import Reference
from imgguard.services.contract import Match, TransformObject
from imgguard.verdict.finding import Judgement


def match_of(judgement: Judgement, reference: Reference | None, *, file: str | None = None) -> Match:
    """One judgement in the form of the contract, for one reference of the judged content."""
    transform = judgement.transform
    return Match.model_validate(
        {
            "reference_id": reference.reference_id if reference else None,
            "file": reference.file if reference else file,
            "owner": reference.owner if reference else None,
            "verdict": judgement.verdict,
            "relation": judgement.relation,
            "log10_likelihood_ratio": judgement.log10_likelihood_ratio,
            "strength": judgement.strength,
            "reasons": judgement.reasons,
            "cosine_similarity": judgement.cosine_similarity,
            "hamming_distance": judgement.hamming_distance,
            "inlier_count": judgement.inlier_count,
            "agreement": judgement.agreement,
            "query_coverage": judgement.query_coverage,
            "reference_coverage": judgement.reference_coverage,
            "transform": transform
            and TransformObject(
                matrix=transform.matrix,
                mirrored=transform.mirrored,
                rotation_degrees=transform.rotation_degrees,
                scale=transform.scale,
            ),
            "query_region": judgement.query_region,
            "reference_region": judgement.reference_region,
            "edits": judgement.edits,
            "evidence": None,
        }
    )


def expanded(
    judgements: Iterable[Judgement], catalogue: Catalogue, *, without: str | None = None
) -> Iterator[tuple[Judgement, Reference]]:
    """Each judgement with each active reference of its content: one content may be registered by several owners.

    ``without`` is a reference id that is left out. A content whose references were withdrawn meanwhile gives nothing.
    """
    for judgement in judgements:
        for reference in catalogue.references_of(judgement.content_sha256):
            if reference.reference_id != without:
                yield judgement, reference
