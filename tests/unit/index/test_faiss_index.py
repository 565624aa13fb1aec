import threading

import numpy as np
import pytest

from imgguard.index import faiss_index
from imgguard.index.codec import Codec
from imgguard.index.faiss_index import FaissIndex


def vectors_like_descriptors(count: int, seed: int = 0, dimension: int = 512) -> np.ndarray:
    """Unit vectors whose variance decays over the dimensions as that of SSCD does (effective dimension about 124)."""
    random = np.random.default_rng(seed)
    scale = np.arange(1, dimension + 1, dtype=np.float32) ** -0.35
    vectors = random.standard_normal((count, dimension), dtype=np.float32) * scale
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def recall_of_ten(index: FaissIndex, stored: np.ndarray, queries: np.ndarray) -> float:
    exact = np.argsort(-(queries @ stored.T), axis=1)[:, :10]
    found = [{hit.number for hit in hits} for hits in index.search(queries, 10)]
    return float(np.mean([len(hits & set(row.tolist())) / 10 for hits, row in zip(found, exact, strict=True)]))


def test_compression_finds_what_an_exact_scan_finds() -> None:
    stored = vectors_like_descriptors(20_000)
    index = FaissIndex(512)
    index.add(range(len(stored)), stored)
    assert [len(part.segment) for part in index.state.segments] == [8192, 8192]
    assert recall_of_ten(index, stored, vectors_like_descriptors(50, seed=1)) >= 0.97
    edited = stored[:50] + 0.5 * vectors_like_descriptors(50, seed=2)
    edited /= np.linalg.norm(edited, axis=1, keepdims=True)
    assert [hits[0].number for hits in index.search(edited, 1)] == list(range(50))


def test_a_stored_vector_costs_at_most_700_bytes() -> None:
    index = FaissIndex(512)
    index.add(range(8192 * 3), vectors_like_descriptors(8192 * 3))
    index.remove(range(100))
    index.compact()
    beside_the_tail = index.memory_bytes() - index.state.tail.vectors.nbytes - index.state.tail.numbers.nbytes
    in_segments = sum(part.live_count for part in index.state.segments)
    assert beside_the_tail / in_segments <= 700


def test_the_codec_is_reproducible_and_keeps_directions() -> None:
    vectors = vectors_like_descriptors(2_000)
    codec, again = Codec.train(vectors), Codec.train(vectors)
    assert np.array_equal(codec.encode(vectors), again.encode(vectors))
    assert codec.scanned < 512  # the directions with little variance are not worth scanning
    decoded = codec.decode(codec.encode(vectors))
    assert np.abs(decoded - vectors).max() < 0.05
    assert (decoded * vectors).sum(axis=1).min() > 0.995


def test_removed_neighbours_do_not_crowd_out_live_ones() -> None:
    crowd = vectors_like_descriptors(1, seed=3) + 0.01 * vectors_like_descriptors(6_000, seed=4)
    crowd /= np.linalg.norm(crowd, axis=1, keepdims=True)
    index = FaissIndex(512)
    index.add(range(6_000), crowd)
    index.add(range(6_000, 10_000), vectors_like_descriptors(4_000, seed=5))
    index.remove(range(5_995))
    (hits,) = index.search(crowd[:1], 5)
    assert sorted(hit.number for hit in hits) == list(range(5_995, 6_000))


def test_equal_vectors_are_ordered_by_number() -> None:
    same = np.repeat(vectors_like_descriptors(1), 50, axis=0)
    index = FaissIndex(512)
    index.add(range(49, -1, -1), same)
    (hits,) = index.search(same[:1], 7)
    assert [hit.number for hit in hits] == list(range(7))
    assert all(hit.cosine_similarity <= 1 for hit in hits)


@pytest.mark.parametrize("count", [20, 100])
def test_compacting_drops_what_was_removed_from_the_tail_too(count: int) -> None:
    index = FaissIndex(16, tail_rows=64)
    stored = vectors_like_descriptors(count, dimension=16)
    index.add(range(count), stored)
    index.remove([count - 2])
    before = index.search(stored, 5)
    index.compact()
    assert index.search(stored, 5) == before
    assert stored[count - 2].tobytes() not in index.state.tail.vectors.tobytes()
    index.add([500], stored[:1])
    assert len(index) == count


