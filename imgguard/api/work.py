"""Work on pictures, off the request path: handed in, waited for as long as people like to wait, told how it ended.

While a request waits it holds no thread: the pool says when an item has ended, and a look now and then finds what
workers outside of it have done.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Any

from anyio import CancelScope
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from imgguard import errors
from imgguard.api.problems import STATUS
from imgguard.api.security import services_of
from imgguard.api.turns import Turns, WaitingRoom
from imgguard.api.work_schemas import Job
from imgguard.bootstrap import Services
from imgguard.ports import ItemError
from imgguard.ports import Job as JobRecord
from imgguard.registry.access import Actor
from imgguard.services.job_objects import job_object
from imgguard.services.jobs import Input
from imgguard.services.views import RegistrationRecord

LOOK_SECONDS = 0.25
_LONGEST_LOOK_SECONDS = 2.0
"""How soon a job is looked at when nobody tells that it has changed, and how seldom in the end: who waits for long
waits behind others, and thirty requests that look four times a second would take their time from the workers."""

RETRY_SECONDS = 1
DRAW_PATIENCE = 5.0
"""Seconds that a request waits for its turn, at whatever that is, before it is told to come back."""

FETCHES = 4
"""Requests that are fetched for at the same time, one of each organisation; pictures are fetched by workers, and not
counted here."""

READINGS = 2
"""Feeds that are read at the same time, one of each organisation."""

RESULTS = 4
RESULTS_EACH = 2
"""Results of feeds that are made or sent at the same time: in all, and of one organisation."""

SEARCHES = 2
"""Searches by hash that are made at the same time, one of each organisation: short ones, but threads and cores are
there for others too."""

COMPARISONS = 1
"""Comparisons that are made at the same time: one process makes them."""

PACKETS = 1
PACKETS_WAITING = WaitingRoom(most=8, each=4)
PACKET_PATIENCE = 60.0
"""Packets that are built at the same time, requests that wait for that, and for how many seconds."""

RESOLUTIONS = 4
"""Organisations whose addresses are looked up at the same time while a request waits."""

PICTURE_ERRORS = (
    errors.UnsupportedFormat,
    errors.ImageTooLarge,
    errors.CorruptImage,
    errors.DecodeTimeout,
    errors.DecodeCrash,
)
"""What can be wrong with a picture."""

FETCH_ERRORS = (errors.FetchRefused, errors.FetchFailed)

WORK_ERRORS = (
    errors.PermissionDenied,
    errors.InputError,
    errors.InvalidTransition,
    errors.QueueFull,
    errors.WorkerCrashed,
    errors.WeightsUnavailable,
    errors.IndexUnavailable,
)
"""What can go wrong with work that is waited for, besides the picture."""

FETCHED = "fetched"
"""In the result of an item: where and when its picture was fetched, if it was."""

ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": Job,
        "description": "Not done yet: look at the job, which `Location` names",
        "headers": {
            "Location": {"description": "The job.", "schema": {"type": "string"}},
            "Retry-After": {"description": "Seconds until a look is worth it.", "schema": {"type": "integer"}},
        },
    }
}
"""``responses`` of a route whose work may take longer than the request."""

_BY_CODE = {kind.code: kind for kind in STATUS}


async def submitted(
    request: Request,
    actor: Actor,
    kind: str,
    inputs: Sequence[Input],
    *,
    options: Mapping[str, object],
    interactive: bool = False,
) -> JobRecord:
    """Raises as `Jobs.submit` does."""
    jobs = services_of(request).jobs
    return await run_in_threadpool(partial(jobs.submit, actor, kind, inputs, options=options, interactive=interactive))


async def done_in_time(
    request: Request, actor: Actor, kind: str, given: Input, *, options: Mapping[str, object]
) -> JobRecord:
    """The job of one picture: over, or as it is after ``sync_seconds``. Raises as `Jobs.submit` does."""
    services = services_of(request)
    job = await submitted(request, actor, kind, [given], options=options, interactive=True)
    return await _over(services, actor, job.job_id, seconds=services.settings.sync_seconds)


async def _over(services: Services, actor: Actor, job_id: str, *, seconds: float) -> JobRecord:
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    deadline, look = loop.time() + seconds, LOOK_SECONDS
    with services.jobs.watching(job_id, partial(loop.call_soon_threadsafe, changed.set)):
        while True:
            job = await run_in_threadpool(services.jobs.job, actor, job_id)
            left = deadline - loop.time()
            if job.is_over or left <= 0:
                return job
            await pause(changed, min(look, left))
            look = min(2 * look, _LONGEST_LOOK_SECONDS)


async def pause(changed: asyncio.Event, seconds: float) -> None:
    """Until ``changed`` is set, or so many seconds are over."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await changed.wait()
    changed.clear()


def result_of(services: Services, actor: Actor, job_id: str) -> Mapping[str, Any]:
    """What became of the only item of a job that is over. Raises the error with which it failed, InvalidTransition
    when it was cancelled."""
    (item,) = services.jobs.items(actor, job_id, limit=1)
    if item.error is not None:
        raise error_of(item.error)
    if item.result is None:
        raise errors.InvalidTransition(f"{job_id} was cancelled", hint="Hand the picture in again.")
    return item.result


def registration_of(result: Mapping[str, Any]) -> RegistrationRecord:
    """What a job of registrations keeps of an item; where it was fetched is beside it."""
    return RegistrationRecord.model_validate({name: value for name, value in result.items() if name != FETCHED})


