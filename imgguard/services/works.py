"""Works and collections: an owner orders what it has registered."""

from collections.abc import Iterable, Sequence

from imgguard.errors import InputError
from imgguard.ports import Clock
from imgguard.ports import Works as WorkStore
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, AuditEvent, Scope
from imgguard.registry.ids import new_id
from imgguard.services.audit import event_of
from imgguard.services.invitations import checked_name
from imgguard.services.rights_inputs import checked_limit
from imgguard.services.views import CollectionView, WorkView, collection_view, work_view

MOST_AT_ONCE = 1000
"""Works that are put into a collection, or taken out, in one step."""


class Works:
    """Thread safe. Each method concerns what the actor's organisation owns; anything else is NotFound.

    Reading raises PermissionDenied without `references:read`, changing without `references:write`.
    """

    def __init__(self, *, works: WorkStore, clock: Clock) -> None:
        self._works = works
        self._clock = clock

    # works

    def works(
        self, actor: Actor, *, collection_id: str | None = None, after: str = "", limit: int = 100
    ) -> Sequence[WorkView]:
        """Oldest first, behind ``after``: all, or those of a collection. Raises InputError, NotFound."""
        actor.require(Scope.REFERENCES_READ)
        found = self._works.works(actor.owner_id, collection_id=collection_id, after=after, limit=checked_limit(limit))
        return [work_view(work) for work in found]

    def work(self, actor: Actor, work_id: str) -> WorkView:
        """Raises NotFound."""
        actor.require(Scope.REFERENCES_READ)
        return work_view(self._works.work(work_id, owner_id=actor.owner_id))

    def rename(self, actor: Actor, work_id: str, title: str) -> WorkView:
        """Raises NotFound, InputError."""
        actor.require(Scope.REFERENCES_WRITE)
        title = checked_name(title, whose="a work")
        event = self._event(actor, Action.WORK_RENAMED, work_id)
        return work_view(self._works.retitle(work_id, title, owner_id=actor.owner_id, event=event))

    def move(self, actor: Actor, reference_id: str, work_id: str) -> WorkView:
        """Say that a reference is a file of this work; licences for the work cover it from now on.

        Raises NotFound, InvalidTransition for an erased reference.
        """
        actor.require(Scope.REFERENCES_WRITE)
        event = self._event(actor, Action.REFERENCE_MOVED, reference_id, work_id=work_id)
        return work_view(self._works.move(reference_id, work_id, owner_id=actor.owner_id, event=event))

    # collections

    def collections(self, actor: Actor, *, after: str = "", limit: int = 100) -> Sequence[CollectionView]:
        """Oldest first, behind ``after``. Raises InputError."""
        actor.require(Scope.REFERENCES_READ)
        found = self._works.collections(actor.owner_id, after=after, limit=checked_limit(limit))
        return [collection_view(collection) for collection in found]

    def collection(self, actor: Actor, collection_id: str) -> CollectionView:
        """Raises NotFound."""
        actor.require(Scope.REFERENCES_READ)
        return collection_view(self._works.collection(collection_id, owner_id=actor.owner_id))

    def create_collection(self, actor: Actor, name: str) -> CollectionView:
        """An empty one. Raises InputError, Conflict for a name that is taken."""
        actor.require(Scope.REFERENCES_WRITE)
        name, collection_id = checked_name(name, whose="a collection"), new_id("col")
        event = self._event(actor, Action.COLLECTION_CREATED, collection_id)
        made = self._works.add_collection(collection_id, name, owner_id=actor.owner_id, event=event)
        return collection_view(made)

    def rename_collection(self, actor: Actor, collection_id: str, name: str) -> CollectionView:
        """Raises NotFound, InputError, Conflict for a name that is taken."""
        actor.require(Scope.REFERENCES_WRITE)
        name = checked_name(name, whose="a collection")
        event = self._event(actor, Action.COLLECTION_RENAMED, collection_id)
        renamed = self._works.rename_collection(collection_id, name, owner_id=actor.owner_id, event=event)
        return collection_view(renamed)

    def delete_collection(self, actor: Actor, collection_id: str) -> None:
        """The works in it stay. Raises NotFound."""
        actor.require(Scope.REFERENCES_WRITE)
        event = self._event(actor, Action.COLLECTION_DELETED, collection_id)
        self._works.delete_collection(collection_id, owner_id=actor.owner_id, event=event)

    def add_works(self, actor: Actor, collection_id: str, work_ids: Iterable[str]) -> CollectionView:
        """What is in it already stays. Raises NotFound, then none is added; InputError for more than 1000."""
        actor.require(Scope.REFERENCES_WRITE)
        wanted = _some(work_ids)
        event = self._event(actor, Action.COLLECTION_CHANGED, collection_id, added=wanted)
        changed = self._works.change_collection(collection_id, add=wanted, owner_id=actor.owner_id, event=event)
        return collection_view(changed)

    def remove_works(self, actor: Actor, collection_id: str, work_ids: Iterable[str]) -> CollectionView:
        """What is not in it is passed over. Raises NotFound, InputError for more than 1000."""
        actor.require(Scope.REFERENCES_WRITE)
        unwanted = _some(work_ids)
        event = self._event(actor, Action.COLLECTION_CHANGED, collection_id, removed=unwanted)
        changed = self._works.change_collection(collection_id, remove=unwanted, owner_id=actor.owner_id, event=event)
        return collection_view(changed)

    def _event(self, actor: Actor, action: Action, object_id: str, **detail: object) -> AuditEvent:
        return event_of(actor, action, object_id, at=self._clock.now(), detail=detail)


def _some(work_ids: Iterable[str]) -> list[str]:
    given = sorted(set(work_ids))
    if len(given) > MOST_AT_ONCE:
        raise InputError(f"more than {MOST_AT_ONCE} works at once", hint="Do it in several steps.")
    return given