def test_a_renewed_codec_replaces_the_outgrown_one() -> None:
    index = FaissIndex(32, tail_rows=64)
    stored = vectors_like_descriptors(1_000, dimension=32)
    index.add(range(1_000), stored)
    before = index.state.codec
    assert before is not None
    assert before.trained_on == 64
    index.compact()
    after = index.state.codec
    assert after is not None
    assert after.trained_on > 64
    assert {part.segment.codec for part in index.state.segments} == {after}
    assert len(index) == 1_000
    assert recall_of_ten(index, stored, stored[:50]) >= 0.9


def test_a_codec_that_saw_enough_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "_SAMPLE_ROWS", 200)
    monkeypatch.setattr(faiss_index, "_TRAINED_ENOUGH", 100)
    index = FaissIndex(32, tail_rows=64)
    index.add(range(2_500), vectors_like_descriptors(2_500, dimension=32))
    index.compact()
    codec = index.state.codec
    assert codec is not None
    assert 100 <= codec.trained_on <= 200
    index.compact()
    assert index.state.codec is codec


@pytest.mark.parametrize(
    "vectors", [np.zeros((1, 7), np.float32), np.zeros((2, 8), np.float32), np.full((1, 8), np.nan, np.float32)]
)
def test_what_is_no_vector_of_the_index_is_refused(vectors: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        FaissIndex(8).add([1], vectors)


def test_searching_another_dimension_or_for_nothing() -> None:
    index = FaissIndex(8)
    with pytest.raises(ValueError, match="expected"):
        index.search(np.zeros((1, 7), np.float32), 1)
    assert index.search(np.zeros((2, 8), np.float32), 0) == [[], []]
    assert index.search(np.zeros((2, 8), np.float32), 5) == [[], []]
    assert index.search(np.zeros((0, 8), np.float32), 5) == []


def test_searches_run_while_others_add_replace_remove_and_compact() -> None:
    """A number that is always present, though replaced again and again, is in every result."""
    index = FaissIndex(16, tail_rows=64, segment_rows=256)
    stored = vectors_like_descriptors(2_000, dimension=16)
    index.add(range(2_000), stored)
    stop = threading.Event()
    failures: list[BaseException] = []

    def change() -> None:
        random = np.random.default_rng(0)
        while not stop.is_set():
            index.add([5, *random.integers(100, 2_000, 20)], np.concatenate([stored[5:6], stored[100:120]]))
            index.remove(random.integers(100, 2_000, 5).tolist())
            if random.random() < 0.1:
                index.compact()

    def look() -> None:
        try:
            for _ in range(300):
                assert 5 in {hit.number for hit in index.search(stored[5:6], 3)[0]}
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=change)
    readers = [threading.Thread(target=look) for _ in range(2)]
    for thread in [writer, *readers]:
        thread.start()
    for thread in readers:
        thread.join()
    stop.set()
    writer.join()
    assert failures == []


def test_a_removal_during_a_compaction_takes_nothing_else_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """Number 1 is dead in the first segment, because it was replaced, and live in the second."""
    index = FaissIndex(16, tail_rows=32)
    stored = vectors_like_descriptors(65, dimension=16)
    index.add(range(32), stored[:32])
    index.add([1, *range(40, 72)], stored[32:])
    assert [part.dead_count for part in index.state.segments] == [1, 0]
    real = faiss_index.merged

    def merge_while_another_removes(*arguments: object) -> object:
        made = real(*arguments)
        index.remove([5, 40])
        return made

    monkeypatch.setattr(faiss_index, "merged", merge_while_another_removes)
    index.compact()
    assert len(index) == 65 - 1 - 2
    numbers = {hit.number for hit in index.search(stored[:1], 100)[0]}
    assert 1 in numbers
    assert not numbers & {5, 40}
