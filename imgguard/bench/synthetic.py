"""Embeddings by the million that resemble real ones.

Three of four are drawn from a normal distribution with the mean and covariance of the real references and scaled to
unit length: that gives random pairs the cosines of unrelated photographs, and single directions their real weight. The
fourth is a sister of one of the three: turned away from it, in a direction drawn likewise, until their cosine is one
drawn from the real references' cosines with their nearest neighbours (photographs of the same product). Without
sisters the ten nearest of a query would be chance, with too many an index could hardly be told from a clustering.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imgguard.index.base import Vectors

BLOCK = 16_384
"""Vectors drawn at a time; each block from a seed of its own, so that it can be drawn again instead of kept."""
_SISTERS = 4  # one in so many


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Generator:
    """``mean`` (d,), ``root`` (d, d) with root @ root.T = covariance, ``nearest`` cosines of real neighbours."""

    mean: NDArray[np.float32]
    root: NDArray[np.float32]
    nearest: NDArray[np.float32]
    seed: int

    @classmethod
    def of(cls, real: Vectors, *, seed: int) -> Self:
        """Learn from real unit vectors (n, d)."""
        covariance = np.cov(real.T.astype(np.float64))
        variances, directions = np.linalg.eigh(covariance)
        root = directions * np.sqrt(np.maximum(variances, 0.0))
        return cls(
            mean=real.mean(axis=0).astype(np.float32),
            root=root.astype(np.float32),
            nearest=nearest_cosines(real),
            seed=seed,
        )

    def block(self, number: int) -> Vectors:
        """``BLOCK`` unit vectors, always the same for the same number."""
        rng = np.random.default_rng((self.seed, number))
        drawn = rng.standard_normal((BLOCK, len(self.mean)), dtype=np.float32) @ self.root.T + self.mean
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        base = np.arange(BLOCK) % _SISTERS != 0
        chosen = rng.choice(np.flatnonzero(base), size=int((~base).sum()), replace=False)
        cosine = rng.choice(self.nearest, size=len(chosen))[:, None]
        away = drawn[~base] - (drawn[~base] * drawn[chosen]).sum(axis=1, keepdims=True) * drawn[chosen]
        away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
        drawn[~base] = cosine * drawn[chosen] + np.sqrt(np.maximum(0.0, 1 - cosine**2)) * away
        return np.ascontiguousarray(drawn, dtype=np.float32)

    def vectors(self, count: int) -> Iterator[Vectors]:
        """The first ``count`` of the endless row, in blocks."""
        for number in range(-(-count // BLOCK)):
            yield self.block(number)[: count - number * BLOCK]


def nearest_cosines(vectors: Vectors) -> NDArray[np.float32]:
    """Of each vector with its nearest other one, float32 (n,); identical pairs (the same file twice) left out."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    cosines[cosines > 0.9999] = -1.0
    return np.asarray(cosines.max(axis=1), np.float32)


def resemblance(real: Vectors, drawn: Vectors) -> dict[str, dict[str, float]]:
    """How like the drawn vectors are: cosines of random pairs, and how much variance half the directions hold."""
    return {"real": _described(real), "synthetic": _described(drawn)}


def _described(vectors: Vectors) -> dict[str, float]:
    rng = np.random.default_rng(0)
    first, second = rng.integers(len(vectors), size=(2, 20_000))
    apart = first != second
    cosines = (vectors[first[apart]] * vectors[second[apart]]).sum(axis=1)
    variances = np.linalg.eigvalsh(np.cov(vectors.T.astype(np.float64)))[::-1]
    half = len(variances) // 2
    return {
        "random_pair_mean": float(cosines.mean()),
        "random_pair_sd": float(cosines.std()),
        "random_pair_p99": float(np.percentile(cosines, 99)),
        "variance_in_half_the_directions": float(variances[:half].sum() / variances.sum()),
    }
