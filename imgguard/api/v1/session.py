"""``/v1/session``: signing in and out, who one is, and the own password."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from imgguard.api.openapi import errors
from imgguard.api.routes import OpenRoute, Route
from imgguard.api.schemas import NewPassword, SignIn, Who
from imgguard.api.security import ActorDep, ServicesDep, SessionDep, address_of, clear_cookie, set_cookie
from imgguard.api.v1.passwords import apart
from imgguard.bootstrap import Services
from imgguard.errors import AuthenticationRequired, InputError, Overloaded, PermissionDenied, RateLimited
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Scope
from imgguard.services.identity import SignedIn

router = APIRouter(prefix="/v1/session", tags=["session"], route_class=Route)
open_router = APIRouter(prefix="/v1/session", tags=["session"], route_class=OpenRoute)


def _who(services: Services, actor: Actor, csrf_token: str | None) -> Who:
    member_id = actor.member_id or ""
    member = services.members.member(actor, member_id) if Scope.ORGANISATION_READ in actor.scopes else None
    return Who(
        organisation_id=actor.organisation_id,
        organisation=actor.owner,
        is_operator=actor.is_operator,
        member_id=member_id,
        name=None if member is None else member.name,
        key_id=actor.key_id,
        roles=sorted(actor.roles),
        scopes=sorted(actor.scopes),
        is_linked=None if member is None else member.is_linked,
        csrf_token=csrf_token,
    )


def _opened(services: Services, signed_in: SignedIn) -> Response:
    who = _who(services, signed_in.actor, signed_in.csrf_token)
    response = JSONResponse(who.model_dump(mode="json"))
    set_cookie(response, services.settings, signed_in.token)
    return response


@open_router.post(
    "",
    operation_id="sign_in",
    summary="Sign in",
    response_model=Who,
    responses=errors(AuthenticationRequired, PermissionDenied, RateLimited, Overloaded),
)
async def sign_in(request: Request, body: SignIn, services: ServicesDep) -> Response:
    """Opens a session, whose token comes as a cookie. An unknown address, a wrong password and a disabled member get
    the same answer."""

    def work() -> Response:
        secret = body.password.get_secret_value()
        return _opened(services, services.identity.sign_in(body.email, secret, address=address_of(request)))

    return await apart(request, work)


@router.get("", operation_id="get_session", summary="Who one is, and what one may do")
def get_session(request: Request, actor: ActorDep, services: ServicesDep) -> Who:
    """For an API key too. A session gets its CSRF token again."""
    token: str | None = request.state.session_token
    return _who(services, actor, None if token is None else services.identity.csrf_token(token))


@router.delete("", operation_id="sign_out", summary="Sign out", status_code=204, responses=errors(PermissionDenied))
def sign_out(token: SessionDep, services: ServicesDep) -> Response:
    """Ends the session and takes the cookie back."""
    services.identity.sign_out(token)
    response = Response(status_code=204)
    clear_cookie(response, services.settings)
    return response


@router.post(
    "/password",
    operation_id="change_password",
    summary="Change the own password",
    response_model=Who,
    responses=errors(PermissionDenied, InputError, RateLimited, Overloaded),
)
async def change_password(request: Request, body: NewPassword, token: SessionDep, services: ServicesDep) -> Response:
    """Ends all sessions of the member and opens a fresh one, with another cookie and CSRF token."""

    def work() -> Response:
        present, new = body.present.get_secret_value(), body.new.get_secret_value()
        address = address_of(request)
        return _opened(services, services.identity.change_password(token, present, new, address=address))

    return await apart(request, work)