def error_of(found: ItemError) -> errors.ImgguardError:
    """The error that a worker met, as if it had been met here."""
    return _BY_CODE.get(found.code, errors.ImgguardError)(found.detail)


def job_shown(job: JobRecord) -> Job:
    return Job.model_validate(job_object(job))


def accepted(job: JobRecord) -> Response:
    """202, with the job and where it can be followed."""
    fields = {"Location": f"/v1/jobs/{job.job_id}", "Retry-After": str(RETRY_SECONDS)}
    return JSONResponse(job_shown(job).model_dump(mode="json"), status_code=202, headers=fields)


async def drawn[Result](request: Request, draw: Callable[[], Result]) -> Result:
    """What ``draw`` gives, when it is its turn: as many at a time as there are cores. For all that keeps a core busy.

    In threads of their own, no more than that: what work on pictures leaves behind in a thread stays there, about
    75 MB (measured with comparisons in 1, 2 and 8 threads), and the threads of all requests are forty.

    Raises Overloaded when others take too long, and what ``draw`` raises.
    """
    turns: asyncio.Semaphore = request.app.state.drawing
    try:
        async with asyncio.timeout(DRAW_PATIENCE):
            await turns.acquire()
    except TimeoutError:
        raise errors.Overloaded("too many pictures are being drawn", retry_after=2.0) from None
    try:
        return await _in_drawers(request, draw)
    finally:
        turns.release()


async def _in_drawers[Result](request: Request, draw: Callable[[], Result]) -> Result:
    drawing = asyncio.get_running_loop().run_in_executor(request.app.state.drawers, draw)
    with CancelScope(shield=True):  # the turn is over when the thread is free again, whoever still waits
        await asyncio.wait([drawing])
    return drawing.result()


def fetching() -> Turns:
    """For each application, as the next two."""
    return Turns(FETCHES, each=1, busy="too much is being fetched from other servers")


def reading() -> Turns:
    return Turns(READINGS, each=1, busy="too many feeds are being read")


def results() -> Turns:
    return Turns(RESULTS, each=RESULTS_EACH, busy="too many results of feeds are being sent")


def fetching_turn(request: Request, actor: Actor) -> AbstractAsyncContextManager[None]:
    """While it is entered, something may be fetched in a thread, for as long as a fetch may take; `FETCHES` at a time.

    Entering raises Overloaded when others take too long.
    """
    turns: Turns = request.app.state.fetching
    return turns.turn(actor.organisation_id, patience=DRAW_PATIENCE)


def reading_turn(request: Request, actor: Actor) -> AbstractAsyncContextManager[None]:
    """While it is entered, a feed may be read in a thread, which takes seconds at worst; `READINGS` at a time.

    Entering raises Overloaded as above.
    """
    turns: Turns = request.app.state.reading
    return turns.turn(actor.organisation_id, patience=DRAW_PATIENCE)


def result_turn(request: Request, actor: Actor) -> AbstractAsyncContextManager[None]:
    """While it is entered, the result of a feed may be made and sent; `RESULTS` at a time.

    Entering raises Overloaded as above.
    """
    turns: Turns = request.app.state.results
    return turns.turn(actor.organisation_id, patience=DRAW_PATIENCE)


def searching() -> Turns:
    """For each application, as above."""
    return Turns(SEARCHES, each=1, busy="too many searches are being made")


def comparing() -> Turns:
    """For each application, as above."""
    return Turns(COMPARISONS, each=1, busy="too many pictures are being compared")


def building() -> Turns:
    """For each application, as above."""
    return Turns(PACKETS, each=1, busy="too many packets are being built", room=PACKETS_WAITING)


def resolving() -> Turns:
    """For each application, as above."""
    return Turns(RESOLUTIONS, each=1, busy="too many addresses are being looked up")


async def searched[Result](request: Request, actor: Actor, search: Callable[[], Result]) -> Result:
    """What ``search`` gives: `SEARCHES` at a time. Raises Overloaded when others take too long, and what it raises."""
    turns: Turns = request.app.state.searching
    async with turns.turn(actor.organisation_id, patience=DRAW_PATIENCE):
        return await run_in_threadpool(search)


async def compared[Result](request: Request, actor: Actor, compare: Callable[[], Result]) -> Result:
    """What ``compare`` gives: `COMPARISONS` at a time; the turn is over when the thread is free again, whoever still
    waits. Raises Overloaded when others take too long, and what it raises."""
    turns: Turns = request.app.state.comparing
    async with turns.turn(actor.organisation_id, patience=DRAW_PATIENCE):
        return await run_in_threadpool(compare)


async def built[Result](request: Request, actor: Actor, build: Callable[[], Result]) -> Result:
    """What ``build`` gives: `PACKETS` at a time; the turn is over when the thread is free again, whoever still waits.
    Raises Overloaded when `PACKETS_WAITING` wait already or others take too long, and what it raises."""
    turns: Turns = request.app.state.building
    async with turns.turn(actor.organisation_id, patience=PACKET_PATIENCE):
        return await run_in_threadpool(build)


async def resolved[Result](request: Request, actor: Actor, look: Callable[[], Result]) -> Result:
    """What ``look`` gives, which looks an address up: `RESOLUTIONS` at a time, so that who names slow name servers
    waits for itself first. Raises Overloaded when others take too long, and what it raises."""
    turns: Turns = request.app.state.resolving
    async with turns.turn(actor.organisation_id, patience=DRAW_PATIENCE):
        return await run_in_threadpool(look)
