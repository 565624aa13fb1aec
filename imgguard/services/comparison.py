"""Compare two pictures with each other. Nothing is registered, nothing is stored."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from imgguard.errors import InputError
from imgguard.evidence.files import write_evidence
from imgguard.evidence.pictures import draw_evidence
from imgguard.fingerprint.describe import STORED_FOR_VERIFICATION, describe, reference_picture
from imgguard.fingerprint.fingerprint import DescriptorKind, ReferencePicture, unpack_vectors
from imgguard.imaging.image import DecodedImage, Decoder
from imgguard.index.base import Vectors
from imgguard.index.fusion import FusedHit
from imgguard.pipeline import PROFILES, Tools, examine
from imgguard.services.checking import Spread
from imgguard.services.contract import CompareLine, ErrorObject, Match, Timings
from imgguard.services.illustration import QueryScene, material_of
from imgguard.services.matches import match_of
from imgguard.services.models import Models
from imgguard.services.outcomes import error_object
from imgguard.verdict.calibration import Calibration
from imgguard.verify.examination import QueryPicture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _OnePicture:
    """An index and a library that hold a single picture, so that a comparison takes the very path of a check."""

    vector: Vectors
    picture: ReferencePicture

    def search(self, views: Vectors, limit: int) -> list[FusedHit]:  # noqa: ARG002
        cosines = (views @ self.vector.T)[:, 0]
        view = int(np.argmax(cosines))
        return [FusedHit(number=1, cosine_similarity=min(float(cosines[view]), 1.0), view=view)]

    def identical(self, sha256: str, pixel_digest: str) -> Sequence[int]:
        picture = self.picture
        return [1] if sha256 == picture.content_sha256 or pixel_digest == picture.pixel_digest else []

    def load(self, number: int) -> ReferencePicture | None:  # noqa: ARG002
        return self.picture


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """An error says which of the two files it is about."""
    try:
        yield
    except InputError as error:
        raise type(error)(f"{file}: {error.detail}", hint=error.advice) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The line; ``undrawn`` says why pictures that were wanted are missing: the line stands without them."""

    line: CompareLine
    undrawn: ErrorObject | None


class Comparer(Protocol):
    """Compares two pictures: `Comparison` does it here, another may have it done elsewhere. Thread safe."""

    def compare(self, query: bytes, reference: bytes, *, file: str, reference_file: str, profile: str) -> Compared:
        """As `Comparison.compare` does; where another process does it, raises WorkerCrashed and Overloaded too."""
        ...


class Comparison:
    """Thread safe."""

    def __init__(self, *, decoder: Decoder, models: Models, calibration: Calibration, spread: Spread = map) -> None:
        self._decoder = decoder
        self._models = models
        self._calibration = calibration
        self._spread = spread

    def compare(
        self,
        query: bytes,
        reference: bytes,
        *,
        file: str,
        reference_file: str,
        profile: str,
        evidence: Path | None = None,
    ) -> Compared:
        """What a check of ``query`` would say if ``reference`` were registered.

        Raises InputError (of either file), ConfigurationError, WeightsUnavailable.
        """
        weights_sha256 = self._models.configured().sha256
        with _naming(reference_file):
            original = self._decoder.decode(reference)
        held = self._described(original, weights_sha256)
        tools = Tools(
            decoder=self._decoder,
            embedder=self._models.query(weights_sha256),
            index=held,
            library=held,
            calibration=self._calibration,
            weights_sha256=weights_sha256,
            generation_id="",
            spread=self._spread,
        )
        with _naming(file):
            finding = examine(query, tools, replace(PROFILES[profile], gate=-1.0))
        judgement = next(iter(finding.judgements), None)
        match = None if judgement is None else match_of(judgement, None, file=reference_file)
        undrawn = None
        if match is not None and evidence is not None:
            try:
                paths = self._drawn(match, query, original, held.picture, evidence)
            except Exception as error:
                paths, undrawn = {}, error_object(error, file=file)
            match = match.model_copy(update={"evidence": paths})
        line = CompareLine(
            file=file,
            reference_file=reference_file,
            sha256=finding.query_sha256,
            reference_sha256=original.sha256,
            verdict=finding.verdict,
            reasons=list(finding.reasons),
            match=match,
            weights=weights_sha256,
            calibration=finding.calibration_sha256,
            timings_ms=Timings.model_validate(finding.timings_ms),
            error=None,
        )
        return Compared(line=line, undrawn=undrawn)

    def _described(self, original: DecodedImage, weights_sha256: str) -> _OnePicture:
        descriptors = describe(original, self._models.reference(weights_sha256))
        packed = [descriptor.data for descriptor in descriptors if descriptor.kind is DescriptorKind.EMBEDDING]
        return _OnePicture(
            vector=unpack_vectors(packed),
            picture=reference_picture(
                [descriptor for descriptor in descriptors if descriptor.kind in STORED_FOR_VERIFICATION],
                sha256=original.sha256,
                pixel_digest=original.pixel_digest,
                width=original.width,
                height=original.height,
            ),
        )

    def _drawn(
        self, match: Match, query: bytes, original: DecodedImage, picture: ReferencePicture, folder: Path
    ) -> dict[str, str]:
        """Name of a picture -> its path."""
        image = self._decoder.decode(query)
        scene = QueryScene(image=image, prepared=QueryPicture(image.working))
        pictures = draw_evidence(material_of(scene, match, picture, original.working))
        written = write_evidence(pictures, folder=folder, stem=f"{image.sha256[:12]}-{original.sha256[:12]}")
        return {name: str(path) for name, path in written.items()}
