"""Check a picture against everything registered, and keep the finding."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from imgguard.errors import ImgguardError, IndexUnavailable
from imgguard.imaging.credentials import CredentialsReader
from imgguard.imaging.image import Decoder
from imgguard.pipeline import PROFILES, Profile, Tools, examine
from imgguard.ports import BlobStore, Catalogue, Clock, Generation, NewCheck, ReferenceIndex, StoredFinding
from imgguard.registry.ids import new_id
from imgguard.registry.records import Reference
from imgguard.services import findings, sources
from imgguard.services.contract import CheckLine, ErrorObject, Timings
from imgguard.services.credentials import credentials_in
from imgguard.services.generations import current
from imgguard.services.illustration import Illustration, Illustrator, illustrate
from imgguard.services.library import CatalogueLibrary, TolerantLibrary
from imgguard.services.matches import expanded, match_of
from imgguard.services.models import Models
from imgguard.services.outcomes import ends_run, error_object
from imgguard.services.sources import Source
from imgguard.verdict.calibration import Calibration
from imgguard.verdict.finding import Finding, Judgement, Verdict
from imgguard.verdict.policy import conclude

type Spread = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]
"""Maps a function over a sequence, in order, perhaps on several threads."""

_SWAPS = 5  # index generations that may be swapped during one check before it is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How to check: the profile's name, and a folder for pictures or None.

    ``illustrated`` is asked of each line whether the caller wants to have its pictures; it may be called from several
    threads. ``candidates`` bounds how many candidates are examined; None leaves that to the profile.
    """

    profile: str
    evidence: Path | None = None
    illustrated: Callable[[CheckLine], bool] | None = None
    candidates: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One input's line; the pictures of its best match, if wanted; the error that ends the run, if any.

    ``undrawn`` says why pictures that were wanted could not be drawn or written: the finding stands without them.
    """

    line: CheckLine
    checked_at: datetime
    illustration: Illustration | None = None
    undrawn: ErrorObject | None = None
    fatal: ImgguardError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A check as it is about to be stored, for whoever has to say how its matches stand. ``references`` are those of
    the matches, in their order."""

    finding_id: str
    verdict: Verdict
    query_sha256: str
    query_pixel_digest: str
    references: tuple[Reference, ...]
    at: datetime


type Asked = Callable[[Made], NewCheck]
"""Who asked, and what for: called before the transaction, and stored in it."""


def _profile(request: Request) -> Profile:
    """The named profile; `quick` never examines more candidates than it is made for."""
    profile = PROFILES[request.profile]
    if request.candidates is None:
        return profile
    most = request.candidates if profile.thorough_views else min(request.candidates, profile.candidates)
    return replace(profile, candidates=most)


def failed(source: Source, error: Exception, *, sha256: str | None) -> CheckLine:
    """The line of an input that could not be checked."""
    return CheckLine(
        file=source.file,
        finding_id=None,
        sha256=sha256,
        width=None,
        height=None,
        content_credentials=None,
        verdict=Verdict.ERROR,
        reasons=[],
        matches=[],
        weights=None,
        calibration=None,
        timings_ms=None,
        error=error_object(error, file=source.file),
    )


