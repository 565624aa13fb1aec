"""``/v1/session/oidc``: signing in by an identity provider, for browsers, which are sent from place to place.

The cookie that ties the way out to the way back, and that of the session, are both ``SameSite=Lax``: browsers send
those along when a person is led here from another site by a link or a redirect, which is what the provider does.
"""

import logging
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from imgguard.api.destinations import HOME, local_path, own_address
from imgguard.api.openapi import errors
from imgguard.api.routes import OpenRoute, ReturnRoute, Route
from imgguard.api.schemas import Provider, SignInMethods, WayOut
from imgguard.api.security import ServicesDep, SessionDep, address_of, is_secure, set_cookie
from imgguard.api.v1.passwords import apart
from imgguard.bootstrap import Services
from imgguard.errors import (
    DependencyError,
    IdentityProviderUnavailable,
    IdentityUnknown,
    ImgguardError,
    NotFound,
    Overloaded,
    PermissionDenied,
    RateLimited,
    SignInExpired,
    SignInRefused,
)
from imgguard.services.single_sign_on import LIFETIME, Begun, CameBack
from imgguard.settings import Settings

router = APIRouter(prefix="/v1/session", tags=["session"], route_class=OpenRoute)
own_router = APIRouter(prefix="/v1/session", tags=["session"], route_class=Route)
return_router = APIRouter(prefix="/v1/session", tags=["session"], route_class=ReturnRoute)

SIGN_IN_PAGE = "/sign-in"
_CALLBACK = "/v1/session/oidc/callback"
_log = logging.getLogger("imgguard.api")


def cookie_name(settings: Settings) -> str:
    """Of the cookie of who was sent to the provider; see `imgguard.api.security.cookie_name`."""
    return "__Host-imgguard-oidc" if is_secure(settings) else "imgguard_oidc"


@router.get("/methods", operation_id="get_sign_in_methods", summary="By what one can sign in")
def get_sign_in_methods(services: ServicesDep) -> SignInMethods:
    """Told without signing in."""
    name = services.settings.oidc_name if services.single_sign_on.is_set_up else None
    return SignInMethods(oidc=None if name is None else Provider(name=name))


@router.get(
    "/oidc",
    operation_id="begin_single_sign_on",
    summary="Go to the identity provider to sign in",
    status_code=303,
    response_class=RedirectResponse,
    responses=errors(NotFound, PermissionDenied, RateLimited, Overloaded, IdentityProviderUnavailable),
)
async def begin_single_sign_on(
    request: Request,
    services: ServicesDep,
    return_to: Annotated[
        str, Query(description="Where to go on when it is done: a path of this service; anything else leads to `/`.")
    ] = "/",
) -> Response:
    """For browsers: the answer leads to the provider, and sets a cookie for ten minutes. A browser that cannot be sent
    there is led to the sign-in page; programs get a problem. It is for members who are linked already: the first time,
    `accept_invitation_by_single_sign_on` or `link_account` begins."""

    def work() -> Response:
        begun = services.single_sign_on.begin(
            return_to=local_path(return_to),
            redirect_uri=own_address(request, services.settings, _CALLBACK),
            address=address_of(request),
        )
        return _remembered(RedirectResponse(begun.url, 303), services.settings, begun)

    return await _led(request, work)


@own_router.post(
    "/oidc",
    operation_id="link_account",
    summary="Go to the identity provider to link the own account",
    response_model=WayOut,
    responses=errors(PermissionDenied, NotFound, RateLimited, Overloaded, IdentityProviderUnavailable),
)
async def link_account(request: Request, token: SessionDep, services: ServicesDep) -> Response:
    """For browsers, which go to `url` next: the answer sets a cookie for ten minutes. Whoever comes back from there,
    while the session lasts, is the member from then on."""

    def work() -> Response:
        return way_out(request, services, session=token)

    return await apart(request, work, at_provider=True)


def way_out(
    request: Request, services: Services, *, invitation: str | None = None, session: str | None = None
) -> Response:
    """To the provider, for a page that goes there itself: the Content-Security-Policy lets no form lead to another
    site. Raises as `SingleSignOn.begin` does."""
    settings = services.settings
    begun = services.single_sign_on.begin(
        return_to=HOME,
        redirect_uri=own_address(request, settings, _CALLBACK),
        address=address_of(request),
        invitation=invitation,
        session=session,
    )
    return _remembered(JSONResponse(WayOut(url=begun.url).model_dump(mode="json")), settings, begun)


def _remembered(response: Response, settings: Settings, begun: Begun) -> Response:
    """With the cookie that ties the way back to this browser."""
    response.set_cookie(
        cookie_name(settings),
        begun.browser_token,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_secure(settings),
    )
    return response


@return_router.get(
    "/oidc/callback",
    operation_id="finish_single_sign_on",
    summary="Come back from the identity provider",
    status_code=303,
    response_class=RedirectResponse,
    responses=errors(
        NotFound, SignInExpired, SignInRefused, IdentityUnknown, RateLimited, Overloaded, IdentityProviderUnavailable
    ),
)
async def finish_single_sign_on(
    request: Request,
    services: ServicesDep,
    state: Annotated[str, Query(description="As the way out had it.")] = "",
    code: Annotated[str | None, Query(description="From the provider, for one use.")] = None,
    error: Annotated[str | None, Query(description="The provider's word for why there is no code.")] = None,
    issuer: Annotated[str | None, Query(alias="iss", description="Who answers (RFC 9207).")] = None,
) -> Response:
    """Only the provider leads here. Opens a session, whose token comes as a cookie, as `sign_in` does, and leads on to
    where it was begun for; a browser that is refused, to the sign-in page."""
    settings = services.settings

    def work() -> Response:
        signed_in, return_to = services.single_sign_on.finish(
            CameBack(state=state, code=code, error=error, issuer=issuer),
            browser_token=request.cookies.get(cookie_name(settings), ""),
            redirect_uri=own_address(request, settings, _CALLBACK),
            address=address_of(request),
        )
        response = RedirectResponse(return_to, 303)
        set_cookie(response, settings, signed_in.token)
        return response

    response = await _led(request, work)
    response.delete_cookie(cookie_name(settings), path="/", httponly=True, samesite="lax", secure=is_secure(settings))
    return response


async def _led(request: Request, work: Callable[[], Response]) -> Response:
    """What ``work`` answers. People who cannot be served are led to the sign-in page, which has words for the code;
    nothing of what a provider or an address said is passed on. For programs, raises what ``work`` raises."""
    try:
        return await apart(request, work, at_provider=True)
    except ImgguardError as error:
        if type(error) is ImgguardError or "text/html" not in request.headers.get("accept", ""):
            raise
        if isinstance(error, DependencyError):
            _log.error("%s: %s: %s", request.state.request_id, error.code, error.detail)
        return RedirectResponse(f"{SIGN_IN_PAGE}?{urlencode({'problem': error.code})}", 303)
