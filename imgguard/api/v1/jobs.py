"""``/v1/jobs``: work that takes longer than a request, and how far it is."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from imgguard.api import events, work
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, cut
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.work_schemas import Job, JobItem
from imgguard.bootstrap import Services
from imgguard.errors import InvalidCursor, InvalidTransition, NotFound, PermissionDenied
from imgguard.ports import Item
from imgguard.ports import Job as JobRecord
from imgguard.registry.access import Actor
from imgguard.services.job_objects import item_object

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=Route)
_LIST, _ITEMS = "jobs", "job_items"


class JobPage(PageOf[Job]):
    """Latest first. Jobs that ended long ago are forgotten."""


class JobItemPage(PageOf[JobItem]):
    """In the order in which they were handed in."""


@router.get("", operation_id="list_jobs", summary="Jobs", responses=errors(PermissionDenied, InvalidCursor))
def list_jobs(page: PageDep, actor: ActorDep, services: ServicesDep) -> JobPage:
    """Those of the organisation whose results may be read, checks made at once among them."""
    found = services.jobs.jobs(actor, after=page.after(_LIST), limit=page.limit + 1, newest_first=True)
    jobs, cursor = cut(list(found), page, _LIST, key=lambda job: job.job_id)
    return JobPage(items=[work.job_shown(job) for job in jobs], next_cursor=cursor)


@router.get(
    "/{job_id}",
    operation_id="get_job",
    summary="One job",
    response_model=Job,
    responses=errors(PermissionDenied, NotFound),
)
def get_job(job_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """Until it is over, `Retry-After` says when to look again."""
    job = services.jobs.job(actor, job_id)
    fields = {} if job.is_over else {"Retry-After": str(work.RETRY_SECONDS)}
    return JSONResponse(work.job_shown(job).model_dump(mode="json"), headers=fields)


@router.get(
    "/{job_id}/items",
    operation_id="list_job_items",
    summary="The pictures of a job",
    responses=errors(PermissionDenied, NotFound, InvalidCursor),
)
def list_job_items(job_id: str, page: PageDep, actor: ActorDep, services: ServicesDep) -> JobItemPage:
    """Each with its result or its error, as far as it is."""
    after = int(page.after(_ITEMS, job_id=job_id) or 0)
    job = services.jobs.job(actor, job_id)
    found = services.jobs.items(actor, job_id, after=after, limit=page.limit + 1)
    items, cursor = cut(list(found), page, _ITEMS, key=lambda item: str(item.position), job_id=job_id)
    return JobItemPage(items=[_item_shown(services, actor, job, item) for item in items], next_cursor=cursor)


def _item_shown(services: Services, actor: Actor, job: JobRecord, item: Item) -> JobItem:
    """A registration keeps more than is to be shown: it is told as everywhere else, under the policies of now."""
    values = item_object(item)
    if job.kind == "register" and item.result is not None:
        view = services.references.registered(actor, work.registration_of(item.result))
        values["result"] = {
            "reference_id": view.reference.reference_id,
            **view.model_dump(mode="json", include={"status", "similar", "error"}),
            **{name: value for name, value in item.result.items() if name == work.FETCHED},
        }
    return JobItem.model_validate(values)


@router.post(
    "/{job_id}/cancel",
    operation_id="cancel_job",
    summary="Call a job off",
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
def cancel_job(job_id: str, actor: ActorDep, services: ServicesDep) -> Job:
    """What waits is not done any more; what is worked on goes on to its end. Once more changes nothing."""
    return work.job_shown(services.jobs.cancel(actor, job_id))


@router.get(
    "/{job_id}/events",
    operation_id="follow_job",
    summary="Follow a job",
    response_class=StreamingResponse,
    responses=errors(PermissionDenied, NotFound)
    | {
        200: {"content": {events.MEDIA_TYPE: {"schema": events.SCHEMA, "example": events.EXAMPLE}}},
        204: {"description": "It is over, and its last event was seen: nothing will follow"},
    },
)
async def follow_job(
    request: Request, job_id: str, actor: ActorDep, services: ServicesDep, seen: events.LastEventId = None
) -> Response:
    """Server-sent events: the job, each time its state or counts have changed, until it is over. After ten minutes the
    stream ends; browsers ask again by themselves, with `Last-Event-ID`."""
    job = await run_in_threadpool(services.jobs.job, actor, job_id)
    if job.is_over and seen == events.revision(job):
        return Response(status_code=204)
    return StreamingResponse(
        events.of_job(request, actor, job_id, seen=seen),
        media_type=events.MEDIA_TYPE,
        headers={"X-Accel-Buffering": "no"},
    )
