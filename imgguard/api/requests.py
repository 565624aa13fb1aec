"""Around every request: its id, its line in the log, the fields that every answer has, and what nobody foresaw."""

import logging
import re
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imgguard.api.limits import Allowance
from imgguard.api.metrics import Metrics
from imgguard.api.problems import of_bug
from imgguard.registry.ids import new_id

ACCESS = "imgguard.access"
UNMATCHED = "-"

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_FIELDS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_HSTS = "max-age=31536000"

_access = logging.getLogger(ACCESS)
_log = logging.getLogger("imgguard.api")


def template(scope: Scope) -> str:
    """The path as the route declares it: with names in place of ids, so that logs hold nobody's data."""
    return getattr(scope.get("route"), "path", UNMATCHED)


class Requests:
    """ASGI middleware, the outermost. ``secure``: people reach the service by https."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, secure: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._fields = _FIELDS | ({"Strict-Transport-Security": _HSTS} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = request_id = _request_id(Headers(scope=scope))
        status, began = 0, time.perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(MutableHeaders(raw=message["headers"]), request_id, state.get("allowance"))
            await send(message)

        with self._metrics.in_flight():
            try:
                await self._app(scope, receive, sending)
            except Exception:
                _log.exception("request %s failed", request_id)
                if status:  # the answer has begun: nothing can be said any more
                    raise
                await of_bug(scope)(scope, receive, sending)
            finally:
                seconds, route = time.perf_counter() - began, template(scope)
                self._metrics.count(scope["method"], route, status, seconds)
                _access.info("%s %s %s %d %.1f", request_id, scope["method"], route, status, seconds * 1000)

    def _complete(self, headers: MutableHeaders, request_id: str, allowance: Allowance | None) -> None:
        headers["X-Request-Id"] = request_id
        for name, value in self._fields.items():
            headers.setdefault(name, value)
        if allowance is not None:
            headers["RateLimit-Policy"] = allowance.policy.field
            headers["RateLimit"] = allowance.field


def _request_id(headers: Headers) -> str:
    """The caller's own, when it can stand in a log; else a new one."""
    given = headers.get("x-request-id", "")
    return given if _SAFE_ID.fullmatch(given) else new_id("req")
