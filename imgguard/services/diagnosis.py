"""The doctor: is everything there, whole, and in agreement with everything else?

1  the home folder can be written
2  the database can be opened and has the schema of this version
3  the decoder decodes
4  weights are at hand, with the right digest
5  the calibration can be read
6  every original is stored (deep: and has its digest)
7  every checked image that is still to be kept, every document and every feed is stored (deep: and has its digest)
8  every reference has all its descriptors (deep: and they can be read)
9  the index holds what the database says, and finds it
10 no file is stored that nothing refers to (repair: or it is deleted)
11 no deletion is due
12 no checkpoint waits for a timestamp for more than a day
13 no checkpoint waits for a block of Bitcoin for more than three days
"""

import io
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from imgguard.errors import (
    CalendarUnavailable,
    DigestMismatch,
    ImgguardError,
    NotFound,
    StoreUnavailable,
    TimestampAuthorityUnavailable,
    VerificationError,
)
from imgguard.fingerprint.describe import reference_picture
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind, unpack_vectors, whole_vectors
from imgguard.imaging.image import Decoder
from imgguard.index.base import Vectors
from imgguard.ports import BlobStore, Catalogue, Clock, ReferenceIndex, TokenStore, Waiting
from imgguard.registry.records import ReferenceStatus
from imgguard.services.inspection import Inspection
from imgguard.services.models import Models
from imgguard.verdict.calibration import Calibration

_SAMPLE = 1000
"""Contents whose descriptors are read, and vectors that are searched, unless the examination is deep."""

_PHASH_BYTES = 8
_ORPHANED = timedelta(hours=1)
"""Files younger than this may belong to a registration that is under way."""

