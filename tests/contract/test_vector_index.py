"""Every VectorIndex against brute force: any order of adding, removing, searching, compacting, saving and loading."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from imgguard.index import codec, snapshot
from imgguard.index.base import Hit
from imgguard.index.faiss_index import FaissIndex
from imgguard.index.snapshot import Label

DIMENSION = 16
NUMBERS = st.integers(0, 400)
LABEL = Label(generation_id="gen_1", weights_sha256="a" * 64, sequence=7, token="7")


def unit_vectors(count: int, seed: int, dimension: int = DIMENSION) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class BruteForce:
    """The reference: a dictionary."""

    def __init__(self) -> None:
        self.vectors: dict[int, np.ndarray] = {}

    def cosines(self, query: np.ndarray) -> dict[int, float]:
        return {number: float(vector @ query) for number, vector in self.vectors.items()}


class AgainstBruteForce(RuleBasedStateMachine):
    """Small enough a tail that segments are sealed and merged all the time; every candidate is ranked again, so what
    is left to differ is the quantization of components."""

    @initialize()
    def begin(self) -> None:
        self.index = FaissIndex(DIMENSION, tail_rows=32, segment_rows=128)
        self.truth = BruteForce()
        self.folder = Path(tempfile.mkdtemp())
        # Three dozen vectors say little about the range of the rest: a wide margin stands in for the thousands.
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(codec, "_MARGIN", 1.0)

    def teardown(self) -> None:
        self.patch.undo()
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(numbers=st.lists(NUMBERS, max_size=60), seed=st.integers(0, 10_000))
    def add(self, numbers: list[int], seed: int) -> None:
        vectors = unit_vectors(len(numbers), seed)
        self.index.add(numbers, vectors)
        self.truth.vectors.update(zip(numbers, vectors, strict=True))

    @rule(first=NUMBERS, count=st.integers(30, 90), seed=st.integers(0, 10_000))
    def add_a_run(self, first: int, count: int, seed: int) -> None:
        self.add(list(range(first, first + count)), seed)

    @rule(numbers=st.lists(NUMBERS, max_size=60))
    def remove(self, numbers: list[int]) -> None:
        self.index.remove(numbers)
        for number in numbers:
            self.truth.vectors.pop(number, None)

    @rule(first=NUMBERS, count=st.integers(0, 200))
    def remove_a_run(self, first: int, count: int) -> None:
        self.remove(list(range(first, first + count)))

    @rule()
    def compact(self) -> None:
        self.index.compact()
        assert not any(part.dead_count for part in self.index.state.segments)

    @rule()
    def save_and_load(self) -> None:
        snapshot.save(self.index.state, self.folder, LABEL)
        loaded = snapshot.load(self.folder)
        assert loaded is not None
        self.index, label = loaded
        assert label == LABEL

    @rule(seed=st.integers(0, 10_000), limit=st.integers(1, 20), views=st.integers(1, 3))
    def search(self, seed: int, limit: int, views: int) -> None:
        queries = unit_vectors(views, seed)
        for query, hits in zip(queries, self.index.search(queries, limit), strict=True):
            self.check(query, hits, limit)

    @rule(data=st.data())
    def search_for_a_stored_one(self, data: st.DataObject) -> None:
        if self.truth.vectors:
            number = data.draw(st.sampled_from(sorted(self.truth.vectors)))
            (hits,) = self.index.search(self.truth.vectors[number][None], 1)
            assert hits[0].cosine_similarity == pytest.approx(1, abs=0.03)

    def check(self, query: np.ndarray, hits: list[Hit], limit: int) -> None:
        cosines = self.truth.cosines(query)
        assert len(hits) == min(limit, len(cosines))
        assert len({hit.number for hit in hits}) == len(hits)
        assert hits == sorted(hits, key=lambda hit: (-hit.cosine_similarity, hit.number))
        for hit, exact in zip(hits, sorted(cosines.values(), reverse=True), strict=False):
            assert hit.cosine_similarity == pytest.approx(cosines[hit.number], abs=0.03)
            assert hit.cosine_similarity == pytest.approx(exact, abs=0.03)

    @invariant()
    def it_counts(self) -> None:
        if hasattr(self, "index"):
            assert len(self.index) == len(self.truth.vectors)


TestAgainstBruteForce = AgainstBruteForce.TestCase
TestAgainstBruteForce.settings = settings(
    max_examples=200, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
