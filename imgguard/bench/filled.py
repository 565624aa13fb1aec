"""A store with many references, written as registration writes them, but for the vectors: those are synthetic.

Every row is there that a registered picture has: owner, work, reference, content, all its descriptors, and the change
that the index follows. Their pictures are all the same small one, so that the store takes 2 GB rather than ten; nothing
that is measured here reads more of them than a few candidates.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from imgguard.bench.accuracy import say
from imgguard.bench.edits.picture import decoded, jpeg, resized_pixels
from imgguard.bench.sampling import SEED
from imgguard.bench.synthetic import Generator
from imgguard.bootstrap import Services
from imgguard.fingerprint.describe import describe
from imgguard.fingerprint.embedding import Embedder
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, whole_vectors
from imgguard.fingerprint.weights import packaged_weights
from imgguard.imaging.decode import decode_bytes
from imgguard.imaging.image import DecodedImage, DecodeLimits
from imgguard.index.base import Vectors
from imgguard.registry.records import Content
from imgguard.settings import Settings
from imgguard.storage.sql import contents, references

OWNER = "Others"
_SIDE = (96, 128)  # of the small picture, in pixels
_AT_ONCE = 1_000  # references a transaction


def fill(home: Path, picture: bytes, *, count: int) -> None:
    """``count`` references more, of another owner, in the store at ``home``; ``picture`` is any file.

    The vectors are drawn like those that are there already (`imgguard.bench.synthetic`).
    """
    small = jpeg(resized_pixels(decoded(picture), *_SIDE), 90)
    image = decode_bytes(small, DecodeLimits())
    given = describe(image, Embedder(packaged_weights("sscd"), threads=1))
    with Services(Settings(home=home)) as services:
        drawn = Generator.of(_stored(services), seed=SEED).vectors(count)
        done = 0
        for block in drawn:
            for start in range(0, len(block), _AT_ONCE):
                part = block[start : start + _AT_ONCE]
                _write(services, image, given, part, first=done)
                done += len(part)
                if done % 10_000 < _AT_ONCE:
                    say(f"service: {done} references")


def _stored(services: Services) -> Vectors:
    """The vectors of what was registered, float32 (n, 512)."""
    generation = services.catalogue.active_generation()
    assert generation is not None
    page = services.catalogue.searchable_embeddings(generation.weights_sha256, after=0, limit=10_000)
    return whole_vectors(dict(page), dimension=None)[1]


def _write(services: Services, image: DecodedImage, given: list[Descriptor], vectors: Vectors, *, first: int) -> None:
    at = services.clock.now()
    with services.database.write() as connection:
        for position, vector in enumerate(vectors, start=first):
            sha256 = hashlib.sha256(f"synthetic {position}".encode()).hexdigest()
            number = contents.ensure(connection, _content(image, sha256))
            references.add(connection, OWNER, number, file=f"{position}.jpg", title=None, at=at)
            descriptors = [
                replace(one, data=vector.astype("<f4").tobytes()) if one.kind is DescriptorKind.EMBEDDING else one
                for one in given
            ]
            contents.add_missing_descriptors(connection, number, descriptors)


def _content(image: DecodedImage, sha256: str) -> Content:
    return Content(
        number=0,
        sha256=sha256,
        byte_length=1,
        pixel_digest=hashlib.sha256(f"synthetic pixels {sha256}".encode()).hexdigest(),
        media_type="image/jpeg",
        width=image.width,
        height=image.height,
        decoder="synthetic",
        decoder_version="1",
        declared_times="{}",
    )
