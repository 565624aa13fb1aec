"""``/v1/works``: pictures with all their files."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, cut, page_answer
from imgguard.api.revisions import IfNoneMatch, tagged
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.work_schemas import Reference, Work
from imgguard.errors import InvalidCursor, InvalidTransition, NotFound, PermissionDenied

router = APIRouter(prefix="/v1/works", tags=["works"], route_class=Route)
_LIST = "works"


class WorkPage(PageOf[Work]):
    """Oldest first."""


@router.get(
    "",
    operation_id="list_works",
    summary="The works of the organisation",
    response_model=WorkPage,
    responses=errors(PermissionDenied, NotFound, InvalidCursor),
)
def list_works(
    page: PageDep,
    actor: ActorDep,
    services: ServicesDep,
    collection_id: Annotated[str | None, Query(max_length=64, description="Only those in this collection.")] = None,
) -> Response:
    after = page.after(_LIST, collection_id=collection_id)
    found = services.works.works(actor, collection_id=collection_id, after=after, limit=page.limit + 1)
    views, cursor = cut(list(found), page, _LIST, key=lambda view: view.work_id, collection_id=collection_id)
    return page_answer(views, cursor)


@router.get(
    "/{work_id}",
    operation_id="get_work",
    summary="One work",
    response_model=Work,
    responses=errors(PermissionDenied, NotFound),
)
def get_work(work_id: str, actor: ActorDep, services: ServicesDep, known: IfNoneMatch = None) -> Response:
    return tagged(services.works.work(actor, work_id), known=known)


@router.put(
    "/{work_id}/references/{reference_id}",
    operation_id="move_reference",
    summary="Make a reference a file of this work",
    response_model=Reference,
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
def move_reference(work_id: str, reference_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """Licences for the work cover it from now on, those for its former work no longer."""
    services.works.move(actor, reference_id, work_id)
    return tagged(services.references.reference(actor, reference_id))
