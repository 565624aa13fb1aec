"""Jobs as server-sent events (HTML, section 9.2)."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import Header, Request
from starlette.concurrency import run_in_threadpool

from imgguard.api import work
from imgguard.api.security import authenticate, services_of
from imgguard.api.work_schemas import JOB
from imgguard.errors import ImgguardError
from imgguard.ports import Job
from imgguard.registry.access import Actor

MEDIA_TYPE = "text/event-stream"
SCHEMA = {
    "type": "object",
    "description": "One event; they come as lines of text.",
    "properties": {
        "id": {"type": "string", "description": "For `Last-Event-ID`."},
        "event": {"const": "job"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Job"},
        },
    },
    "required": ["id", "event", "data"],
}
EXAMPLE = {"id": "running.1.0", "event": "job", "data": json.dumps(JOB)}

LONGEST = 600.0
"""Seconds that one stream lasts: with the next one everything about the request is checked anew."""

_LOOK = 1.0  # for what workers outside of the pool do, and for the end of the service
_BETWEEN = 0.2  # between two events: a bulk job changes more often than anybody can follow
_COMMENT = 15.0  # so that proxies do not take the connection for dead
_ASK = 30.0  # after which it is asked again who asks

LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", max_length=100, description="`id` of the last event that was seen.")
]


def revision(job: Job) -> str:
    """Changes with everything an event tells."""
    over = ".over" if job.is_over else ""
    return f"{job.state}.{job.done_count}.{job.failed_count}{over}"


async def of_job(request: Request, actor: Actor, job_id: str, *, seen: str | None) -> AsyncIterator[str]:
    """The job each time it has changed, from what was ``seen`` on. Ends with the job, when who asks may not any more,
    and with the service."""
    services, loop, changed = services_of(request), asyncio.get_running_loop(), asyncio.Event()
    begun = told = asked = loop.time()
    with services.jobs.watching(job_id, partial(loop.call_soon_threadsafe, changed.set)):
        while loop.time() - begun < LONGEST and not getattr(request.app.state, "is_ending", False):
            try:
                if loop.time() - asked >= _ASK:
                    await run_in_threadpool(authenticate, request)
                    asked = loop.time()
                job = await run_in_threadpool(services.jobs.job, actor, job_id)
            except ImgguardError:  # the next request will be told why
                return
            if (now := revision(job)) != seen:
                seen, told = now, loop.time()
                yield f"id: {now}\nevent: job\ndata: {work.job_shown(job).model_dump_json()}\n\n"
                await asyncio.sleep(_BETWEEN)
            elif loop.time() - told >= _COMMENT:
                told = loop.time()
                yield ": still there\n\n"
            if job.is_over:
                return
            await work.pause(changed, _LOOK)