class Checking:
    """Thread safe."""

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
        retention: timedelta,
        max_bytes: int,
        spread: Spread = map,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._index = index
        self._decoder = decoder
        self._credentials = credentials
        self._models = models
        self._calibration = calibration
        self._clock = clock
        self._retention = retention
        self._max_bytes = max_bytes
        self._spread = spread
        self._library = CatalogueLibrary(catalogue)
        self._illustrator = Illustrator(blobs=blobs, decoder=decoder)

    def line(self, source: Source, request: Request) -> Checked:
        """Check one file. Never raises for what is wrong with this file: then the verdict is `error`."""
        sha256 = None
        try:
            data = sources.read(source, max_bytes=self._max_bytes)
            sha256 = hashlib.sha256(data).hexdigest()
            return self.check(data, request, file=source.file)
        except Exception as error:
            fatal = error if isinstance(error, ImgguardError) and ends_run(error) else None
            return Checked(line=failed(source, error, sha256=sha256), checked_at=self._clock.now(), fatal=fatal)

    def check(self, data: bytes, request: Request, *, file: str, asked: Asked | None = None) -> Checked:
        """Check these bytes and store the finding, with who ``asked`` for it (None: the console).

        Candidates whose stored descriptors are damaged are passed over; then the reasons say so. Raises
        ConfigurationError, InputError, DependencyError.
        """
        library = TolerantLibrary(self._library)
        finding = self._examine(data, request, library)
        pairs = list(expanded(finding.judgements, self._catalogue))
        # Again, for a reference may have been withdrawn since the search: what is concluded rests on what is listed.
        verdict, reasons = conclude([judgement for judgement, _ in pairs], unread=len(library.damaged))
        line = CheckLine(
            file=file,
            finding_id=new_id("fnd"),
            sha256=finding.query_sha256,
            width=finding.width,
            height=finding.height,
            content_credentials=credentials_in(data, finding.declared_times, self._credentials),
            verdict=verdict,
            reasons=list(reasons),
            matches=[match_of(judgement, reference) for judgement, reference in pairs],
            weights=finding.weights_sha256,
            calibration=finding.calibration_sha256,
            timings_ms=Timings.model_validate(finding.timings_ms),
            error=None,
        )
        created_at = self._store(line, finding, pairs, data, asked)
        return self._illustrated(Checked(line=line, checked_at=created_at), data, request)

    def _illustrated(self, checked: Checked, data: bytes, request: Request) -> Checked:
        """The same with its pictures. It is stored by now: an error here is told, and changes nothing of that."""
        line = checked.line
        is_wanted = request.illustrated is not None and request.illustrated(line)
        if request.evidence is None and not is_wanted:
            return checked
        try:
            drawn = illustrate(line, data, self._illustrator, self._catalogue, self._library, folder=request.evidence)
        except Exception as error:
            evidence = None if request.evidence is None else dict[str, str]()
            matches = [match.model_copy(update={"evidence": evidence}) for match in line.matches]
            undrawn = error_object(error, file=line.file)
            return replace(checked, line=line.model_copy(update={"matches": matches}), undrawn=undrawn)
        return replace(checked, line=drawn.line, illustration=drawn.illustration if is_wanted else None)

    def _examine(self, data: bytes, request: Request, library: TolerantLibrary) -> Finding:
        profile = _profile(request)
        for _ in range(_SWAPS):
            generation = current(self._index, self._catalogue, self._models, self._clock)
            tools = Tools(
                decoder=self._decoder,
                embedder=self._models.query(generation.weights_sha256),
                index=self._index,
                library=library,
                calibration=self._calibration,
                weights_sha256=generation.weights_sha256,
                generation_id=generation.generation_id,
                spread=self._spread,
            )
            try:
                finding = examine(data, tools, profile)
            except IndexUnavailable:
                if self._searched_in(generation):
                    raise
            else:
                if self._searched_in(generation):
                    return finding
            # Another process activated a generation in between: these vectors were searched in a foreign space, which
            # may even have another dimension.
            library.damaged.clear()
        raise ImgguardError("the index generation changes faster than a picture can be checked")

    def _searched_in(self, generation: Generation) -> bool:
        searched = self._index.generation
        return searched is None or searched.generation_id == generation.generation_id

    def _store(
        self,
        line: CheckLine,
        finding: Finding,
        pairs: Sequence[tuple[Judgement, Reference]],
        data: bytes,
        asked: Asked | None,
    ) -> datetime:
        """Keep the finding; returns when it was made."""
        matches = [
            findings.stored_match(match, judgement.features)
            for match, (judgement, _) in zip(line.matches, pairs, strict=True)
        ]
        now = self._clock.now()
        made = Made(
            finding_id=line.finding_id or "",
            verdict=line.verdict,
            query_sha256=finding.query_sha256,
            query_pixel_digest=finding.query_pixel_digest,
            references=tuple(reference for _, reference in pairs),
            at=now,
        )
        check = None if asked is None else asked(made)
        keep = self._retention > timedelta(0)
        if keep:
            self._blobs.put(data)
        self._catalogue.add_finding(
            StoredFinding(
                finding_id=made.finding_id,
                created_at=now,
                file=line.file,
                query_sha256=finding.query_sha256,
                document=findings.document_of(
                    line,
                    matches,
                    profile=finding.profile,
                    generation_id=finding.generation_id,
                    query_weights=finding.query_weights_sha256,
                    query_pixel_digest=finding.query_pixel_digest,
                ),
            ),
            query_expires_at=now + self._retention if keep else None,
            store_blob=lambda: self._blobs.put(data),
            check=check,
        )
        return now
