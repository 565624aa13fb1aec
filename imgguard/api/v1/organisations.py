"""``/v1/organisation``, the own one, and ``/v1/organisations``, all of them, for the operator's admins."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, page_of
from imgguard.api.revisions import IfMatch, IfNoneMatch, changing, require_match, tagged
from imgguard.api.routes import Route
from imgguard.api.schemas import Founding, NewOrganisation, Organisation, OrganisationChange
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.v1 import shown
from imgguard.bootstrap import Services
from imgguard.errors import (
    Conflict,
    InputError,
    InvalidCursor,
    InvalidTransition,
    NotFound,
    PermissionDenied,
    StaleRevision,
)
from imgguard.registry.access import Actor

router = APIRouter(tags=["organisations"], route_class=Route)
_LIST = "organisations"


class OrganisationPage(PageOf[Organisation]):
    """Oldest first."""


@router.get(
    "/v1/organisation",
    operation_id="get_own_organisation",
    summary="The own organisation",
    response_model=Organisation,
    responses=errors(PermissionDenied),
)
def get_own_organisation(actor: ActorDep, services: ServicesDep, known: IfNoneMatch = None) -> Response:
    return tagged(shown.organisation(services.organisations.organisation(actor)), known=known)


@router.patch(
    "/v1/organisation",
    operation_id="change_own_organisation",
    summary="Change what strangers' checks reveal",
    response_model=Organisation,
    responses=errors(PermissionDenied, StaleRevision),
)
def change_own_organisation(
    request: Request, body: OrganisationChange, actor: ActorDep, services: ServicesDep, match: IfMatch = None
) -> Response:
    """From now on, also for checks that were made before."""
    with changing(request, actor.organisation_id):
        if match is not None:
            require_match(match, shown.organisation(services.organisations.organisation(actor)))
        return tagged(shown.organisation(services.organisations.set_disclosure(actor, body.disclosure)))


@router.get(
    "/v1/organisations",
    operation_id="list_organisations",
    summary="All organisations",
    responses=errors(PermissionDenied, InvalidCursor),
)
def list_organisations(page: PageDep, actor: ActorDep, services: ServicesDep) -> OrganisationPage:
    """For admins of the operator."""
    found = services.organisations.organisations(actor)
    records, cursor = page_of(found, page, _LIST, key=lambda record: record.organisation_id)
    return OrganisationPage(items=[shown.organisation(record) for record in records], next_cursor=cursor)


@router.get(
    "/v1/organisations/{organisation_id}",
    operation_id="get_organisation",
    summary="One organisation",
    response_model=Organisation,
    responses=errors(PermissionDenied, NotFound),
)
def get_organisation(
    organisation_id: str, actor: ActorDep, services: ServicesDep, known: IfNoneMatch = None
) -> Response:
    """Any, for admins of the operator; for others only the own one is there."""
    return tagged(shown.organisation(services.organisations.organisation(actor, organisation_id)), known=known)


@router.post(
    "/v1/organisations/{organisation_id}/disable",
    operation_id="disable_organisation",
    summary="Disable an organisation",
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
def disable_organisation(organisation_id: str, actor: ActorDep, services: ServicesDep) -> Organisation:
    """Sessions of its members end and keys rest, until it is enabled again. What it has registered and licensed goes on
    to count. For admins of the operator, whose own organisation cannot be disabled."""
    return shown.organisation(services.organisations.disable(actor, organisation_id))


@router.post(
    "/v1/organisations/{organisation_id}/enable",
    operation_id="enable_organisation",
    summary="Enable an organisation",
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
def enable_organisation(organisation_id: str, actor: ActorDep, services: ServicesDep) -> Organisation:
    """Its members can sign in and its keys count again. For admins of the operator."""
    return shown.organisation(services.organisations.enable(actor, organisation_id))


def _again(services: Services, actor: Actor, ids: Mapping[str, str]) -> Founding:
    organisation = services.organisations.organisation(actor, ids["organisation_id"])
    member = services.members.member(actor, ids["member_id"])
    return Founding(
        organisation=shown.organisation(organisation), member=shown.member(member), secret=None, expires_at=None
    )


@router.post(
    "/v1/organisations",
    operation_id="create_organisation",
    summary="Make an organisation",
    status_code=201,
    response_model=Founding,
    responses=errors(PermissionDenied, InputError, Conflict),
)
@idempotent(replay=_again)
def create_organisation(request: Request, body: NewOrganisation, actor: ActorDep, services: ServicesDep) -> Response:
    """With its first admin, who sets a password with `secret`: hand that over. For admins of the operator, who are
    signed in."""
    made = services.organisations.create(
        actor,
        body.organisation,
        email=body.email,
        member_name=body.name,
        roles=body.roles,
        disclosure=body.disclosure,
    )
    organisation, admin = made.organisation, made.admin
    remember(request, organisation_id=organisation.organisation_id, member_id=admin.member.member_id)
    founding = Founding(
        organisation=shown.organisation(organisation),
        member=shown.member(admin.member),
        secret=admin.token,
        expires_at=admin.expires_at,
    )
    place = f"/v1/organisations/{organisation.organisation_id}"
    return JSONResponse(founding.model_dump(mode="json"), status_code=201, headers={"Location": place})
