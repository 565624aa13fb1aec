"""What is kept of a picture so that it can be found and compared later."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from imgguard.errors import DigestMismatch
from imgguard.imaging.image import Pixels

_NORM_TOLERANCE = 1e-3  # norms of stored embeddings are 1 within 1e-6; random bytes are nowhere near


class DescriptorKind(StrEnum):
    """The descriptors stored beside an original."""

    PHASH = "phash"
    PDQ = "pdq"
    EMBEDDING = "embedding"
    KEYPOINTS = "keypoints"
    WORKING_COPY = "working_copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """One stored descriptor: opaque bytes, and what made them.

    ``version`` names the library and its release (``opencv 5.0.0``); ``weights_sha256`` is set for embeddings only.
    """

    kind: DescriptorKind
    algorithm: str
    version: str
    weights_sha256: str | None
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Keypoints:
    """RootSIFT keypoints of one picture.

    ``positions`` float32 (n, 2), x and y as fractions of the picture's width and height (0..1); ``sizes`` float32 (n,),
    diameter as a fraction of the longest side; ``angles`` float32 (n,), degrees; ``descriptors`` uint8 (n, 128).
    """

    positions: NDArray[np.float32]
    sizes: NDArray[np.float32]
    angles: NDArray[np.float32]
    descriptors: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferencePicture:
    """A registered content as verification needs it. ``width``/``height`` full resolution, upright.

    ``pdq`` is 32 bytes. ``working`` is the stored working copy (longest side <= 512 pixels).
    """

    content_sha256: str
    pixel_digest: str
    width: int
    height: int
    working: Pixels
    keypoints: Keypoints
    pdq: bytes
    pdq_quality: int


def pack_vector(vector: NDArray[np.float32]) -> bytes:
    """One embedding, float32 (dimension,), in the form it is stored in: little-endian float32."""
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


def unpack_vectors(packed: Sequence[bytes]) -> NDArray[np.float32]:
    """The stored embeddings as float32 (n, dimension). Raises DigestMismatch unless they are whole and alike."""
    whole, vectors = whole_vectors(dict(enumerate(packed)))
    if len(whole) < len(packed):
        raise DigestMismatch(f"{len(packed) - len(whole)} of {len(packed)} embeddings are damaged")
    return vectors


def whole_vectors(
    packed: Mapping[int, bytes], *, dimension: int | None = None
) -> tuple[list[int], NDArray[np.float32]]:
    """Which of the stored embeddings are whole, in their order, and their vectors, float32 (n, dimension).

    Whole is a unit vector of ``dimension``, or of the dimension that most of them have.
    """
    lengths = Counter(len(data) for data in packed.values())
    size = 4 * dimension if dimension is not None else max(lengths, key=lambda length: lengths[length], default=0)
    fitting = [number for number, data in packed.items() if len(data) == size and size and size % 4 == 0]
    joined = b"".join(packed[number] for number in fitting)
    rows = np.frombuffer(joined, dtype="<f4").reshape(len(fitting), size // 4).astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        kept = np.abs(np.linalg.norm(rows, axis=1) - 1) < _NORM_TOLERANCE
    return [number for number, whole in zip(fitting, kept, strict=True) if whole], rows[kept]
