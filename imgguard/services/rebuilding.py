"""Rebuild the index from the database; when the weights were changed, into a new generation."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from imgguard.errors import DigestMismatch, InputError, InvalidTransition, NotFound, VerificationError
from imgguard.fingerprint.describe import embedding_descriptor
from imgguard.imaging.image import Decoder
from imgguard.ports import BlobStore, Catalogue, Clock, Generation, ReferenceIndex
from imgguard.registry.records import Content
from imgguard.services.bulk import in_order
from imgguard.services.models import Models

_BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """``embedded``: contents embedded anew; ``contents``: contents that can be searched now."""

    generation: Generation
    embedded: int
    contents: int


class Rebuilding:
    """One at a time per store is enough; two do no harm, they share the work."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        blobs: BlobStore,
        index: ReferenceIndex,
        decoder: Decoder,
        models: Models,
        clock: Clock,
        workers: int,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._index = index
        self._decoder = decoder
        self._models = models
        self._clock = clock
        self._workers = workers

    def rebuild(
        self, *, stop: threading.Event, advanced: Callable[[int], object] = lambda _count: None
    ) -> Rebuilt | None:
        """Build the index files anew, after re-embedding everything if the settings name other weights.

        Until the swap, checks and registrations go on with the old generation. What was embedded stays when this is
        stopped or killed, and the next call continues. ``advanced`` hears of each embedded content. None when
        ``stop`` was set. Raises VerificationError when originals are damaged, so that the swap is impossible.
        """
        wanted = self._models.configured()
        active = self._catalogue.active_generation()
        embedded = 0
        while active is None or active.weights_sha256 != wanted.sha256:
            building = self._catalogue.begin_generation(wanted.sha256, at=self._clock.now())
            for _ in self._embed_missing(wanted.sha256, stop):
                embedded += 1
                advanced(embedded)
            if stop.is_set():
                return None
            try:
                active = self._catalogue.activate_generation(building.generation_id, at=self._clock.now())
            except InvalidTransition:
                continue  # something was registered meanwhile, with the weights of the old generation
        contents = self._index.rebuild()
        self._index.save()
        return Rebuilt(generation=active, embedded=embedded, contents=contents)

    def missing(self) -> int:
        """How many contents still need an embedding of the weights that the settings name, at most 100,000."""
        return len(self._catalogue.contents_without_embedding(self._models.configured().sha256, limit=100_000))

    def _embed_missing(self, weights_sha256: str, stop: threading.Event) -> Iterator[str]:
        """Embed every content that lacks these weights. Raises VerificationError when some cannot be."""
        embedder = self._models.reference(weights_sha256)
        failures: dict[str, str] = {}

        def embed(content: Content) -> None:
            try:
                image = self._decoder.decode(self._blobs.get(content.sha256))
                self._catalogue.add_descriptor(content.sha256, embedding_descriptor(image.working, embedder))
            except (InputError, NotFound, DigestMismatch) as error:
                failures[content.sha256] = error.detail

        while not stop.is_set():
            found = self._catalogue.contents_without_embedding(weights_sha256, limit=_BATCH + len(failures))
            batch = [content for content in found if content.sha256 not in failures]
            if not batch:
                break
            for content, _ in zip(batch, in_order(embed, batch, workers=self._workers, stop=stop), strict=False):
                if content.sha256 not in failures:
                    yield content.sha256
        # One that was erased in between has no part in this any more.
        lacking = {
            c.sha256 for c in self._catalogue.contents_without_embedding(weights_sha256, limit=len(failures) + 1)
        }
        damaged = [f"{sha256[:12]}... ({detail})" for sha256, detail in failures.items() if sha256 in lacking]
        if damaged and not stop.is_set():
            raise VerificationError(
                f"{len(damaged)} originals could not be embedded: {'; '.join(damaged[:3])}",
                hint="The old index stays in use. Restore these files from a backup or remove their references.",
            )
