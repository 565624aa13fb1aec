"""The one computation of this product: decode -> views -> search -> verify -> judge -> Finding.

Shared by command line, service, worker and benchmark. Knows pixels, not owners.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from imgguard.fingerprint.embedding import Embedder
from imgguard.fingerprint.fingerprint import ReferencePicture
from imgguard.fingerprint.perceptual import PdqHashes, pdq
from imgguard.imaging.image import DecodedImage, Decoder
from imgguard.imaging.views import View, cut, views_of
from imgguard.index.base import Vectors
from imgguard.index.fusion import FusedHit
from imgguard.verdict.calibration import Calibration
from imgguard.verdict.finding import Finding, Judgement
from imgguard.verdict.judge import Evidence, judge
from imgguard.verdict.policy import conclude
from imgguard.verify.examination import QueryPicture, examine_pair

SURE = 0.6  # cosine similarity of near copies and of the very same product: worth every means of alignment
# Pixels a view is squeezed to. On 14 copies of each edit of the fitting half the reference was among the first ten for
# .9985 of them at 192 as at 224, for .9956 at 160; 288 costs twice as much.
VIEW_SIDE = 192


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How hard a check looks.

    ``gate``: cosine similarity below which a candidate is not worth a pixel comparison; ``closer``: how many of the
    best candidates get the dear means of alignment (all those above ``SURE`` do).
    """

    name: str
    thorough_views: bool
    candidates: int
    gate: float
    closer: int


PROFILES = {
    "quick": Profile(name="quick", thorough_views=False, candidates=4, gate=0.30, closer=0),
    "thorough": Profile(name="thorough", thorough_views=True, candidates=10, gate=0.20, closer=3),
}


class CandidateIndex(Protocol):
    """Finds the stored contents nearest to any of the views."""

    def search(self, views: Vectors, limit: int) -> list[FusedHit]: ...


class Library(Protocol):
    """Stored descriptors. ``load`` gives those of a content, None when it was removed since the search; ``identical``
    the numbers of searchable contents with the same bytes or the same pixels."""

    def load(self, number: int) -> ReferencePicture | None: ...

    def identical(self, sha256: str, pixel_digest: str) -> Sequence[int]: ...


type Ranked = tuple[int, FusedHit]
type Spread = Callable[[Callable[[Ranked], Judgement | None], Sequence[Ranked]], Iterator[Judgement | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What an examination works with. ``spread`` maps a function over candidates, maybe on several cores."""

    decoder: Decoder
    embedder: Embedder
    index: CandidateIndex
    library: Library
    calibration: Calibration
    weights_sha256: str
    generation_id: str
    spread: Spread = map


class Stopwatch:
    """Milliseconds per stage."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {"decode": 0.0, "fingerprint": 0.0, "search": 0.0, "verify": 0.0, "total": 0.0}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - start) * 1000
            self.timings[name] += spent
            self.timings["total"] += spent


def examine(data: bytes, tools: Tools, profile: Profile) -> Finding:
    """Check one file against everything registered. Raises InputError when it cannot be decoded."""
    watch = Stopwatch()
    with watch.stage("decode"):
        image = tools.decoder.decode(data)
    with watch.stage("fingerprint"):
        views = views_of(image.working, thorough=profile.thorough_views)
        vectors = tools.embedder.embed([cut(image.working, view) for view in views], side=VIEW_SIDE)
        hashes = pdq(image.working)
    with watch.stage("search"):
        hits = candidates(image, tools, vectors, profile.candidates)
    with watch.stage("verify"):
        judgements = verify_candidates(image, hashes, views, hits, tools, profile)
    verdict, reasons = conclude(judgements)
    return Finding(
        query_sha256=image.sha256,
        query_pixel_digest=image.pixel_digest,
        width=image.width,
        height=image.height,
        verdict=verdict,
        reasons=reasons,
        judgements=judgements,
        profile=profile.name,
        weights_sha256=tools.weights_sha256,
        query_weights_sha256=tools.embedder.weights.sha256,
        calibration_sha256=tools.calibration.sha256,
        generation_id=tools.generation_id,
        timings_ms={stage: round(spent, 2) for stage, spent in watch.timings.items()},
        declared_times=image.declared_times,
    )


def candidates(image: DecodedImage, tools: Tools, vectors: Vectors, limit: int) -> list[FusedHit]:
    """The ``limit`` nearest contents, and all identical ones, which a plain picture's embedding need not find."""
    same = [
        FusedHit(number=number, cosine_similarity=1.0, view=0)
        for number in tools.library.identical(image.sha256, image.pixel_digest)
    ]
    known = {hit.number for hit in same}
    return same + [hit for hit in tools.index.search(vectors, limit) if hit.number not in known]


def verify_candidates(
    image: DecodedImage,
    hashes: PdqHashes,
    views: Sequence[View],
    hits: Sequence[FusedHit],
    tools: Tools,
    profile: Profile,
) -> tuple[Judgement, ...]:
    """Candidates worth it, compared pixel by pixel and judged, best first."""
    query = QueryPicture(image.working)

    def one(ranked: tuple[int, FusedHit]) -> Judgement | None:
        rank, hit = ranked
        reference = tools.library.load(hit.number)
        if reference is None:
            return None
        view = views[hit.view]
        windows = [view.window] if view.kind != "whole" else []
        closer = rank < profile.closer or hit.cosine_similarity >= SURE
        examined = examine_pair(query, reference, windows=windows, closer=closer)
        evidence = Evidence(image=image, hashes=hashes, cosine_similarity=hit.cosine_similarity, view=view)
        return judge(evidence, query, reference, examined, tools.calibration)

    worthy = [(rank, hit) for rank, hit in enumerate(hits) if hit.cosine_similarity >= profile.gate]
    judged = [judgement for judgement in tools.spread(one, worthy) if judgement is not None]
    judged.sort(key=lambda judgement: (-judgement.log10_likelihood_ratio, -judgement.cosine_similarity))
    return tuple(judged)
