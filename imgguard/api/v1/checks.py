"""``/v1/checks``: pictures that are checked against what is registered, and the evidence of what was found."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from imgguard.api import uploads, work
from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, cut, page_answer
from imgguard.api.revisions import IfNoneMatch, tagged
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.work_schemas import Check, CheckByUrl, Job, MatchPictures, Profile
from imgguard.bootstrap import Services
from imgguard.errors import (
    InputError,
    InvalidCursor,
    InvalidTransition,
    NotFound,
    Overloaded,
    PermissionDenied,
    QueueFull,
)
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Scope
from imgguard.registry.licences import Use
from imgguard.services.check_views import DamagedCheck
from imgguard.services.checks import checked_use
from imgguard.services.jobs import Input

router = APIRouter(prefix="/v1/checks", tags=["checks"], route_class=Route)
_LIST = "checks"
_PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {"schema": {"type": "string"}, "example": "(a PNG file)"}}}
}

USE = {"platform", "territory", "shop", "kind"}
"""Fields of a request that say what the listing is for."""


async def _asked(
    profile: Annotated[
        Profile | None, Form(description="How hard it is looked; default: as the operator says.")
    ] = None,
    platform: Annotated[str | None, Form(max_length=200, description="Where the listing is to be.")] = None,
    territory: Annotated[str | None, Form(max_length=200, description="ISO 3166-1, such as DE.")] = None,
    shop: Annotated[str | None, Form(max_length=200, description="Under which name.")] = None,
    kind: Annotated[str | None, Form(max_length=200, description="What it is: `listing`, `advertisement`.")] = None,
) -> Mapping[str, object]:
    """What came with a form. Raises InputError."""
    return options_of(profile, Use(platform=platform, territory=territory, shop=shop, kind=kind))


def options_of(profile: Profile | None, use: Use) -> Mapping[str, object]:
    """Of a job of checks. Raises InputError."""
    return {"profile": profile, "use": asdict(checked_use(use))}


AskedDep = Annotated[Mapping[str, object], Depends(_asked)]


class CheckPage(PageOf[Check]):
    """Latest first."""

    damaged: list[str] = Field(
        description="`finding_id` of checks that belong on this page and cannot be read any more: tell the operator."
    )


def _require(actor: Actor) -> None:
    """Who may not read the answer need not wait for it. Raises PermissionDenied."""
    actor.require(Scope.CHECKS_WRITE)
    actor.require(Scope.CHECKS_READ)


def _again(services: Services, actor: Actor, ids: Mapping[str, str]) -> BaseModel:
    if "finding_id" in ids:
        return services.checks.check_of(actor, ids["finding_id"])
    return work.job_shown(services.jobs.job(actor, ids["job_id"]))


async def _answer(request: Request, actor: Actor, given: Input, options: Mapping[str, object]) -> Response:
    services: Services = request.app.state.services
    job = await work.done_in_time(request, actor, "check", given, options=options)
    if not job.is_over:
        remember(request, job_id=job.job_id)
        return work.accepted(job)

    def shown() -> Response:
        finding_id = str(work.result_of(services, actor, job.job_id)["finding_id"])
        remember(request, finding_id=finding_id)
        view = services.checks.check_of(actor, finding_id)
        request.app.state.metrics.checked(view.verdict)
        return tagged(view)

    return await run_in_threadpool(shown)


@router.post(
    "",
    operation_id="create_check",
    summary="Check a picture",
    response_model=Check,
    responses=errors(*work.PICTURE_ERRORS, *work.WORK_ERRORS) | work.ACCEPTED,
    openapi_extra=uploads.form_example(file="(a picture)", platform="etsy", territory="DE"),
)
@idempotent(replay=_again)
async def create_check(
    request: Request,
    file: Annotated[UploadFile, File(description="The picture.")],
    asked: AskedDep,
    actor: ActorDep,
    services: ServicesDep,
) -> Response:
    """Which registered originals it is likely a copy of. What the listing is for decides which licences count. When it
    takes longer than a few seconds, 202 with a job, whose item has the `finding_id` in the end."""
    _require(actor)
    given = await uploads.picture(file, most=services.settings.max_image_bytes)
    return await _answer(request, actor, given, asked)


@router.post(
    "/by-url",
    operation_id="create_check_by_url",
    summary="Check the picture at a URL",
    response_model=Check,
    responses=errors(*work.PICTURE_ERRORS, *work.WORK_ERRORS, *work.FETCH_ERRORS) | work.ACCEPTED,
)
@idempotent(replay=_again)
async def create_check_by_url(request: Request, body: CheckByUrl, actor: ActorDep) -> Response:
    """As for a picture that is sent. Only public addresses are fetched from."""
    _require(actor)
    options = options_of(body.profile, Use(**body.model_dump(include=USE)))
    return await _answer(request, actor, uploads.of_url(body.url), options)


@router.post(
    "/bulk",
    operation_id="create_checks",
    summary="Check many pictures",
    status_code=202,
    response_model=Job,
    responses=errors(PermissionDenied, InputError, QueueFull) | work.ACCEPTED,
    openapi_extra=uploads.form_example(files=["(a picture)", "(another)"], platform="etsy"),
)
@idempotent(replay=_again)
async def create_checks(
    request: Request,
    files: Annotated[list[UploadFile], File(min_length=1, max_length=uploads.MOST_FILES, description="The pictures.")],
    asked: AskedDep,
    actor: ActorDep,
    services: ServicesDep,
) -> Response:
    """At most 1000, all of them together within the limit of a request. They are worked on when nobody waits for
    others; the items of the job have the `finding_id` of each."""
    _require(actor)
    inputs = await uploads.pictures(files, most=services.settings.max_image_bytes)
    job = await work.submitted(request, actor, "check", inputs, options=asked)
    remember(request, job_id=job.job_id)
    return work.accepted(job)


@router.get(
    "",
    operation_id="list_checks",
    summary="Checks",
    response_model=CheckPage,
    responses=errors(PermissionDenied, InvalidCursor),
)
def list_checks(page: PageDep, actor: ActorDep, services: ServicesDep) -> Response:
    """Those of the organisation, the latest first; for reviewers of the operator, all."""
    found = services.checks.checks(actor, after=page.after(_LIST), limit=page.limit + 1)
    listed, cursor = cut(list(found), page, _LIST, key=lambda one: one.finding_id)
    damaged = [one.finding_id for one in listed if isinstance(one, DamagedCheck)]
    return page_answer([one for one in listed if not isinstance(one, DamagedCheck)], cursor, damaged=damaged)


@router.get(
    "/{finding_id}",
    operation_id="get_check",
    summary="One check",
    response_model=Check,
    responses=errors(PermissionDenied, NotFound),
)
def get_check(finding_id: str, actor: ActorDep, services: ServicesDep, known: IfNoneMatch = None) -> Response:
    """As it is shown under the owners' policies and the decisions of now."""
    return tagged(services.checks.check_of(actor, finding_id), known=known)


