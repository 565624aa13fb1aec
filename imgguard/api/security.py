"""Who asks: an API key in ``Authorization``, or a session in a cookie; and what a browser must prove besides."""

import logging
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.responses import Response

from imgguard.api.gate import host_name
from imgguard.api.limits import Buckets
from imgguard.api.problems import Refused
from imgguard.bootstrap import Services
from imgguard.errors import AuthenticationRequired, PermissionDenied, RateLimited
from imgguard.registry.access import Actor
from imgguard.services.attempts import network_of
from imgguard.settings import Settings

CSRF_FIELD = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITE = frozenset({"same-origin", "none"})
_log = logging.getLogger("imgguard.api")


def is_secure(settings: Settings) -> bool:
    """Whether people reach the service by https."""
    return (settings.public_url or "").startswith("https://")


def cookie_name(settings: Settings) -> str:
    """With https, browsers themselves see to it that a cookie of this prefix is this host's and travels encrypted."""
    return "__Host-imgguard" if is_secure(settings) else "imgguard_session"


def set_cookie(response: Response, settings: Settings, token: str) -> None:
    """For as long as the browser is open; how long the session counts is decided by `Identity`."""
    response.set_cookie(
        cookie_name(settings), token, path="/", httponly=True, samesite="lax", secure=is_secure(settings)
    )


def clear_cookie(response: Response, settings: Settings) -> None:
    response.delete_cookie(cookie_name(settings), path="/", httponly=True, samesite="lax", secure=is_secure(settings))


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def address_of(request: Request) -> str:
    """Whom `imgguard.api.gate` found behind the request."""
    return str(request.scope["state"]["address"])


def authenticate(request: Request) -> None:
    """Put the actor into the request's state, and the session's token if it is by a session.

    1  one proof of who asks, not two
    2  an API key: it alone is enough, since no browser sends it by itself
    3  a session; where something may change, the page that asks is our own and knows the session's CSRF token
    4  not more often than the settings allow

    Raises AuthenticationRequired, PermissionDenied, RateLimited, Refused, StoreUnavailable.
    """
    services = services_of(request)
    fields = request.headers.getlist("authorization")
    token = request.cookies.get(cookie_name(services.settings))
    # 1
    if len(fields) + (token is not None) > 1:
        raise Refused(400, "more than one proof of who asks was sent", hint="Send an API key or a session's cookie.")
    try:
        # 2
        if token is None:
            actor = services.identity.actor_of_key(_key_in(fields))
        # 3
        else:
            actor = services.identity.actor_of_session(token)
    except AuthenticationRequired:
        spend(request, f"network:{network_of(address_of(request))}")
        raise
    if token is not None and request.method not in _SAFE:
        require_own_page(request)
        services.identity.require_csrf(token, request.headers.get(CSRF_FIELD, ""))
    # 4
    spend(request, f"key:{actor.key_id}" if actor.key_id else f"member:{actor.member_id}")
    if actor.key_id is not None:
        spend_of_keys(request, actor)
    request.state.actor, request.state.session_token = actor, token


def _key_in(fields: list[str]) -> str:
    if not fields:
        raise AuthenticationRequired("nothing was sent that says who asks", hint="Sign in, or send an API key.")
    scheme, _, secret = fields[0].strip().partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationRequired("Authorization takes the form: Bearer imgguard_...", hint="Send an API key.")
    return secret.strip()


def require_own_page(request: Request) -> None:
    """Raises PermissionDenied when a browser says that another site's page made it ask."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_ours = (site is None or site in _OWN_SITE) and (origin is None or _is_own(request, origin))
    if not is_ours:
        raise PermissionDenied("the request comes from a page of another site", hint="Use imgguard's own pages.")


def _is_own(request: Request, origin: str) -> bool:
    public, host = services_of(request).settings.public_url, request.headers.get("host", "").lower()
    if public is not None and host_name(host) == urlsplit(public).hostname:
        return origin == public
    return origin.partition("://")[2] == host


def spend(request: Request, subject: str) -> None:
    """Count a request of ``subject``. Raises RateLimited."""
    buckets: Buckets = request.app.state.buckets
    request.state.allowance = allowance = buckets.take(subject)
    if not allowance.is_admitted:
        raise RateLimited(
            f"more than {buckets.policy.quota} requests in {buckets.policy.window} seconds",
            retry_after=allowance.retry_after,
        )


def spend_of_keys(request: Request, actor: Actor) -> None:
    """Count a request of all keys of a member together, so that more keys are not more requests without end. Raises
    RateLimited."""
    together: Buckets = request.app.state.member_buckets
    allowance = together.take(f"keys of:{actor.member_id}")
    if not allowance.is_admitted:
        request.state.allowance = allowance
        raise RateLimited(
            f"more than {together.policy.quota} requests of your keys in {together.policy.window} seconds",
            retry_after=allowance.retry_after,
        )


def spend_of_network(request: Request) -> None:
    """For what is done without an account, such as signing in. Raises RateLimited."""
    spend(request, f"network:{network_of(address_of(request))}")


async def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


async def _session_token(request: Request) -> str:
    token: str | None = request.state.session_token
    if token is None:
        raise PermissionDenied("this is for people who are signed in", hint="An API key has no session.")
    return token


ServicesDep = Annotated[Services, Depends(services_of)]
ActorDep = Annotated[Actor, Depends(_actor)]
SessionDep = Annotated[str, Depends(_session_token)]
"""The token of the session that asks. Raises PermissionDenied for an API key."""
