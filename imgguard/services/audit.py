"""The audit trail: who did what to which object."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from imgguard.errors import InputError
from imgguard.ports import AuditTrail
from imgguard.registry.access import SERVICE, Actor
from imgguard.registry.accounts import Action, AuditEvent, Scope
from imgguard.registry.ids import new_id

LONGEST_PAGE = 1000


def event_of(
    actor: Actor,
    action: Action,
    object_id: str,
    *,
    at: datetime,
    organisation_id: str | None = None,
    parties: Iterable[str] = (),
    detail: Mapping[str, object] | None = None,
) -> AuditEvent:
    """``organisation_id`` is whose object it is: the actor's own by default. The actor's is always a party.

    ``detail`` is plain JSON without personal data: ids, roles, scopes, counts.
    """
    owning = organisation_id or actor.organisation_id
    return AuditEvent(
        event_id=new_id("evt"),
        at=at,
        actor=actor.name,
        key_id=actor.key_id,
        organisation_id=owning,
        action=action,
        object_id=object_id,
        parties=frozenset({owning, actor.organisation_id, *parties}),
        detail=detail or {},
    )


def service_event(
    action: Action,
    object_id: str,
    *,
    at: datetime,
    organisation_id: str,
    parties: Iterable[str] = (),
    detail: Mapping[str, object] | None = None,
) -> AuditEvent:
    """Of what nobody asked for at that moment: imgguard did it by itself. As `event_of`."""
    return AuditEvent(
        event_id=new_id("evt"),
        at=at,
        actor=SERVICE,
        key_id=None,
        organisation_id=organisation_id,
        action=action,
        object_id=object_id,
        parties=frozenset({organisation_id, *parties}),
        detail=detail or {},
    )


class Audit:
    """Reads only. Thread safe."""

    def __init__(self, *, trail: AuditTrail) -> None:
        self._trail = trail

    def all_events(
        self, actor: Actor, *, organisation_id: str | None = None, about: str | None = None, newest: int | None = None
    ) -> Iterator[AuditEvent]:
        """Page by page: oldest first, or the ``newest`` so many, newest first. Raises as `events` does."""
        after, left = "", newest
        while left is None or left > 0:
            page = self.events(
                actor,
                organisation_id=organisation_id,
                about=about,
                after=after,
                newest_first=newest is not None,
                limit=min(left or LONGEST_PAGE, LONGEST_PAGE),
            )
            yield from page
            if not page:
                return
            after = page[-1].event_id
            left = None if left is None else left - len(page)

    def events(
        self,
        actor: Actor,
        *,
        organisation_id: str | None = None,
        about: str | None = None,
        after: str = "",
        newest_first: bool = False,
        limit: int = 100,
    ) -> Sequence[AuditEvent]:
        """What concerns the actor's organisation; for the operator, of all organisations or of the one that is named.

        ``about``: only events with this actor or object; ``after``: only those behind this event. Raises
        PermissionDenied without `audit:read`, InputError for a ``limit`` outside of 1 to 1000, NotFound for an
        organisation or an event ``after`` that is not there, or not the actor's to see.
        """
        actor.require(Scope.AUDIT_READ)
        if not 1 <= limit <= LONGEST_PAGE:
            raise InputError(f"a page has 1 to {LONGEST_PAGE} events", hint="Ask for fewer, then for the next page.")
        if not actor.reads_every_event:
            organisation_id = actor.organisation_meant(organisation_id)
        return self._trail.events(
            party=organisation_id, about=about, after=after, newest_first=newest_first, limit=limit
        )
