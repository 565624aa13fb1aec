"""Weights are what their digests say; hashes survive what they should; a reference keeps within its budget."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imgguard.errors import ConfigurationError, DigestMismatch, WeightsUnavailable
from imgguard.fingerprint.describe import describe, reference_picture
from imgguard.fingerprint.embedding import Embedder
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, pack_vector, unpack_vectors
from imgguard.fingerprint.perceptual import hamming_distance, pdq, phash
from imgguard.fingerprint.weights import PACKAGED, PAIRS, custom_weights, packaged_weights
from imgguard.imaging.decode import decode_bytes
from imgguard.imaging.image import DecodedImage, DecodeLimits

SAMPLES = Path(__file__).resolve().parents[3] / "sample_images" / "originals"
BUDGET = 100_000


def decoded(name: str) -> DecodedImage:
    return decode_bytes((SAMPLES / f"{name}.jpg").read_bytes(), DecodeLimits())


@pytest.fixture(scope="module")
def student() -> Embedder:
    return Embedder(packaged_weights("sscd_distilled"))


def test_packaged_weights_have_the_digests_written_down() -> None:
    for name, digest in PACKAGED.items():
        assert packaged_weights(name).sha256 == digest


def test_the_student_searches_for_its_teacher_and_nobody_else() -> None:
    teacher, student = packaged_weights("sscd"), packaged_weights("sscd_distilled")
    assert {teacher.sha256: student.sha256} == PAIRS


def test_unknown_and_wrong_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        packaged_weights("resnet")
    with pytest.raises(WeightsUnavailable):
        custom_weights(tmp_path / "absent.onnx", "0" * 64)
    fake = tmp_path / "fake.onnx"
    fake.write_bytes(b"not a network")
    with pytest.raises(ConfigurationError, match="SHA-256"):
        custom_weights(fake, "0" * 64)
    with pytest.raises(WeightsUnavailable):
        Embedder(custom_weights(fake, hashlib.sha256(b"not a network").hexdigest()))


def test_embeddings_are_unit_vectors_and_alike_for_a_copy(student: Embedder) -> None:
    mug, jacket = decoded("mug").working, decoded("denim-jacket").working
    vectors = student.embed([mug, mug[20:-20, 20:-20], jacket])
    assert vectors.shape == (3, 512)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert vectors[0] @ vectors[1] > 0.7 > vectors[0] @ vectors[2]
    assert student.embed([]).shape == (0, 512)


def test_pdq_finds_all_orientations() -> None:
    picture = decoded("mug").working
    reference = pdq(picture).upright
    for turns in range(4):
        turned = np.ascontiguousarray(np.rot90(picture, turns))
        assert hamming_distance(pdq(turned), reference) <= 30
        assert hamming_distance(pdq(np.ascontiguousarray(turned[:, ::-1])), reference) <= 30
    assert hamming_distance(pdq(decoded("denim-jacket").working), reference) > 60


def test_phash_is_eight_bytes() -> None:
    assert len(phash(decoded("mug").working)) == 8


@pytest.mark.parametrize("name", ["mug", "plaid-shirt", "oat-yoghurt-carton", "tie-dye-hoodie"])
def test_a_reference_keeps_within_its_budget_and_comes_back(name: str, student: Embedder) -> None:
    image = decoded(name)
    descriptors = describe(image, student)
    assert {descriptor.kind for descriptor in descriptors} == set(DescriptorKind)
    assert sum(len(descriptor.data) for descriptor in descriptors) <= BUDGET
    assert all(descriptor.algorithm and descriptor.version for descriptor in descriptors)
    back = reference_picture(
        descriptors, sha256=image.sha256, pixel_digest=image.pixel_digest, width=image.width, height=image.height
    )
    assert max(back.working.shape) <= 512
    assert back.pdq == pdq(back.working).upright or hamming_distance(pdq(back.working), back.pdq) < 12


@pytest.mark.parametrize("size", [(900, 1024, 3), (512, 512, 3), (512, 384, 3)])
def test_a_noisy_picture_keeps_within_the_budget_too(size: tuple[int, int, int], student: Embedder) -> None:
    noise = (np.random.default_rng(1).integers(0, 2, size) * 255).astype(np.uint8)
    image = decoded("mug")
    noisy = DecodedImage(**{name: getattr(image, name) for name in DecodedImage.__slots__} | {"working": noise})
    assert sum(len(descriptor.data) for descriptor in describe(noisy, student)) <= BUDGET


def test_missing_descriptors_are_told() -> None:
    with pytest.raises(DigestMismatch, match="keypoints"):
        reference_picture([], sha256="0" * 64, pixel_digest="", width=1, height=1)


@pytest.fixture(scope="module")
def described(student: Embedder) -> tuple[DecodedImage, list[Descriptor]]:
    image = decoded("mug")
    return image, describe(image, student)


def not_a_number(data: bytes) -> bytes:
    """Keypoints whose first size is NaN."""
    start = 4 + 4 * int.from_bytes(data[:4], "little")
    return data[:start] + b"\x00\x7e" + data[start + 2 :]


@pytest.mark.parametrize("kind", [DescriptorKind.KEYPOINTS, DescriptorKind.WORKING_COPY, DescriptorKind.PDQ])
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"\0",
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[: len(data) // 2],
        lambda data: b"\xff" * len(data),
    ],
    ids=["empty", "short", "cut", "longer", "half", "ones"],
)
def test_damaged_descriptors_are_told(
    described: tuple[DecodedImage, list[Descriptor]], kind: DescriptorKind, damage: Callable[[bytes], bytes]
) -> None:
    image, descriptors = described
    broken = [replace(one, data=damage(one.data)) if one.kind is kind else one for one in descriptors]
    if kind is DescriptorKind.PDQ and len(broken[2].data) == 33:
        return  # any 33 bytes are a hash and its quality
    with pytest.raises(DigestMismatch, match=image.sha256[:12]):
        reference_picture(broken, sha256=image.sha256, pixel_digest="", width=image.width, height=image.height)


def test_keypoints_that_are_no_numbers_are_told(described: tuple[DecodedImage, list[Descriptor]]) -> None:
    image, descriptors = described
    broken = [replace(d, data=not_a_number(d.data)) if d.kind == "keypoints" else d for d in descriptors]
    with pytest.raises(DigestMismatch, match="keypoints"):
        reference_picture(broken, sha256=image.sha256, pixel_digest="", width=image.width, height=image.height)


@pytest.mark.parametrize("packed", [[b"1234"], [b""], [b"12345"], [b"\xff" * 64]])
def test_damaged_embeddings_are_told(packed: list[bytes]) -> None:
    with pytest.raises(DigestMismatch, match="embedding"):
        unpack_vectors(packed)
    whole = pack_vector(np.eye(1, 16, dtype=np.float32)[0])
    with pytest.raises(DigestMismatch, match="embedding"):
        unpack_vectors([whole, *packed])
    assert unpack_vectors([whole, whole]).shape == (2, 16)
    assert unpack_vectors([]).shape[0] == 0
