"""References for people: the owner's own, read by reviewers of the operator, and not there for anybody else."""

import io
import json
from collections.abc import Callable
from unittest.mock import Mock

import pytest
from PIL import Image
from sqlalchemy import select

from imgguard.errors import (
    InputError,
    InvalidTransition,
    NotFound,
    PermissionDenied,
    StoreUnavailable,
)
from imgguard.registry.accounts import Disclosure, Scope
from imgguard.registry.records import ReferenceStatus
from imgguard.services import registration
from imgguard.services.licences import Terms
from imgguard.storage.sql.schema import collection_works, licence_works, works

from .town import FOLDER, Town, assert_untold, larger, original, references_of

OK, HIDDEN, REFUSED = None, NotFound, PermissionDenied
READERS = {
    "owner": OK,
    "owner's admin": REFUSED,
    "other owner": HIDDEN,
    "asker": REFUSED,
    "asker's colleague": HIDDEN,
    "stranger": HIDDEN,
    "stranger's reviewer": HIDDEN,
    "reviewer": OK,
    "reviewer with originals": OK,
    "seller of the operator": HIDDEN,
    "admin": REFUSED,
}
WRITERS = {**READERS, "reviewer": REFUSED, "reviewer with originals": HIDDEN, "stranger's reviewer": REFUSED}


def jacket(town: Town) -> str:
    return next(one.reference_id for one in references_of(town, "Sample Studio") if "camera" in (one.file or ""))


class TestWhoMay:
    @pytest.mark.parametrize(("viewer", "expected"), READERS.items())
    def test_read(self, town: Town, viewer: str, expected: type[Exception] | None) -> None:
        service, actor, reference_id = town.services.references, town.actor(viewer), jacket(town)
        owner_id = town.actor("owner").owner_id
        calls: list[Callable[[], object]] = [
            lambda: service.reference(actor, reference_id),
            lambda: service.original(actor, reference_id),
            lambda: service.picture(actor, reference_id, 64),
            lambda: service.references(actor, owner_id=owner_id),
        ]
        for call in calls:
            if expected is None:
                assert call()
            else:
                with pytest.raises(expected):
                    call()

    @pytest.mark.parametrize(("viewer", "expected"), WRITERS.items())
    def test_change(self, town: Town, viewer: str, expected: type[Exception] | None) -> None:
        service, actor, reference_id = town.services.references, town.actor(viewer), jacket(town)
        before = town.services.catalogue.reference(reference_id), town.actions()
        calls: list[Callable[[], object]] = [
            lambda: service.change(actor, reference_id, title="Jacket"),
            lambda: service.withdraw(actor, reference_id),
            lambda: service.erase(actor, reference_id),
        ]
        for call in calls:
            if expected is None:
                assert call()
            else:
                with pytest.raises(expected):
                    call()
                assert (town.services.catalogue.reference(reference_id), town.actions()) == before

    @pytest.mark.parametrize("viewer", ["owner's admin", "asker", "reviewer", "admin"])
    def test_register(self, town: Town, viewer: str) -> None:
        with pytest.raises(PermissionDenied):
            town.services.references.register(town.actor(viewer), original("fork"), file="a.jpg")

    def test_keys_with_few_scopes(self, town: Town) -> None:
        service, reference_id = town.services.references, jacket(town)
        reads = town.key("owner", Scope.REFERENCES_READ)
        assert service.reference(reads, reference_id)
        with pytest.raises(PermissionDenied):
            service.withdraw(reads, reference_id)
        writes = town.key("owner", Scope.REFERENCES_WRITE)
        with pytest.raises(PermissionDenied):
            service.original(writes, reference_id)
        with pytest.raises(NotFound):
            service.reference(town.key("reviewer", Scope.REFERENCES_READ), reference_id)

    def test_what_is_anothers_looks_like_what_is_not_there(self, town: Town) -> None:
        texts = []
        for asked in (jacket(town), "ref_none"):
            with pytest.raises(NotFound) as raised:
                town.services.references.reference(town.actor("stranger"), asked)
            texts.append((str(raised.value).replace(asked, ""), raised.value.advice))
        assert texts[0] == texts[1]


