"""How a vector is kept in little memory: 64 x 4 bits to scan with, one byte a component to rank with.

Product quantization with in-register lookup tables (André, Kermarrec and Le Scouarnec, Cache locality is not enough,
VLDB 2015; faiss `IndexPQFastScan`) reads 32 bytes a vector, so scanning everything stays within memory bandwidth. Its
cosines are rough; the best few hundred are computed again from the scalar-quantized components.
"""

from dataclasses import dataclass
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from imgguard.index.base import Vectors

_BITS = 4  # what fast scan supports
_TRAINING_ROWS = 65_536
"""Enough for 16 centroids per sub-space thousands of times over; more costs time and changes nothing."""
_CHUNK_ROWS = 16_384  # rows converted to float at a time, to bound memory
_MARGIN = 0.05  # the range seen in training is widened by this fraction on both sides


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Codec:
    """Immutable, shared by segments. ``low`` and ``step`` float32 (dimension,): component = low + code * step.

    ``centroids`` float32, flat, as faiss keeps them. ``trained_on`` is the number of vectors it was made from.
    """

    low: NDArray[np.float32]
    step: NDArray[np.float32]
    centroids: NDArray[np.float32]
    trained_on: int

    @classmethod
    def train(cls, vectors: Vectors) -> Self:
        """Learn from at least a few thousand vectors, float32 (n, dimension). The same input gives the same codec."""
        chosen = np.random.default_rng(0).permutation(len(vectors))[:_TRAINING_ROWS]
        sample = np.ascontiguousarray(vectors[chosen])
        smallest, largest = sample.min(axis=0), sample.max(axis=0)
        span = np.maximum(largest - smallest, np.float32(1e-6))
        quantizer = _scanner(sample.shape[1])
        quantizer.pq.cp.min_points_per_centroid = 1  # no warnings on stderr from small indexes
        quantizer.train(sample)
        return cls(
            low=(smallest - _MARGIN * span).astype(np.float32),
            step=(span * ((1 + 2 * _MARGIN) / 255)).astype(np.float32),
            centroids=np.asarray(faiss.vector_to_array(quantizer.pq.centroids), dtype=np.float32),
            trained_on=len(vectors),
        )

    @property
    def dimension(self) -> int:
        return len(self.low)

    def encode(self, vectors: Vectors) -> NDArray[np.uint8]:
        """uint8 (n, dimension); components outside the trained range are clipped."""
        codes = np.empty(vectors.shape, dtype=np.uint8)
        for start in range(0, len(vectors), _CHUNK_ROWS):
            part = (vectors[start : start + _CHUNK_ROWS] - self.low) / self.step
            codes[start : start + _CHUNK_ROWS] = np.clip(np.rint(part), 0, 255)
        return codes

    def decode(self, codes: NDArray[np.uint8]) -> Vectors:
        """float32 (n, dimension), within half a step of what was encoded."""
        return np.asarray(codes * self.step + self.low, dtype=np.float32)

    def cosines(self, codes: NDArray[np.uint8], vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inner products of the encoded vectors with ``vector`` (dimension,), float32 (n,), without decoding them."""
        return np.asarray(codes.astype(np.float32) @ (self.step * vector) + self.low @ vector, dtype=np.float32)

    def scanner(self, codes: NDArray[np.uint8]) -> Any:
        """A faiss index over ``codes`` whose search is fast and rough."""
        scanner = _scanner(self.dimension)
        faiss.copy_array_to_vector(self.centroids, scanner.pq.centroids)
        scanner.is_trained = True
        for start in range(0, len(codes), _CHUNK_ROWS):
            scanner.add(self.decode(codes[start : start + _CHUNK_ROWS]))
        return scanner


def _scanner(dimension: int) -> Any:
    """64 sub-spaces, or fewer where the dimension is not a multiple: faiss wants equal parts."""
    parts = next(parts for parts in range(min(64, dimension), 0, -1) if dimension % parts == 0)
    return faiss.IndexPQFastScan(dimension, parts, _BITS, faiss.METRIC_INNER_PRODUCT)
