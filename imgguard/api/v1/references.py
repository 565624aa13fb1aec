"""``/v1/references``: the originals of an organisation."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from imgguard.api import uploads, work
from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, cut, page_answer
from imgguard.api.revisions import IfMatch, IfNoneMatch, changing, require_match, tagged
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.work_schemas import Job, Reference, ReferenceByUrl, ReferenceChange, Registered, Removed
from imgguard.bootstrap import Services
from imgguard.errors import (
    DigestMismatch,
    InputError,
    InvalidCursor,
    InvalidTransition,
    NotFound,
    PermissionDenied,
    QueueFull,
    StaleRevision,
)
from imgguard.provenance.records import Claims
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Scope
from imgguard.registry.records import ReferenceStatus
from imgguard.services.claim_inputs import checked_claims, claims_in
from imgguard.services.invitations import checked_name
from imgguard.services.jobs import Input

router = APIRouter(prefix="/v1/references", tags=["references"], route_class=Route)
_LIST = "references"
_Claims = Annotated[
    str | None,
    Form(
        max_length=200_000,
        description="What the claimant states, as JSON: the body of `POST /v1/references/{reference_id}/claims`.",
    ),
]
_SAME: dict[int | str, dict[str, Any]] = {
    200: {"model": Registered, "description": "The same bytes were registered before"}
}
_ANYTHING = {"schema": {"type": "string"}, "example": "(a picture)"}


class ReferencePage(PageOf[Reference]):
    """Oldest first; withdrawn and erased ones too."""


def _require(actor: Actor) -> None:
    """Who may not read the answer need not wait for it. Raises PermissionDenied."""
    actor.require(Scope.REFERENCES_WRITE)
    actor.require(Scope.REFERENCES_READ)


def _registered(services: Services, actor: Actor, job_id: str) -> Registered:
    """What became of the picture of a job that is over. Raises as `work.result_of` does."""
    record = work.registration_of(work.result_of(services, actor, job_id))
    return Registered.model_validate(services.references.registered(actor, record).model_dump())


def _again(services: Services, actor: Actor, ids: Mapping[str, str]) -> BaseModel:
    if "done" in ids:
        return _registered(services, actor, ids["done"])
    return work.job_shown(services.jobs.job(actor, ids["job_id"]))


def _options(title: str | None, claims: Claims | None) -> dict[str, object]:
    """Raises InputError."""
    options: dict[str, object] = {} if title is None else {"title": checked_name(title, whose="a work")}
    return options if claims is None else options | {"claims": claims.to_object()}


async def _answer(request: Request, actor: Actor, given: Input, title: str | None, claims: Claims | None) -> Response:
    services: Services = request.app.state.services
    job = await work.done_in_time(request, actor, "register", given, options=_options(title, claims))
    if not job.is_over:
        remember(request, job_id=job.job_id)
        return work.accepted(job)

    def shown() -> Response:
        made = _registered(services, actor, job.job_id)
        remember(request, done=job.job_id)
        place = f"/v1/references/{made.reference.reference_id}"
        status = 201 if made.status == "registered" else 200
        return JSONResponse(made.model_dump(mode="json"), status_code=status, headers={"Location": place})

    return await run_in_threadpool(shown)


@router.post(
    "",
    operation_id="register_reference",
    summary="Register an original",
    status_code=201,
    response_model=Registered,
    responses=_SAME | errors(*work.PICTURE_ERRORS, *work.WORK_ERRORS) | work.ACCEPTED,
    openapi_extra=uploads.form_example(file="(a picture)", title="Blue dress"),
)
@idempotent(replay=_again)
async def register_reference(
    request: Request,
    file: Annotated[UploadFile, File(description="The picture, as large as there is one.")],
    actor: ActorDep,
    services: ServicesDep,
    title: Annotated[str | None, Form(max_length=1000, description="Of its work; default: like the file.")] = None,
    claims: _Claims = None,
) -> Response:
    """For the own organisation; found by the next check. The same bytes again are a `duplicate` and change nothing:
    what is claimed with them is not stored, but can be stated about the reference that there is.
    When it takes longer than a few seconds, 202 with a job, whose item has the `reference_id` in the end."""
    _require(actor)
    stated = None if claims is None else claims_in(claims)
    given = await uploads.picture(file, most=services.settings.max_image_bytes)
    return await _answer(request, actor, given, title, stated)


@router.post(
    "/by-url",
    operation_id="register_reference_by_url",
    summary="Register the original at a URL",
    status_code=201,
    response_model=Registered,
    responses=_SAME | errors(*work.PICTURE_ERRORS, *work.WORK_ERRORS, *work.FETCH_ERRORS) | work.ACCEPTED,
)
@idempotent(replay=_again)
async def register_reference_by_url(request: Request, body: ReferenceByUrl, actor: ActorDep) -> Response:
    """As for a picture that is sent. Only public addresses are fetched from."""
    _require(actor)
    stated = None if body.claims is None else checked_claims(body.claims.plain())
    return await _answer(request, actor, uploads.of_url(body.url), body.title, stated)


@router.post(
    "/bulk",
    operation_id="register_references",
    summary="Register many originals",
    status_code=202,
    response_model=Job,
    responses=errors(PermissionDenied, InputError, QueueFull) | work.ACCEPTED,
    openapi_extra=uploads.form_example(files=["(a picture)", "(another)"]),
)
@idempotent(replay=_again)
async def register_references(
    request: Request,
    files: Annotated[list[UploadFile], File(min_length=1, max_length=uploads.MOST_FILES, description="The pictures.")],
    actor: ActorDep,
    services: ServicesDep,
    claims: _Claims = None,
) -> Response:
    """At most 1000, all of them together within the limit of a request. They are worked on when nobody waits for
    others; the items of the job have the `reference_id` of each. What is claimed is claimed of all of them."""
    _require(actor)
    options = _options(None, None if claims is None else claims_in(claims))
    inputs = await uploads.pictures(files, most=services.settings.max_image_bytes)
    job = await work.submitted(request, actor, "register", inputs, options=options)
    remember(request, job_id=job.job_id)
    return work.accepted(job)


@router.get(
    "",
    operation_id="list_references",
    summary="The originals of the organisation",
    response_model=ReferencePage,
    responses=errors(PermissionDenied, InvalidCursor, NotFound),
)
def list_references(
    page: PageDep,
    actor: ActorDep,
    services: ServicesDep,
    status: Annotated[ReferenceStatus | None, Query(description="Only those that are so.")] = None,
    work_id: Annotated[str | None, Query(max_length=64, description="Only the files of this work.")] = None,
) -> Response:
    after = page.after(_LIST, status=status, work_id=work_id)
    found = services.references.references(actor, status=status, work_id=work_id, after=after, limit=page.limit + 1)
    views, cursor = cut(list(found), page, _LIST, key=lambda view: view.reference_id, status=status, work_id=work_id)
    return page_answer(views, cursor)


@router.get(
    "/{reference_id}",
    operation_id="get_reference",
    summary="One original",
    response_model=Reference,
    responses=errors(PermissionDenied, NotFound),
)
def get_reference(reference_id: str, actor: ActorDep, services: ServicesDep, known: IfNoneMatch = None) -> Response:
    return tagged(services.references.reference(actor, reference_id), known=known)


@router.patch(
    "/{reference_id}",
    operation_id="change_reference",
    summary="Give its work another title",
    response_model=Reference,
    responses=errors(PermissionDenied, NotFound, InputError, StaleRevision),
)
def change_reference(
    request: Request,
    reference_id: str,
    body: ReferenceChange,
    actor: ActorDep,
    services: ServicesDep,
    match: IfMatch = None,
) -> Response:
    references = services.references
    with changing(request, reference_id):
        if match is not None:
            require_match(match, references.reference(actor, reference_id))
        return tagged(references.change(actor, reference_id, title=body.title))


@router.delete(
    "/{reference_id}",
    operation_id="remove_reference",
    summary="Withdraw or erase an original",
    response_model=Removed,
    responses=errors(PermissionDenied, NotFound, InvalidTransition, StaleRevision),
)
def remove_reference(
    request: Request,
    reference_id: str,
    actor: ActorDep,
    services: ServicesDep,
    match: IfMatch = None,
    erase: Annotated[bool, Query(description="Destroy its bytes, descriptors and names, too.")] = False,
) -> Removed:
    """Withdrawn, it is no longer matched from now on, and history stays. Erased, nothing is left but its id."""
    references = services.references
    with changing(request, reference_id):
        if match is not None:
            require_match(match, references.reference(actor, reference_id))
        if erase:
            return Removed.model_validate(references.erase(actor, reference_id).model_dump())
        withdrawn = references.withdraw(actor, reference_id)
    return Removed.model_validate({"reference": withdrawn.model_dump(), "unfinished": None})


@router.get(
    "/{reference_id}/original",
    operation_id="get_original",
    summary="The bytes as they were handed in",
    response_class=Response,
    responses=errors(PermissionDenied, NotFound, DigestMismatch) | {200: {"content": {"image/*": _ANYTHING}}},
)
def get_original(reference_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """To be saved, not to be shown: it comes as it was sent, with all that is in the file."""
    data, media_type = services.references.original(actor, reference_id)
    name = services.references.reference(actor, reference_id).file or reference_id
    field = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(data, media_type=media_type, headers={"Content-Disposition": field})


_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": _ANYTHING}}}


@router.get(
    "/{reference_id}/picture",
    operation_id="get_reference_picture",
    summary="An original, reduced",
    response_class=Response,
    responses=errors(PermissionDenied, NotFound, InputError, DigestMismatch) | _JPEG,
)
def get_reference_picture(
    reference_id: str,
    actor: ActorDep,
    services: ServicesDep,
    side: Annotated[int, Query(ge=64, le=512, description="Longest side, in pixels.")] = 256,
) -> Response:
    return Response(services.references.picture(actor, reference_id, side), media_type="image/jpeg")
