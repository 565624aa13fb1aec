"""The VectorIndex of one machine: an exhaustive scan of compressed vectors, in immutable segments behind a tail."""

import functools
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imgguard.index.base import Hit, Vectors
from imgguard.index.codec import Codec
from imgguard.index.segment import NOT_LIVE, LiveSegment, Near, Segment, Tail, highest, merged

TAIL_ROWS = 8_192
"""Vectors kept exact before they are compressed; also what the first codec is trained on."""
SEGMENT_ROWS = 131_072
"""Largest segment. Small enough that rewriting one, to forget an erased vector, is a fraction of a second."""
_SMALL_SEGMENTS = 15
"""Segments up to half of that size that may pile up; with one more, of a tail each, they make a largest segment."""
_RANKED = 60
_RANKED_AT_LEAST = 600
"""Candidates ranked again for each hit that is asked for, and for all of them. With a million vectors drawn from the
covariance of SSCD embeddings, exact cosines of 15 hits hold .998 of the exact top 10; with 400 candidates, .987."""
_RETRAIN_FACTOR = 8
_SAMPLE_ROWS = 65_536
_TRAINED_ENOUGH = _SAMPLE_ROWS // 2
"""The codec is renewed from a sample when the index has grown this many times over, until it has seen this many."""

_CROWD = 2.5
"""How many times its share of those candidates each of several segments gives."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Everything a search looks at. A writer publishes a new one; searches that run keep theirs."""

    codec: Codec | None
    segments: tuple[LiveSegment, ...]
    tail: Tail

    def without(self, numbers: NDArray[np.int64]) -> "State":
        segments = tuple(segment.without(numbers) for segment in self.segments)
        return replace(self, segments=segments, tail=self.tail.without(numbers))


