"""Settings -> adapters: which back-end stands behind each port."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from imgguard.errors import ConfigurationError, DependencyError, StoreUnavailable
from imgguard.ports import Clock
from imgguard.settings import EMBEDDED, Settings
from imgguard.storage.blobs import LocalBlobStore
from imgguard.storage.folders import make_folder
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.migrate import open_database

if TYPE_CHECKING:
    from imgguard.evidence.packet.seal_keys import SealKey
    from imgguard.fingerprint.weights import Weights
    from imgguard.imaging.sandbox import SandboxedDecoder
    from imgguard.net.fetcher import SafeFetcher
    from imgguard.net.oidc import OidcProvider
    from imgguard.ports import Calendar, LogWitness, TimestampAuthority
    from imgguard.provenance.policy import Policy
    from imgguard.services.models import Models
    from imgguard.storage.live_index import LiveIndex
    from imgguard.storage.local_authority import LocalAuthority
    from imgguard.storage.log_files import LocalLogFiles
    from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail, SqlCredentials
    from imgguard.storage.sql.checks import SqlChecks
    from imgguard.storage.sql.claim_store import SqlClaims
    from imgguard.storage.sql.feeds import SqlFeeds
    from imgguard.storage.sql.idempotency import SqlIdempotencyKeys
    from imgguard.storage.sql.jobs import SqlJobs
    from imgguard.storage.sql.log_anchors import SqlAnchors
    from imgguard.storage.sql.log_store import SqlLog
    from imgguard.storage.sql.log_tokens import SqlTokens
    from imgguard.storage.sql.packets import SqlPackets
    from imgguard.storage.sql.rights import SqlRights
    from imgguard.storage.sql.sign_ins import SqlSignIns
    from imgguard.storage.sql.traces import SqlTraces
    from imgguard.storage.sql.webhooks import SqlWebhooks
    from imgguard.storage.sql.works import SqlWorks
    from imgguard.verdict.calibration import Calibration

DATABASE = "imgguard.sqlite3"
ORIGINALS = "originals"
INDEX = "index"
TIMESTAMP_AUTHORITY = "timestamp-authority.pem"
LOG = "log"
SEAL = "seal.pem"
SERVING = "serving.lock"
"""Held by the service that runs on the store."""

_log = logging.getLogger(__name__)


class SystemClock:
    """The Clock port."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Adapters:
    """Everything that services stand on, on one home folder; close it, or use it as a context manager.

    ``several`` says whether several images will be worked on at the same time: then each is worked on by one core,
    otherwise one image gets all of them.
    """

    def __init__(self, settings: Settings, *, several: bool = False) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self.workers = settings.worker_count if several else 1
        self._cores = 1 if several else len(os.sched_getaffinity(0))
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Save the index if it was used, end child processes and threads, close the database."""
        self._closing.close()

    @cached_property
    def home(self) -> Path:
        """The home folder, made when something is to be stored there first. Raises StoreUnavailable."""
        try:
            make_folder(self.settings.home)
        except OSError as error:
            raise StoreUnavailable(
                f"the home folder {self.settings.home} cannot be made: {error.strerror}",
                hint="Choose another one with --home or IMGGUARD_HOME.",
            ) from error
        return self.settings.home

    @cached_property
    def database(self) -> Database:
        database = open_database(self.home / DATABASE)
        self._closing.callback(database.close)
        return database

    @cached_property
    def catalogue(self) -> SqlCatalogue:
        return SqlCatalogue(self.database)

    @cached_property
    def accounts(self) -> "SqlAccounts":
        from imgguard.storage.sql.accounts import SqlAccounts

        return SqlAccounts(self.database)

    @cached_property
    def credentials(self) -> "SqlCredentials":
        from imgguard.storage.sql.accounts import SqlCredentials

        return SqlCredentials(self.database)

    @cached_property
    def audit_trail(self) -> "SqlAuditTrail":
        from imgguard.storage.sql.accounts import SqlAuditTrail

        return SqlAuditTrail(self.database)

    @cached_property
    def check_store(self) -> "SqlChecks":
        from imgguard.storage.sql.checks import SqlChecks

        return SqlChecks(self.database)

    @cached_property
    def traces(self) -> "SqlTraces":
        from imgguard.storage.sql.traces import SqlTraces

        return SqlTraces(self.database)

    @cached_property
    def work_store(self) -> "SqlWorks":
        from imgguard.storage.sql.works import SqlWorks

        return SqlWorks(self.database)

    @cached_property
    def rights(self) -> "SqlRights":
        from imgguard.storage.sql.rights import SqlRights

        return SqlRights(self.database)

    @cached_property
    def claim_store(self) -> "SqlClaims":
        from imgguard.storage.sql.claim_store import SqlClaims

        return SqlClaims(self.database)

    @cached_property
    def log_store(self) -> "SqlLog":
        from imgguard.storage.sql.log_store import SqlLog

        return SqlLog(self.database)

    @cached_property
    def anchor_store(self) -> "SqlAnchors":
        from imgguard.storage.sql.log_anchors import SqlAnchors

        return SqlAnchors(self.database)

    @cached_property
    def token_store(self) -> "SqlTokens":
        from imgguard.storage.sql.log_tokens import SqlTokens

        return SqlTokens(self.database)

    @cached_property
    def log_files(self) -> "LocalLogFiles":
        from imgguard.storage.log_files import LocalLogFiles

        return LocalLogFiles(self.home / LOG)

    @cached_property
    def idempotency_keys(self) -> "SqlIdempotencyKeys":
        from imgguard.storage.sql.idempotency import SqlIdempotencyKeys

        return SqlIdempotencyKeys(self.database)

    @cached_property
    def job_store(self) -> "SqlJobs":
        from imgguard.storage.sql.jobs import SqlJobs

        return SqlJobs(self.database)

    @cached_property
    def feed_store(self) -> "SqlFeeds":
        from imgguard.storage.sql.feeds import SqlFeeds

        return SqlFeeds(self.database)

    @cached_property
    def packet_store(self) -> "SqlPackets":
        from imgguard.storage.sql.packets import SqlPackets

        return SqlPackets(self.database)

    @cached_property
    def sign_ins(self) -> "SqlSignIns":
        from imgguard.storage.sql.sign_ins import SqlSignIns

        return SqlSignIns(self.database)

    @cached_property
    def identity_provider(self) -> "OidcProvider | None":
        """None where none is set up. It is not asked before somebody wants to sign in by it."""
        settings = self.settings
        if settings.oidc_issuer is None or settings.oidc_client_id is None:
            return None
        from imgguard.net.oidc import Client, OidcProvider
        from imgguard.net.policy import FetchPolicy
        from imgguard.net.provider import SECONDS, ProviderRequests

        client = Client(
            client_id=settings.oidc_client_id, secret=settings.oidc_client_secret, scopes=settings.oidc_scopes
        )
        requests = ProviderRequests(FetchPolicy(seconds=SECONDS, contact=settings.fetch_contact))
        return OidcProvider(settings.oidc_issuer, client, requests=requests, clock=self.clock)

    @cached_property
    def webhook_store(self) -> "SqlWebhooks":
        from imgguard.storage.sql.webhooks import SqlWebhooks

        return SqlWebhooks(self.database)

    @cached_property
    def fetcher(self) -> "SafeFetcher":
        from imgguard.net.fetcher import SafeFetcher
        from imgguard.net.policy import FetchPolicy

        policy = FetchPolicy(
            seconds=self.settings.fetch_seconds,
            connect_seconds=self.settings.fetch_connect_seconds,
            max_bytes=self.settings.fetch_max_bytes,
            redirects=self.settings.fetch_redirects,
            allowed_networks=self.settings.allowed_networks,
            extra_ports=self.settings.extra_ports,
            contact=self.settings.fetch_contact,
        )
        return SafeFetcher(policy, clock=self.clock)

    @cached_property
    def timestamp_authorities(self) -> "tuple[TimestampAuthority, ...]":
        """In the order of the settings. None is asked before there is something to stamp."""
        from imgguard.net.policy import FetchPolicy
        from imgguard.net.timestamping import RemoteAuthority

        policy = FetchPolicy(
            seconds=self.settings.timestamp_timeout_seconds,
            connect_seconds=self.settings.fetch_connect_seconds,
            allowed_networks=self.settings.allowed_networks,
            contact=self.settings.fetch_contact,
        )
        return tuple(
            self.embedded_authority if url == EMBEDDED else RemoteAuthority(url, policy, clock=self.clock)
            for url in self.settings.timestamp_urls
        )

    @cached_property
    def calendars(self) -> "tuple[Calendar, ...]":
        """Of OpenTimestamps, in the order of the settings. None is asked before there is something to anchor."""
        from imgguard.net.calendars import RemoteCalendar
        from imgguard.net.policy import FetchPolicy

        policy = FetchPolicy(
            seconds=self.settings.timestamp_timeout_seconds,
            connect_seconds=self.settings.fetch_connect_seconds,
            allowed_networks=self.settings.allowed_networks,
            contact=self.settings.fetch_contact,
        )
        return tuple(RemoteCalendar(url, policy, clock=self.clock) for url in self.settings.calendar_urls)

    @cached_property
    def log_policy(self) -> "Policy | None":
        """Who witnesses the log, and how many of them are needed; None where the settings name no file."""
        from imgguard.bootstrap.witnesses import log_policy

        return log_policy(self.settings)

    @cached_property
    def log_witnesses(self) -> "tuple[LogWitness, ...]":
        """Those of `log_policy` that have an address. None is asked before there is a checkpoint."""
        from imgguard.bootstrap.witnesses import log_witnesses

        return log_witnesses(self.settings, self.log_policy)

    @cached_property
    def embedded_authority(self) -> "LocalAuthority":
        from imgguard.storage.local_authority import LocalAuthority

        return LocalAuthority(self.home / TIMESTAMP_AUTHORITY, clock=self.clock)

    def seal_key(self, installation: str) -> "SealKey":
        """What packets of ``installation`` (the origin of its log) are sealed with. Raises ConfigurationError and
        StoreUnavailable."""
        from imgguard.storage.local_seal import installation_seal, operator_seal

        certificate, key = self.settings.seal_certificate, self.settings.seal_key
        if certificate is not None and key is not None:
            return operator_seal(certificate, key)
        return installation_seal(self.home / SEAL, installation=installation, clock=self.clock)

    @cached_property
    def blobs(self) -> LocalBlobStore:
        return LocalBlobStore(self.home / ORIGINALS)

    @cached_property
    def index(self) -> "LiveIndex":
        from imgguard.storage.live_index import LiveIndex

        index = LiveIndex(self.catalogue, self.home / INDEX)

        def close() -> None:
            try:
                if index.generation is not None:
                    index.save()
            except Exception as error:  # a cache: what the command did stands, and the next one builds it again
                _log.warning("the index was not saved for the next time: %s", error)
            index.close()

        self._closing.callback(close)
        return index

    @cached_property
    def decoder(self) -> "SandboxedDecoder":
        from imgguard.imaging.image import DecodeLimits
        from imgguard.imaging.sandbox import SandboxedDecoder

        limits = DecodeLimits(
            max_bytes=self.settings.max_image_bytes,
            max_pixels=self.settings.max_image_pixels,
            max_frames=self.settings.max_image_frames,
            seconds=self.settings.decode_seconds,
            memory_bytes=self.settings.decode_memory_bytes,
        )
        decoder = SandboxedDecoder(limits, workers=self.workers, trust=self._trust())
        self._closing.callback(decoder.close)
        return decoder

    def _trust(self) -> str:
        if self.settings.c2pa_trust is None:
            return ""
        from imgguard.bootstrap.certificates import trust_list

        return trust_list(self.settings.c2pa_trust)

    @cached_property
    def models(self) -> "Models":
        import cv2

        from imgguard.services.models import Models

        cv2.setNumThreads(self._cores)
        return Models(self._configured_weights, threads=self._cores)

    def _configured_weights(self) -> "Weights":
        from imgguard.fingerprint.weights import custom_weights, packaged_weights

        if self.settings.weights != "custom":
            return packaged_weights(self.settings.weights)
        if self.settings.weights_path is None or self.settings.weights_sha256 is None:
            raise ConfigurationError("custom weights need IMGGUARD_WEIGHTS_PATH and IMGGUARD_WEIGHTS_SHA256")
        return custom_weights(self.settings.weights_path, self.settings.weights_sha256)

    @cached_property
    def calibration(self) -> "Calibration":
        from imgguard.verdict.calibration import shipped

        try:
            return shipped()
        except OSError as error:
            raise DependencyError(
                f"the calibration model cannot be read: {error.strerror}", hint="Install imgguard again."
            ) from error

    @cached_property
    def spread(self) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]:
        """Maps candidates of one image: on all cores when it is the only image, else in the thread that asks."""
        if self._cores == 1:
            return map
        executor = ThreadPoolExecutor(self._cores, thread_name_prefix="imgguard-candidate")
        self._closing.callback(executor.shutdown)
        return executor.map
