"""Runs many queries through the product's own pipeline, in several processes, against an index held in memory.

    world = build_world(items, workers=2)
    for record in run(world, tasks, workers=2, work=measure): ...

References are decoded, described and read back exactly as registration does it; only the database is left out.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from imgguard.bench.dataset import Item, QuerySpec
from imgguard.fingerprint.describe import describe, reference_picture
from imgguard.fingerprint.embedding import Embedder
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, ReferencePicture
from imgguard.fingerprint.perceptual import hamming_distance, pdq
from imgguard.fingerprint.weights import packaged_weights
from imgguard.imaging.decode import decode_bytes
from imgguard.imaging.image import DecodeLimits
from imgguard.imaging.views import cut, views_of
from imgguard.index.base import Vectors
from imgguard.index.fusion import FusedHit
from imgguard.pipeline import VIEW_SIDE
from imgguard.verdict.judge import Evidence, features_of
from imgguard.verify.examination import QueryPicture, examine_pair

LIMITS = DecodeLimits()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registered:
    """One registered reference with its stored descriptors."""

    item: Item
    sha256: str
    pixel_digest: str
    width: int
    height: int
    descriptors: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """Everything registered. ``vectors`` float32 (n, 512), in the order of ``references``. Numbers start at 0."""

    references: tuple[Registered, ...]
    vectors: Vectors
    numbers: dict[str, int] = field(default_factory=dict)

    def search(self, views: Vectors, limit: int) -> list[FusedHit]:
        """Exact search, as `CandidateIndex`."""
        similarity = views @ self.vectors.T
        best, view = similarity.max(axis=0), similarity.argmax(axis=0)
        order = np.argsort(-best, kind="stable")[:limit]
        return [FusedHit(number=int(n), cosine_similarity=float(best[n]), view=int(view[n])) for n in order]

    def descriptor(self, number: int, kind: DescriptorKind) -> bytes:
        """One stored descriptor of a reference."""
        return next(found.data for found in self.references[number].descriptors if found.kind is kind)

    def twins(self, number: int) -> frozenset[int]:
        """A reference and all others of the very same pixels: to name one of them instead is no mistake."""
        digest = self.references[number].pixel_digest
        return frozenset(other for other, found in enumerate(self.references) if found.pixel_digest == digest)

    def identical(self, sha256: str, pixel_digest: str) -> Sequence[int]:
        """As `Library`."""
        same = (found.sha256 == sha256 or found.pixel_digest == pixel_digest for found in self.references)
        return [number for number, is_same in enumerate(same) if is_same]

    def load(self, number: int) -> ReferencePicture:
        """As `Library`."""
        found = self.references[number]
        return reference_picture(
            found.descriptors,
            sha256=found.sha256,
            pixel_digest=found.pixel_digest,
            width=found.width,
            height=found.height,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One query: a positive ``spec``, or a negative ``item``."""

    spec: QuerySpec | None
    item: Item

    @property
    def edit(self) -> str:
        return self.spec.edit if self.spec else "negative"

    def data(self) -> bytes | None:
        """The file to check; None where the edit does not apply to the picture."""
        rendered = self.rendered()
        return rendered[0] if rendered else None

    def rendered(self) -> tuple[bytes, NDArray[np.float64] | None] | None:
        """The file, and for a copy the polygon (n, 2) in its pixels that shows the reference; None as in ``data``."""
        if self.spec is None:
            return self.item.path.read_bytes(), None
        query = self.spec.render()
        return (query.data, query.edited.region) if query else None


@cache
def embedder(name: str, threads: int = 1) -> Embedder:
    """One session per process."""
    return Embedder(packaged_weights(name), threads=threads)


def _describe(item: Item) -> Registered:
    image = decode_bytes(item.path.read_bytes(), LIMITS)
    return Registered(
        item=item,
        sha256=image.sha256,
        pixel_digest=image.pixel_digest,
        width=image.width,
        height=image.height,
        descriptors=tuple(describe(image, embedder("sscd"))),
    )


