"""Search time, memory and recall of the product's index with many references: real embeddings, then synthetic ones."""

import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgguard.bench import dataset
from imgguard.bench.accuracy import CACHE, say
from imgguard.bench.cache import world_for
from imgguard.bench.edits import EDITS
from imgguard.bench.edits.picture import decoded
from imgguard.bench.runner import Task, embedder
from imgguard.bench.sampling import SEED
from imgguard.bench.synthetic import Generator, resemblance
from imgguard.bench.watching import resident_bytes
from imgguard.imaging.views import cut, views_of
from imgguard.index.base import Vectors
from imgguard.index.faiss_index import FaissIndex
from imgguard.pipeline import PROFILES, VIEW_SIDE

SIZES = (10_000, 100_000)
FULL_SIZES = (*SIZES, 1_000_000)
TOP = 10
_QUERIES = 60
_REPEATS = 3
_ADDED = 4_096  # vectors a call, as a rebuild would


def fetched() -> int:
    """Hits a view that the product asks its index for: a few more than it examines, as `LiveIndex` does."""
    limit = PROFILES["thorough"].candidates
    return limit + max(4, limit // 2)


def measure_scale(sizes: Sequence[int], *, workers: int, thin: int = 1) -> dict[str, Any]:
    """Figures for an index that grows through ``sizes``."""
    items = list(dataset.references())[::thin]
    real = world_for(items, folder=CACHE, workers=workers).vectors
    queries = _queries(items)
    generator = Generator.of(real, seed=SEED)
    before = resident_bytes(os.getpid())
    index, rows, held, spent = FaissIndex(real.shape[1]), [], 0, 0.0
    truth = _Exact(queries)
    stored = _stored(real, generator)
    for size in sorted(sizes):
        say(f"scale: {size} references")
        while held < size:
            block = next(stored)
            part = block[: size - held]
            spent += _add(index, part, held)
            truth.see(part, held)
            held += len(part)
            if len(part) < len(block):
                stored = _before(block[len(part) :], stored)
        start = time.perf_counter()
        index.compact()
        spent += time.perf_counter() - start
        row = {"references": size, "build_seconds": spent, **_searched(index, queries, truth)}
        rows.append(row | {"resident_growth_bytes": resident_bytes(os.getpid()) - before})
    likeness = resemblance(real, generator.block(0))
    return {"rows": rows, "queries": len(queries), "real": len(real), "fetched": fetched(), "resemblance": likeness}


def _before(block: Vectors, rest: Iterator[Vectors]) -> Iterator[Vectors]:
    yield block
    yield from rest


def _stored(real: Vectors, generator: Generator) -> Iterator[Vectors]:
    yield real
    yield from generator.vectors(2**31)


def _queries(items: Sequence[dataset.Item]) -> list[Vectors]:
    """The view vectors of real queries, one array (views, 512) each: copies by all edits in turn, and negatives."""
    names, half = list(EDITS), _QUERIES // 2
    specs = [
        dataset.QuerySpec(item=items[(n * 7) % len(items)], edit=names[(n * 5) % len(names)], number=n, seed=SEED)
        for n in range(half)
    ]
    negatives = dataset.negatives("test")[:: max(1, len(dataset.negatives("test")) // half)][:half]
    tasks = [Task(spec=spec, item=spec.item) for spec in specs] + [Task(spec=None, item=item) for item in negatives]
    vectors = []
    for task in tasks:
        data = task.data()
        if data is None:
            continue
        picture = decoded(data)
        views = views_of(picture, thorough=True)
        parts = [cut(picture, view) for view in views]
        vectors.append(embedder("sscd_distilled").embed(parts, side=VIEW_SIDE))
    return vectors


def _add(index: FaissIndex, vectors: Vectors, first: int) -> float:
    start = time.perf_counter()
    for offset in range(0, len(vectors), _ADDED):
        part = vectors[offset : offset + _ADDED]
        index.add(range(first + offset, first + offset + len(part)), part)
    return time.perf_counter() - start


class _Exact:
    """The true nearest stored vectors of every query's whole picture, by brute force over all that was added."""

    def __init__(self, queries: Sequence[Vectors]) -> None:
        self._wanted = np.stack([views[0] for views in queries])
        self._cosines = np.full((len(queries), TOP), -2.0, np.float32)
        self.numbers: NDArray[np.int64] = np.full((len(queries), TOP), -1, np.int64)

    def see(self, vectors: Vectors, first: int) -> None:
        """Take ``vectors``, stored under ``first`` and following, into account."""
        cosines = np.c_[self._cosines, self._wanted @ vectors.T]
        fresh = np.broadcast_to(np.arange(first, first + len(vectors)), (len(self._wanted), len(vectors)))
        numbers = np.c_[self.numbers, fresh]
        best = np.argpartition(-cosines, TOP - 1, axis=1)[:, :TOP]
        self._cosines = np.take_along_axis(cosines, best, axis=1)
        self.numbers = np.take_along_axis(numbers, best, axis=1)


def _searched(index: FaissIndex, queries: Sequence[Vectors], truth: _Exact) -> dict[str, Any]:
    single, every, strict, within = [], [], [], []
    for repeat in range(_REPEATS + 1):  # the first round warms up
        for views, nearest in zip(queries, truth.numbers, strict=True):
            start = time.perf_counter()
            (hits,) = index.search(views[:1], fetched())
            middle = time.perf_counter()
            index.search(views, fetched())
            end = time.perf_counter()
            if repeat:
                single.append((middle - start) * 1000)
                every.append((end - middle) * 1000)
                continue
            found = [hit.number for hit in hits]
            strict.append(len(set(found[:TOP]) & set(nearest.tolist())) / TOP)
            within.append(len(set(found) & set(nearest.tolist())) / TOP)
    return {
        "one_vector_ms": _percentiles(single),
        "all_views_ms": _percentiles(every),
        "views": float(np.mean([len(views) for views in queries])),
        "bytes_per_vector": index.memory_bytes() / len(index),
        "recall_top10": float(np.mean(strict)),
        "recall_top10_fetched": float(np.mean(within)),
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values, (50, 95))
    return {"p50": float(p50), "p95": float(p95)}
