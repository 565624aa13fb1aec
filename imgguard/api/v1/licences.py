"""``/v1/licences``: who may use whose works. `licence_documents` has what proves it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from heapq import merge
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, page_of
from imgguard.api.revisions import IfMatch, IfNoneMatch, changing, require_match, tagged
from imgguard.api.rights_schemas import (
    Extension,
    GrantedLicence,
    Licence,
    LicenceLink,
    NewLicence,
    ShopConfirmation,
    Time,
    WholeLicence,
)
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.bootstrap import Services
from imgguard.errors import (
    InputError,
    InvalidCursor,
    InvalidTransition,
    NotFound,
    PermissionDenied,
    StaleRevision,
)
from imgguard.registry import licences
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Scope
from imgguard.services.licences import Terms
from imgguard.services.rights_objects import document_object, licence_object

router = APIRouter(prefix="/v1/licences", tags=["licences"], route_class=Route)
_LIST = "licences"
_READ_AT_ONCE = 500


class Direction(StrEnum):
    GIVEN = "given"
    RECEIVED = "received"


class LicencePage(PageOf[Licence]):
    """Oldest first; ended and revoked ones too. Without their documents."""


def _values(services: Services, actor: Actor, record: licences.Licence) -> dict[str, object]:
    """As the actor may see it: a revision that others raise by taking the link up would count them."""
    now = services.clock.now()
    values = licence_object(record, at=now) | {"ends_soon": services.licences.ends_soon(record, at=now)}
    return values if record.organisation_id == actor.organisation_id else values | {"revision": None}


def _whole(services: Services, actor: Actor, record: licences.Licence) -> WholeLicence:
    chain = [document_object(one) for one in services.licences.documents(actor, record.licence_id)]
    return WholeLicence.model_validate(_values(services, actor, record) | {"documents": chain})


def _licence(services: Services, actor: Actor, licence_id: str) -> WholeLicence:
    return _whole(services, actor, services.licences.licence(actor, licence_id))


# reading


@router.get(
    "",
    operation_id="list_licences",
    summary="Licences that were given and received",
    responses=errors(PermissionDenied, InvalidCursor),
)
def list_licences(
    page: PageDep,
    actor: ActorDep,
    services: ServicesDep,
    direction: Annotated[
        Direction | None, Query(description="Only those the organisation gave, or only those it holds.")
    ] = None,
    ends_before: Annotated[
        Time | None,
        Query(
            description="Only those that are neither over nor revoked, and will end before that time.",
            examples=["2026-06-01T00:00:00Z"],
        ),
    ] = None,
    ends_soon: Annotated[
        bool, Query(description="Only those that will end so soon that both sides are reminded of it.")
    ] = False,
) -> LicencePage:
    """With `ends_before` or `ends_soon`: what there is to be extended, or to be done without."""
    filters = {"direction": direction, "ends_before": None if ends_before is None else ends_before.isoformat()}
    filters |= {"ends_soon": "true"} if ends_soon else {}
    found = _listed(services, actor, direction, after=page.after(_LIST, **filters))
    if ends_soon:
        found = (record for record in found if services.licences.ends_soon(record, at=services.clock.now()))
    if ends_before is not None:
        found = (record for record in found if _ends_before(record, ends_before, now=services.clock.now()))
    records, cursor = page_of(found, page, _LIST, key=lambda record: record.licence_id, **filters)
    items = [Licence.model_validate(_values(services, actor, record)) for record in records]
    return LicencePage(items=items, next_cursor=cursor)


def _listed(services: Services, actor: Actor, direction: Direction | None, *, after: str) -> Iterator[licences.Licence]:
    """In the order of their ids, read as far as is asked for."""
    kinds = {Direction.GIVEN: services.licences.given, Direction.RECEIVED: services.licences.received}
    chosen = [read for kind, read in kinds.items() if direction in (None, kind)]
    return merge(*(_walk(partial(read, actor), after) for read in chosen), key=lambda record: record.licence_id)


def _walk(read: Callable[..., Sequence[licences.Licence]], after: str) -> Iterator[licences.Licence]:
    while True:
        some = read(after=after, limit=_READ_AT_ONCE)
        yield from some
        if len(some) < _READ_AT_ONCE:
            return
        after = some[-1].licence_id


def _ends_before(record: licences.Licence, at: datetime, *, now: datetime) -> bool:
    is_over = record.state(now) in ("ended", "revoked")
    return not is_over and record.ends_at is not None and record.ends_at < at


@router.get(
    "/{licence_id}",
    operation_id="get_licence",
    summary="One licence, with its documents",
    response_model=WholeLicence,
    responses=errors(PermissionDenied, NotFound),
)
def get_licence(licence_id: str, actor: ActorDep, services: ServicesDep, known: IfNoneMatch = None) -> Response:
    """One that the organisation gave or holds. Who else holds it is told to the licensor only."""
    return tagged(_licence(services, actor, licence_id), known=known)


# giving


def require_writing(actor: Actor) -> None:
    """Before anything is done: the answers show the licence, so that a key which may not read one cannot have them."""
    actor.require(Scope.LICENCES_WRITE)
    actor.require(Scope.LICENCES_READ)


def _again(services: Services, actor: Actor, ids: Mapping[str, str]) -> GrantedLicence:
    return GrantedLicence(licence=_licence(services, actor, ids["licence_id"]), secret=None)


@router.post(
    "",
    operation_id="grant_licence",
    summary="Give a licence",
    status_code=201,
    response_model=GrantedLicence,
    responses=errors(PermissionDenied, NotFound, InputError),
)
@idempotent(replay=_again)
def grant_licence(request: Request, body: NewLicence, actor: ActorDep, services: ServicesDep) -> Response:
    """To an organisation, to a named shop, or to everyone with a link: then `secret` is shown this once, and taken up
    at `/v1/licences/accept`."""
    require_writing(actor)
    to = {"licensee_id", "shop", "by_link"}
    terms = Terms(**{name: getattr(body, name) for name in NewLicence.model_fields if name not in to})
    granted = services.licences.grant(actor, terms, licensee_id=body.licensee_id, shop=body.shop, by_link=body.by_link)
    licence_id = granted.licence.licence_id
    remember(request, licence_id=licence_id)
    made = GrantedLicence(licence=_whole(services, actor, granted.licence), secret=granted.link_token)
    place = f"/v1/licences/{licence_id}"
    return JSONResponse(made.model_dump(mode="json"), status_code=201, headers={"Location": place})


@router.post(
    "/accept",
    operation_id="accept_licence",
    summary="Take a licence up by its link",
    response_model=WholeLicence,
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
def accept_licence(body: LicenceLink, actor: ActorDep, services: ServicesDep) -> Response:
    """The organisation holds it from now on; once more changes nothing. The token is in the body, since addresses are
    logged."""
    accepted = services.licences.accept_link(actor, body.token.get_secret_value())
    return tagged(_whole(services, actor, accepted))


def _changed(
    request: Request,
    services: Services,
    actor: Actor,
    licence_id: str,
    match: str | None,
    change: Callable[[], licences.Licence],
) -> Response:
    """The licence after ``change``. Raises StaleRevision, and what the services raise."""
    require_writing(actor)
    with changing(request, licence_id):
        if match is not None:
            require_match(match, _licence(services, actor, licence_id))
        return tagged(_whole(services, actor, change()))


@router.post(
    "/{licence_id}/revoke",
    operation_id="revoke_licence",
    summary="Revoke a licence",
    response_model=WholeLicence,
    responses=errors(PermissionDenied, NotFound, StaleRevision),
)
def revoke_licence(
    request: Request, licence_id: str, actor: ActorDep, services: ServicesDep, match: IfMatch = None
) -> Response:
    """It allows nothing from now on; its history and its documents stay. Once more changes nothing."""
    change = partial(services.licences.revoke, actor, licence_id)
    return _changed(request, services, actor, licence_id, match, change)


@router.post(
    "/{licence_id}/extend",
    operation_id="extend_licence",
    summary="Let a licence end later, or never",
    response_model=WholeLicence,
    responses=errors(PermissionDenied, NotFound, InputError, InvalidTransition, StaleRevision),
)
def extend_licence(
    request: Request,
    licence_id: str,
    body: Extension,
    actor: ActorDep,
    services: ServicesDep,
    match: IfMatch = None,
) -> Response:
    """Never earlier: for that it is revoked, and another one is given."""
    change = partial(services.licences.extend, actor, licence_id, body.ends_at)
    return _changed(request, services, actor, licence_id, match, change)


@router.post(
    "/{licence_id}/shop",
    operation_id="confirm_shop",
    summary="Confirm who runs the shop that a licence is for",
    response_model=WholeLicence,
    responses=errors(PermissionDenied, NotFound, InvalidTransition, StaleRevision),
)
def confirm_shop(
    request: Request,
    licence_id: str,
    body: ShopConfirmation,
    actor: ActorDep,
    services: ServicesDep,
    match: IfMatch = None,
) -> Response:
    """That organisation holds the licence from now on; until then it is on paper only."""
    change = partial(services.licences.confirm_shop, actor, licence_id, body.organisation_id)
    return _changed(request, services, actor, licence_id, match, change)