@router.delete(
    "/{finding_id}",
    operation_id="erase_check",
    summary="Erase a check",
    status_code=204,
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
def erase_check(finding_id: str, actor: ActorDep, services: ServicesDep) -> None:
    """Destroys the finding and, unless another check or an original has the same bytes, the picture. The audit trail
    keeps saying that it was made, and by whom it was erased."""
    services.checks.erase(actor, finding_id)


@router.get(
    "/{finding_id}/picture",
    operation_id="get_checked_picture",
    summary="The picture that was checked",
    response_class=Response,
    responses=errors(PermissionDenied, NotFound, Overloaded) | _PNG,
)
async def get_checked_picture(request: Request, finding_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """Reduced; not found any more once its bytes are not kept any more."""
    data = await work.drawn(request, partial(services.checks.query_picture, actor, finding_id))
    return Response(data, media_type="image/png")


@router.get(
    "/{finding_id}/matches/{number}/pictures",
    operation_id="list_match_pictures",
    summary="Pictures of a match",
    responses=errors(PermissionDenied, NotFound, Overloaded),
)
async def list_match_pictures(
    request: Request, finding_id: str, number: int, actor: ActorDep, services: ServicesDep
) -> MatchPictures:
    """Their names, as far as the owner of the original lets them be seen."""
    found = await work.drawn(request, partial(services.checks.pictures, actor, finding_id, number))
    return MatchPictures(pictures=list(found))


@router.get(
    "/{finding_id}/matches/{number}/pictures/{name}",
    operation_id="get_match_picture",
    summary="One picture of a match",
    response_class=Response,
    responses=errors(PermissionDenied, NotFound, Overloaded) | _PNG,
)
async def get_match_picture(
    request: Request, finding_id: str, number: int, name: str, actor: ActorDep, services: ServicesDep
) -> Response:
    """It is drawn when it is asked for, and shows what the owner's policy allows at that moment."""
    found = await work.drawn(request, partial(services.checks.pictures, actor, finding_id, number))
    if name not in found:
        raise NotFound(f"no such picture of match {number} in {finding_id}")
    return Response(found[name], media_type="image/png")
