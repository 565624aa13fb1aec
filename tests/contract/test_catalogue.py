"""What every Catalogue keeps to. One implementation so far: SQLite."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from imgguard.errors import DuplicateReference, InvalidTransition, NotFound, StoreUnavailable, WeightsUnavailable
from imgguard.fingerprint.fingerprint import DescriptorKind
from imgguard.ports import BlobDeletions, Catalogue, StoredFinding
from imgguard.registry.ids import new_id
from imgguard.registry.records import Reference, ReferenceStatus
from imgguard.storage.sql.catalogue import SqlCatalogue

from . import stores
from .stores import LATER, NOON, OTHER_WEIGHTS, WEIGHTS

RED, BLUE = b"red shirt", b"blue shirt"


@pytest.fixture(params=["sqlite"])
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    opened = SqlCatalogue.open(tmp_path / "home" / "imgguard.db")
    yield opened
    opened.close()


@pytest.fixture
def ready(catalogue: Catalogue) -> Catalogue:
    """With an active generation."""
    begun = catalogue.begin_generation(WEIGHTS, at=NOON)
    catalogue.activate_generation(begun.generation_id, at=NOON)
    return catalogue


def register(
    catalogue: Catalogue, data: bytes, *, owner: str = "ann", file: str = "a.jpg", at: datetime = NOON
) -> Reference:
    return catalogue.add_reference(owner, stores.content(data), stores.descriptors(data), file=file, at=at)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def finding(data: bytes = RED, *, created_at: datetime = NOON, **changes: str) -> StoredFinding:
    fields = {"finding_id": new_id("fnd"), "file": "q.jpg", "query_sha256": sha256(data), "document": "{}"}
    return StoredFinding(created_at=created_at, **(fields | changes))


def presence(catalogue: Catalogue) -> dict[int, bool]:
    return {change.number: change.present for change in catalogue.index_changes(0)}


class TestRegistering:
    def test_a_reference_is_read_back_as_it_was_given(self, ready: Catalogue) -> None:
        made = register(ready, RED)
        assert ready.reference(made.reference_id) == made
        assert (made.owner, made.file, made.sha256, made.status) == ("ann", "a.jpg", sha256(RED), "active")
        assert made.registered_at == NOON
        assert made.registered_at.utcoffset() == timedelta(0)
        stored = ready.content(sha256(RED))
        assert stored.number > 0
        assert replace(stored, number=0) == stores.content(RED)
        assert ready.content_numbered(stored.number) == stored
        kinds = [DescriptorKind.PDQ, DescriptorKind.EMBEDDING]
        assert list(ready.descriptors(sha256(RED), kinds)) == stores.descriptors(RED)

    def test_times_of_another_zone_come_back_as_utc(self, ready: Catalogue) -> None:
        elsewhere = NOON.astimezone(timezone(timedelta(hours=-7)))
        made = ready.add_reference("ann", stores.content(RED), stores.descriptors(RED), file="a", at=elsewhere)
        assert made.registered_at == NOON
        assert made.registered_at.utcoffset() == timedelta(0)

    def test_an_owner_registers_the_same_bytes_once(self, ready: Catalogue) -> None:
        made = register(ready, RED)
        before = ready.statistics()
        with pytest.raises(DuplicateReference, match=made.reference_id):
            register(ready, RED, file="b.jpg")
        assert ready.statistics() == before
        assert ready.find_reference("ann", sha256(RED)) == made

    def test_two_owners_may_register_the_same_bytes(self, ready: Catalogue) -> None:
        first, second = register(ready, RED), register(ready, RED, owner="bob")
        assert list(ready.references_of(sha256(RED))) == [first, second]
        assert ready.statistics()["contents"] == 1
        assert len(ready.index_changes(0)) == 1

    def test_nothing_is_left_of_a_registration_that_failed(self, ready: Catalogue) -> None:
        def fail() -> None:
            raise OSError("no space")

        before = ready.statistics()
        with pytest.raises(OSError, match="no space"):
            ready.add_reference("ann", stores.content(RED), [stores.embedding(RED)], file="a", at=NOON, store_blob=fail)
        assert ready.statistics() == before
        assert ready.owner("ann") is None
        assert ready.index_changes(0) == []

    def test_a_reference_the_index_could_not_find_is_refused(self, ready: Catalogue) -> None:
        with pytest.raises(WeightsUnavailable):
            ready.add_reference("ann", stores.content(RED), [stores.embedding(RED, OTHER_WEIGHTS)], file="a", at=NOON)
        assert ready.statistics()["references"] == 0

    def test_references_are_listed_in_pages(self, ready: Catalogue) -> None:
        made = [register(ready, bytes([n]), owner="bob" if n % 2 else "ann") for n in range(7)]
        first = ready.references(limit=4)
        rest = ready.references(limit=4, after=first[-1].reference_id)
        assert [*first, *rest] == made
        assert list(ready.references(owner="bob")) == made[1::2]
        ready.withdraw(made[0].reference_id, at=LATER)
        assert list(ready.references(status=ReferenceStatus.ACTIVE)) == made[1:]

    def test_what_is_not_there_is_not_found(self, catalogue: Catalogue) -> None:
        for look in (catalogue.reference, catalogue.content, catalogue.finding):
            with pytest.raises(NotFound):
                look("nothing")
        with pytest.raises(NotFound):
            catalogue.add_descriptor(sha256(RED), stores.perceptual(RED))
        assert catalogue.owner("nobody") is None
        assert catalogue.find_reference("nobody", sha256(RED)) is None
        assert catalogue.content_numbered(1) is None
        assert catalogue.active_generation() is None


class TestWithdrawing:
    def test_history_stays_and_the_index_lets_go(self, ready: Catalogue) -> None:
        made = register(ready, RED)
        gone = ready.withdraw(made.reference_id, at=LATER)
        assert gone == replace(made, status=ReferenceStatus.WITHDRAWN, withdrawn_at=LATER)
        assert list(presence(ready).values()) == [False]
        assert ready.references_of(sha256(RED)) == []
        assert ready.descriptors(sha256(RED), [DescriptorKind.PDQ])

    def test_it_stays_searchable_while_another_owner_holds_it(self, ready: Catalogue) -> None:
        made = register(ready, RED)
        register(ready, RED, owner="bob")
        ready.withdraw(made.reference_id, at=LATER)
        assert list(presence(ready).values()) == [True]

    def test_registered_again_it_is_a_new_reference_of_the_same_work(self, ready: Catalogue) -> None:
        made = register(ready, RED)
        ready.withdraw(made.reference_id, at=LATER)
        again = register(ready, RED)
        assert again.reference_id > made.reference_id
        assert again.work_id == made.work_id
        assert list(presence(ready).values()) == [True]

    def test_twice_is_an_error(self, ready: Catalogue) -> None:
        made = register(ready, RED)
        ready.withdraw(made.reference_id, at=LATER)
        with pytest.raises(InvalidTransition):
            ready.withdraw(made.reference_id, at=LATER)
        with pytest.raises(NotFound):
            ready.withdraw("ref_none", at=LATER)


class TestErasing:
    @pytest.mark.parametrize("withdrawn", [False, True])
    def test_an_opaque_tombstone_stays(self, ready: Catalogue, withdrawn: bool) -> None:
        made = register(ready, RED)
        if withdrawn:
            ready.withdraw(made.reference_id, at=LATER)
        tombstone = ready.erase(made.reference_id, at=LATER)
        assert (tombstone.sha256, tombstone.file, tombstone.work_id) == (None, None, None)
        assert (tombstone.status, tombstone.erased_at, tombstone.owner) == ("erased", LATER, None)
        assert ready.reference(made.reference_id) == tombstone
        with pytest.raises(NotFound):
            ready.content(sha256(RED))
        assert list(presence(ready).values()) == [False]
        counted = ready.statistics()
        assert (counted["contents"], counted["works"], counted["descriptor_bytes"]) == (0, 0, 0)
        assert list(ready.pending_blob_deletions()) == [sha256(RED)]
        with pytest.raises(InvalidTransition):
            ready.erase(made.reference_id, at=LATER)
        with pytest.raises(InvalidTransition):
            ready.withdraw(made.reference_id, at=LATER)

    @pytest.mark.parametrize("other_withdrawn", [False, True])
    def test_bytes_stay_while_another_reference_uses_them(self, ready: Catalogue, other_withdrawn: bool) -> None:
        made, other = register(ready, RED), register(ready, RED, owner="bob")
        if other_withdrawn:
            ready.withdraw(other.reference_id, at=LATER)
        ready.erase(made.reference_id, at=LATER)
        assert ready.content(sha256(RED))
        assert ready.pending_blob_deletions() == []
        assert list(presence(ready).values()) == [not other_withdrawn]
        ready.erase(other.reference_id, at=LATER)
        assert list(ready.pending_blob_deletions()) == [sha256(RED)]

    def test_a_number_is_never_used_again(self, ready: Catalogue) -> None:
        made = register(ready, RED)
        number = ready.content(sha256(RED)).number
        ready.erase(made.reference_id, at=LATER)
        register(ready, RED)
        assert ready.content(sha256(RED)).number > number
        assert presence(ready) == {number: False, number + 1: True}

    @pytest.mark.parametrize("expires", [NOON, LATER])
    def test_bytes_that_were_checked_too_go_all_the_same(self, ready: Catalogue, expires: datetime) -> None:
        made, other = register(ready, RED), register(ready, RED, owner="bob")
        ready.add_finding(finding(RED), query_expires_at=expires)
        ready.erase(made.reference_id, at=NOON)
        assert (list(ready.kept_queries()), ready.pending_blob_deletions()) == ([sha256(RED)], [])
        ready.erase(other.reference_id, at=NOON)
        assert ready.kept_queries() == []
        assert list(ready.pending_blob_deletions()) == [sha256(RED)]

    def test_bytes_that_were_checked_before_they_were_registered_stay(self, ready: Catalogue) -> None:
        ready.add_finding(finding(RED, created_at=NOON - timedelta(seconds=1)), query_expires_at=LATER)
        made = register(ready, RED)
        ready.add_finding(finding(RED, created_at=LATER), query_expires_at=LATER)
        ready.erase(made.reference_id, at=LATER)
        assert (list(ready.kept_queries()), ready.pending_blob_deletions()) == ([sha256(RED)], [])

    @pytest.mark.parametrize("ending", ["erased", "expired"])
    def test_a_check_whose_bytes_went_before_holds_none_that_are_registered_again(
        self, ready: Catalogue, ending: str
    ) -> None:
        earlier, again = NOON - timedelta(days=2), NOON + timedelta(seconds=1)
        ready.add_finding(finding(RED, created_at=earlier), query_expires_at=earlier + timedelta(days=1))
        if ending == "erased":
            ready.erase(register(ready, RED, at=earlier).reference_id, at=NOON)
        else:
            ready.expire_queries(now=NOON)
        made = register(ready, RED)
        ready.add_finding(finding(RED, created_at=again), query_expires_at=LATER)
        ready.erase(made.reference_id, at=again)
        assert (list(ready.kept_queries()), list(ready.pending_blob_deletions())) == ([], [sha256(RED)])

    def test_bytes_that_are_checked_afterwards_are_kept_as_a_query(self, ready: Catalogue) -> None:
        ready.erase(register(ready, RED).reference_id, at=NOON)
        ready.add_finding(finding(RED), query_expires_at=LATER)
        assert list(ready.kept_queries()) == [sha256(RED)]
        assert ready.pending_blob_deletions() == []

    def test_an_owner_is_forgotten_with_the_last_of_its_references(self, ready: Catalogue) -> None:
        first, second = register(ready, RED), register(ready, BLUE)
        other = register(ready, RED, owner="bob")
        ready.withdraw(second.reference_id, at=LATER)
        ready.erase(first.reference_id, at=LATER)
        assert ready.owner("ann") is not None
        ready.erase(second.reference_id, at=LATER)
        assert ready.owner("ann") is None
        assert ready.reference(other.reference_id).owner == "bob"
        assert [one.owner for one in ready.references()] == [None, None, "bob"]
        again = register(ready, BLUE)
        assert (again.owner, again.owner_id == first.owner_id) == ("ann", False)

    def test_nobody_can_be_called_what_a_forgotten_owner_is_called(self, ready: Catalogue) -> None:
        made = register(ready, RED)
        register(ready, RED, owner=made.owner_id)
        ready.erase(made.reference_id, at=LATER)
        assert ready.owner("ann") is None


class TestBlobDeletion:
    def test_each_is_deleted_once(self, ready: Catalogue) -> None:
        for data in (RED, BLUE):
            ready.erase(register(ready, data).reference_id, at=LATER)
        deleted: list[str] = []
        assert ready.delete_blobs(deleted.append) == BlobDeletions(deleted=2, failed={})
        assert sorted(deleted) == sorted([sha256(RED), sha256(BLUE)])
        assert ready.delete_blobs(deleted.append).deleted == 0

    def test_many_are_deleted_in_several_transactions(self, ready: Catalogue) -> None:
        for n in range(120):
            ready.add_finding(finding(bytes([n])), query_expires_at=NOON)
        assert ready.expire_queries(now=LATER) == 120
        assert ready.delete_blobs(lambda digest: None).deleted == 120

    @pytest.mark.parametrize("error", [OSError("stuck"), StoreUnavailable("stuck")])
    def test_a_deletion_that_fails_is_repeated_and_holds_up_no_other(self, ready: Catalogue, error: Exception) -> None:
        """More of them than are deleted in one transaction."""
        for n in range(180):
            ready.add_finding(finding(bytes([n])), query_expires_at=NOON)
        ready.expire_queries(now=LATER)
        stuck = {sha256(bytes([n])) for n in range(0, 180, 2)}
        gone: list[str] = []

        def delete(digest: str) -> None:
            if digest in stuck:
                raise error
            gone.append(digest)

        assert ready.delete_blobs(delete) == BlobDeletions(deleted=90, failed=dict.fromkeys(stuck, "stuck"))
        assert len(gone) == len(set(gone)) == 90
        assert set(ready.pending_blob_deletions()) == stuck
        assert ready.delete_blobs(lambda digest: None).deleted == 90
        assert ready.pending_blob_deletions() == []

    def test_a_bug_in_deleting_is_no_failed_deletion(self, ready: Catalogue) -> None:
        ready.erase(register(ready, RED).reference_id, at=LATER)
        with pytest.raises(ZeroDivisionError):
            ready.delete_blobs(lambda digest: print(1 / 0))
        assert list(ready.pending_blob_deletions()) == [sha256(RED)]

    def test_only_what_nothing_needs_can_be_queued(self, ready: Catalogue) -> None:
        register(ready, RED)
        ready.add_finding(finding(BLUE), query_expires_at=LATER)
        strays = [sha256(bytes([n])) for n in range(3)]
        assert ready.queue_blob_deletions([sha256(RED), sha256(BLUE), *strays], at=NOON) == 3
        assert ready.queue_blob_deletions(strays, at=NOON) == 3
        assert sorted(ready.pending_blob_deletions()) == sorted(strays)

    def test_registering_the_bytes_again_calls_it_off_and_puts_them_back(self, ready: Catalogue) -> None:
        ready.erase(register(ready, RED).reference_id, at=LATER)
        put: list[bytes] = []
        ready.add_reference(
            "bob",
            stores.content(RED),
            stores.descriptors(RED),
            file="b",
            at=LATER,
            store_blob=lambda: put.append(RED),
        )
        assert put == [RED]
        assert ready.pending_blob_deletions() == []

    def test_checking_the_bytes_again_calls_it_off_too(self, ready: Catalogue) -> None:
        ready.erase(register(ready, RED).reference_id, at=LATER)
        put: list[bytes] = []
        ready.add_finding(finding(RED), query_expires_at=LATER + timedelta(days=1), store_blob=lambda: put.append(RED))
        assert put == [RED]
        assert ready.pending_blob_deletions() == []


class TestFindings:
    def test_a_finding_is_read_back(self, ready: Catalogue) -> None:
        made = finding(document='{"verdict": "copy"}')
        ready.add_finding(made, query_expires_at=None)
        assert ready.finding(made.finding_id) == made
        assert ready.statistics()["queries"] == 0

    def test_the_later_retention_of_the_same_bytes_holds(self, ready: Catalogue) -> None:
        ready.add_finding(finding(), query_expires_at=LATER)
        ready.add_finding(finding(), query_expires_at=NOON)
        assert ready.expire_queries(now=NOON) == 0
        assert ready.expire_queries(now=LATER) == 1

    def test_an_expired_query_leaves_the_bytes_of_a_reference_alone(self, ready: Catalogue) -> None:
        register(ready, RED)
        ready.add_finding(finding(RED), query_expires_at=NOON)
        assert ready.expire_queries(now=LATER) == 1
        assert ready.pending_blob_deletions() == []


class TestGenerations:
    def test_one_is_active_and_only_when_it_is_complete(self, ready: Catalogue) -> None:
        register(ready, RED)
        old = ready.active_generation()
        new = ready.begin_generation(OTHER_WEIGHTS, at=LATER)
        assert ready.begin_generation(OTHER_WEIGHTS, at=LATER) == new
        assert [content.sha256 for content in ready.contents_without_embedding(OTHER_WEIGHTS)] == [sha256(RED)]
        with pytest.raises(InvalidTransition, match="incomplete"):
            ready.activate_generation(new.generation_id, at=LATER)
        assert ready.active_generation() == old
        ready.add_descriptor(sha256(RED), stores.embedding(RED, OTHER_WEIGHTS))
        active = ready.activate_generation(new.generation_id, at=LATER)
        assert active == ready.active_generation() == replace(new, status="active", activated_at=LATER)
        assert ready.activate_generation(new.generation_id, at=LATER) == active
        assert old is not None
        with pytest.raises(InvalidTransition, match="retired"):
            ready.activate_generation(old.generation_id, at=LATER)
        with pytest.raises(NotFound):
            ready.activate_generation("gen_none", at=LATER)

    def test_withdrawn_contents_need_no_embedding(self, ready: Catalogue) -> None:
        ready.withdraw(register(ready, RED).reference_id, at=LATER)
        assert ready.contents_without_embedding(OTHER_WEIGHTS) == []

    def test_embeddings_are_read_by_number_and_in_pages(self, ready: Catalogue) -> None:
        made = [register(ready, bytes([n])) for n in range(5)]
        ready.withdraw(made[1].reference_id, at=LATER)
        numbers = [ready.content(sha256(bytes([n]))).number for n in range(5)]
        expected = [(numbers[n], stores.embedding(bytes([n])).data) for n in (0, 2, 3, 4)]
        first = ready.searchable_embeddings(WEIGHTS, limit=3)
        rest = ready.searchable_embeddings(WEIGHTS, after=first[-1][0], limit=3)
        assert [*first, *rest] == expected
        assert ready.embeddings(WEIGHTS, [numbers[0], 999]) == dict(expected[:1])
        assert len(ready.embeddings(WEIGHTS, list(range(3000)))) == 5
        assert ready.embeddings(OTHER_WEIGHTS, numbers) == {}

    def test_a_late_embedding_is_announced_to_the_index(self, ready: Catalogue) -> None:
        register(ready, RED)
        before = ready.index_state().sequence
        ready.add_descriptor(sha256(RED), stores.embedding(RED))
        assert [change.present for change in ready.index_changes(before)] == [True]

    def test_sequences_increase_and_the_state_names_the_last(self, ready: Catalogue) -> None:
        for n in range(4):
            register(ready, bytes([n]))
        sequences = [change.sequence for change in ready.index_changes(0)]
        assert sequences == sorted(set(sequences))
        assert ready.index_state().sequence == sequences[-1]
        assert [change.sequence for change in ready.index_changes(sequences[1], limit=1)] == sequences[2:3]


def test_statistics_count_everything(ready: Catalogue) -> None:
    made = [register(ready, data) for data in (RED, BLUE, b"green")]
    ready.withdraw(made[0].reference_id, at=LATER)
    ready.erase(made[1].reference_id, at=LATER)
    ready.add_finding(finding(b"query"), query_expires_at=LATER)
    counted = ready.statistics()
    expected = {
        "owners": 1,
        "works": 2,
        "references": 3,
        "references_active": 1,
        "references_withdrawn": 1,
        "references_erased": 1,
        "contents": 2,
        "findings": 1,
        "queries": 1,
        "pending_blob_deletions": 1,
        "original_bytes": len(RED) + len(b"green"),
        "descriptor_bytes_embedding": 2 * 4 * stores.DIMENSION,
        "descriptor_bytes_keypoints": 0,
    }
    assert expected.items() <= counted.items()
    assert counted["descriptor_bytes"] == counted["descriptor_bytes_embedding"] + counted["descriptor_bytes_pdq"]
