"""The two kinds of storage inside an index: immutable compressed segments, and the exact tail that grows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from imgguard.index.base import Vectors
from imgguard.index.codec import Codec, single_threaded

_CHUNK_ROWS = 16_384  # rows converted to float at a time, to bound memory

NOT_LIVE = -2.0
"""In place of the cosine of a vector that is removed: below any cosine."""

type Mask = NDArray[np.bool_]
type Near = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Numbers and cosine similarities, in no order."""


def highest(values: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Where the ``count`` highest are, and all that equal the last of them, so that others may break the tie."""
    if len(values) <= count:
        return np.arange(len(values))
    return np.flatnonzero(values >= np.partition(values, len(values) - count)[len(values) - count])


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Segment:
    """Compressed vectors that never change. ``numbers`` int64 (n,), ascending; ``codes`` uint8 (n, dimension)."""

    codec: Codec
    numbers: NDArray[np.int64]
    codes: NDArray[np.uint8]
    scanner: Any = field(repr=False)

    @classmethod
    def of_vectors(cls, codec: Codec, numbers: NDArray[np.int64], vectors: Vectors) -> Self:
        order = np.argsort(numbers)
        return cls.of_codes(codec, numbers[order], codec.encode(vectors[order]))

    @classmethod
    def of_codes(cls, codec: Codec, numbers: NDArray[np.int64], codes: NDArray[np.uint8]) -> Self:
        """``numbers`` ascending."""
        return cls(codec, numbers, codes, codec.scanner(codes))

    def __len__(self) -> int:
        return len(self.numbers)

    def find(self, numbers: NDArray[np.int64]) -> NDArray[np.intp]:
        """Rows of those of ``numbers`` that are here."""
        if not len(self.numbers):
            return np.empty(0, dtype=np.intp)
        rows = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        return np.asarray(rows[self.numbers[rows] == numbers], dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class LiveSegment:
    """A segment and which of its rows are removed or replaced (``dead``, None for none). Replaced, never changed."""

    segment: Segment
    dead: Mask | None = None
    dead_count: int = 0

    @property
    def live_count(self) -> int:
        return len(self.segment) - self.dead_count

    def without(self, numbers: NDArray[np.int64]) -> "LiveSegment":
        """Itself when it has none of ``numbers``. Copies the mask, so that a running search keeps its view."""
        return self.without_rows(self.segment.find(numbers))

    def without_rows(self, rows: NDArray[np.intp]) -> "LiveSegment":
        if not len(rows):
            return self
        dead = np.zeros(len(self.segment), dtype=np.bool_) if self.dead is None else self.dead.copy()
        dead[rows] = True
        return LiveSegment(self.segment, dead, int(dead.sum()))

    def live_rows(self) -> NDArray[np.intp]:
        return np.arange(len(self.segment)) if self.dead is None else np.flatnonzero(~self.dead)

    def nearest(self, turned: Vectors, limit: int, *, ranked: int) -> list[Near]:
        """For each of ``turned`` the ``limit`` best, and their ties, of ``ranked`` rough candidates, ranked again.

        ``turned`` are query vectors in the space of the segment's codec.
        """
        found = []
        for vector, rows in zip(turned, self._candidates(turned, ranked), strict=True):
            kept = rows[rows >= 0]
            cosines = self.segment.codec.cosines(self.segment.codes[kept], vector)
            best = highest(cosines, limit)
            found.append((self.segment.numbers[kept[best]], cosines[best]))
        return found

    def _candidates(self, turned: Vectors, count: int) -> NDArray[np.int64]:
        """Rows (n, >= count) or all there are, of the best rough cosines; rows that are not live are -1.

        More are fetched while removed rows crowd out live ones, so removals never cost recall.
        """
        vectors = np.ascontiguousarray(turned[:, : self.segment.codec.scanned])
        size, wanted = len(self.segment), min(count, self.live_count)
        fetch = min(size, count + min(self.dead_count, count))
        while True:
            with single_threaded():
                _, rows = self.segment.scanner.search(vectors, fetch)
            if self.dead is None:
                return np.asarray(rows, dtype=np.int64)
            rows[self.dead[rows]] = -1  # row -1 reads the last mask entry, which is harmless: it stays -1
            if fetch >= size or (rows >= 0).sum(axis=1).min(initial=wanted) >= wanted:
                return np.asarray(rows, dtype=np.int64)
            fetch = min(size, 2 * fetch)


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """The newest vectors, uncompressed: the first ``count`` rows of buffers that only ever grow behind them."""

    numbers: NDArray[np.int64]
    vectors: Vectors
    count: int
    dead: Mask
    """bool (count,); replaced, never changed"""

    @classmethod
    def empty(cls, capacity: int, dimension: int) -> Self:
        # Zeros, which cost nothing until written: memory that is given out as it is may hold vectors that were erased.
        return cls(
            np.zeros(capacity, dtype=np.int64),
            np.zeros((capacity, dimension), dtype=np.float32),
            0,
            np.zeros(0, dtype=np.bool_),
        )

    @property
    def room(self) -> int:
        return len(self.numbers) - self.count

    @property
    def live_count(self) -> int:
        return self.count - int(self.dead.sum())

    def with_added(self, numbers: NDArray[np.int64], vectors: Vectors) -> "Tail":
        """Writes behind ``count``, where no search that is running looks. The caller is the only writer."""
        end = self.count + len(numbers)
        self.numbers[self.count : end] = numbers
        self.vectors[self.count : end] = vectors
        dead = np.concatenate([self.dead, np.zeros(len(numbers), dtype=np.bool_)])
        return Tail(self.numbers, self.vectors, end, dead)

    def without(self, numbers: NDArray[np.int64]) -> "Tail":
        gone = np.isin(self.numbers[: self.count], numbers)
        return Tail(self.numbers, self.vectors, self.count, self.dead | gone) if gone.any() else self

    def live(self) -> tuple[NDArray[np.int64], Vectors]:
        rows = np.flatnonzero(~self.dead)
        return self.numbers[rows], self.vectors[rows]

    def cosines(self, vectors: Vectors) -> NDArray[np.float32]:
        """(n, count), exact; NOT_LIVE where the row is not live."""
        cosines = vectors @ self.vectors[: self.count].T
        cosines[:, self.dead] = NOT_LIVE
        return np.asarray(cosines, dtype=np.float32)


def merged(codec: Codec, parts: Sequence[LiveSegment]) -> Segment:
    """One segment with the live rows of ``parts``; their codes are copied where the codec stays the same."""
    numbers = np.concatenate([part.segment.numbers[part.live_rows()] for part in parts])
    codes = np.concatenate([_recoded(codec, part) for part in parts])
    order = np.argsort(numbers)
    return Segment.of_codes(codec, numbers[order], codes[order])


def _recoded(codec: Codec, part: LiveSegment) -> NDArray[np.uint8]:
    codes = part.segment.codes[part.live_rows()]
    if part.segment.codec is codec:
        return codes
    for start in range(0, len(codes), _CHUNK_ROWS):
        some = slice(start, start + _CHUNK_ROWS)
        codes[some] = codec.encode(part.segment.codec.decode(codes[some]))
    return codes
