"""``/v1/collections``: named sets of works."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, cut, page_answer
from imgguard.api.revisions import IfMatch, IfNoneMatch, changing, require_match, tagged
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.work_schemas import Collection, CollectionName
from imgguard.bootstrap import Services
from imgguard.errors import Conflict, InputError, InvalidCursor, NotFound, PermissionDenied, StaleRevision
from imgguard.registry.access import Actor
from imgguard.services.views import CollectionView

router = APIRouter(prefix="/v1/collections", tags=["collections"], route_class=Route)
_LIST = "collections"


class CollectionPage(PageOf[Collection]):
    """Oldest first."""


@router.get(
    "",
    operation_id="list_collections",
    summary="The collections of the organisation",
    response_model=CollectionPage,
    responses=errors(PermissionDenied, InvalidCursor),
)
def list_collections(page: PageDep, actor: ActorDep, services: ServicesDep) -> Response:
    found = services.works.collections(actor, after=page.after(_LIST), limit=page.limit + 1)
    views, cursor = cut(list(found), page, _LIST, key=lambda view: view.collection_id)
    return page_answer(views, cursor)


def _again(services: Services, actor: Actor, ids: Mapping[str, str]) -> CollectionView:
    return services.works.collection(actor, ids["collection_id"])


@router.post(
    "",
    operation_id="create_collection",
    summary="Make a collection",
    status_code=201,
    response_model=Collection,
    responses=errors(PermissionDenied, InputError, Conflict),
)
@idempotent(replay=_again)
def create_collection(request: Request, body: CollectionName, actor: ActorDep, services: ServicesDep) -> Response:
    """An empty one."""
    made = services.works.create_collection(actor, body.name)
    remember(request, collection_id=made.collection_id)
    answer = tagged(made, status=201)
    answer.headers["Location"] = f"/v1/collections/{made.collection_id}"
    return answer


@router.get(
    "/{collection_id}",
    operation_id="get_collection",
    summary="One collection",
    response_model=Collection,
    responses=errors(PermissionDenied, NotFound),
)
def get_collection(collection_id: str, actor: ActorDep, services: ServicesDep, known: IfNoneMatch = None) -> Response:
    return tagged(services.works.collection(actor, collection_id), known=known)


@router.patch(
    "/{collection_id}",
    operation_id="rename_collection",
    summary="Rename a collection",
    response_model=Collection,
    responses=errors(PermissionDenied, NotFound, InputError, Conflict, StaleRevision),
)
def rename_collection(
    request: Request,
    collection_id: str,
    body: CollectionName,
    actor: ActorDep,
    services: ServicesDep,
    match: IfMatch = None,
) -> Response:
    works = services.works
    with changing(request, collection_id):
        if match is not None:
            require_match(match, works.collection(actor, collection_id))
        return tagged(works.rename_collection(actor, collection_id, body.name))


@router.delete(
    "/{collection_id}",
    operation_id="delete_collection",
    summary="Delete a collection",
    status_code=204,
    responses=errors(PermissionDenied, NotFound, StaleRevision),
)
def delete_collection(
    request: Request, collection_id: str, actor: ActorDep, services: ServicesDep, match: IfMatch = None
) -> None:
    """The works in it stay."""
    works = services.works
    with changing(request, collection_id):
        if match is not None:
            require_match(match, works.collection(actor, collection_id))
        works.delete_collection(actor, collection_id)


@router.put(
    "/{collection_id}/works/{work_id}",
    operation_id="add_to_collection",
    summary="Put a work into a collection",
    response_model=Collection,
    responses=errors(PermissionDenied, NotFound),
)
def add_to_collection(collection_id: str, work_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """One that is in it stays. Licences for the collection cover the work from now on."""
    return tagged(services.works.add_works(actor, collection_id, [work_id]))


@router.delete(
    "/{collection_id}/works/{work_id}",
    operation_id="take_from_collection",
    summary="Take a work out of a collection",
    response_model=Collection,
    responses=errors(PermissionDenied, NotFound),
)
def take_from_collection(collection_id: str, work_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """One that is not in it is passed over."""
    return tagged(services.works.remove_works(actor, collection_id, [work_id]))
