"""All descriptors of a reference, made at registration and read back at verification."""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image
from PIL import __version__ as pillow_version

from imgguard.errors import DigestMismatch
from imgguard.fingerprint import keypoints as local
from imgguard.fingerprint import perceptual
from imgguard.fingerprint.embedding import Embedder
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, ReferencePicture, pack_vector
from imgguard.imaging.image import DecodedImage, Pixels

WORKING_COPY_SIDE = 512
KEYPOINT_LIMIT = 400
# 400 keypoints take 54,404 bytes, embedding and hashes 2,092: this leaves room under 100,000 bytes a reference.
_WORKING_COPY_BYTES = 42_000
_QUALITIES = (90, 84, 76, 66, 55, 40, 25)
_END_OF_JPEG = b"\xff\xd9"
_PDQ_BYTES = 32

STORED_FOR_VERIFICATION = (DescriptorKind.KEYPOINTS, DescriptorKind.WORKING_COPY, DescriptorKind.PDQ)


def reduced(picture: Pixels, side: int) -> Pixels:
    """``picture`` with its longest side at most ``side``."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return picture
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def embedding_descriptor(picture: Pixels, embedder: Embedder) -> Descriptor:
    """The embedding of a whole picture (its working pixels), for the generation of the embedder's weights."""
    return Descriptor(
        kind=DescriptorKind.EMBEDDING,
        algorithm=embedder.weights.name,
        version=embedder.version,
        weights_sha256=embedder.weights.sha256,
        data=pack_vector(embedder.embed([picture])[0]),
    )


def describe(image: DecodedImage, embedder: Embedder) -> list[Descriptor]:
    """Everything that is kept beside an original so that copies of it can be found and shown."""
    working = reduced(image.working, WORKING_COPY_SIDE)
    grey = np.asarray(cv2.cvtColor(working, cv2.COLOR_RGB2GRAY), np.uint8)
    found = local.extract(grey, limit=KEYPOINT_LIMIT)
    hashes = perceptual.pdq(working)
    kinds = DescriptorKind
    return [
        embedding_descriptor(image.working, embedder),
        _plain(kinds.PHASH, "phash-64", perceptual.PHASH_VERSION, perceptual.phash(working)),
        _plain(kinds.PDQ, "pdq-256", perceptual.PDQ_VERSION, hashes.upright + bytes([hashes.quality])),
        _plain(kinds.KEYPOINTS, local.KEYPOINTS_ALGORITHM, local.KEYPOINTS_VERSION, local.dump(found)),
        _plain(kinds.WORKING_COPY, "jpeg-512", f"pillow {pillow_version}", working_copy(working)),
    ]


def _plain(kind: DescriptorKind, algorithm: str, version: str, data: bytes) -> Descriptor:
    return Descriptor(kind=kind, algorithm=algorithm, version=version, weights_sha256=None, data=data)


def working_copy(picture: Pixels) -> bytes:
    """``picture`` as JPEG, at the best quality that fits the storage budget of a reference.

    Noise fits at no quality: it is made smaller until it does.
    """
    while True:
        for quality in _QUALITIES:
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
            if buffer.tell() <= _WORKING_COPY_BYTES:
                return buffer.getvalue()
        picture = reduced(picture, max(picture.shape[:2]) * 3 // 4)


def reference_picture(
    descriptors: Sequence[Descriptor], *, sha256: str, pixel_digest: str, width: int, height: int
) -> ReferencePicture:
    """What verification needs of a content, from its stored descriptors. Raises DigestMismatch when one is damaged."""
    data = {descriptor.kind: descriptor.data for descriptor in descriptors}
    missing = [kind.value for kind in STORED_FOR_VERIFICATION if kind not in data]
    if missing:
        raise DigestMismatch(f"content {sha256[:12]}... lacks its {', '.join(missing)} descriptor")
    reading = DescriptorKind.WORKING_COPY
    try:
        working = _read_working_copy(data[reading])
        reading = DescriptorKind.KEYPOINTS
        keypoints = local.load(data[reading])
        reading = DescriptorKind.PDQ
        pdq, pdq_quality = _read_pdq(data[reading])
    except (ValueError, cv2.error) as error:
        name = reading.value.replace("_", " ")
        raise DigestMismatch(f"the stored {name} of content {sha256[:12]}... is damaged: {error}") from error
    return ReferencePicture(
        content_sha256=sha256,
        pixel_digest=pixel_digest,
        width=width,
        height=height,
        working=working,
        keypoints=keypoints,
        pdq=pdq,
        pdq_quality=pdq_quality,
    )


def _read_working_copy(data: bytes) -> Pixels:
    """Our own encoding of pixels that a sandboxed decoder delivered: safe to decode here. Raises ValueError."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data.endswith(_END_OF_JPEG) else None
    if picture is None:
        raise ValueError("it is no whole JPEG file")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _read_pdq(data: bytes) -> tuple[bytes, int]:
    if len(data) != _PDQ_BYTES + 1:
        raise ValueError(f"{len(data)} bytes instead of {_PDQ_BYTES + 1}")
    return data[:_PDQ_BYTES], data[_PDQ_BYTES]
