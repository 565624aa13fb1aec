"""One query put to the product, and everything the benchmark wants to know of the answer.

`pipeline.examine` runs unchanged: what it would not tell (the rank of candidates that are not examined, the ratio of
those that are examined and dropped) is overheard by the adapters it is handed.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from imgguard.bench.baselines import Baseline, baselines_of
from imgguard.bench.overlap import intersection_over_union
from imgguard.bench.runner import LIMITS, Task, World, embedder, name_of
from imgguard.fingerprint.fingerprint import ReferencePicture
from imgguard.imaging.decode import decode_bytes
from imgguard.imaging.image import DecodedImage
from imgguard.index.base import Vectors
from imgguard.index.fusion import FusedHit
from imgguard.pipeline import PROFILES, Tools, examine
from imgguard.verdict.calibration import Calibration
from imgguard.verdict.finding import Judgement, Verdict

CERTAIN = 99.0
"""Uncapped log10 ratio of identical bytes or pixels, which no measurement decides."""
NEVER = -99.0
"""That of a reference which was not examined, or could not be aligned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One query and the answer. Ratios are log10.

    ``score`` is the ratio before the cap (it ranks, the capped one is what is shown), of the true reference for a
    positive query, else the highest; ``other_*`` the highest over all other references. ``rank`` is the true
    reference's place (from 0) among all references by fused cosine; ``examined`` says whether pixels were compared.
    ``iou`` is of the outlined region, where a copy was reported.
    """

    query: str
    edit: str
    set: str
    group: str
    profile: str
    verdict: str
    true_verdict: str | None
    rank: int | None
    examined: bool
    ratio: float
    score: float
    nearest: str | None
    other_ratio: float
    other_score: float
    other: str | None
    iou: float | None
    named: tuple[str, ...]
    baselines: Mapping[str, Baseline]
    seconds: float

    @property
    def positive(self) -> bool:
        return self.edit != "negative"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Overheard(Calibration):
    """A calibration that remembers what it answered, before the cap."""

    heard: list[float] = field(default_factory=list)

    def log10_likelihood_ratio(self, features: Mapping[str, float]) -> float:
        uncapped = replace(self, cap=np.inf)
        self.heard.append(Calibration.log10_likelihood_ratio(uncapped, features))
        return Calibration.log10_likelihood_ratio(self, features)


class _InProcess:
    """A `Decoder` without a sandbox: the benchmark's own files need none, and its processes are busy already."""

    def decode(self, data: bytes) -> DecodedImage:
        return decode_bytes(data, LIMITS)

    def close(self) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examined:
    """What came of one candidate; ``judgement`` None where the product drops it."""

    ratio: float
    score: float
    judgement: Judgement | None


class _Listener:
    """Index, library and the spreading of candidates, as `Tools` takes them, with an ear on each."""

    def __init__(self, world: World, calibration: Calibration) -> None:
        self._world = world
        inherited = {part.name: getattr(calibration, part.name) for part in fields(calibration)}
        self.calibration = _Overheard(**inherited)
        self.order: list[int] = []
        self.examined: dict[int, _Examined] = {}
        self._loaded = -1

    def search(self, views: Vectors, limit: int) -> list[FusedHit]:
        hits = self._world.search(views, len(self._world.references))
        self.order = [hit.number for hit in hits]
        return hits[:limit]

    def identical(self, sha256: str, pixel_digest: str) -> Sequence[int]:
        return self._world.identical(sha256, pixel_digest)

    def load(self, number: int) -> ReferencePicture:
        self._loaded = number
        return self._world.load(number)

    def spread[T](self, work: Callable[[T], Judgement | None], candidates: Sequence[T]) -> Iterator[Judgement | None]:
        """One after the other; which candidate it is shows in what ``work`` loads."""
        for candidate in candidates:
            self.calibration.heard.clear()
            judgement = work(candidate)
            self.examined[self._loaded] = self._result(judgement)
            yield judgement

    def _result(self, judgement: Judgement | None) -> _Examined:
        cap, heard = self.calibration.cap, self.calibration.heard
        if heard:
            ratio = float(np.clip(heard[-1], -cap, cap))
            return _Examined(ratio=ratio, score=heard[-1], judgement=judgement)
        if judgement is not None and judgement.verdict is Verdict.COPY:  # identical: nothing had to be measured
            return _Examined(ratio=cap, score=CERTAIN, judgement=judgement)
        # Not aligned, therefore not measured.
        ratio = self.calibration.unaligned if judgement is None else judgement.log10_likelihood_ratio
        return _Examined(ratio=ratio, score=NEVER, judgement=judgement)


def ask(world: World, task: Task, *, profile: str, calibration: Calibration, baselines: bool) -> Trial | None:
    """Put ``task`` to the product; None where its edit does not apply. ``baselines``: score the simple methods too."""
    rendered = task.rendered()
    if rendered is None:
        return None
    data, region = rendered
    listener = _Listener(world, calibration)
    query_embedder = embedder("sscd_distilled")
    tools = Tools(
        decoder=_InProcess(),
        embedder=query_embedder,
        index=listener,
        library=listener,
        calibration=listener.calibration,
        weights_sha256=embedder("sscd").weights.sha256,
        generation_id="benchmark",
        spread=listener.spread,
    )
    start = time.perf_counter()
    finding = examine(data, tools, PROFILES[profile])
    seconds = time.perf_counter() - start
    truth = world.numbers[task.item.name] if task.spec else None
    answer = _answer(world, listener, truth, region)
    simple = baselines_of(decode_bytes(data, LIMITS), world, truth) if baselines else {}
    return replace(
        answer,
        query=name_of(task),
        edit=task.edit,
        set=task.item.set,
        group=task.item.group,
        profile=profile,
        verdict=finding.verdict.value,
        baselines=simple,
        seconds=round(seconds, 3),
    )


def _answer(world: World, listener: _Listener, truth: int | None, region: NDArray[np.float64] | None) -> Trial:
    nothing = _Examined(ratio=-listener.calibration.cap, score=NEVER, judgement=None)
    twins = world.twins(truth) if truth is not None else frozenset[int]()
    others = {number: found for number, found in listener.examined.items() if number not in twins}
    best = max(others, key=lambda number: others[number].score, default=None)
    other = others[best] if best is not None else nothing
    other_name = world.references[best].item.name if best is not None else None
    true = other if truth is None else listener.examined.get(truth, nothing)
    judgement = true.judgement if truth is not None else None
    is_copy = judgement is not None and judgement.verdict is Verdict.COPY
    return Trial(
        query="",
        edit="",
        set="",
        group="",
        profile="",
        verdict="",
        true_verdict=judgement.verdict.value if judgement else None,
        rank=listener.order.index(truth) if truth is not None else None,
        examined=truth in listener.examined,
        ratio=true.ratio,
        score=true.score,
        nearest=other_name if truth is None else None,
        other_ratio=other.ratio,
        other_score=other.score,
        other=other_name,
        iou=_iou(judgement, region) if is_copy else None,
        named=tuple(edit.value for edit in judgement.edits) if judgement is not None and is_copy else (),
        baselines={},
        seconds=0.0,
    )


def _iou(judgement: Judgement | None, region: NDArray[np.float64] | None) -> float | None:
    """With the generator's truth; a copy that is reported without any region has an overlap of 0."""
    if judgement is None or region is None:
        return None
    return round(intersection_over_union(judgement.query_region or (), region), 4)
