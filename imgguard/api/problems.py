"""Everything that is not an answer: problem details (RFC 9457), the same shape on every path.

``type`` is ``https://imgguard.invalid/problems/<code>``: the same in every installation, and `.invalid` says that
there is nothing to load (RFC 6761). docs/errors.md explains each code.
"""

import logging
import math
from collections.abc import Mapping, Sequence

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from imgguard import errors
from imgguard.api.methods import allow_of

MEDIA_TYPE = "application/problem+json"
TYPES = "https://imgguard.invalid/problems/"

STATUS: dict[type[errors.ImgguardError], int] = {
    errors.ImgguardError: 500,
    errors.ConfigurationError: 500,
    errors.StoreInUse: 500,
    errors.InputError: 422,
    errors.UnsupportedFormat: 422,  # of a picture, not of the request
    errors.ImageTooLarge: 422,
    errors.CorruptImage: 422,
    errors.DecodeTimeout: 422,
    errors.DecodeCrash: 422,
    errors.FetchRefused: 422,
    errors.FetchFailed: 422,
    errors.InvalidCursor: 422,
    errors.PolicyInvalid: 422,
    errors.VerifierCrash: 422,
    errors.NotFound: 404,
    errors.PermissionDenied: 403,
    errors.AuthenticationRequired: 401,
    errors.SignInExpired: 401,
    errors.SignInRefused: 401,
    errors.IdentityUnknown: 401,
    errors.Conflict: 409,
    errors.DuplicateReference: 409,
    errors.InvalidTransition: 409,
    errors.IdempotencyMismatch: 422,
    errors.StaleRevision: 412,
    errors.WitnessSizeDiffers: 409,
    errors.VerificationError: 500,
    errors.DigestMismatch: 500,
    errors.NotCanonical: 500,
    errors.RecordInvalid: 500,
    errors.LeafInvalid: 500,
    errors.InclusionProofInvalid: 500,
    errors.ConsistencyProofInvalid: 500,
    errors.TileInvalid: 500,
    errors.NoteInvalid: 500,
    errors.CheckpointInvalid: 500,
    errors.QuorumNotReached: 500,
    errors.LogForked: 500,
    errors.TimestampInvalid: 500,
    errors.OpenTimestampsInvalid: 500,
    errors.PacketInvalid: 500,
    errors.PacketMismatch: 500,
    errors.LogInconsistent: 500,
    errors.Overloaded: 503,
    errors.IndexNotReady: 503,
    errors.RateLimited: 429,
    errors.QueueFull: 503,
    errors.DependencyError: 503,
    errors.StoreUnavailable: 503,
    errors.IndexUnavailable: 503,
    errors.WeightsUnavailable: 503,
    errors.WorkerCrashed: 503,
    errors.IdentityProviderUnavailable: 503,
    errors.TimestampAuthorityUnavailable: 503,
    errors.TimestampRefused: 503,
    errors.CalendarUnavailable: 503,
    errors.WitnessUnavailable: 503,
    errors.WitnessRefused: 503,
}

TRANSPORT: dict[int, tuple[str, str]] = {
    400: ("bad_request", "Compare the request with the documentation of the operation."),
    404: ("not_found", "Look at the paths in /v1/openapi.json."),
    405: ("method_not_allowed", "Use one of the methods that the field Allow names."),
    413: ("body_too_large", "Send less at once, or have the operator raise IMGGUARD_MAX_REQUEST_BYTES."),
    415: ("unsupported_media_type", "Send the Content-Type that the operation takes."),
    421: ("misdirected_request", "Use the service's own name; the operator can add names to IMGGUARD_ALLOWED_HOSTS."),
    422: ("invalid_request", "Correct the fields that `errors` names."),
    503: ("not_ready", "Try again shortly."),
}
"""What HTTP itself, and not the product, has to say; status -> code and hint."""

_HIDDEN = (errors.ConfigurationError, errors.VerificationError, errors.DependencyError)
"""Their details are for the operator, who finds them in the log: they name paths and back-ends."""

