"""``/v1/audit-events``: who did what to which object."""

from typing import Annotated

from fastapi import APIRouter, Query

from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, cut
from imgguard.api.routes import Route
from imgguard.api.schemas import Event
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.v1 import shown
from imgguard.api.v1.members import OrganisationId
from imgguard.errors import InvalidCursor, NotFound, PermissionDenied

router = APIRouter(prefix="/v1/audit-events", tags=["audit"], route_class=Route)
_LIST = "audit-events"


class EventPage(PageOf[Event]):
    """In the order in which things were done, or the reverse."""


@router.get(
    "",
    operation_id="list_audit_events",
    summary="The audit trail",
    responses=errors(PermissionDenied, NotFound, InvalidCursor),
)
def list_audit_events(
    page: PageDep,
    actor: ActorDep,
    services: ServicesDep,
    organisation_id: OrganisationId = None,
    about: Annotated[str | None, Query(max_length=64, description="Only events with this actor or object.")] = None,
    newest_first: bool = True,
) -> EventPage:
    """What concerns the organisation; for admins of the operator, what concerns any."""
    filters = {"organisation_id": organisation_id, "about": about, "newest_first": str(newest_first)}
    after = page.after(_LIST, **filters)
    try:
        found = services.audit.events(
            actor,
            organisation_id=organisation_id,
            about=about,
            after=after,
            newest_first=newest_first,
            limit=page.limit + 1,
        )
    except NotFound:
        if not after:
            raise
        raise InvalidCursor("the event that the page begins behind is not there") from None
    records, cursor = cut(list(found), page, _LIST, key=lambda record: record.event_id, **filters)
    return EventPage(items=[shown.event(record) for record in records], next_cursor=cursor)
