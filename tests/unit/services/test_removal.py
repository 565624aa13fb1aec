"""Erasing: what is told when the bytes cannot be deleted, though the erasure stands."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from imgguard.errors import IndexUnavailable, NotFound, StoreUnavailable
from imgguard.ports import BlobDeletions
from imgguard.registry.records import Reference, ReferenceStatus
from imgguard.services.removal import Removal
from imgguard.services.retention import tidy


@pytest.fixture
def catalogue(reference: Callable[..., Reference]) -> Mock:
    catalogue = Mock()
    catalogue.reference.return_value = reference()
    catalogue.erase.return_value = reference(status=ReferenceStatus.ERASED, sha256=None, file=None, owner=None)
    catalogue.delete_blobs.return_value = BlobDeletions(deleted=1, failed={})
    return catalogue


def removal(catalogue: Mock, clock: Any) -> Removal:
    return Removal(catalogue=catalogue, blobs=Mock(), index=Mock(), clock=clock)


def test_what_is_done_is_done(catalogue: Mock, clock: Any) -> None:
    removed = removal(catalogue, clock).erase("ref_1")
    assert (removed.reference.status, removed.unfinished) == ("erased", None)
    assert removal(catalogue, clock).withdraw("ref_1").unfinished is None


def test_bytes_that_could_not_be_deleted_yet_are_told(catalogue: Mock, clock: Any) -> None:
    catalogue.delete_blobs.return_value = BlobDeletions(deleted=0, failed={"c" * 64: "read-only"})
    removed = removal(catalogue, clock).erase("ref_1")
    assert removed.reference.status is ReferenceStatus.ERASED
    assert isinstance(removed.unfinished, StoreUnavailable)
    assert "read-only" in removed.unfinished.detail


def test_those_of_another_erasure_are_not(catalogue: Mock, clock: Any) -> None:
    catalogue.delete_blobs.return_value = BlobDeletions(deleted=1, failed={"d" * 64: "read-only"})
    assert removal(catalogue, clock).erase("ref_1").unfinished is None


def test_a_store_that_fails_after_the_erasure_does_not_undo_it(catalogue: Mock, clock: Any) -> None:
    catalogue.delete_blobs.side_effect = StoreUnavailable("locked")
    removed = removal(catalogue, clock).erase("ref_1")
    assert removed.unfinished is not None
    assert "locked" in removed.unfinished.detail


def test_index_files_that_cannot_be_written_are_told(catalogue: Mock, clock: Any) -> None:
    index = Mock(**{"save.side_effect": IndexUnavailable("read-only")})
    with pytest.raises(IndexUnavailable, match=r"stands, .* read-only"):
        Removal(catalogue=catalogue, blobs=Mock(), index=index, clock=clock).settle()


def test_what_is_not_there_cannot_be_erased(catalogue: Mock, clock: Any) -> None:
    catalogue.reference.side_effect = NotFound("none")
    with pytest.raises(NotFound):
        removal(catalogue, clock).erase("ref_1")


def test_tidying_goes_on_and_tells(catalogue: Mock, clock: Any, caplog: pytest.LogCaptureFixture) -> None:
    catalogue.delete_blobs.return_value = BlobDeletions(deleted=2, failed={"d" * 64: "stuck file"})
    assert tidy(catalogue, Mock(), clock) == 2
    assert "stuck file" in caplog.text
