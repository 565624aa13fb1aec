"""What is kept of a picture so that it can be found and compared later."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from imgguard.imaging.image import Pixels


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
    """The stored embeddings as float32 (n, dimension). Raises ValueError when their lengths differ."""
    if len({len(data) for data in packed}) > 1:
        raise ValueError("embeddings of different dimensions cannot share an index")
    rows = np.frombuffer(b"".join(packed), dtype="<f4").astype(np.float32, copy=False)
    return rows.reshape(len(packed), -1)
