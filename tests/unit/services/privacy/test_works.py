"""Works and collections: an owner's own, and not there for anybody else."""

from collections.abc import Callable

import pytest

from imgguard.errors import Conflict, InputError, InvalidTransition, NotFound, PermissionDenied
from imgguard.registry.accounts import Scope
from imgguard.services.licences import Terms

from .town import FOLDER, Town, references_of

VIEWERS = {
    "owner": None,
    "owner's admin": PermissionDenied,
    "other owner": NotFound,
    "asker": PermissionDenied,
    "stranger": NotFound,
    "seller of the operator": NotFound,
    "reviewer with originals": NotFound,
    "admin": PermissionDenied,
}


@pytest.mark.parametrize(("viewer", "expected"), VIEWERS.items())
def test_everybody_at_every_method(town: Town, viewer: str, expected: type[Exception] | None) -> None:
    service, owner, actor = town.services.works, town.actor("owner"), town.actor(viewer)
    first, second = service.works(owner)[:2]
    shelf = service.create_collection(owner, "Spring").collection_id
    before = town.actions()
    reading: list[Callable[[], object]] = [
        lambda: service.work(actor, first.work_id),
        lambda: service.collection(actor, shelf),
        lambda: service.works(actor, collection_id=shelf),
    ]
    writing: list[Callable[[], object]] = [
        lambda: service.rename(actor, first.work_id, "Jacket"),
        lambda: service.add_works(actor, shelf, [first.work_id]),
        lambda: service.remove_works(actor, shelf, [first.work_id]),
        lambda: service.rename_collection(actor, shelf, "Autumn"),
        lambda: service.move(actor, first.reference_ids[0], second.work_id),
        lambda: service.delete_collection(actor, shelf),
    ]
    for call in (*reading, *writing):
        if expected is None:
            call()
        else:
            with pytest.raises(expected):
                call()
    added = town.actions()[len(before) :]
    assert added == (
        []
        if expected is not None
        else [
            "work.renamed",
            "collection.changed",
            "collection.changed",
            "collection.renamed",
            "reference.moved",
            "collection.deleted",
        ]
    )


@pytest.mark.parametrize("viewer", ["stranger", "other owner"])
def test_lists_are_the_own(town: Town, viewer: str) -> None:
    service = town.services.works
    mine = {work.work_id for work in service.works(town.actor("owner"))}
    assert len(mine) == 3
    assert not mine & {work.work_id for work in service.works(town.actor(viewer))}
    service.create_collection(town.actor("owner"), "Spring")
    assert service.collections(town.actor(viewer)) == []


def test_a_reader_changes_nothing(town: Town) -> None:
    service, key = town.services.works, town.key("owner", Scope.REFERENCES_READ)
    work = service.works(key)[0]
    with pytest.raises(PermissionDenied):
        service.rename(key, work.work_id, "Jacket")
    with pytest.raises(PermissionDenied):
        service.create_collection(key, "Spring")
    with pytest.raises(PermissionDenied):
        service.works(town.key("owner", Scope.REFERENCES_WRITE))
    with pytest.raises(PermissionDenied):
        service.rename(town.actor("reviewer"), work.work_id, "Jacket")


def test_several_files_of_one_picture_are_one_work(town: Town) -> None:
    service, owner = town.services.works, town.actor("owner")
    print_, camera, cap = references_of(town, "Sample Studio")
    left = print_.work_id or ""
    shelf = service.create_collection(owner, "Spring")
    service.add_works(owner, shelf.collection_id, [left, cap.work_id or ""])
    moved = service.move(owner, print_.reference_id, camera.work_id or "")
    assert moved.reference_ids == sorted([print_.reference_id, camera.reference_id])
    assert {work.work_id for work in service.works(owner)} == {camera.work_id, cap.work_id}
    with pytest.raises(NotFound):
        service.work(owner, left)
    (event,) = town.services.audit_trail.events(newest_first=True, limit=1)
    assert (event.action, event.object_id, event.detail) == (
        "reference.moved",
        print_.reference_id,
        {"work_id": camera.work_id},
    )
    assert service.collection(owner, shelf.collection_id).work_count == 1
    before = town.actions()
    assert service.move(owner, print_.reference_id, camera.work_id or "") == moved
    assert town.actions() == before


