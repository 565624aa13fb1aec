"""How a vector is kept in little memory: 4 bits a pair of dimensions to scan with, a byte a dimension to rank with.

Vectors are first turned by an orthogonal matrix, which keeps cosines: the principal directions that hold most of the
variance come first, and are mixed at random so that each carries as much as the next. Product quantization of those,
with in-register lookup tables (André, Kermarrec and Le Scouarnec, Cache locality is not enough, VLDB 2015; faiss
`IndexPQFastScan`), reads 64 bytes a vector: scanning everything stays within memory bandwidth. Its cosines are rough;
the best few hundred are computed again from the scalar-quantized components of all dimensions.

Measured on 100k vectors drawn from the covariance of 2,600 SSCD embeddings of product photographs: the exact top 10
are among the 400 best rough candidates in .997 of the cases, .79 without the matrix and with half the bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from imgguard.index.base import Vectors

_BITS = 4  # what fast scan supports
_PARTS = 128
_ENERGY = 0.8
"""Share of the variance that the scanned directions hold at least. SSCD: 256 of 512 directions hold .85."""
_TRAINING_ROWS = 65_536
"""Enough for 16 centroids per part thousands of times over; more costs time and changes nothing."""
_CHUNK_ROWS = 16_384  # rows converted at a time, to bound memory
_MARGIN = 0.05  # the range seen in training is widened by this fraction on both sides


@contextmanager
def single_threaded() -> Iterator[None]:
    """Keep faiss to the calling thread.

    Its parallel regions are short and end in a barrier: on cores that others use too, a search of 0.3 ms took 24 ms,
    and training 30 s in place of 1. Work is spread over threads in larger pieces, by the caller.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Codec:
    """Immutable, shared by segments.

    ``rotation`` float32 (dimension, dimension), orthogonal; the first ``scanned`` of the turned components are scanned.
    ``low`` and ``step`` float32 (dimension,): turned component = low + code * step. ``centroids`` float32, flat, as
    faiss keeps them. ``trained_on`` is the number of vectors it was made from.
    """

    rotation: NDArray[np.float32]
    scanned: int
    low: NDArray[np.float32]
    step: NDArray[np.float32]
    centroids: NDArray[np.float32]
    trained_on: int

    @classmethod
    def train(cls, vectors: Vectors) -> Self:
        """Learn from at least 16 vectors, better thousands, float32 (n, dimension). The same input, the same codec."""
        random = np.random.default_rng(0)
        sample = vectors[random.permutation(len(vectors))[:_TRAINING_ROWS]]
        rotation, scanned = _rotation(sample, random)
        turned = sample @ rotation
        smallest, largest = turned.min(axis=0), turned.max(axis=0)
        span = np.maximum(largest - smallest, np.float32(1e-6))
        quantizer = _scanner(scanned)
        quantizer.pq.cp.min_points_per_centroid = 1  # no warnings on stderr from small indexes
        with single_threaded():
            quantizer.train(np.ascontiguousarray(turned[:, :scanned]))
        return cls(
            rotation=rotation,
            scanned=scanned,
            low=(smallest - _MARGIN * span).astype(np.float32),
            step=(span * ((1 + 2 * _MARGIN) / 255)).astype(np.float32),
            centroids=np.asarray(faiss.vector_to_array(quantizer.pq.centroids), dtype=np.float32),
            trained_on=len(vectors),
        )

    @property
    def dimension(self) -> int:
        return len(self.low)

    def turn(self, vectors: Vectors) -> Vectors:
        """``vectors`` in the space that ``cosines`` and, cut to the first ``scanned``, the scanner work in."""
        return np.asarray(vectors @ self.rotation, dtype=np.float32)

    def encode(self, vectors: Vectors) -> NDArray[np.uint8]:
        """uint8 (n, dimension); components outside the trained range are clipped."""
        codes = np.empty(vectors.shape, dtype=np.uint8)
        for start in range(0, len(vectors), _CHUNK_ROWS):
            part = (self.turn(vectors[start : start + _CHUNK_ROWS]) - self.low) / self.step
            codes[start : start + _CHUNK_ROWS] = np.clip(np.rint(part), 0, 255)
        return codes

    def decode(self, codes: NDArray[np.uint8]) -> Vectors:
        """float32 (n, dimension), about what was encoded."""
        return np.asarray((codes * self.step + self.low) @ self.rotation.T, dtype=np.float32)

    def cosines(self, codes: NDArray[np.uint8], turned: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inner products of the encoded vectors with one turned vector (dimension,), float32 (n,)."""
        return np.asarray(codes.astype(np.float32) @ (self.step * turned) + self.low @ turned, dtype=np.float32)

    def scanner(self, codes: NDArray[np.uint8]) -> Any:
        """A faiss index over ``codes`` whose search, with turned and cut vectors, is fast and rough."""
        scanner = _scanner(self.scanned)
        faiss.copy_array_to_vector(self.centroids, scanner.pq.centroids)
        scanner.is_trained = True
        step, low = self.step[: self.scanned], self.low[: self.scanned]
        with single_threaded():
            for start in range(0, len(codes), _CHUNK_ROWS):
                scanner.add(codes[start : start + _CHUNK_ROWS, : self.scanned] * step + low)
        return scanner


def _rotation(sample: Vectors, random: np.random.Generator) -> tuple[NDArray[np.float32], int]:
    """Principal directions, mixed within those that are scanned and within the rest; and how many are scanned."""
    dimension = sample.shape[1]
    variances, directions = np.linalg.eigh(np.cov(sample.T.astype(np.float64)).reshape(dimension, dimension))
    shares = np.cumsum(variances[::-1]) / max(variances.sum(), 1e-12)
    # Two dimensions a part at least; a whole number of them, as faiss wants parts of the same length.
    choices = [size for size in range(2 * _PARTS, dimension, _PARTS) if shares[size - 1] >= _ENERGY]
    scanned = choices[0] if choices else dimension
    directions = directions[:, ::-1]
    mixed = [directions[:, :scanned] @ _orthogonal(scanned, random)]
    if scanned < dimension:
        mixed.append(directions[:, scanned:] @ _orthogonal(dimension - scanned, random))
    return np.ascontiguousarray(np.concatenate(mixed, axis=1), dtype=np.float32), scanned


def _orthogonal(size: int, random: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(np.linalg.qr(random.standard_normal((size, size)))[0])


def _scanner(dimension: int) -> Any:
    """128 parts, or fewer where the dimension is small or no multiple of it."""
    parts = next(parts for parts in range(min(_PARTS, max(1, dimension // 2)), 0, -1) if dimension % parts == 0)
    return faiss.IndexPQFastScan(dimension, parts, _BITS, faiss.METRIC_INNER_PRODUCT)