_LONG_UNSTAMPED = timedelta(days=1)
_LONG_UNATTESTED = timedelta(days=3)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One line: what was examined, how it is, and what to do. ``error`` is the error behind a problem."""

    number: int
    title: str
    status: Literal["ok", "problem", "skipped"]
    detail: str
    hint: str | None
    error: ImgguardError | None


class Doctor:
    """``schema`` is the schema version of a database that could be opened. What may be missing or broken is handed in
    as a function, so that failing to get it is a finding too. ``anchors`` gives None where no calendar is asked."""

    def __init__(
        self,
        *,
        home: Path,
        schema: str,
        catalogue: Callable[[], Catalogue],
        blobs: Callable[[], BlobStore],
        index: Callable[[], ReferenceIndex],
        decoder: Callable[[], Decoder],
        models: Models,
        calibration: Callable[[], Calibration],
        tokens: Callable[[], TokenStore],
        anchors: Callable[[], Waiting | None],
        clock: Clock,
    ) -> None:
        self._home = home
        self._schema = schema
        self._open = catalogue
        self._blobs = blobs
        self._index = index
        self._decoder = decoder
        self._models = models
        self._calibration = calibration
        self._tokens = tokens
        self._anchors = anchors
        self._clock = clock
        self._opened: Catalogue | None = None
        self._deep = False
        self._repair = False

    def examine(self, *, deep: bool = False, repair: bool = False) -> Iterator[Diagnosis]:
        """One line after the other, in the order of the list above, whatever goes wrong with one of them.

        ``deep`` reads every stored byte; ``repair`` deletes files that belong to nothing.
        """
        self._deep, self._repair = deep, repair
        checks = (
            ("Home folder", self._home_writable, False),
            ("Database", self._database, False),
            ("Decoder", self._decodes, False),
            ("Weights", self._weights, False),
            ("Calibration", self._calibrated, False),
            ("Originals", self._originals, True),
            ("Kept files", self._kept, True),
            ("Descriptors", self._descriptors, True),
            ("Index", self._indexed, True),
            ("Orphan files", self._orphans, True),
            ("Deletions", self._deletions, True),
            ("Timestamps", self._timestamps, True),
            ("OpenTimestamps", self._opentimestamps, True),
        )
        for number, (title, check, needs_database) in enumerate(checks, 1):
            if needs_database and self._opened is None:
                detail = "not examined, since the database cannot be opened"
                yield Diagnosis(number=number, title=title, status="skipped", detail=detail, hint=None, error=None)
            else:
                yield _diagnosed(number, title, check)

    @property
    def _catalogue(self) -> Catalogue:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _home_writable(self) -> str:
        try:
            with tempfile.TemporaryFile(dir=self._home) as file:
                file.write(b"imgguard")
        except OSError as error:
            raise StoreUnavailable(f"{self._home} cannot be written: {error.strerror}") from error
        return str(self._home)

    def _database(self) -> str:
        counts = self._catalogue.statistics()
        return f"schema {self._schema}, {counts.get('references', 0)} references, {counts.get('findings', 0)} findings"

    def _decodes(self) -> str:
        pixels = (np.indices((48, 64)).sum(axis=0) * 2).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        image = self._decoder().decode(buffer.getvalue())
        if (image.width, image.height) != (64, 48):
            raise VerificationError(f"a picture of 64 x 48 pixels was decoded to {image.width} x {image.height}")
        return f"{image.decoder} {image.decoder_version}"

    def _weights(self) -> str:
        configured = self._models.configured()
        active = None if self._opened is None else self._opened.active_generation()
        wanted = configured.sha256 if active is None else active.weights_sha256
        self._models.reference(wanted)
        self._models.query(wanted)
        if wanted != configured.sha256:
            return f"{wanted[:12]}..., but the settings name {configured.name}: `imgguard index rebuild` changes over"
        return f"{configured.name} {wanted[:12]}..."

    def _calibrated(self) -> str:
        calibration = self._calibration()
        return f"{calibration.sha256[:12]}..., copies from a log10 likelihood ratio of {calibration.copy_threshold:g}"

    def _contents(self, status: ReferenceStatus | None = None) -> set[str]:
        """Digests of all contents that some reference uses, active or withdrawn, or only one in that ``status``."""
        every = Inspection(catalogue=self._catalogue).references(status=status)
        return {reference.sha256 for reference in every if reference.sha256 is not None}

    def _originals(self) -> str:
        wanted = self._contents()
        hint = "Restore the files from a backup, or register the originals again after removing these."
        return f"{len(wanted)} stored" + self._stored(wanted, "originals", hint)

    def _kept(self) -> str:
        wanted = set(self._catalogue.kept_queries()) - self._contents()
        hint = "Findings, licences and the log stand; check the images, add the documents or hand the feeds in again."
        what = "checked images, documents, proofs and feeds"
        return f"{len(wanted)} {what}" + self._stored(wanted, what, hint)

    def _stored(self, wanted: set[str], what: str, hint: str) -> str:
        """How much was looked at. Raises VerificationError, DigestMismatch."""
        missing = sorted(wanted - set(self._blobs().digests()))
        if missing:
            raise VerificationError(f"{len(missing)} of {len(wanted)} {what} are missing: {_some(missing)}", hint=hint)
        if self._deep and (damaged := sorted(sha256 for sha256 in wanted if not self._whole(sha256))):
            raise DigestMismatch(f"{len(damaged)} of {len(wanted)} {what} are damaged: {_some(damaged)}")
        return ", each with its digest" if self._deep else "; --deep reads them too"

    def _whole(self, sha256: str) -> bool:
        try:
            self._blobs().get(sha256)
        except (DigestMismatch, NotFound):
            return False
        return True

    def _descriptors(self) -> str:
        wanted = self._contents()
        chosen = sorted(wanted) if self._deep else list(islice(sorted(wanted), _SAMPLE))
        active = self._catalogue.active_generation()
        searchable = self._contents(ReferenceStatus.ACTIVE)  # only these are embedded anew when the weights change
        incomplete, damaged = [], []
        for sha256 in chosen:
            found = self._catalogue.descriptors(sha256, tuple(DescriptorKind))
            embedded = {descriptor.weights_sha256 for descriptor in found if descriptor.weights_sha256}
            lacks = active is not None and sha256 in searchable and active.weights_sha256 not in embedded
            if lacks or {descriptor.kind for descriptor in found} != set(DescriptorKind):
                incomplete.append(sha256)
            elif self._deep and not _readable(found):
                damaged.append(sha256)
        troubles = (("lack descriptors", incomplete), ("have damaged descriptors", damaged))
        problems = [
            f"{len(bad)} of {len(chosen)} originals {trouble}: {_some(bad)}" for trouble, bad in troubles if bad
        ]
        if problems:
            raise VerificationError("; ".join(problems), hint="Remove these references and register them again.")
        return f"complete for {len(chosen)} of {len(wanted)} originals" + (", and readable" if self._deep else "")

    def _indexed(self) -> str:
        active = self._catalogue.active_generation()
        if active is None:
            if any(True for _ in self._catalogue.references(status=ReferenceStatus.ACTIVE, limit=1)):
                raise VerificationError("there are references but no index", hint="Run `imgguard index rebuild`.")
            return "nothing is registered yet"
        index = self._index()
        index.refresh()
        wanted, damaged, lost, last = 0, 0, 0, 0
        while page := self._catalogue.searchable_embeddings(active.weights_sha256, after=last, limit=_SAMPLE):
            numbers, vectors = whole_vectors(dict(page))  # of damaged ones the descriptors' examination tells
            if self._deep or wanted == 0:
                lost += sum(not _finds(index, number, one) for number, one in zip(numbers, vectors, strict=True))
            wanted += len(page)
            damaged += len(page) - len(numbers)  # those that were damaged after they were indexed are still in it
            last = page[-1][0]
        if lost or not wanted - damaged <= len(index) <= wanted:
            raise VerificationError(
                f"the index holds {len(index)} pictures, the database {wanted}; {lost} were not found",
                hint="Run `imgguard index rebuild`.",
            )
        return f"{wanted} pictures, {active.generation_id}, weights {active.weights_sha256[:12]}..."

    def _orphans(self) -> str:
        blobs = self._blobs()
        stored = set(blobs.digests())  # before the rows are read: what is registered meanwhile is no orphan
        queries = set(self._catalogue.kept_queries())
        orphans = stored - self._contents() - queries - set(self._catalogue.pending_blob_deletions())
        deleted = self._deleted(blobs, orphans) if self._repair else set()
        if left := sorted(orphans - deleted):
            raise VerificationError(
                f"{len(left)} stored files belong to nothing: {_some(left, whole=True)}",
                hint="An interrupted registration left them. Repeating it takes them into use again; "
                "`imgguard doctor --repair` deletes those that are older than an hour.",
            )
        return f"{len(deleted)} deleted" if deleted else "none"

    def _deleted(self, blobs: BlobStore, orphans: set[str]) -> set[str]:
        """Those that are old enough, deleted; or vanished by themselves."""
        now, old, gone = self._clock.now(), set(), set()
        for sha256 in orphans:
            try:
                if now - blobs.stored_at(sha256) > _ORPHANED:
                    old.add(sha256)
            except NotFound:
                gone.add(sha256)
        # Decided by the database, under its lock: a registration of the same bytes that comes in between keeps them.
        self._catalogue.queue_blob_deletions(old, at=now)
        return gone | (old - self._catalogue.delete_blobs(blobs.delete).failed.keys())

    def _deletions(self) -> str:
        pending = self._catalogue.pending_blob_deletions()
        if pending:
            raise VerificationError(
                f"{len(pending)} files of erased or expired images wait for their deletion",
                hint="A running service deletes them within minutes; else the next `imgguard register` or `check`.",
            )
        return "none due"

    def _timestamps(self) -> str:
        waiting = self._tokens().waiting()
        if waiting.since is None:
            return "none waited for"
        since = f"{waiting.count} waited for, the oldest since {waiting.since:%Y-%m-%d %H:%M}Z"
        if self._clock.now() - waiting.since > _LONG_UNSTAMPED:
            raise TimestampAuthorityUnavailable(
                since, hint="`imgguard log publish` asks for them now, and `imgguard log show` says why there are none."
            )
        return since

    def _opentimestamps(self) -> str:
        waiting = self._anchors()
        if waiting is None:
            return "no calendar is asked"
        if waiting.since is None:
            return "none waited for"
        since = f"{waiting.count} waited for, the oldest since {waiting.since:%Y-%m-%d %H:%M}Z"
        if self._clock.now() - waiting.since > _LONG_UNATTESTED:
            raise CalendarUnavailable(
                since,
                hint="`imgguard log publish` asks the calendars now, and `imgguard log show` says what they said.",
            )
        return since


def _diagnosed(number: int, title: str, check: Callable[[], str]) -> Diagnosis:
    try:
        detail = check()
    except Exception as problem:
        error = problem if isinstance(problem, ImgguardError) else ImgguardError(f"{type(problem).__name__}: {problem}")
        if error is not problem:
            _log.error("unexpected error in the examination of: %s", title, exc_info=problem)
        return Diagnosis(
            number=number, title=title, status="problem", detail=error.detail, hint=error.advice, error=error
        )
    return Diagnosis(number=number, title=title, status="ok", detail=detail, hint=None, error=None)


def _finds(index: ReferenceIndex, number: int, vector: Vectors) -> bool:
    """Whether the search for a stored embedding finds its picture, or others that look exactly like it."""
    hits = index.search(vector[np.newaxis], 5)
    return any(hit.number == number for hit in hits) or (len(hits) == 5 and hits[-1].cosine_similarity > 0.999)


def _readable(descriptors: Sequence[Descriptor]) -> bool:
    """Whether a check could work with them."""
    try:
        reference_picture(descriptors, sha256="", pixel_digest="", width=1, height=1)
        for descriptor in descriptors:
            if descriptor.kind is DescriptorKind.EMBEDDING:
                unpack_vectors([descriptor.data])
            elif descriptor.kind is DescriptorKind.PHASH and len(descriptor.data) != _PHASH_BYTES:
                return False
    except DigestMismatch:
        return False
    return True


def _some(digests: list[str], *, whole: bool = False) -> str:
    shown = ", ".join(sha256 if whole else f"{sha256[:12]}..." for sha256 in digests[:3])
    return f"{shown} and {len(digests) - 3} more" if len(digests) > 3 else shown
