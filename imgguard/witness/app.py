"""The witness over HTTP (C2SP tlog-witness): three routes, plain text, nothing that names who asks."""

import asyncio
import math
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from imgguard import __version__, errors
from imgguard.provenance.submissions import LARGEST_SUBMISSION, SIZE_TYPE
from imgguard.witness.witness import Witness

BODY_SECONDS = 10.0
"""Within which a body has to be there."""

STATUSES: Mapping[type[errors.ImgguardError], int] = {
    errors.InputError: 400,
    errors.NoteInvalid: 403,
    errors.CheckpointInvalid: 403,
    errors.NotFound: 404,
    errors.WitnessSizeDiffers: 409,
    errors.LogForked: 409,
    errors.ConsistencyProofInvalid: 422,
    errors.Overloaded: 503,
    errors.StoreUnavailable: 503,
}
"""The statuses of the specification; an error that is not here is a bug."""

_NOT_FOR_SHOW = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def create_app(witness: Witness) -> Starlette:
    """``POST /add-checkpoint``, ``GET /`` and ``GET /healthz``."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            line = await run_in_threadpool(witness.add_checkpoint, await _body(request))
        except errors.ImgguardError as error:
            return _refusal(error)
        return _text(line.decode())

    def about(_: Request) -> Response:
        try:
            logs = [f"  {seen.size}  {origin}\n" for origin, seen in witness.logs().items()]
        except errors.StoreUnavailable as error:
            return _refusal(error)
        lines = (
            f"{witness.key.name}\n\n{witness.key.text}\n\n",
            "A witness of transparency logs (https://c2sp.org/tlog-witness), by imgguard "
            f"{__version__}.\nLatest size that was cosigned, and log:\n\n",
        )
        return _text("".join((*lines, *logs)))

    def health(_: Request) -> Response:
        try:
            witness.logs()
        except errors.StoreUnavailable as error:
            return _refusal(error)
        return _text("ok\n")

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _text(f"{error.detail}\n", status=error.status_code, headers=error.headers)

    app = Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/", about, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
        ],
        exception_handlers={HTTPException: refused},
    )
    app.router.redirect_slashes = False
    return app


async def _body(request: Request) -> bytes:
    """All of it. Raises HTTPException for one that is too large or too slow, or whose sender went away."""
    too_large = HTTPException(413, f"a submission has at most {LARGEST_SUBMISSION} bytes")
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced[:9]) > LARGEST_SUBMISSION:
        raise too_large
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                data += chunk
                if len(data) > LARGEST_SUBMISSION:
                    raise too_large
    except TimeoutError:
        raise HTTPException(408, f"the submission was not there within {BODY_SECONDS:g} s") from None
    except ClientDisconnect:
        raise HTTPException(400, "the submission ended early") from None
    return bytes(data)


def _refusal(error: errors.ImgguardError) -> Response:
    status = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), None)
    if status is None:
        raise error
    if isinstance(error, errors.WitnessSizeDiffers):
        return _text(f"{error.size}\n", status=status, media_type=SIZE_TYPE)
    if isinstance(error, errors.StoreUnavailable):
        return _text("the witness cannot store anything at present\n", status=status)
    headers = {}
    if isinstance(error, errors.Overloaded):
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return _text(f"{error.detail}\n", status=status, headers=headers)


def _text(
    text: str, *, status: int = 200, media_type: str = "text/plain", headers: Mapping[str, str] | None = None
) -> Response:
    return PlainTextResponse(text, status, {**_NOT_FOR_SHOW, **(headers or {})}, media_type)
