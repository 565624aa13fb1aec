"""The database of works and collections, and the list of an owner's references with what belongs to them."""

from collections.abc import Collection as Several
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from imgguard.registry.accounts import AuditEvent
from imgguard.registry.claims import AttachedProof, Statement
from imgguard.registry.records import Content, Reference, ReferenceStatus
from imgguard.registry.works import Collection, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledReference:
    """A reference with the title of its work and its content; both None once it is erased.

    ``statements`` and ``proofs`` are what is stated of it and attached to it; None in lists.
    """

    reference: Reference
    title: str | None
    content: Content | None
    statements: Sequence[Statement] | None = None
    proofs: Sequence[AttachedProof] | None = None


class Works(Protocol):
    """Each method is one transaction, in which its event is written too. Thread safe.

    Every method raises StoreUnavailable when the database cannot be used. ``owner_id`` limits each method to what
    belongs to that owner: anything else raises NotFound, as what is not there does. A change that changes nothing
    writes no event. Lists are in order of ids, those behind ``after``.
    """

    # references
    def filed(self, reference_id: str) -> FiledReference: ...
    def filed_references(
        self,
        owner_id: str,
        *,
        status: ReferenceStatus | None = None,
        work_id: str | None = None,
        after: str = "",
        limit: int = 1000,
    ) -> Sequence[FiledReference]:
        """Tombstones too, unless another ``status`` or a work is asked for."""
        ...

    # works
    def work(self, work_id: str, *, owner_id: str) -> Work: ...
    def works(
        self, owner_id: str, *, collection_id: str | None = None, after: str = "", limit: int = 1000
    ) -> Sequence[Work]:
        """All of them, or those of a collection."""
        ...

    def retitle(self, work_id: str, title: str, *, owner_id: str, event: AuditEvent) -> Work: ...
    def move(self, reference_id: str, work_id: str, *, owner_id: str, event: AuditEvent) -> Work:
        """The reference becomes another file of ``work_id``; the work it leaves goes when it was the last there.

        Raises InvalidTransition for an erased reference.
        """
        ...

    # collections
    def add_collection(self, collection_id: str, name: str, *, owner_id: str, event: AuditEvent) -> Collection:
        """Made at the time of the event. Raises Conflict when the owner has one of that name."""
        ...

    def collection(self, collection_id: str, *, owner_id: str) -> Collection: ...
    def collections(self, owner_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Collection]: ...
    def rename_collection(self, collection_id: str, name: str, *, owner_id: str, event: AuditEvent) -> Collection:
        """Raises Conflict when the owner has another one of that name."""
        ...

    def delete_collection(self, collection_id: str, *, owner_id: str, event: AuditEvent) -> None:
        """The works in it stay."""
        ...

    def change_collection(
        self,
        collection_id: str,
        *,
        add: Several[str] = (),
        remove: Several[str] = (),
        owner_id: str,
        event: AuditEvent,
    ) -> Collection:
        """Adding what is in it already, and removing what is not, changes nothing."""
        ...
