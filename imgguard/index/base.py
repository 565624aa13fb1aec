"""The index protocol, shared by every engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

type Vectors = NDArray[np.float32]
"""Embeddings, float32, shape (n, dimension), unit length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One stored vector found: the number it was added under, and its cosine similarity with the query vector."""

    number: int
    cosine_similarity: float


class VectorIndex(Protocol):
    """Exact-enough search over the vectors of one generation (one weights digest).

    ``add`` with a number that is present replaces it. ``remove`` of an absent number is no error. All methods may be
    called from several threads; a search sees every add and remove that returned before it began.
    """

    @property
    def dimension(self) -> int: ...

    def __len__(self) -> int: ...

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None: ...

    def remove(self, numbers: Sequence[int]) -> None: ...

    def search(self, vectors: Vectors, limit: int) -> list[list[Hit]]:
        """For each row of ``vectors`` up to ``limit`` hits, best first."""
        ...
