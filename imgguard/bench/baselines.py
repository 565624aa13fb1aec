"""The simple methods beside the product: one global descriptor each, and nothing else.

- ``sscd``: cosine of the whole picture's SSCD embedding at 288x288 with every reference's.
- ``pdq``: PDQ, least Hamming distance over eight orientations of the query, negated.
- ``phash``: imagehash's 64-bit pHash, Hamming distance, negated.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from imgguard.bench.runner import World, embedder
from imgguard.fingerprint.fingerprint import DescriptorKind
from imgguard.fingerprint.perceptual import pdq, phash
from imgguard.imaging.image import DecodedImage

BASELINES = {"sscd": "SSCD alone", "pdq": "PDQ, 8 orientations", "phash": "imagehash pHash"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Scores of one method on one query, larger is more alike: of the true reference (None for a negative query), and
    the highest over all others."""

    true: float | None
    other: float


def baselines_of(image: DecodedImage, world: World, truth: int | None) -> dict[str, Baseline]:
    """Every method on one query."""
    _, pdq_bits, phash_bits = _stored(world)
    hashes = pdq(image.working).bits
    distances = np.stack([np.bitwise_count(pdq_bits ^ bits).sum(axis=1) for bits in hashes]).min(axis=0)
    own = np.frombuffer(phash(image.working), np.uint8)
    scores = {
        "sscd": world.vectors @ embedder("sscd").embed([image.working])[0],
        "pdq": -distances.astype(np.float64),
        "phash": -np.bitwise_count(phash_bits ^ own).sum(axis=1).astype(np.float64),
    }
    return {name: _of(values, world, truth) for name, values in scores.items()}


def _of(scores: NDArray[np.floating], world: World, truth: int | None) -> Baseline:
    if truth is None:
        return Baseline(true=None, other=round(float(scores.max()), 5))
    others = np.delete(scores, sorted(world.twins(truth)))
    return Baseline(
        true=round(float(scores[truth]), 5), other=round(float(others.max()), 5) if len(others) else -np.inf
    )


@lru_cache(maxsize=1)
def _stored(world: World) -> tuple[World, NDArray[np.uint8], NDArray[np.uint8]]:
    """PDQ uint8 (n, 32) and pHash uint8 (n, 8) of the references; the world is kept so that its identity stays."""
    pdq_bits = [world.descriptor(number, DescriptorKind.PDQ)[:32] for number in range(len(world.references))]
    phash_bits = [world.descriptor(number, DescriptorKind.PHASH) for number in range(len(world.references))]
    return (
        world,
        np.frombuffer(b"".join(pdq_bits), np.uint8).reshape(-1, 32),
        np.frombuffer(b"".join(phash_bits), np.uint8).reshape(-1, 8),
    )