class FaissIndex:
    """See `imgguard.index.base.VectorIndex`. Searches take no lock and are never blocked; writers queue."""

    def __init__(self, dimension: int, *, tail_rows: int = TAIL_ROWS, segment_rows: int = SEGMENT_ROWS) -> None:
        self._dimension = dimension
        self._tail_rows = tail_rows
        self._segment_rows = segment_rows
        self._writing = threading.RLock()
        self._compacting = threading.Lock()  # taken before _writing
        self._state = State(None, (), Tail.empty(tail_rows, dimension))
        self._largest = -1

    @property
    def dimension(self) -> int:
        return self._dimension

    @classmethod
    def of_state(cls, state: State) -> Self:
        """An index that continues from ``state``, as a snapshot kept it."""
        index = cls(state.tail.vectors.shape[1], tail_rows=len(state.tail.numbers))
        index._state = state
        known = [part.segment.numbers for part in state.segments] + [state.tail.numbers[: state.tail.count]]
        index._largest = max((int(numbers.max()) for numbers in known if len(numbers)), default=-1)
        return index

    @property
    def state(self) -> State:
        """What is published at this moment; for snapshots."""
        return self._state

    @property
    def holds_removed(self) -> bool:
        """Whether vectors that were removed are still in memory, for `compact` to drop."""
        state = self._state
        return state.tail.live_count < state.tail.count or any(part.dead_count for part in state.segments)

    def __len__(self) -> int:
        state = self._state
        return state.tail.live_count + sum(segment.live_count for segment in state.segments)

    def memory_bytes(self) -> int:
        """Bytes of vectors, codes, numbers and masks; the interpreter's own share is left out."""
        state = self._state
        total = state.tail.vectors.nbytes + state.tail.numbers.nbytes
        for part in state.segments:
            total += part.segment.codes.nbytes + part.segment.numbers.nbytes + part.segment.scanner.codes.size()
            total += 0 if part.dead is None else part.dead.nbytes
        return total

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Add or replace. ``vectors`` float32 (n, dimension), unit length. Raises ValueError when they are not."""
        keys = np.asarray(numbers, dtype=np.int64)
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        if rows.shape != (len(keys), self._dimension) or not np.isfinite(rows).all():
            raise ValueError(f"expected finite vectors of shape {(len(keys), self._dimension)}, got {rows.shape}")
        if len(np.unique(keys)) != len(keys):  # the last one wins, as it would in single calls
            _, last = np.unique(keys[::-1], return_index=True)
            kept = np.sort(len(keys) - 1 - last)
            keys, rows = keys[kept], rows[kept]
        with self._writing:
            start = 0
            while start < len(keys):
                if not self._state.tail.room:
                    self._seal()
                end = start + self._state.tail.room
                self._append(keys[start:end], rows[start:end])
                start = end

    def _append(self, numbers: NDArray[np.int64], vectors: Vectors) -> None:
        state = self._state
        if numbers.min() <= self._largest:
            state = state.without(numbers)
        self._largest = max(self._largest, int(numbers.max()))
        # One assignment removes the old vector and brings in the new: no search sees neither.
        self._state = replace(state, tail=state.tail.with_added(numbers, vectors))

    def remove(self, numbers: Sequence[int]) -> None:
        """Those that are absent are no error."""
        keys = np.asarray(numbers, dtype=np.int64)
        if len(keys):
            with self._writing:
                self._state = self._state.without(keys)

    def search(self, vectors: Vectors, limit: int) -> list[list[Hit]]:
        """Best first, ties by number. Cosine similarities are within 0.003 of exact (exact for the newest vectors).

        That is enough to swap neighbours that are equally far away: who needs the exact order asks for half as many
        again and compares the embeddings themselves, as `imgguard.storage.live_index` does.
        """
        queries = np.ascontiguousarray(vectors, dtype=np.float32)
        if queries.ndim != 2 or queries.shape[1] != self._dimension:
            raise ValueError(f"expected vectors of shape (n, {self._dimension}), got {queries.shape}")
        if limit < 1 or not len(queries):
            return [[] for _ in queries]
        return _search(self._state, queries, limit)

    def _seal(self) -> None:
        """Make room in the tail. The write lock is held."""
        state = self._state
        numbers, vectors = state.tail.live()
        empty = Tail.empty(self._tail_rows, self._dimension)
        if len(numbers) <= self._tail_rows // 2:  # mostly removed: room enough without compressing anything
            self._state = replace(state, tail=empty.with_added(numbers, vectors))
            return
        codec = state.codec or Codec.train(vectors)
        sealed = LiveSegment(Segment.of_vectors(codec, numbers, vectors))
        self._state = State(codec, (*state.segments, sealed), empty)
        small = self._small(self._state)
        # A compaction that runs elsewhere will merge them, and must not find its inputs gone.
        if len(small) > _SMALL_SEGMENTS and self._compacting.acquire(blocking=False):
            try:
                self._swap(small, [merged(codec, group) for group in _groups(small, self._segment_rows)])
            finally:
                self._compacting.release()

    def _small(self, state: State) -> list[LiveSegment]:
        return [part for part in state.segments if part.live_count <= self._segment_rows // 2]

    def compact(self) -> None:
        """Drop removed vectors from memory, merge small segments, renew an outgrown codec. Blocks no search and no add,
        except for the moment of the swap."""
        with self._compacting:
            self._compact_tail()
            state = self._state
            if state.codec is None:
                return
            codec = self._renewed(state, state.codec)
            small = self._small(state)
            parts = [part for part in state.segments if part.dead_count or part.segment.codec is not codec]
            if len(small) > _SMALL_SEGMENTS:
                parts += [part for part in small if part not in parts]
            made = [merged(codec, group) for group in _groups(parts, self._segment_rows)]
            with self._writing:
                self._state = replace(self._state, codec=codec)
                self._swap(parts, made)

    def _compact_tail(self) -> None:
        with self._writing:
            tail = self._state.tail
            if tail.live_count < tail.count:
                fresh = Tail.empty(len(tail.numbers), self._dimension).with_added(*tail.live())
                self._state = replace(self._state, tail=fresh)

    def _renewed(self, state: State, codec: Codec) -> Codec:
        size = sum(part.live_count for part in state.segments)
        if codec.trained_on >= _TRAINED_ENOUGH or size < _RETRAIN_FACTOR * codec.trained_on:
            return codec
        every = -(-size // _SAMPLE_ROWS)  # leaves more than half of that: enough
        sample = [part.segment.codec.decode(part.segment.codes[part.live_rows()[::every]]) for part in state.segments]
        return Codec.train(np.concatenate(sample))

    def _swap(self, parts: Sequence[LiveSegment], made: Iterable[Segment]) -> None:
        """Publish ``made`` in place of ``parts``, less what was removed since. Both locks are held."""
        replaced = {id(part.segment): part for part in parts}
        kept, removed = [], []
        for current in self._state.segments:
            before = replaced.get(id(current.segment))
            if before is None:
                kept.append(current)
            elif current.dead is not None and current.dead_count > before.dead_count:
                # Only what was live before: a row that was dead then may have its number live in another segment.
                newly = current.dead if before.dead is None else current.dead & ~before.dead
                removed.append(current.segment.numbers[newly])
        fresh = [LiveSegment(segment) for segment in made if len(segment)]
        if removed:
            fresh = [segment.without(np.concatenate(removed)) for segment in fresh]
        self._state = replace(self._state, segments=(*kept, *fresh))


def _groups(parts: Sequence[LiveSegment], most: int) -> list[list[LiveSegment]]:
    """``parts`` in groups of at most ``most`` live rows, where a single part is not larger already."""
    groups: list[list[LiveSegment]] = []
    size = 0
    for part in sorted(parts, key=lambda part: part.live_count):
        if not groups or size + part.live_count > most:
            groups.append([])
            size = 0
        groups[-1].append(part)
        size += part.live_count
    return groups


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """Segments are scanned side by side; see `single_threaded` for why faiss does not do this itself."""
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="imgguard-scan")


def _search(state: State, queries: Vectors, limit: int) -> list[list[Hit]]:
    spaces = {part.segment.codec: part.segment.codec.turn(queries) for part in state.segments}
    wanted = _ranked_of_each(limit, len(state.segments))

    def nearest(part: LiveSegment) -> list[Near]:
        return part.nearest(spaces[part.segment.codec], limit, ranked=wanted)

    spread = map if len(state.segments) < 2 else _pool().map
    found = list(spread(nearest, state.segments))
    exact = state.tail.cosines(queries)
    newest = state.tail.numbers[: state.tail.count]
    hits = []
    for row in range(len(queries)):
        near = [(newest, exact[row]), *(rows[row] for rows in found)]
        hits.append(_best(np.concatenate([n for n, _ in near]), np.concatenate([c for _, c in near]), limit))
    return hits


def _ranked_of_each(limit: int, segments: int) -> int:
    """How many candidates of each segment are ranked again. Where there are several, each holds only some of the best;
    but photographs of one product are often registered, and so stored, together: each gives more than its share."""
    every = max(limit * _RANKED, _RANKED_AT_LEAST)
    return min(every, max(int(_CROWD * every / max(1, segments)), every // 6))


def _best(numbers: NDArray[np.int64], cosines: NDArray[np.float32], limit: int) -> list[Hit]:
    chosen = highest(cosines, limit)
    chosen = chosen[cosines[chosen] > NOT_LIVE]
    order = chosen[np.lexsort((numbers[chosen], -cosines[chosen]))[:limit]]
    pairs = zip(numbers[order].tolist(), cosines[order].tolist(), strict=True)
    return [Hit(number=number, cosine_similarity=min(cosine, 1.0)) for number, cosine in pairs]
