"""For whoever runs the service: ``/healthz``, ``/readyz``, ``/metrics``, and the description of the API."""

from collections.abc import Callable, Iterator

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from imgguard.api.metrics import MEDIA_TYPE, PoolStatus
from imgguard.api.openapi import errors
from imgguard.api.problems import Refused
from imgguard.api.schemas import Alive
from imgguard.api.security import ServicesDep, authenticate
from imgguard.bootstrap import Services
from imgguard.errors import AuthenticationRequired, ImgguardError, PermissionDenied

router = APIRouter(tags=["operations"])


@router.get("/healthz", operation_id="get_health", summary="Whether the process lives")
async def get_health() -> Alive:
    """Asks nothing of the store: a service that waits for it is not to be restarted."""
    return Alive()


@router.get("/readyz", operation_id="get_readiness", summary="Whether requests can be served", responses=errors(503))
def get_readiness(request: Request, services: ServicesDep) -> Alive:
    """The database answers, the weights are at hand, there is an index generation, and worker processes live."""
    missing = list(_missing(services, request.app.state.pool))
    if missing:
        raise Refused(503, f"not ready: {', '.join(missing)}", headers={"Retry-After": "5"}, extra={"missing": missing})
    return Alive()


def _missing(services: Services, pool: PoolStatus | None) -> Iterator[str]:
    needs: dict[str, Callable[[], object]] = {
        "database": services.accounts.operator,
        "weights": services.models.configured,
    }
    for name, look in needs.items():
        try:
            look()
        except ImgguardError:
            yield name
    try:
        if services.catalogue.active_generation() is None:
            yield "index_generation"
    except ImgguardError:
        yield "index_generation"
    if pool is not None and not pool.alive():
        yield "workers"


@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Numbers for Prometheus",
    response_class=Response,
    responses=errors(AuthenticationRequired, PermissionDenied)
    | {200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": "imgguard_workers 2.0\n"}}}},
)
async def get_metrics(request: Request) -> Response:
    """For whoever asks from the machine itself, without a proxy between, and for the operator's admins."""
    if not request.scope["state"]["is_local"]:
        await run_in_threadpool(authenticate, request)
        if not request.state.actor.reads_every_event:
            raise PermissionDenied("only an administrator of the installation may read this")
    page = await run_in_threadpool(request.app.state.metrics.page)
    return Response(page, media_type=MEDIA_TYPE)


@router.get("/v1/openapi.json", include_in_schema=False)
async def get_description(request: Request) -> Response:
    return JSONResponse(request.app.openapi())