class TestRegistering:
    def test_the_same_bytes_again_are_a_duplicate_and_no_event(self, town: Town) -> None:
        service, owner = town.services.references, town.actor("owner")
        made = service.register(owner, original("fork"), file="fork.jpg", title="A  fork ")
        assert (made.status, made.reference.title, made.reference.file) == ("registered", "A fork", "fork.jpg")
        assert (made.reference.media_type, made.reference.owner) == ("image/jpeg", "Sample Studio")
        (event,) = town.services.audit_trail.events(newest_first=True, limit=1)
        assert (event.action, event.object_id, event.actor) == (
            "reference.registered",
            made.reference.reference_id,
            owner.member_id,
        )
        assert event.parties == {owner.organisation_id}
        before = town.actions()
        again = service.register(owner, original("fork"), file="other.jpg", title="Another")
        assert (again.status, again.reference, again.similar) == ("duplicate", made.reference, [])
        assert town.actions() == before

    def test_the_event_is_part_of_the_transaction(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        owner, reference_id = town.actor("owner"), jacket(town)
        before = town.services.catalogue.statistics()

        def fail(*_: object) -> None:
            raise StoreUnavailable("full")

        monkeypatch.setattr("imgguard.storage.sql.audit.insert", fail)
        for call in (
            lambda: town.services.references.register(owner, original("fork"), file="fork.jpg"),
            lambda: town.services.references.withdraw(owner, reference_id),
            lambda: town.services.references.erase(owner, reference_id),
        ):
            with pytest.raises(StoreUnavailable):
                call()
            assert town.services.catalogue.statistics() == before

    def test_registered_again_after_a_withdrawal_it_is_the_same_work(self, town: Town) -> None:
        service, owner = town.services.references, town.actor("owner")
        first = service.register(owner, original("fork"), file="fork.jpg", title="Fork").reference
        service.withdraw(owner, first.reference_id)
        second = service.register(owner, original("fork"), file="b.jpg").reference
        assert (second.work_id, second.title) == (first.work_id, "Fork")
        service.withdraw(owner, second.reference_id)
        third = service.register(owner, original("fork"), file="c.jpg", title="A fork").reference
        assert (third.work_id, third.title) == (first.work_id, "A fork")

    @pytest.mark.parametrize("policy", Disclosure)
    def test_what_is_similar_is_told_as_a_check_tells_it(self, town: Town, policy: Disclosure) -> None:
        town.disclose(policy)
        colleague = town.actor("asker's colleague")
        view = town.services.references.register(colleague, larger(larger(original("denim-jacket"))), file="mine.png")
        assert {match.disclosure for match in view.similar} == {policy.value}
        assert {match.match_id for match in view.similar} == {None}
        assert {match.standing for match in view.similar} == {"unlicensed"}
        if policy is not Disclosure.FULL:
            text = json.dumps([match.model_dump(mode="json") for match in view.similar])
            contact = policy is Disclosure.CONTACT
            assert_untold(town, text, "Sample Studio", "Second Studio", names=contact)
            assert len(view.similar) == (2 if contact else 3)
        mine = town.services.references.register(town.actor("owner"), larger(larger(original("mug"))), file="mug.png")
        assert {match.owner for match in mine.similar} <= {None, "Shop"}

    def test_an_error_of_the_comparison_does_not_name_what_is_stored_of_others(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing = Mock(side_effect=StoreUnavailable("content 0e47df3c3be6... is damaged"))
        monkeypatch.setattr(registration, "verify_candidates", failing)
        view = town.services.references.register(
            town.actor("asker's colleague"), larger(larger(original("denim-jacket"))), file="mine.png"
        )
        assert view.error is not None
        assert (view.status, view.error.code) == ("registered", "store_unavailable")
        assert "0e47" not in view.model_dump_json().replace(view.reference.sha256 or "", "")


class TestReading:
    def test_lists(self, town: Town) -> None:
        service, owner = town.services.references, town.actor("owner")
        everything = service.references(owner)
        assert [one.file for one in everything] == [
            "denim-jacket-print.png",
            "denim-jacket-camera.jpg",
            "pinstripe-cap.jpg",
        ]
        assert list(service.references(owner, after=everything[0].reference_id, limit=1)) == [everything[1]]
        assert list(service.references(owner, work_id=everything[2].work_id)) == [everything[2]]
        service.withdraw(owner, everything[0].reference_id)
        withdrawn = service.references(owner, status=ReferenceStatus.WITHDRAWN)
        assert [one.reference_id for one in withdrawn] == [everything[0].reference_id]
        assert service.references(town.actor("stranger")) == []
        for limit in (0, 1001):
            with pytest.raises(InputError):
                service.references(owner, limit=limit)

    def test_the_original_and_its_picture(self, town: Town) -> None:
        service, owner, reference_id = town.services.references, town.actor("owner"), jacket(town)
        assert service.original(owner, reference_id) == (original("denim-jacket"), "image/jpeg")
        for side in (64, 512):
            with Image.open(io.BytesIO(service.picture(owner, reference_id, side))) as image:
                assert (image.format, max(image.size)) == ("JPEG", side)
        for side in (63, 513):
            with pytest.raises(InputError):
                service.picture(owner, reference_id, side)

    def test_no_folders(self, town: Town) -> None:
        assert FOLDER in (town.services.catalogue.reference(jacket(town)).file or "")
        assert "Users" not in town.services.references.reference(town.actor("owner"), jacket(town)).file.__str__()


class TestRemoving:
    def test_erased(self, town: Town) -> None:
        service, owner, reference_id = town.services.references, town.actor("owner"), jacket(town)
        removed = service.erase(owner, reference_id)
        assert (removed.reference.status, removed.unfinished) == ("erased", None)
        kept = {name: value for name, value in removed.reference if value is not None}
        assert set(kept) == {"reference_id", "status", "registered_at", "erased_at"}
        assert town.actions()[-1] == "reference.erased"
        for call in (
            lambda: service.original(owner, reference_id),
            lambda: service.picture(owner, reference_id, 64),
            lambda: service.change(owner, reference_id, title="Gone"),
        ):
            with pytest.raises(NotFound, match="erased"):
                call()
        with pytest.raises(InvalidTransition):
            service.erase(owner, reference_id)

    def test_what_is_unfinished_is_told_and_the_removal_stands(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(town.services.catalogue, "delete_blobs", Mock(side_effect=StoreUnavailable("read only")))
        removed = town.services.references.erase(town.actor("owner"), jacket(town))
        assert removed.unfinished is not None
        assert (removed.reference.status, removed.unfinished.code) == ("erased", "store_unavailable")

    def test_the_index_is_left_to_those_who_search_it(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is hundreds of megabytes, and the process that answers requests does not need it."""
        index = Mock(side_effect=AssertionError("the index is used"))
        for name in ("refresh", "save", "search"):
            monkeypatch.setattr(town.services.index, name, index)
        assert town.services.references.erase(town.actor("owner"), jacket(town)).reference.status == "erased"

    def test_the_same_bytes_of_another_owner_stay(self, town: Town) -> None:
        town.services.references.erase(town.actor("owner"), jacket(town))
        (other,) = references_of(town, "Second Studio")
        data, _ = town.services.references.original(town.actor("other owner"), other.reference_id)
        assert data == original("denim-jacket")

    def test_withdrawn(self, town: Town) -> None:
        service, owner, reference_id = town.services.references, town.actor("owner"), jacket(town)
        assert service.withdraw(owner, reference_id).status == "withdrawn"
        assert town.actions()[-1] == "reference.withdrawn"
        with pytest.raises(InvalidTransition):
            service.withdraw(owner, reference_id)
        assert town.actions().count("reference.withdrawn") == 1

    def test_a_work_that_a_licence_names_leaves_an_id_behind(self, town: Town) -> None:
        """Without it the licence would seem to cover every work of its licensor."""
        owner, reference_id = town.actor("owner"), jacket(town)
        work_id = town.services.catalogue.reference(reference_id).work_id
        shop = town.organisation("Shop").organisation_id
        granted = town.services.licences.grant(owner, Terms(work_ids=frozenset({work_id or ""})), licensee_id=shop)
        town.services.references.erase(owner, reference_id)
        licence = town.services.licences.licence(owner, granted.licence.licence_id)
        assert licence.work_ids == {work_id}
        with town.services.database.read() as connection:
            assert connection.execute(select(works.c.title).where(works.c.work_id == work_id)).scalar_one() is None
            assert connection.execute(select(licence_works)).all()
        with pytest.raises(NotFound):
            town.services.works.work(owner, work_id or "")

    def test_a_work_in_a_collection_goes(self, town: Town) -> None:
        owner, reference_id = town.actor("owner"), jacket(town)
        work_id = town.services.catalogue.reference(reference_id).work_id or ""
        shelf = town.services.works.create_collection(owner, "Spring")
        town.services.works.add_works(owner, shelf.collection_id, [work_id])
        town.services.references.erase(owner, reference_id)
        assert town.services.works.collection(owner, shelf.collection_id).work_count == 0
        with town.services.database.read() as connection:
            assert connection.execute(select(works).where(works.c.work_id == work_id)).first() is None
            assert connection.execute(select(collection_works)).first() is None
