"""Requests that may be sent again (Idempotency-Key, draft-ietf-httpapi-idempotency-key-header-07).

A key belongs to an organisation and to one request: the same member, API key, path and body. Only answers of success
are kept, for 24 hours: what failed changed nothing, so it is tried again. Of an answer with secrets or personal data
only the ids are kept, and the objects are shown again as they are then, without the secret.
"""

import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from fastapi import Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive

from imgguard.api.problems import Refused, of_error
from imgguard.api.security import services_of
from imgguard.bootstrap import Services
from imgguard.errors import Conflict, DependencyError, IdempotencyMismatch
from imgguard.ports import StoredAnswer
from imgguard.registry.access import Actor

KEY_FIELD = "idempotency-key"
KEPT = timedelta(hours=24)
LEASE = timedelta(minutes=5)
"""How long a request counts as being answered: after a crash it can be sent again that much later."""

_KEY = re.compile(r'"?([!#-\[\]-~]{1,255})"?', re.ASCII)
_KEPT_FIELDS = frozenset({"content-type", "etag", "location"})
_IN_MEMORY = 1_000_000
_CHUNK = 65_536
_log = logging.getLogger("imgguard.api")

type Replay = Callable[[Services, Actor, Mapping[str, str]], BaseModel]
"""Shows again what the ids name. Raises as the services do, NotFound for what is gone since."""

_REPLAYS: dict[Callable[..., Any], Replay | None] = {}


def idempotent[Endpoint: Callable[..., Any]](*, replay: Replay | None = None) -> Callable[[Endpoint], Endpoint]:
    """Marks an endpoint. With ``replay`` it must `remember` ids; without, its answer is kept as it is: JSON in which
    there is nothing that has to be erasable or secret."""

    def marked(endpoint: Endpoint) -> Endpoint:
        _REPLAYS[endpoint] = replay
        return endpoint

    return marked


def is_idempotent(endpoint: Callable[..., Any]) -> bool:
    return endpoint in _REPLAYS


def is_looked_up(endpoint: Callable[..., Any]) -> bool:
    """Whether a replay shows what was made as it is now, and not the answer that was given then."""
    return _REPLAYS.get(endpoint) is not None


def remember(request: Request, **ids: str) -> None:
    """What a replay will be given."""
    request.state.remembered = ids


async def answered_once(
    request: Request, handle: Callable[[Request], Awaitable[Response]], endpoint: Callable[..., Any]
) -> Response:
    """The answer of ``handle``, or the one that was given before. Raises IdempotencyMismatch, Refused, and what
    ``handle`` raises."""
    found = _KEY.fullmatch(request.headers[KEY_FIELD])
    if found is None:
        raise Refused(400, "an Idempotency-Key has 1 to 255 printable characters", hint="A random UUID is a good one.")
    services, actor, key = services_of(request), request.state.actor, found[1]
    store, clock = services.idempotency_keys, services.clock
    with SpooledTemporaryFile[bytes](max_size=_IN_MEMORY) as body:
        digest = await _digest(request, actor, body)
        mine: dict[str, Any] = {"request_sha256": digest}

        def claim() -> StoredAnswer | None:
            now = clock.now()
            return store.claim(actor.organisation_id, key, now=now, until=now + LEASE, **mine)

        try:
            stored = await run_in_threadpool(claim)
        except IdempotencyMismatch:
            raise
        except Conflict as error:
            busy = of_error(request.scope, error)
            busy.headers["Retry-After"] = "1"
            return busy
        if stored is not None:
            return await run_in_threadpool(_again, services, actor, endpoint, stored)
        try:
            response = await handle(Request(request.scope, _replayed(body)))
        except Exception:
            await run_in_threadpool(store.release, actor.organisation_id, key, **mine)
            raise
        answer = _kept(request, response, endpoint)
        try:
            await run_in_threadpool(
                store.finish, actor.organisation_id, key, answer=answer, until=clock.now() + KEPT, **mine
            )
        except DependencyError as error:  # what was asked for is done, and says so
            _log.warning("an answer could not be kept for its Idempotency-Key: %s", error)
        return response


async def _digest(request: Request, actor: Actor, body: IO[bytes]) -> str:
    """Of everything that makes it the same request; the body is written to ``body`` on the way.

    The boundary between the parts of a form is left out: clients draw a new one each time they send the same form.
    """
    kind, boundary = _boundary(request.headers.get("content-type", ""))
    who = [request.method, request.url.path, request.url.query, kind, actor.name, actor.key_id or ""]
    digest = hashlib.sha256(json.dumps(who).encode())
    held = b""
    async for chunk in request.stream():
        body.write(chunk)
        if not boundary:
            digest.update(chunk)
            continue
        held = (held + chunk).replace(boundary, b"")
        whole = max(0, len(held) - len(boundary) + 1)  # the rest may be the beginning of one
        digest.update(held[:whole])
        held = held[whole:]
    digest.update(held)
    body.seek(0)
    return digest.hexdigest()


def _boundary(content_type: str) -> tuple[str, bytes]:
    kind, _, rest = content_type.partition(";")
    found = re.search(r'boundary="?([^";,]{8,70})"?', rest, re.IGNORECASE)
    return kind.strip().lower(), found[1].encode("latin-1", "replace") if found else b""


def _replayed(body: IO[bytes]) -> Receive:
    """The body once more, for the endpoint."""
    chunks = _chunks(body)

    async def receive() -> Message:
        chunk = await anext(chunks, b"")
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    return receive


async def _chunks(body: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := body.read(_CHUNK):
        yield chunk


def _kept(request: Request, response: Response, endpoint: Callable[..., Any]) -> StoredAnswer:
    fields = {name: value for name, value in response.headers.items() if name in _KEPT_FIELDS}
    ids = getattr(request.state, "remembered", None)
    if _REPLAYS[endpoint] is not None:
        if ids is None:
            raise RuntimeError("an endpoint with a replay did not remember any ids")
        text = json.dumps(ids)
        fields.pop("etag", None)
    else:
        text = bytes(response.body).decode()
    return StoredAnswer(status=response.status_code, headers=fields, body=text)


def _again(services: Services, actor: Actor, endpoint: Callable[..., Any], stored: StoredAnswer) -> Response:
    replay, fields = _REPLAYS[endpoint], {**stored.headers, "Idempotency-Replayed": "true"}
    if replay is None:
        return Response(stored.body, status_code=stored.status, headers=fields)
    shown = replay(services, actor, json.loads(stored.body))
    return JSONResponse(shown.model_dump(mode="json"), status_code=stored.status, headers=fields)
