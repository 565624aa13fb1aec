"""Services -> application."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware

from imgguard.api import operations, problems, work
from imgguard.api.gate import Gate, Names
from imgguard.api.limits import Buckets, Policy
from imgguard.api.metrics import Metrics, PoolStatus
from imgguard.api.openapi import describe
from imgguard.api.requests import Requests
from imgguard.api.revisions import Changing
from imgguard.api.security import is_secure
from imgguard.api.v1 import ROUTERS, packet_verification
from imgguard.api.v1.passwords import AT_PROVIDER, limiter
from imgguard.bootstrap import Services

_KEYS_TOGETHER = 2
"""How many times the requests of one key all keys of a member have together."""


def create_app(
    services: Services,
    *,
    pool: PoolStatus | None = None,
    hosts: Iterable[str] = (),
    closing: ExitStack | None = None,
) -> FastAPI:
    """The application on ``services``. Touches nothing of the store before it is started.

    ``pool``: the processes that do the heavy work, if there are some. ``hosts``: names under which the service answers,
    besides those of the settings. ``closing``: what is closed when the application ends.
    """
    settings = services.settings
    metrics = Metrics(
        pool=pool, queue=lambda: services.jobs.unfinished(), stamps=lambda: services.stamping.waiting_seconds()
    )
    app = FastAPI(
        title="imgguard",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=partial(_lifespan, services=services, closing=closing or ExitStack()),
        middleware=[
            Middleware(Requests, metrics=metrics, secure=is_secure(settings)),
            Middleware(
                Gate,
                names=Names.of(settings, hosts),
                max_bytes=settings.max_request_bytes,
                max_proof_bytes=settings.max_proof_bytes,
                max_packet_bytes=settings.max_packet_bytes,
            ),
        ],
    )
    app.state.services, app.state.pool, app.state.metrics = services, pool, metrics
    app.state.buckets = Buckets(Policy(name="default", quota=settings.rate_per_minute), seconds=time.monotonic)
    together = Policy(name="keys", quota=_KEYS_TOGETHER * settings.rate_per_minute)
    app.state.member_buckets = Buckets(together, seconds=time.monotonic)
    app.state.passwords, app.state.changing = limiter(), Changing()
    app.state.at_provider = limiter(AT_PROVIDER)
    app.state.drawing = asyncio.Semaphore(settings.worker_count)
    app.state.fetching, app.state.reading, app.state.results = work.fetching(), work.reading(), work.results()
    app.state.searching, app.state.resolving = work.searching(), work.resolving()
    app.state.comparing, app.state.building = work.comparing(), work.building()
    app.state.verifying = packet_verification.verifying()
    problems.install(app)
    for router in (operations.router, *ROUTERS):
        app.include_router(router)
    _describe_once(app)
    return app


def _describe_once(app: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


@asynccontextmanager
async def _lifespan(app: FastAPI, *, services: Services, closing: ExitStack) -> AsyncIterator[None]:
    drawers = ThreadPoolExecutor(services.settings.worker_count, thread_name_prefix="imgguard-drawing")
    with closing, drawers:
        app.state.drawers = drawers
        await run_in_threadpool(touch, services)
        yield


def touch(services: Services) -> None:
    """Make what requests will ask for, while only one thread asks: `Services` makes things when they are first asked
    for, without locks. Raises DependencyError, ConfigurationError."""
    for name in (
        "accounts",
        "audit",
        "blobs",
        "catalogue",
        "checks",
        "decisions",
        "feeds",
        "hash_search",
        "idempotency_keys",
        "identity",
        "jobs",
        "keys",
        "licences",
        "member_packets",
        "members",
        "models",
        "organisations",
        "packet_verification",
        "personal_data",
        "reference_claims",
        "references",
        "single_sign_on",
        "transparency",
        "webhooks",
        "works",
    ):
        getattr(services, name)
