"""``/v1/compare`` and ``/v1/search/hash``: questions of which no finding is stored."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import JSONResponse, Response

from imgguard.api import uploads, work
from imgguard.api.openapi import errors
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.work_schemas import Comparison, HashMatches, HashSearch, Profile
from imgguard.errors import InputError, Overloaded, PermissionDenied, WeightsUnavailable, WorkerCrashed
from imgguard.registry.accounts import Scope

router = APIRouter(prefix="/v1", tags=["compare"], route_class=Route)


@router.post(
    "/compare",
    operation_id="compare",
    summary="Compare two pictures",
    response_model=Comparison,
    responses=errors(*work.PICTURE_ERRORS, PermissionDenied, InputError, Overloaded, WeightsUnavailable, WorkerCrashed),
    openapi_extra=uploads.form_example(query="(a picture)", reference="(another)"),
)
async def compare(
    request: Request,
    query: Annotated[UploadFile, File(description="The picture that may be a copy.")],
    reference: Annotated[UploadFile, File(description="The picture that may be its original.")],
    actor: ActorDep,
    services: ServicesDep,
    profile: Annotated[Profile | None, Form(description="How hard it is looked.")] = None,
) -> Response:
    """What a check of `query` would say if `reference` were registered. Nothing that is registered is looked at."""
    actor.require(Scope.CHECKS_WRITE)
    most = services.settings.max_image_bytes
    one, other = await uploads.picture(query, most=most), await uploads.picture(reference, most=most)
    view = await work.compared(
        request,
        actor,
        partial(
            services.checks.compare,
            actor,
            one.data or b"",
            other.data or b"",
            file=one.file,
            reference_file=other.file,
            profile=profile or services.settings.profile,
        ),
    )
    return JSONResponse(view.model_dump(mode="json"))


@router.post(
    "/search/hash",
    operation_id="search_hash",
    summary="Search by perceptual hash",
    response_model=HashMatches,
    responses=errors(PermissionDenied, InputError, Overloaded),
)
async def search_hash(request: Request, body: HashSearch, actor: ActorDep, services: ServicesDep) -> Response:
    """The registered pictures nearest to a PDQ hash, at most 20, for exchange with other matchers: own originals, those
    whose owner's policy is `full`, and for reviewers of the operator all. Of others nothing is told, not even that one
    is near: whether a picture matches them is told by a check of it. Each search is in the audit trail."""
    search = partial(services.hash_search.search, actor, body.pdq, distance=body.distance)
    found = await work.searched(request, actor, search)
    return JSONResponse({"items": [view.model_dump(mode="json") for view in found]})
