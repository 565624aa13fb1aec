"""The doctor: is everything there, whole, and in agreement with everything else?

1  the home folder can be written
2  the database has the schema of this version
3  the decoder decodes
4  weights are at hand, with the right digest
5  the calibration can be read
6  every original is stored (deep: and has its digest)
7  every reference has all its descriptors
8  the index holds what the database says, and finds it
9  no file is stored that nothing refers to
10 no deletion is due
"""

import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from imgguard.errors import DigestMismatch, ImgguardError, NotFound, StoreUnavailable, VerificationError
from imgguard.fingerprint.fingerprint import DescriptorKind, unpack_vectors
from imgguard.imaging.image import Decoder
from imgguard.ports import BlobStore, Catalogue, ReferenceIndex
from imgguard.registry.records import ReferenceStatus
from imgguard.services.inspection import Inspection
from imgguard.services.models import Models
from imgguard.verdict.calibration import Calibration

_SAMPLE = 1000
"""Contents whose descriptors are read, and vectors that are searched, unless the examination is deep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One line: what was examined, how it is, and what to do. ``error`` is the code of the error behind a problem."""

    number: int
    title: str
    status: Literal["ok", "problem"]
    detail: str
    hint: str | None
    error: ImgguardError | None


class Doctor:
    """``schema`` is the database's schema version, known good since the store was opened."""

    def __init__(
        self,
        *,
        home: Path,
        schema: str,
        catalogue: Catalogue,
        blobs: BlobStore,
        index: ReferenceIndex,
        decoder: Decoder,
        models: Models,
        calibration: Callable[[], Calibration],
    ) -> None:
        self._home = home
        self._schema = schema
        self._catalogue = catalogue
        self._blobs = blobs
        self._index = index
        self._decoder = decoder
        self._models = models
        self._calibration = calibration
        self._deep = False

    def examine(self, *, deep: bool = False) -> Iterator[Diagnosis]:
        """One line after the other, in the order of the list above. ``deep`` reads every stored byte."""
        self._deep = deep
        checks = (
            ("Home folder", self._home_writable),
            ("Database", self._database),
            ("Decoder", self._decodes),
            ("Weights", self._weights),
            ("Calibration", self._calibrated),
            ("Originals", self._originals),
            ("Descriptors", self._descriptors),
            ("Index", self._indexed),
            ("Orphan files", self._orphans),
            ("Deletions", self._deletions),
        )
        for number, (title, check) in enumerate(checks, 1):
            try:
                detail, error = check(), None
            except ImgguardError as problem:
                detail, error = problem.detail, problem
            yield Diagnosis(
                number=number,
                title=title,
                status="ok" if error is None else "problem",
                detail=detail,
                hint=None if error is None else error.advice,
                error=error,
            )

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
        image = self._decoder.decode(buffer.getvalue())
        if (image.width, image.height) != (64, 48):
            raise VerificationError(f"a picture of 64 x 48 pixels was decoded to {image.width} x {image.height}")
        return f"{image.decoder} {image.decoder_version}"

    def _weights(self) -> str:
        configured = self._models.configured()
        active = self._catalogue.active_generation()
        wanted = configured.sha256 if active is None else active.weights_sha256
        self._models.reference(wanted)
        self._models.query(wanted)
        if wanted != configured.sha256:
            return f"{wanted[:12]}..., but the settings name {configured.name}: `imgguard index rebuild` changes over"
        return f"{configured.name} {wanted[:12]}..."

    def _calibrated(self) -> str:
        calibration = self._calibration()
        return f"{calibration.sha256[:12]}..., copies from a log10 likelihood ratio of {calibration.copy_threshold:g}"

    def _contents(self) -> set[str]:
        """Digests of all contents that some reference uses, active or withdrawn."""
        every = Inspection(catalogue=self._catalogue).references()
        return {reference.sha256 for reference in every if reference.sha256 is not None}

    def _originals(self) -> str:
        wanted = self._contents()
        missing = sorted(wanted - set(self._blobs.digests()))
        if missing:
            raise VerificationError(
                f"{len(missing)} of {len(wanted)} originals are missing: {_some(missing)}",
                hint="Restore the files from a backup, or register the originals again after removing these.",
            )
        if self._deep and (damaged := sorted(sha256 for sha256 in wanted if not self._whole(sha256))):
            raise DigestMismatch(f"{len(damaged)} of {len(wanted)} originals are damaged: {_some(damaged)}")
        return f"{len(wanted)} stored" + (", each with its digest" if self._deep else "; --deep reads them too")

    def _whole(self, sha256: str) -> bool:
        try:
            self._blobs.get(sha256)
        except (DigestMismatch, NotFound):
            return False
        return True

    def _descriptors(self) -> str:
        wanted = self._contents()
        chosen = sorted(wanted) if self._deep else list(islice(sorted(wanted), _SAMPLE))
        active = self._catalogue.active_generation()
        incomplete = []
        for sha256 in chosen:
            found = self._catalogue.descriptors(sha256, tuple(DescriptorKind))
            kinds = {descriptor.kind for descriptor in found}
            embedded = {descriptor.weights_sha256 for descriptor in found if descriptor.weights_sha256}
            if kinds != set(DescriptorKind) or (active is not None and active.weights_sha256 not in embedded):
                incomplete.append(sha256)
        if incomplete:
            raise VerificationError(
                f"{len(incomplete)} of {len(chosen)} originals lack descriptors: {_some(incomplete)}",
                hint="Remove these references and register them again.",
            )
        return f"complete for {len(chosen)} of {len(wanted)} originals"

    def _indexed(self) -> str:
        active = self._catalogue.active_generation()
        if active is None:
            if any(True for _ in self._catalogue.references(status=ReferenceStatus.ACTIVE, limit=1)):
                raise VerificationError("there are references but no index", hint="Run `imgguard index rebuild`.")
            return "nothing is registered yet"
        self._index.refresh()
        wanted, lost, last = 0, 0, 0
        while page := self._catalogue.searchable_embeddings(active.weights_sha256, after=last, limit=_SAMPLE):
            if self._deep or wanted == 0:
                lost += sum(not self._finds(number, packed) for number, packed in page)
            wanted += len(page)
            last = page[-1][0]
        if lost or wanted != len(self._index):
            raise VerificationError(
                f"the index holds {len(self._index)} pictures, the database {wanted}; {lost} were not found",
                hint="Run `imgguard index rebuild`.",
            )
        return f"{wanted} pictures, {active.generation_id}, weights {active.weights_sha256[:12]}..."

    def _finds(self, number: int, packed: bytes) -> bool:
        """Whether the search for a stored embedding finds its picture, or others that look exactly like it."""
        hits = self._index.search(unpack_vectors([packed]), 5)
        return any(hit.number == number for hit in hits) or (len(hits) == 5 and hits[-1].cosine_similarity > 0.999)

    def _orphans(self) -> str:
        """The store counts queries without naming them, so only a surplus over all of them is certain to be orphans."""
        unused = set(self._blobs.digests()) - self._contents() - set(self._catalogue.pending_blob_deletions())
        queries = self._catalogue.statistics().get("queries", 0)
        if (surplus := len(unused) - queries) > 0:
            raise VerificationError(
                f"at least {surplus} stored files belong to nothing",
                hint="An interrupted registration left them. Repeating it takes them into use again.",
            )
        return f"none; {len(unused)} files of checked images are kept for their retention time"

    def _deletions(self) -> str:
        pending = self._catalogue.pending_blob_deletions()
        if pending:
            raise VerificationError(
                f"{len(pending)} files of erased or expired images wait for their deletion",
                hint="The next `imgguard register` or `imgguard check` deletes them.",
            )
        return "none due"


def _some(digests: list[str]) -> str:
    shown = ", ".join(f"{sha256[:12]}..." for sha256 in digests[:3])
    return f"{shown} and {len(digests) - 3} more" if len(digests) > 3 else shown