def test_a_title_that_was_a_file_name_goes_with_the_file(town: Town) -> None:
    services, owner = town.services, town.actor("owner")
    print_, camera, _ = references_of(town, "Sample Studio")
    work = services.works.move(owner, print_.reference_id, camera.work_id or "")
    assert work.title == FOLDER + "denim-jacket-camera.jpg"
    services.references.erase(owner, camera.reference_id)
    assert services.works.work(owner, work.work_id).title == FOLDER + "denim-jacket-print.png"
    services.works.rename(owner, work.work_id, "Jacket")
    services.references.withdraw(owner, print_.reference_id)
    assert services.works.work(owner, work.work_id).title == "Jacket"


def test_nothing_is_moved_to_what_is_not_there_or_is_anothers(town: Town) -> None:
    service, owner = town.services.works, town.actor("owner")
    print_, camera, cap = references_of(town, "Sample Studio")
    (other,) = references_of(town, "Second Studio")
    for target in ("wrk_none", other.work_id or ""):
        with pytest.raises(NotFound):
            service.move(owner, print_.reference_id, target)
    with pytest.raises(NotFound):
        service.move(owner, other.reference_id, cap.work_id or "")
    town.services.references.erase(owner, print_.reference_id)
    with pytest.raises(InvalidTransition):
        service.move(owner, print_.reference_id, camera.work_id or "")


def test_an_emptied_work_that_a_licence_names_takes_nothing_in(town: Town) -> None:
    services, owner = town.services, town.actor("owner")
    print_, camera, _ = references_of(town, "Sample Studio")
    emptied = print_.work_id or ""
    shop = town.organisation("Shop").organisation_id
    services.licences.grant(owner, Terms(work_ids=[emptied]), licensee_id=shop)
    services.works.move(owner, print_.reference_id, camera.work_id or "")
    with pytest.raises(NotFound):
        services.works.move(owner, camera.reference_id, emptied)


def test_collections(town: Town) -> None:
    service, owner = town.services.works, town.actor("owner")
    one, two, three = (work.work_id for work in service.works(owner))
    spring = service.create_collection(owner, "  Spring ")
    autumn = service.create_collection(owner, "Autumn")
    assert (spring.name, spring.work_count) == ("Spring", 0)
    assert list(service.collections(owner)) == [spring, autumn]
    assert list(service.collections(owner, after=spring.collection_id)) == [autumn]
    with pytest.raises(Conflict):
        service.create_collection(owner, "Spring")
    with pytest.raises(Conflict):
        service.rename_collection(owner, autumn.collection_id, "Spring")
    assert service.create_collection(town.actor("other owner"), "Spring").name == "Spring"
    assert service.add_works(owner, spring.collection_id, [one, two, one]).work_count == 2
    before = town.actions()
    assert service.add_works(owner, spring.collection_id, [two]).work_count == 2
    assert service.remove_works(owner, spring.collection_id, [three]).work_count == 2
    assert service.rename_collection(owner, spring.collection_id, "Spring") == service.collection(
        owner, spring.collection_id
    )
    assert town.actions() == before
    with pytest.raises(NotFound):
        service.add_works(owner, spring.collection_id, [three, "wrk_none"])
    assert [work.work_id for work in service.works(owner, collection_id=spring.collection_id)] == [one, two]
    assert service.work(owner, one).collection_ids == [spring.collection_id]
    assert service.remove_works(owner, spring.collection_id, [one]).work_count == 1
    service.delete_collection(owner, spring.collection_id)
    with pytest.raises(NotFound):
        service.collection(owner, spring.collection_id)
    assert len(service.works(owner)) == 3


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201])
def test_what_is_no_name(town: Town, name: str) -> None:
    service, owner = town.services.works, town.actor("owner")
    work = service.works(owner)[0]
    with pytest.raises(InputError):
        service.create_collection(owner, name)
    with pytest.raises(InputError):
        service.rename(owner, work.work_id, name)
    with pytest.raises(InputError):
        town.services.references.change(owner, work.reference_ids[0], title=name)


def test_too_much_at_once(town: Town) -> None:
    service, owner = town.services.works, town.actor("owner")
    shelf = service.create_collection(owner, "Spring")
    with pytest.raises(InputError):
        service.add_works(owner, shelf.collection_id, [f"wrk_{number}" for number in range(1001)])
    with pytest.raises(InputError):
        service.works(owner, limit=1001)
