"""``/v1/invitations``: whoever was handed a token sets a password with it, or is linked to a person at the identity
provider. The token is in the body, since paths are logged."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from imgguard.api.openapi import errors
from imgguard.api.routes import OpenRoute
from imgguard.api.schemas import Acceptance, InvitationToken, Invitee, WayOut
from imgguard.api.security import ServicesDep
from imgguard.api.v1.passwords import apart
from imgguard.api.v1.single_sign_on import way_out
from imgguard.errors import (
    AuthenticationRequired,
    IdentityProviderUnavailable,
    InputError,
    NotFound,
    Overloaded,
    PermissionDenied,
    RateLimited,
)
from imgguard.services import invitations

router = APIRouter(prefix="/v1/invitations", tags=["session"], route_class=OpenRoute)


def _invitee(found: invitations.Invitee) -> Invitee:
    member = found.member
    return Invitee(
        email=member.email or "",
        name=member.name or "",
        organisation=found.organisation,
        invited_by=found.invited_by,
    )


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


@router.post(
    "/oidc",
    operation_id="accept_invitation_by_single_sign_on",
    summary="Go to the identity provider with an invitation",
    response_model=WayOut,
    responses=errors(
        AuthenticationRequired, PermissionDenied, NotFound, RateLimited, Overloaded, IdentityProviderUnavailable
    ),
)
async def accept_invitation_by_single_sign_on(
    request: Request, body: InvitationToken, services: ServicesDep
) -> Response:
    """For browsers, which go to `url` next: the answer sets a cookie for ten minutes. Whoever comes back from there is
    the invited member from then on, and signed in; the invitation is used up. The provider never sees the token."""

    def work() -> Response:
        return way_out(request, services, invitation=body.token.get_secret_value())

    return await apart(request, work, at_provider=True)