_NOT_FOUND = "Look at the list that it should be in: it is gone, was never there, or is not yours to see."
"""One hint for all three: from several, strangers would learn which it is."""

_MOST_FIELDS, _LONGEST = 20, 200
_log = logging.getLogger("imgguard.api")


class Refused(HTTPException):
    """A request that HTTP itself gives reason to refuse; ``status`` is one of `TRANSPORT`."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.hint = hint
        self.extra = extra or {}


def status_of(error: errors.ImgguardError) -> int:
    """The status for ``error``; a class that the table does not name yet counts as its base."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def title_of(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _response(
    scope: Scope,
    status: int,
    code: str,
    detail: str,
    hint: str,
    *,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
) -> JSONResponse:
    body = {
        "type": TYPES + code,
        "title": title_of(code),
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        "request_id": scope.get("state", {}).get("request_id"),
        **(extra or {}),
    }
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def of_error(scope: Scope, error: errors.ImgguardError) -> JSONResponse:
    """For errors of the product. What only the operator should read goes to the log."""
    status, headers, detail, hint = status_of(error), {}, error.detail, error.advice
    if isinstance(error, errors.NotFound):
        hint = _NOT_FOUND
    if isinstance(error, errors.Overloaded):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    elif status == 503:
        headers["Retry-After"] = "5"
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="imgguard"'
    if isinstance(error, _HIDDEN) or status == 500:
        _log.error("%s: %s: %s", scope.get("state", {}).get("request_id"), error.code, error.detail)
        detail = "Something that imgguard stands on failed; the operator finds more in the log, by the request id."
    return _response(scope, status, error.code, detail, hint, headers=headers)


def of_refusal(scope: Scope, refusal: HTTPException) -> JSONResponse:
    """For what HTTP itself refuses, by us or by the router."""
    status = refusal.status_code if refusal.status_code in TRANSPORT else 400
    code, hint = TRANSPORT[status]
    extra = {}
    if isinstance(refusal, Refused):
        hint, extra = refusal.hint or hint, dict(refusal.extra)
    return _response(scope, status, code, str(refusal.detail), hint, headers=refusal.headers, extra=extra)


def of_invalid(scope: Scope, found: Sequence[Mapping[str, object]]) -> JSONResponse:
    """For fields that are missing or wrong. Says where and why, never what was sent: it may be a password."""
    fields = [{"pointer": _pointer(one), "detail": str(one.get("msg", ""))[:_LONGEST]} for one in found[:_MOST_FIELDS]]
    code, hint = TRANSPORT[422]
    count = "one field is" if len(found) == 1 else f"{len(found)} fields are"
    return _response(scope, 422, code, f"{count} missing or wrong", hint, extra={"errors": fields})


def _pointer(one: Mapping[str, object]) -> str:
    """A JSON Pointer (RFC 6901) into the request: ``/body/email``, ``/query/limit``."""
    place = one.get("loc", ())
    parts = [str(part)[:_LONGEST] for part in place] if isinstance(place, tuple | list) else []
    if one.get("type") == "json_invalid":
        parts = parts[:1]
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def of_bug(scope: Scope) -> JSONResponse:
    """For what nobody foresaw: nothing of the exception, only the id under which the log has it."""
    detail = "Something went wrong that nobody foresaw; the operator finds it in the log, by the request id."
    return _response(scope, 500, errors.ImgguardError.code, detail, "Report it with the request id.")


def install(app: FastAPI) -> None:
    """Have ``app`` answer every error with a problem. `imgguard.api.requests` does so for what nobody foresaw."""

    async def product(request: Request, error: Exception) -> JSONResponse:
        if type(error) is errors.ImgguardError or not isinstance(error, errors.ImgguardError):
            raise error
        return of_error(request.scope, error)

    async def refusal(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        refused = of_refusal(request.scope, error)
        if refused.status_code == 405:
            refused.headers["Allow"] = allow_of(app, request.scope["path"])
        return refused

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return of_invalid(request.scope, error.errors())

    app.add_exception_handler(errors.ImgguardError, product)
    app.add_exception_handler(HTTPException, refusal)
    app.add_exception_handler(RequestValidationError, invalid)
