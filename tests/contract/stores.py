"""Synthetic contents and descriptors: what is stored matters here, not what it shows."""

import hashlib
from datetime import UTC, datetime, timedelta

import numpy as np

from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, pack_vector
from imgguard.registry.records import Content

WEIGHTS = "a" * 64
OTHER_WEIGHTS = "b" * 64
NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
DIMENSION = 32
CREDENTIALS = '{"state":"valid"}'


def content(data: bytes) -> Content:
    return Content(
        number=0,
        sha256=hashlib.sha256(data).hexdigest(),
        byte_length=len(data),
        pixel_digest=hashlib.sha256(b"pixels" + data).hexdigest(),
        media_type="image/png",
        width=400,
        height=300,
        decoder="pillow",
        decoder_version="13.0",
        declared_times="[]",
        credentials=CREDENTIALS,
    )


def vector(data: bytes, dimension: int = DIMENSION) -> np.ndarray:
    """A unit vector that depends on ``data`` only."""
    seed = int.from_bytes(hashlib.sha256(data).digest()[:8])
    found = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return found / np.linalg.norm(found)


def embedding(data: bytes, weights: str = WEIGHTS) -> Descriptor:
    return Descriptor(
        kind=DescriptorKind.EMBEDDING,
        algorithm="sscd",
        version="onnxruntime 1.31",
        weights_sha256=weights,
        data=pack_vector(vector(data + weights.encode())),
    )


def perceptual(data: bytes) -> Descriptor:
    return Descriptor(
        kind=DescriptorKind.PDQ, algorithm="pdq", version="pdqhash 0.2.8", weights_sha256=None, data=data[:32]
    )


def descriptors(data: bytes) -> list[Descriptor]:
    return [embedding(data), perceptual(data)]
