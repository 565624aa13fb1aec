"""Settings -> adapters -> services: the only module that chooses back-ends.

Services are made when first asked for: a command that lists references should not wait for models to be imported.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from imgguard.errors import ConfigurationError, DependencyError, StoreUnavailable
from imgguard.settings import Settings
from imgguard.storage.blobs import LocalBlobStore
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.schema import HEAD

if TYPE_CHECKING:
    from imgguard.fingerprint.weights import Weights
    from imgguard.imaging.sandbox import SandboxedDecoder
    from imgguard.services.checking import Checking
    from imgguard.services.comparison import Comparison
    from imgguard.services.diagnosis import Doctor
    from imgguard.services.illustration import Illustrator
    from imgguard.services.inspection import Inspection
    from imgguard.services.library import CatalogueLibrary
    from imgguard.services.models import Models
    from imgguard.services.rebuilding import Rebuilding
    from imgguard.services.registration import Registration
    from imgguard.services.removal import Removal
    from imgguard.storage.live_index import LiveIndex
    from imgguard.verdict.calibration import Calibration

DATABASE = "imgguard.sqlite3"
ORIGINALS = "originals"
INDEX = "index"


class SystemClock:
    """The Clock port."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Services:
    """All services on one home folder; close it, or use it as a context manager.

    ``several`` says whether several images will be worked on at the same time: then each is worked on by one core,
    otherwise one image gets all of them.
    """

    def __init__(self, settings: Settings, *, several: bool = False) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self._workers = settings.worker_count if several else 1
        self._cores = 1 if several else len(os.sched_getaffinity(0))
        self._closing = ExitStack()
        try:
            settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(
                f"the home folder {settings.home} cannot be made: {error.strerror}",
                hint="Choose another one with --home or IMGGUARD_HOME.",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Save the index if it was used, end child processes and threads, close the database."""
        self._closing.close()

    # adapters

    @cached_property
    def catalogue(self) -> SqlCatalogue:
        catalogue = SqlCatalogue.open(self.settings.home / DATABASE)
        self._closing.callback(catalogue.close)
        return catalogue

    @cached_property
    def blobs(self) -> LocalBlobStore:
        return LocalBlobStore(self.settings.home / ORIGINALS)

    @cached_property
    def index(self) -> "LiveIndex":
        from imgguard.storage.live_index import LiveIndex

        index = LiveIndex(self.catalogue, self.settings.home / INDEX)

        def close() -> None:
            if index.generation is not None:
                index.save()
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
        decoder = SandboxedDecoder(limits, workers=self._workers)
        self._closing.callback(decoder.close)
        return decoder

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
    def _spread(self) -> Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]:
        """Maps candidates of one image: on all cores when it is the only image, else in the thread that asks."""
        if self._cores == 1:
            return map
        executor = ThreadPoolExecutor(self._cores, thread_name_prefix="imgguard-candidate")
        self._closing.callback(executor.shutdown)
        return executor.map

    # services

    @cached_property
    def registration(self) -> "Registration":
        from imgguard.services.registration import Registration

        return Registration(
            catalogue=self.catalogue,
            blobs=self.blobs,
            index=self.index,
            decoder=self.decoder,
            models=self.models,
            calibration=self.calibration,
            clock=self.clock,
            max_bytes=self.settings.max_image_bytes,
        )

    @cached_property
    def checking(self) -> "Checking":
        from imgguard.services.checking import Checking

        return Checking(
            catalogue=self.catalogue,
            blobs=self.blobs,
            index=self.index,
            decoder=self.decoder,
            models=self.models,
            calibration=self.calibration,
            clock=self.clock,
            retention=timedelta(days=self.settings.query_retention_days),
            max_bytes=self.settings.max_image_bytes,
            spread=self._spread,
        )

    @cached_property
    def comparison(self) -> "Comparison":
        from imgguard.services.comparison import Comparison

        return Comparison(decoder=self.decoder, models=self.models, calibration=self.calibration, spread=self._spread)

    @cached_property
    def removal(self) -> "Removal":
        from imgguard.services.removal import Removal

        return Removal(catalogue=self.catalogue, blobs=self.blobs, index=self.index, clock=self.clock)

    @cached_property
    def rebuilding(self) -> "Rebuilding":
        from imgguard.services.rebuilding import Rebuilding

        return Rebuilding(
            catalogue=self.catalogue,
            blobs=self.blobs,
            index=self.index,
            decoder=self.decoder,
            models=self.models,
            clock=self.clock,
            workers=self._workers,
        )

    @cached_property
    def inspection(self) -> "Inspection":
        from imgguard.services.inspection import Inspection

        return Inspection(catalogue=self.catalogue)

    @cached_property
    def illustrator(self) -> "Illustrator":
        from imgguard.services.illustration import Illustrator

        return Illustrator(blobs=self.blobs, decoder=self.decoder)

    @cached_property
    def library(self) -> "CatalogueLibrary":
        from imgguard.services.library import CatalogueLibrary

        return CatalogueLibrary(self.catalogue)

    @cached_property
    def doctor(self) -> "Doctor":
        from imgguard.services.diagnosis import Doctor

        return Doctor(
            home=self.settings.home,
            schema=HEAD,
            catalogue=self.catalogue,
            blobs=self.blobs,
            index=self.index,
            decoder=self.decoder,
            models=self.models,
            calibration=lambda: self.calibration,
        )

    def tidy(self) -> int:
        """Deletions that are due. Cheap when there are none."""
        from imgguard.services.retention import tidy

        return tidy(self.catalogue, self.blobs, self.clock)


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below ``folder``; what vanishes meanwhile does not count."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total
