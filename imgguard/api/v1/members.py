"""``/v1/members``: the people of an organisation."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, page_of
from imgguard.api.revisions import IfMatch, IfNoneMatch, changing, require_match, tagged
from imgguard.api.routes import Route
from imgguard.api.schemas import Invitation, Member, MemberChange, MemberExport, NewMember
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
from imgguard.registry import accounts
from imgguard.registry.access import Actor
from imgguard.services.invitations import Invited

router = APIRouter(prefix="/v1/members", tags=["members"], route_class=Route)
_LIST = "members"

OrganisationId = Annotated[
    str | None, Query(max_length=64, description="Of another organisation; for admins of the operator.")
]


class MemberPage(PageOf[Member]):
    """Oldest first; erased ones as tombstones."""


@router.get(
    "",
    operation_id="list_members",
    summary="The members of the organisation",
    responses=errors(PermissionDenied, NotFound, InvalidCursor),
)
def list_members(
    page: PageDep, actor: ActorDep, services: ServicesDep, organisation_id: OrganisationId = None
) -> MemberPage:
    found = services.members.members(actor, organisation_id=organisation_id)
    records, cursor = page_of(found, page, _LIST, key=lambda record: record.member_id, organisation_id=organisation_id)
    return MemberPage(items=[shown.member(record) for record in records], next_cursor=cursor)


def _invitation(invited: Invited) -> Response:
    invitation = Invitation(member=shown.member(invited.member), secret=invited.token, expires_at=invited.expires_at)
    place = f"/v1/members/{invited.member.member_id}"
    return JSONResponse(invitation.model_dump(mode="json"), status_code=201, headers={"Location": place})


def _again(services: Services, actor: Actor, ids: Mapping[str, str]) -> Invitation:
    member = shown.member(services.members.member(actor, ids["member_id"]))
    return Invitation(member=member, secret=None, expires_at=None)


@router.post(
    "",
    operation_id="invite_member",
    summary="Invite a member",
    status_code=201,
    response_model=Invitation,
    responses=errors(PermissionDenied, NotFound, InputError, Conflict),
)
@idempotent(replay=_again)
def invite_member(request: Request, body: NewMember, actor: ActorDep, services: ServicesDep) -> Response:
    """Hand `secret` over: whoever has it sets the member's password. For admins who are signed in."""
    invited = services.members.invite(
        actor, email=body.email, name=body.name, roles=body.roles, organisation_id=body.organisation_id
    )
    remember(request, member_id=invited.member.member_id)
    return _invitation(invited)


@router.get(
    "/{member_id}",
    operation_id="get_member",
    summary="One member",
    response_model=Member,
    responses=errors(PermissionDenied, NotFound),
)
def get_member(member_id: str, actor: ActorDep, services: ServicesDep, known: IfNoneMatch = None) -> Response:
    return tagged(shown.member(services.members.member(actor, member_id)), known=known)


def _changed(
    request: Request,
    member_id: str,
    match: str | None,
    read: Callable[[], accounts.Member],
    change: Callable[[], accounts.Member],
) -> Response:
    """The member after ``change``. Raises StaleRevision, and what the two raise."""
    with changing(request, member_id):
        if match is not None:
            require_match(match, shown.member(read()))
        return tagged(shown.member(change()))


@router.patch(
    "/{member_id}",
    operation_id="change_member",
    summary="Change name or roles",
    response_model=Member,
    responses=errors(PermissionDenied, NotFound, InputError, InvalidTransition, StaleRevision),
)
def change_member(
    request: Request,
    member_id: str,
    body: MemberChange,
    actor: ActorDep,
    services: ServicesDep,
    match: IfMatch = None,
) -> Response:
    """Members may change their own name; admins who are signed in may give roles."""
    members = services.members
    return _changed(
        request,
        member_id,
        match,
        lambda: members.member(actor, member_id),
        lambda: members.change(actor, member_id, name=body.name, roles=body.roles),
    )


@router.post(
    "/{member_id}/disable",
    operation_id="disable_member",
    summary="Disable a member",
    response_model=Member,
    responses=errors(PermissionDenied, NotFound, InvalidTransition, StaleRevision),
)
def disable_member(
    request: Request, member_id: str, actor: ActorDep, services: ServicesDep, match: IfMatch = None
) -> Response:
    """Sessions end at once, and keys open nothing, until the member is enabled again."""
    members = services.members
    return _changed(
        request,
        member_id,
        match,
        lambda: members.member(actor, member_id),
        lambda: members.disable(actor, member_id),
    )


@router.post(
    "/{member_id}/enable",
    operation_id="enable_member",
    summary="Enable a member again",
    response_model=Member,
    responses=errors(PermissionDenied, NotFound, InvalidTransition, StaleRevision),
)
def enable_member(
    request: Request, member_id: str, actor: ActorDep, services: ServicesDep, match: IfMatch = None
) -> Response:
    """Password and keys count again."""
    members = services.members
    return _changed(
        request,
        member_id,
        match,
        lambda: members.member(actor, member_id),
        lambda: members.enable(actor, member_id),
    )


@router.post(
    "/{member_id}/invitation",
    operation_id="invite_again",
    summary="Invite a member again",
    status_code=201,
    response_model=Invitation,
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
@idempotent(replay=_again)
def invite_again(request: Request, member_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """For a member who did not accept in time, or has lost the password, which stays until a new one is set."""
    invited = services.members.reset(actor, member_id)
    remember(request, member_id=member_id)
    return _invitation(invited)


@router.delete(
    "/{member_id}/identities",
    operation_id="unlink_member",
    summary="Unlink a member from the identity provider",
    response_model=Member,
    responses=errors(PermissionDenied, NotFound, InvalidTransition, StaleRevision),
)
def unlink_member(
    request: Request, member_id: str, actor: ActorDep, services: ServicesDep, match: IfMatch = None
) -> Response:
    """Sessions end. Signing in there again links the member again, while its address is the same and it has a password
    or an open invitation: to keep it out, disable it. For the member itself, and for admins who are signed in."""
    members = services.members
    return _changed(
        request,
        member_id,
        match,
        lambda: members.member(actor, member_id),
        lambda: members.unlink(actor, member_id),
    )


@router.post(
    "/{member_id}/export",
    operation_id="export_member",
    summary="Everything that is stored about a member",
    responses=errors(PermissionDenied, NotFound),
)
def export_member(member_id: str, actor: ActorDep, services: ServicesDep) -> MemberExport:
    """For the member itself, and for admins; those who may see no checks are not told of pictures. The audit trail says
    that it was given."""
    return MemberExport.model_validate(services.personal_data.export(actor, member_id))


@router.delete(
    "/{member_id}",
    operation_id="erase_member",
    summary="Erase a member",
    response_model=Member,
    responses=errors(PermissionDenied, NotFound, InvalidTransition, StaleRevision),
)
def erase_member(
    request: Request,
    member_id: str,
    actor: ActorDep,
    services: ServicesDep,
    match: IfMatch = None,
    checks: Annotated[
        bool, Query(description="Erase the checks of the member too, but for those that somebody decided about.")
    ] = False,
) -> Response:
    """Destroys all personal data, sessions and keys. The id stays, without a name. For the member itself, and for
    admins."""
    return _changed(
        request,
        member_id,
        match,
        lambda: services.members.member(actor, member_id),
        lambda: services.personal_data.erase(actor, member_id, checks=checks),
    )
