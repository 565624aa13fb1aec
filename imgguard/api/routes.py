"""What every route of ``/v1`` does before its endpoint is called, in this order:

1  the body has a media type that the route takes (415)
2  who asks is known (401), may ask from where it does (403), and not too often (429); before the body is read, so that
   strangers cannot send large ones
3  a request that may be sent again, with an Idempotency-Key, is answered once
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, params
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from imgguard.api import idempotency
from imgguard.api.problems import Refused
from imgguard.api.security import authenticate, require_own_page, spend_of_network

type Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """For actors: `imgguard.api.security.ActorDep` has it."""

    is_open = False

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        kind = self._media_type()

        async def guarded(request: Request) -> Response:
            if kind is not None:
                _require_media_type(request, kind)
            await run_in_threadpool(self.admit, request)
            if idempotency.KEY_FIELD in request.headers and idempotency.is_idempotent(self.endpoint):
                return await idempotency.answered_once(request, handle, self.endpoint)
            return await handle(request)

        return guarded

    def _media_type(self) -> str | None:
        if self.body_field is None:
            return None
        is_form = isinstance(self.body_field.field_info, params.Form)
        return "multipart/form-data" if is_form else "application/json"

    def admit(self, request: Request) -> None:
        """Whether the request is looked at. Raises as `authenticate` does."""
        authenticate(request)


class OpenRoute(Route):
    """For everybody: signing in, and what a token in the body proves by itself."""

    is_open = True

    def admit(self, request: Request) -> None:
        spend_of_network(request)
        require_own_page(request)


class ReturnRoute(OpenRoute):
    """For browsers that another site sends here on purpose, with something that proves it was asked to."""

    def admit(self, request: Request) -> None:
        spend_of_network(request)


def _require_media_type(request: Request, wanted: str) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != wanted:
        raise Refused(415, f"the body is to be {wanted}", headers={"Accept": wanted})
