"""Register originals: keep the bytes, describe the picture, make it findable, and say what it resembles."""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from imgguard.errors import DuplicateReference, ImgguardError, IndexUnavailable, WeightsUnavailable
from imgguard.fingerprint.describe import describe
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, unpack_vectors
from imgguard.fingerprint.perceptual import pdq
from imgguard.imaging.credentials import ContentCredentials, CredentialsReader
from imgguard.imaging.image import DecodedImage, Decoder
from imgguard.imaging.views import WHOLE, View
from imgguard.index.fusion import FusedHit
from imgguard.pipeline import Profile, Tools, verify_candidates
from imgguard.ports import BlobStore, Catalogue, Clock, Generation, ReferenceIndex
from imgguard.registry.accounts import AuditEvent
from imgguard.registry.claims import NewClaims
from imgguard.registry.names import owner_name
from imgguard.registry.records import Content, Reference
from imgguard.services import sources
from imgguard.services.contract import ErrorObject, Match, RegisterLine
from imgguard.services.credentials import credentials_in, kept
from imgguard.services.generations import ensure_active
from imgguard.services.library import CatalogueLibrary, TolerantLibrary
from imgguard.services.matches import expanded, match_of
from imgguard.services.models import Models
from imgguard.services.outcomes import ends_run, error_object
from imgguard.services.sources import Source
from imgguard.verdict.calibration import Calibration

_WHOLE = View(window=WHOLE, kind="whole")