def build_world(items: Sequence[Item], *, workers: int) -> World:
    """Register ``items``; in this process when ``workers`` is 1.

    Others are forked: call this before anything here has started threads (an inference, a picture operation).
    """
    if workers == 1:
        return world_of([_describe(item) for item in items])
    with multiprocessing.get_context("fork").Pool(workers, _one_thread) as pool:
        return world_of(list(pool.imap(_describe, items, chunksize=16)))


def world_of(references: Sequence[Registered]) -> World:
    """The index over references that were described."""
    return World(
        references=tuple(references),
        vectors=np.stack([_embedding(found) for found in references]),
        numbers={found.item.name: number for number, found in enumerate(references)},
    )


def _embedding(found: Registered) -> NDArray[np.float32]:
    data = next(d.data for d in found.descriptors if d.kind is DescriptorKind.EMBEDDING)
    return np.frombuffer(data, "<f4").astype(np.float32)


def _one_thread() -> None:
    cv2.setNumThreads(1)


_world: World | None = None
_work: Callable[[World, Task], Any] | None = None


def _call(task: Task) -> Any:
    assert _world is not None
    assert _work is not None
    return _work(_world, task)


def run[T](world: World, tasks: Sequence[Task], *, workers: int, work: Callable[[World, Task], T]) -> Iterator[T]:
    """``work`` on every task, in order; the processes inherit ``world`` instead of copying it."""
    global _world, _work
    _world, _work = world, work
    with multiprocessing.get_context("fork").Pool(workers, _one_thread) as pool:
        yield from pool.imap(_call, tasks, chunksize=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One examined pair: the calibration's input, and the truth. ``same``: the query was made from the reference."""

    query: str
    edit: str
    group: str
    set: str
    reference: str
    same: bool
    rank: int
    seconds: float
    features: dict[str, float]


def measure(world: World, task: Task, *, most: int = 2, sisters: int = 8) -> list[Row]:
    """Pairs of one query, measured without any verdict: its ``most`` nearest candidates, the true one where there is
    one, and for a second photograph up to ``sisters`` more of the same product, the hardest of all to tell apart."""
    data = task.data()
    if data is None:
        return []
    image = decode_bytes(data, LIMITS)
    views = views_of(image.working, thorough=True)
    vectors = embedder("sscd_distilled").embed([cut(image.working, view) for view in views], side=VIEW_SIDE)
    hits = world.search(vectors, len(world.references))
    truth = world.numbers[task.item.name] if task.spec else -1
    chosen = [(rank, hit) for rank, hit in enumerate(hits) if rank < most or hit.number == truth]
    if task.spec is None and task.item.set != "clothing":
        groups = [
            (rank, hit) for rank, hit in enumerate(hits) if rank >= most and _group(world, hit) == task.item.group
        ]
        chosen += groups[:sisters]
    hashes, query = pdq(image.working), QueryPicture(image.working)
    rows = []
    for rank, hit in chosen:
        start = time.perf_counter()
        reference, view = world.load(hit.number), views[hit.view]
        windows = [view.window] if view.kind != "whole" else []
        examined = examine_pair(query, reference, windows=windows)
        evidence = Evidence(image=image, hashes=hashes, cosine_similarity=hit.cosine_similarity, view=view)
        distance = hamming_distance(hashes, reference.pdq)
        rows.append(
            Row(
                query=name_of(task),
                edit=task.edit,
                group=task.item.group,
                set=task.item.set,
                reference=world.references[hit.number].item.name,
                same=hit.number == truth,
                rank=rank,
                seconds=time.perf_counter() - start,
                features=features_of(evidence, examined, distance=distance, quality=reference.pdq_quality),
            )
        )
    return rows


def _group(world: World, hit: FusedHit) -> str:
    return world.references[hit.number].item.group


def name_of(task: Task) -> str:
    """Of a query: its picture, and for a copy the edit and its number."""
    return f"{task.item.name}|{task.edit}|{task.spec.number}" if task.spec else task.item.name
