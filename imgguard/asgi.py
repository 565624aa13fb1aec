"""Settings -> services -> application: what `imgguard serve` runs, and any other ASGI server can.

uvicorn --factory imgguard.asgi:create
"""

import logging
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial

from fastapi import FastAPI, Request

from imgguard.api.app import create_app
from imgguard.api.security import cookie_name
from imgguard.bootstrap import SERVING, Services
from imgguard.bootstrap.allocator import give_back
from imgguard.errors import AuthenticationRequired, ImgguardError
from imgguard.services.generations import ensure_active
from imgguard.services.messenger import Messenger
from imgguard.services.publisher import Publisher
from imgguard.services.repeating import Repeated
from imgguard.settings import Settings
from imgguard.storage.locks import only_service
from imgguard.web import pages
from imgguard.worker.comparer import ComparerProcess
from imgguard.worker.packet_builder import PacketBuilder
from imgguard.worker.pool import Pool

_TIDY_SECONDS = 3600.0
_ANCHORING_SECONDS = 60.0
_GRACE_SECONDS = 20.0
"""What workers are given to finish the pictures they have in hand. Requests that wait have been answered by then."""

_HANDOVER_SECONDS = 30.0
"""What a service waits for the one before it, which is told to stop: mostly it has nothing left in hand."""

_log = logging.getLogger(__name__)


def create() -> FastAPI:
    """With the settings of the environment. Raises as `build` does."""
    return build(Settings())


def build(settings: Settings, *, hosts: Iterable[str] = ()) -> FastAPI:
    """The application on an open store, with workers that are being started; both are closed when it ends.

    ``hosts`` as in `create_app`. Raises StoreInUse when another service runs on the store, DependencyError,
    ConfigurationError when it cannot be opened, and LogInconsistent when its log and its database contradict each
    other.
    """
    give_back()
    with ExitStack() as opening:
        services = Services(settings, several=True)
        opening.enter_context(only_service(services.home / SERVING, seconds=_HANDOVER_SECONDS))
        opening.enter_context(services)
        services.comparer = opening.enter_context(ComparerProcess(settings))
        services.packet_maker = opening.enter_context(PacketBuilder(settings))
        services.tidy()
        ensure_active(services.catalogue, services.models, services.clock)
        opening.enter_context(_Tidying(services))
        services.transparency.check()
        opening.enter_context(Publisher(services.transparency, seconds=settings.log_checkpoint_seconds))
        opening.enter_context(Repeated("stamper", services.stamping.run))
        if services.calendars:
            opening.enter_context(Repeated("anchoring", services.anchoring.run, pause=_ANCHORING_SECONDS))
        if services.log_witnesses:
            opening.enter_context(Repeated("witnessing", services.witnessing.run))
        opening.enter_context(Messenger(services.webhook_sender))
        opening.enter_context(Repeated("sweeping of webhooks", services.webhook_sender.sweep))
        pool = Pool(services)
        opening.callback(pool.stop, seconds=_GRACE_SECONDS)
        pool.start()
        app = create_app(services, pool=pool, hosts=hosts, closing=opening.pop_all())
        provider = settings.oidc_name if services.single_sign_on.is_set_up else None
        app.include_router(pages.router(partial(_is_signed_in, services), provider=provider))
        return app
    raise AssertionError("unreachable")


def _is_signed_in(services: Services, request: Request) -> bool:
    try:
        services.identity.actor_of_session(request.cookies.get(cookie_name(services.settings), ""))
    except AuthenticationRequired:
        return False
    return True


class _Tidying:
    """Deletions and reminders that are due, once an hour, while it is entered."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._licences = services.licences  # made here, since `Services` makes things without locks
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="imgguard-tidying", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        self._remind()
        while not self._ending.wait(_TIDY_SECONDS):
            try:
                self._services.tidy()
            except ImgguardError as error:
                _log.warning("what is due to be forgotten was not: %s", error)
            self._remind()

    def _remind(self) -> None:
        try:
            self._licences.remind()
        except ImgguardError as error:
            _log.warning("nobody was reminded of licences that end soon: %s", error)