# Registering is bulk work: only what is likely to be a copy is compared pixel by pixel. A crop to half of a picture
# still has a cosine similarity above this gate; a check, with its views and its lower gate, finds the rest.
SIMILAR = Profile(name="similar", thorough_views=False, candidates=3, gate=0.5, closer=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One input's line; ``fatal`` is the error that makes going on with other inputs pointless."""

    line: RegisterLine
    fatal: ImgguardError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """How a picture is to be registered. ``title`` is its work's; ``stated`` is what its claimant says of it;
    ``event`` tells the audit trail of it."""

    owner: str
    file: str
    title: str | None = None
    stated: NewClaims | None = None
    event: Callable[[Reference], AuditEvent] | None = None


class Registration:
    """Thread safe; the searching and the adding of one picture happen as one step, so that of two copies that are
    registered at the same time one is reported with the other."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        blobs: BlobStore,
        index: ReferenceIndex,
        decoder: Decoder,
        credentials: CredentialsReader,
        models: Models,
        calibration: Calibration,
        clock: Clock,
        max_bytes: int,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._index = index
        self._decoder = decoder
        self._credentials = credentials
        self._models = models
        self._calibration = calibration
        self._clock = clock
        self._max_bytes = max_bytes
        self._library = CatalogueLibrary(catalogue)
        self._search_then_add = threading.Lock()

    def line(self, source: Source, *, owner: str, stated: NewClaims | None = None) -> Registered:
        """Register one file, of which its owner has ``stated`` something. Never raises for what is wrong with it: then
        the line says `rejected`."""
        sha256 = None
        try:
            data = sources.read(source, max_bytes=self._max_bytes)
            sha256 = hashlib.sha256(data).hexdigest()
            return Registered(line=self.register(data, owner=owner, file=source.file, stated=stated))
        except Exception as error:
            line = RegisterLine(
                file=source.file,
                status="rejected",
                reference_id=None,
                sha256=sha256,
                similar=[],
                error=error_object(error, file=source.file),
            )
            return Registered(line=line, fatal=error if ends_run(error) and isinstance(error, ImgguardError) else None)

    def register(
        self,
        data: bytes,
        *,
        owner: str,
        file: str,
        title: str | None = None,
        stated: NewClaims | None = None,
        event: Callable[[Reference], AuditEvent] | None = None,
    ) -> RegisterLine:
        """Register these bytes; once this returns they are durable and will be found.

        What was registered before has no ``event``, and keeps its title; what is ``stated`` now is not stored.

        Raises ConfigurationError, InputError, DependencyError.
        """
        owner = owner_name(owner)
        entry = _Entry(owner=owner, file=file, title=title, stated=stated, event=event)
        earlier = self._catalogue.find_reference(owner, hashlib.sha256(data).hexdigest())
        if earlier is not None:
            return _duplicate(earlier, file)
        image = self._decoder.decode(data)
        content = _content(image, credentials_in(data, image.declared_times, self._credentials))
        self._blobs.put(data)
        try:
            generation, hits, reference = self._described_and_added(image, content, data, entry)
        except DuplicateReference:  # by another thread or process, since we looked
            earlier = self._catalogue.find_reference(owner, image.sha256)
            if earlier is None:
                raise
            return _duplicate(earlier, file)
        similar, error = self._similar(image, hits, generation, reference)
        return RegisterLine(
            file=file,
            status="registered",
            reference_id=reference.reference_id,
            sha256=image.sha256,
            similar=similar,
            error=error,
        )

    def _described_and_added(
        self, image: DecodedImage, content: Content, data: bytes, entry: _Entry
    ) -> tuple[Generation, list[FusedHit], Reference]:
        """The generation it is findable in, what it resembles there, and the new reference.

        Raises DuplicateReference, WeightsUnavailable, StoreUnavailable, IndexUnavailable.
        """
        generation = ensure_active(self._catalogue, self._models, self._clock)
        descriptors = describe(image, self._models.reference(generation.weights_sha256))
        try:
            with self._search_then_add:
                hits = self._nearest(descriptors)
                reference = self._catalogue.add_reference(
                    entry.owner,
                    content,
                    descriptors,
                    file=entry.file,
                    at=self._clock.now(),
                    title=entry.title,
                    stated=entry.stated,
                    store_blob=lambda: self._blobs.put(data),
                    event=entry.event,
                )
        except (WeightsUnavailable, IndexUnavailable):
            active = self._catalogue.active_generation()
            if active is None or active.weights_sha256 == generation.weights_sha256:
                raise
            # A rebuild with other weights was finished while this picture was described: describe it for that one.
            return self._described_and_added(image, content, data, entry)
        return generation, hits, reference

    def _nearest(self, descriptors: Sequence[Descriptor]) -> list[FusedHit]:
        """Registered contents that look alike, found with the embedding that was made to be stored."""
        packed = [descriptor.data for descriptor in descriptors if descriptor.kind is DescriptorKind.EMBEDDING]
        hits = self._index.search(unpack_vectors(packed), SIMILAR.candidates)
        return [hit for hit in hits if hit.cosine_similarity >= SIMILAR.gate]

    def _similar(
        self, image: DecodedImage, hits: Sequence[FusedHit], generation: Generation, reference: Reference
    ) -> tuple[list[Match], ErrorObject | None]:
        """Matches of a new reference. It is registered by now: an error here is told, and changes nothing of that."""
        if not hits:
            return [], None
        library = TolerantLibrary(self._library)
        tools = Tools(
            decoder=self._decoder,
            embedder=self._models.reference(generation.weights_sha256),
            index=self._index,
            library=library,
            calibration=self._calibration,
            weights_sha256=generation.weights_sha256,
            generation_id=generation.generation_id,
        )
        try:
            judged = verify_candidates(image, pdq(image.working), [_WHOLE], hits, tools, SIMILAR)
            pairs = expanded(judged, self._catalogue, without=reference.reference_id)
            matches = [match_of(judgement, other) for judgement, other in pairs]
            damaged = [error_object(error, file=reference.file or "") for error in library.damaged]
            return matches, damaged[0] if damaged else None
        except Exception as error:
            return [], error_object(error, file=reference.file or "")


def _duplicate(earlier: Reference, file: str) -> RegisterLine:
    return RegisterLine(
        file=file,
        status="duplicate",
        reference_id=earlier.reference_id,
        sha256=earlier.sha256,
        similar=[],
        error=None,
    )


def _content(image: DecodedImage, credentials: ContentCredentials | None) -> Content:
    return Content(
        number=0,
        sha256=image.sha256,
        byte_length=image.byte_length,
        pixel_digest=image.pixel_digest,
        media_type=image.media_type,
        width=image.width,
        height=image.height,
        decoder=image.decoder,
        decoder_version=image.decoder_version,
        declared_times=json.dumps([asdict(time) for time in image.declared_times]),
        credentials=kept(credentials),
    )
