"""Perceptual hashes: pHash (DCT, 64 bits) and PDQ (256 bits; Facebook, The TMK+PDQF Video-Hashing Algorithm, 2019)."""

from dataclasses import dataclass
from importlib.metadata import version

import cv2
import imagehash
import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

from imgguard.imaging.image import Pixels

_HASH_SIDE = 512  # PDQ reduces to 64x64 anyway; a picture above this side only costs time

PHASH_VERSION = f"imagehash {version('imagehash')}"
PDQ_VERSION = f"pdqhash {version('pdqhash')}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PdqHashes:
    """PDQ of a picture and of its rotations and mirror images.

    ``bits`` uint8 (8, 32), packed, the upright picture first; ``quality`` 0..100, below 50 the hash means little.
    """

    bits: NDArray[np.uint8]
    quality: int

    @property
    def upright(self) -> bytes:
        return bytes(self.bits[0].tobytes())


def _reduced(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    factor = _HASH_SIDE / max(height, width)
    if factor >= 1:
        return np.ascontiguousarray(picture)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def phash(picture: Pixels) -> bytes:
    """64-bit DCT hash, 8 bytes, row major, most significant bit first."""
    bits = imagehash.phash(Image.fromarray(_reduced(picture)), hash_size=8).hash
    return bytes(np.packbits(bits).tobytes())


def pdq(picture: Pixels) -> PdqHashes:
    """PDQ in eight orientations: a rotated or mirrored copy is found by the query's other orientations."""
    vectors, quality = pdqhash.compute_dihedral(_reduced(picture))
    return PdqHashes(bits=np.packbits(np.asarray(vectors, dtype=np.uint8), axis=1), quality=int(quality))


def hamming_distance(query: PdqHashes, reference: bytes) -> int:
    """Least distance in bits (0..256) between ``reference`` (32 bytes) and the query's eight orientations."""
    other = np.frombuffer(reference, dtype=np.uint8)
    return int(np.bitwise_count(query.bits ^ other).sum(axis=1).min())
