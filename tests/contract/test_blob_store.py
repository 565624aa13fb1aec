"""What every BlobStore keeps to."""

import hashlib
from pathlib import Path

import pytest

from imgguard.errors import NotFound
from imgguard.ports import BlobStore
from imgguard.storage.blobs import LocalBlobStore


@pytest.fixture(params=["local"])
def blobs(tmp_path: Path) -> BlobStore:
    return LocalBlobStore(tmp_path / "originals")


@pytest.mark.parametrize("data", [b"", b"\x00", b"picture" * 10_000])
def test_bytes_come_back_as_they_were(blobs: BlobStore, data: bytes) -> None:
    digest = blobs.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert blobs.get(digest) == data
    assert blobs.put(data) == digest
    assert list(blobs.digests()) == [digest]


def test_deleted_bytes_are_gone_and_deleting_again_is_no_error(blobs: BlobStore) -> None:
    digest, other = blobs.put(b"one"), blobs.put(b"two")
    blobs.delete(digest)
    blobs.delete(digest)
    with pytest.raises(NotFound):
        blobs.get(digest)
    assert list(blobs.digests()) == [other]
    assert blobs.put(b"one") == digest
    assert blobs.get(digest) == b"one"


def test_digests_are_listed_in_order(blobs: BlobStore) -> None:
    stored = sorted(blobs.put(bytes([n])) for n in range(50))
    assert list(blobs.digests()) == stored


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64])
def test_what_is_not_a_stored_digest_is_not_found(blobs: BlobStore, name: str) -> None:
    with pytest.raises(NotFound):
        blobs.get(name)
