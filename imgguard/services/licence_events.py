"""What the audit trail is told of licences: by each side no more than it may know of the other."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from imgguard.ports.rights import Events
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, AuditEvent
from imgguard.registry.licences import Licence
from imgguard.services.account_objects import iso
from imgguard.services.audit import event_of, service_event


def outline(licence: Licence) -> Mapping[str, object]:
    """What the trail says of a new licence; never the name of a shop, which may be a person's."""
    to = "organisation" if licence.licensee_id is not None else "shop" if licence.shop is not None else "link"
    works = None if licence.work_ids is None else len(licence.work_ids)
    return {"to": to, "work_count": works, "starts_at": iso(licence.starts_at), "ends_at": iso(licence.ends_at)}


def told(
    actor: Actor,
    action: Action,
    *,
    at: datetime,
    detail: Mapping[str, object] | None = None,
    among: Iterable[str] | None = None,
) -> Events:
    """One event for each holder (or of ``among``), so that none learns of another; one if there are none."""

    def events(licence: Licence) -> Sequence[AuditEvent]:
        owning = licence.organisation_id
        return [
            event_of(actor, action, licence.licence_id, at=at, organisation_id=owning, parties=some, detail=detail)
            for some in _apart(licence.holder_ids if among is None else among)
        ]

    return events


def ending(licence: Licence, *, at: datetime) -> Sequence[AuditEvent]:
    """As `told`, by the service itself."""
    owning, detail = licence.organisation_id, {"ends_at": iso(licence.ends_at)}
    return [
        service_event(
            Action.LICENCE_ENDING, licence.licence_id, at=at, organisation_id=owning, parties=some, detail=detail
        )
        for some in _apart(licence.holder_ids)
    ]


def _apart(concerned: Iterable[str]) -> Sequence[Sequence[str]]:
    return [[holder] for holder in sorted(concerned)] or [[]]
