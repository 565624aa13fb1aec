"""``/v1/feeds``: product feeds whose pictures are checked, and the result as a file."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import IO, Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from imgguard.api import uploads, work
from imgguard.api.downloads import Download, written
from imgguard.api.feed_schemas import SHEET, Feed, FeedByUrl, FeedResult
from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, cut
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.v1.checks import USE, AskedDep, options_of
from imgguard.bootstrap import Services
from imgguard.errors import InputError, InvalidCursor, NotFound, Overloaded, PermissionDenied, QueueFull
from imgguard.feeds.records import Encoding
from imgguard.feeds.records import Form as FeedForm
from imgguard.ports import Feed as FeedRecord
from imgguard.registry.access import Actor
from imgguard.registry.licences import Use
from imgguard.services.feed_views import FeedLineView, feed_view, sheet

router = APIRouter(prefix="/v1/feeds", tags=["feeds"], route_class=Route)
_LIST = "feeds"
_CSV = "text/csv"

_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Its pictures are being checked: look at the feed, which `Location` names",
        "headers": {
            "Location": {"description": "The feed.", "schema": {"type": "string"}},
            "Retry-After": {"description": "Seconds until a look is worth it.", "schema": {"type": "integer"}},
        },
    }
}
_REFUSED = errors(PermissionDenied, InputError, QueueFull, Overloaded)


class FeedPage(PageOf[Feed]):
    """Latest first. Feeds are forgotten with their jobs."""


def _shown(feed: FeedRecord) -> Feed:
    return Feed.model_validate(feed_view(feed).model_dump())


def _again(services: Services, actor: Actor, ids: Mapping[str, str]) -> BaseModel:
    return _shown(services.feeds.feed(actor, ids["feed_id"]))


def _accepted(request: Request, feed: FeedRecord) -> Response:
    remember(request, feed_id=feed.feed_id)
    fields = {"Location": f"/v1/feeds/{feed.feed_id}", "Retry-After": str(work.RETRY_SECONDS)}
    return JSONResponse(_shown(feed).model_dump(mode="json"), status_code=202, headers=fields)


@router.post(
    "",
    operation_id="create_feed",
    summary="Check the pictures of a product feed",
    status_code=202,
    response_model=Feed,
    responses=_REFUSED | _ACCEPTED,
    openapi_extra=uploads.form_example(file="(a CSV, TSV or XML file)", platform="aliexpress", territory="DE"),
)
@idempotent(replay=_again)
async def create_feed(
    request: Request,
    file: Annotated[UploadFile, File(description="CSV, TSV or XML.")],
    asked: AskedDep,
    actor: ActorDep,
    services: ServicesDep,
    form: Annotated[FeedForm | None, Form(description="Default: as the names of its columns or elements say.")] = None,
    encoding: Annotated[
        Encoding | None, Form(description="Default: as its mark or XML declaration says, else UTF-8.")
    ] = None,
) -> Response:
    """Each address of a picture is fetched and checked once, when nobody waits for others. Rows that are broken are
    told in the result."""
    async with work.reading_turn(request, actor):
        data = await uploads.feed(file, most=services.settings.feed_max_bytes)
        submit = partial(services.feeds.submit, actor, data, file=file.filename)
        feed = await run_in_threadpool(partial(submit, form=form, encoding=encoding, options=asked))
    return _accepted(request, feed)


@router.post(
    "/by-url",
    operation_id="create_feed_by_url",
    summary="Check the pictures of the product feed at a URL",
    status_code=202,
    response_model=Feed,
    responses=_REFUSED | errors(*work.FETCH_ERRORS, InputError, PermissionDenied) | _ACCEPTED,
)
@idempotent(replay=_again)
async def create_feed_by_url(request: Request, body: FeedByUrl, actor: ActorDep, services: ServicesDep) -> Response:
    """As for a feed that is sent. It is fetched while the request waits, its pictures afterwards. Only public addresses
    are fetched from."""
    options = options_of(body.profile, Use(**body.model_dump(include=USE)))
    async with work.fetching_turn(request, actor):
        fetched = await run_in_threadpool(services.feeds.fetch, actor, body.url)
        submit = partial(services.feeds.submit, actor, fetched.data, url=body.url)
        async with work.reading_turn(request, actor):
            feed = await run_in_threadpool(partial(submit, form=body.form, encoding=body.encoding, options=options))
    return _accepted(request, feed)


@router.get("", operation_id="list_feeds", summary="Feeds", responses=errors(PermissionDenied, InvalidCursor))
def list_feeds(page: PageDep, actor: ActorDep, services: ServicesDep) -> FeedPage:
    """Those of the organisation, the latest first."""
    found = services.feeds.feeds(actor, after=page.after(_LIST), limit=page.limit + 1)
    feeds, cursor = cut(list(found), page, _LIST, key=lambda feed: feed.feed_id)
    return FeedPage(items=[_shown(feed) for feed in feeds], next_cursor=cursor)


@router.get(
    "/{feed_id}",
    operation_id="get_feed",
    summary="One feed",
    response_model=Feed,
    responses=errors(PermissionDenied, NotFound),
)
def get_feed(feed_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """Until it is over, `Retry-After` says when to look again. Its job can be followed at `/v1/jobs`."""
    feed = services.feeds.feed(actor, feed_id)
    fields = {} if feed.job.is_over else {"Retry-After": str(work.RETRY_SECONDS)}
    return JSONResponse(_shown(feed).model_dump(mode="json"), headers=fields)


@router.get(
    "/{feed_id}/result",
    operation_id="get_feed_result",
    summary="The result of a feed, as a file",
    response_class=StreamingResponse,
    responses=errors(PermissionDenied, NotFound, InputError, Overloaded)
    | {
        200: {
            "model": FeedResult,
            "description": "A line for each picture of each product, in the order of the feed.",
            "content": {_CSV: {"schema": {"type": "string"}, "example": SHEET}},
        }
    },
)
async def get_feed_result(
    request: Request,
    feed_id: str,
    actor: ActorDep,
    services: ServicesDep,
    form: Annotated[
        Literal["csv", "json"] | None, Query(description="Default: CSV, unless `Accept` asks for JSON only.")
    ] = None,
) -> Response:
    """While pictures wait it tells what is known so far, with a state for each. CSV is in UTF-8 with its mark, for
    spreadsheets; what they would take for a formula stands behind an apostrophe there. An answer that is shorter than
    `Content-Length` says was read too slowly: ask again."""
    page = f"{services.settings.public_url or str(request.base_url).rstrip('/')}/?check="
    accept = request.headers.get("accept", "").partition(";")[0].strip().lower()
    is_json = form == "json" or (form is None and accept == "application/json")

    def write() -> IO[bytes]:
        lines = services.feeds.result(actor, feed_id, page=page)
        return written(_json(lines) if is_json else sheet(lines), services.home)

    async def make() -> IO[bytes]:
        async with work.reading_turn(request, actor):
            return await run_in_threadpool(write)

    return Download(
        make,
        turn=work.result_turn(request, actor),
        media_type="application/json" if is_json else f"{_CSV}; charset=utf-8; header=present",
        name=f"{feed_id}.{'json' if is_json else 'csv'}",
    )


def _json(lines: Iterable[FeedLineView]) -> Iterator[str]:
    """A `FeedResult`, in pieces."""
    yield '{"items":['
    for number, line in enumerate(lines):
        yield ("," if number else "") + line.model_dump_json()
    yield "]}"


@router.delete(
    "/{feed_id}",
    operation_id="delete_feed",
    summary="Forget a feed",
    status_code=204,
    response_class=Response,
    responses=errors(PermissionDenied, NotFound),
)
def delete_feed(feed_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """What waits is not checked any more, and the feed's bytes are deleted. Its job stays in the list of jobs for its
    time, and the checks that were made stay."""
    services.feeds.delete(actor, feed_id)
    return Response(status_code=204)
