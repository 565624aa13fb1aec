"""``/v1/invitations``: whoever was handed a token sets a password with it. The token is in the body, since paths are
logged."""

from fastapi import APIRouter, Request

from imgguard.api.openapi import errors
from imgguard.api.routes import OpenRoute
from imgguard.api.schemas import Acceptance, InvitationToken, Invitee
from imgguard.api.security import ServicesDep
from imgguard.api.v1.passwords import apart
from imgguard.errors import AuthenticationRequired, InputError, Overloaded, PermissionDenied, RateLimited
from imgguard.registry.accounts import Member

router = APIRouter(prefix="/v1/invitations", tags=["session"], route_class=OpenRoute)


def _invitee(member: Member) -> Invitee:
    return Invitee(email=member.email or "", name=member.name or "")


@router.post(
    "/lookup",
    operation_id="get_invitation",
    summary="Whom an invitation is for",
    responses=errors(AuthenticationRequired, PermissionDenied, RateLimited),
)
def get_invitation(body: InvitationToken, services: ServicesDep) -> Invitee:
    """The invitation stays as it is."""
    return _invitee(services.identity.invited(body.token.get_secret_value()))


@router.post(
    "/accept",
    operation_id="accept_invitation",
    summary="Set a password with an invitation",
    responses=errors(AuthenticationRequired, PermissionDenied, InputError, RateLimited, Overloaded),
)
async def accept_invitation(request: Request, body: Acceptance, services: ServicesDep) -> Invitee:
    """The invitation is used up, and sessions of the member end. Then sign in."""

    def work() -> Invitee:
        token, password = body.token.get_secret_value(), body.password.get_secret_value()
        return _invitee(services.identity.accept(token, password))

    return await apart(request, work)
