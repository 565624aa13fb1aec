"""The database of licences and of what people decided about pairs of pictures."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from imgguard.registry.accounts import AuditEvent
from imgguard.registry.decisions import Decision
from imgguard.registry.licences import Licence, LicenceDocument

type Events = Callable[[Licence], Sequence[AuditEvent]]
"""What is to be told of a change, given the licence as the change leaves it."""


class Rights(Protocol):
    """Each method is one transaction, in which its events are written too. Thread safe.

    Every method raises StoreUnavailable when the database cannot be used. What is not there raises NotFound. A change
    that changes nothing writes no event. Names of organisations are those of now.
    """

    # licences
    def grant(self, licence: Licence, *, link_sha256: str | None, events: Events) -> Licence:
        """Raises NotFound for a licensee that is not there, and for works that are not the licensor's."""
        ...

    def licence(self, licence_id: str) -> Licence: ...
    def licence_with_link(self, link_sha256: str) -> Licence | None: ...
    def licences_given(self, organisation_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Licence]:
        """In order of ``licence_id``, those behind ``after``; ended and revoked ones too."""
        ...

    def licences_received(self, organisation_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Licence]:
        """Those that the organisation holds, in the same order."""
        ...

    def licences_held(
        self, organisation_id: str, *, owner_ids: Collection[str], work_ids: Collection[str]
    ) -> Mapping[str, Sequence[Licence]]:
        """By owner, those that the organisation holds from it, in one statement. Ended and revoked ones too.

        Of those that are limited to certain works only the ``work_ids`` asked about are told, and no other holders.
        """
        ...

    def revoke_licence(self, licence_id: str, *, at: datetime, events: Events) -> Licence:
        """As `imgguard.registry.licences.revoked`."""
        ...

    def extend_licence(self, licence_id: str, ends_at: datetime | None, *, at: datetime, events: Events) -> Licence:
        """As `imgguard.registry.licences.extended`. Raises InvalidTransition, InputError."""
        ...

    def take_up_licence(self, licence_id: str, organisation_id: str, *, at: datetime, events: Events) -> Licence:
        """The organisation becomes a holder, if `imgguard.registry.licences.can_be_taken_up`. Raises
        InvalidTransition."""
        ...

    def remind(self, *, at: datetime, until: datetime, events: Events, limit: int = 100) -> Sequence[Licence]:
        """Mark those that end after ``at`` and not after ``until``, are not revoked, and were not reminded of since
        their end was set: the first to end first. Without any, no lock for writing is taken."""
        ...

    # the chain of authorisation
    def add_document(
        self, document: LicenceDocument, *, most: int, events: Events, store_blob: Callable[[], object] | None = None
    ) -> LicenceDocument:
        """At the end of the chain, whatever its ``position`` says. ``store_blob`` as in `imgguard.ports.Catalogue`.

        Raises InvalidTransition for a revoked licence, and for one that has ``most`` documents already.
        """
        ...

    def documents(self, licence_id: str) -> Sequence[LicenceDocument]:
        """In order; none when there is no such licence."""
        ...

    # decisions
    def decide(self, decision: Decision, *, event: AuditEvent) -> None: ...
    def decision(self, decision_id: str) -> Decision: ...
    def decisions(self, *, owner_id: str | None = None, after: str = "", limit: int = 1000) -> Sequence[Decision]:
        """About references of the owner, or about all; in order of ``decision_id``, retracted ones too."""
        ...

    def retract_decision(self, decision_id: str, *, at: datetime, event: AuditEvent) -> Decision:
        """One that is retracted stays as it is."""
        ...

    def decisions_about(
        self, reference_ids: Collection[str], *, query_sha256: str, query_pixel_digest: str
    ) -> Mapping[str, Sequence[Decision]]:
        """By reference, those about these bytes or these pixels, in one statement; no retracted ones."""
        ...
