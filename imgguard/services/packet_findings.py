"""A finding as a packet has it: one match of it, how the use stands, and the evidence drawn again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from imgguard.errors import InvalidTransition, NotFound
from imgguard.evidence.packet.contents import FindingContents, LogEvidence
from imgguard.evidence.packet.finding import (
    DecisionOfPeople,
    Figures,
    LicenceState,
    Listing,
    PacketFinding,
    Regions,
)
from imgguard.fingerprint.describe import reduced
from imgguard.ports import BlobStore, Catalogue, CheckStore, Clock, MadeCheck, Rights
from imgguard.provenance.leaves import parse_opening
from imgguard.provenance.records import Kind, parse_record
from imgguard.registry.access import Actor
from imgguard.registry.decisions import Decision, in_force
from imgguard.registry.records import ReferenceStatus
from imgguard.services import findings
from imgguard.services.check_views import CheckViews
from imgguard.services.contract import Match, Point
from imgguard.services.findings import FindingDocument
from imgguard.services.illustration import Illustrator
from imgguard.services.library import CatalogueLibrary
from imgguard.services.packet_references import THUMBNAIL_SIDE, log_evidence
from imgguard.services.packet_subjects import names_others, own_matches, require_check
from imgguard.services.pictures import drawing, jpeg
from imgguard.services.standing_record import StandingRecord
from imgguard.services.transparency import Transparency
from imgguard.services.views import LicenceView, licence_view


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenMatch:
    """A check, and the match that the packet is about; None where nothing was found. ``viewer``: for whose eyes; None
    is the console. ``names_others``: the document names references that are not the viewer's to name."""

    made: MadeCheck
    document: FindingDocument = field(repr=False)
    match: Match | None
    viewer: Actor | None = None
    names_others: bool = False

    @property
    def reference_id(self) -> str | None:
        return None if self.match is None else self.match.reference_id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    thumbnail: bytes | None = field(default=None, repr=False)
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class PacketFindings:
    """Reads only. Thread safe."""

    def __init__(
        self,
        *,
        checks: CheckStore,
        catalogue: Catalogue,
        rights: Rights,
        blobs: BlobStore,
        illustrator: Illustrator,
        library: CatalogueLibrary,
        transparency: Transparency,
        clock: Clock,
        views: CheckViews,
    ) -> None:
        self._checks = checks
        self._views = views
        self._catalogue = catalogue
        self._rights = rights
        self._blobs = blobs
        self._illustrator = illustrator
        self._library = library
        self._transparency = transparency
        self._clock = clock

    def chosen(self, finding_id: str, *, asked: Collection[str] = (), viewer: Actor | None = None) -> ChosenMatch:
        """The best match that has the finding's verdict, one of the references ``asked`` for before others. One match
        alone: other owners' pictures, however alike, are nothing to hand on unasked. For a ``viewer`` it is the best
        with a reference of its own organisation, whatever the check found beside it.

        Raises NotFound, DigestMismatch, InvalidTransition when all such matches are erased; for a ``viewer`` also
        PermissionDenied, and InputError when all matches are with references of others.
        """
        made = self._checks.check(finding_id)
        if viewer is not None:
            require_check(viewer, made)
        document = findings.read(made.finding)
        names = False
        if viewer is None:
            matches: Sequence[Match] = [match for match in document.matches if match.verdict == document.verdict]
        else:
            originals = self._checks.originals({match.reference_id or "" for match in document.matches})
            matches = own_matches(viewer, document.matches, originals)
            names = names_others(viewer, document.matches, originals)
        left = [match for match in matches if self._is_left(match.reference_id)]
        if matches and not left:
            raise InvalidTransition(
                f"what {finding_id} matches is erased",
                hint="The log still has the leaf of the finding: `imgguard log proof` gives the proof of that.",
            )
        named = [match for match in left if match.reference_id in asked]
        return ChosenMatch(
            made=made, document=document, match=next(iter(named or left), None), viewer=viewer, names_others=names
        )

    def _is_left(self, reference_id: str | None) -> bool:
        try:
            return self._catalogue.reference(reference_id or "").status is not ReferenceStatus.ERASED
        except NotFound:
            return False

    def gathered(self, chosen: ChosenMatch) -> FindingContents:
        """With the listing picture and the drawings, as long as that picture is kept. The record is left out where
        the document, whose digest it has, names others' references. Raises DigestMismatch."""
        made, listing = chosen.made, self._listing(chosen.made)
        drawn = _Drawn() if listing is None else self._drawn(chosen, listing)
        evidence = None if chosen.names_others else self._evidence(made.finding.finding_id, Kind.FINDING)
        capture = self._evidence(made.finding.finding_id, Kind.CAPTURE)
        return FindingContents(
            stated=self._stated(chosen, capture),
            evidence=evidence,
            capture=capture,
            document=None if evidence is None else made.finding.document.encode(),
            listing=listing,
            thumbnail=drawn.thumbnail,
            pictures=drawn.pictures,
            names_others=chosen.names_others,
        )

    def _evidence(self, finding_id: str, kind: Kind) -> LogEvidence | None:
        """None for a check from before there was a log, and for the capture of a picture that was not fetched."""
        try:
            return log_evidence(self._transparency.proof_of(finding_id, kind))
        except NotFound:
            return None

    def _listing(self, made: MadeCheck) -> bytes | None:
        if made.kept_until is None or made.kept_until <= self._clock.now():
            return None
        try:
            return self._blobs.get(made.finding.query_sha256)
        except NotFound:
            return None

    def _drawn(self, chosen: ChosenMatch, listing: bytes) -> _Drawn:
        scene = self._illustrator.query(listing)
        thumbnail = jpeg(reduced(scene.image.working, THUMBNAIL_SIDE))
        if chosen.match is None or chosen.reference_id is None:
            return _Drawn(thumbnail=thumbnail)
        reference = self._catalogue.reference(chosen.reference_id)
        picture = self._library.picture(self._catalogue.content(reference.sha256 or ""))
        if picture is None:
            return _Drawn(thumbnail=thumbnail)
        pictures = self._illustrator.draw(scene, chosen.match, picture).pictures
        return _Drawn(thumbnail=thumbnail, pictures={name: drawing(pixels) for name, pixels in pictures.items()})

    def _stated(self, chosen: ChosenMatch, capture: LogEvidence | None) -> PacketFinding:
        made, document, match = chosen.made, chosen.document, chosen.match
        url, fetched_at = (None, None) if capture is None else _fetched(capture)
        licence, decision = self._stood(chosen) if chosen.viewer is None else self._seen(chosen, chosen.viewer)
        return PacketFinding(
            finding_id=made.finding.finding_id,
            checked_at=made.finding.created_at.astimezone(UTC),
            listing=Listing(
                file_name=document.file,
                url=url,
                fetched_at=fetched_at,
                sha256=made.finding.query_sha256,
                width=document.width or 1,
                height=document.height or 1,
                asset=None,
                thumbnail=None,
            ),
            verdict=document.verdict if match is None else match.verdict,
            relation=None if match is None else match.relation,
            reference_id=chosen.reference_id,
            edits=() if match is None else tuple(match.edits),
            strength=None if match is None else match.strength,
            reasons=tuple(document.reasons if match is None else match.reasons),
            figures=_figures(match),
            regions=_regions(match),
            licence=licence,
            decision=decision,
            pictures={},
            proofs=(),
        )

    def _stood(self, chosen: ChosenMatch) -> tuple[LicenceState | None, DecisionOfPeople | None]:
        stored = chosen.made.standings.get(chosen.reference_id or "")
        licence = None if stored is None else StandingRecord.model_validate_json(stored).licence
        return _licence(licence), self._decision(chosen)

    def _seen(self, chosen: ChosenMatch, viewer: Actor) -> tuple[LicenceState | None, DecisionOfPeople | None]:
        """As the viewer is shown the check: without the note of whoever decided."""
        for seen in self._views.seen(viewer, chosen.made):
            if seen.match.reference_id == chosen.reference_id:
                decided = seen.standing.decision
                decision = None if decided is None else _decision_of_people(decided, note="")
                return _licence(licence_view(seen.standing.licence)), decision
        return None, None

    def _decision(self, chosen: ChosenMatch) -> DecisionOfPeople | None:
        """The one in force now: decisions are made about findings, and so after them."""
        if chosen.reference_id is None:
            return None
        decided = self._rights.decisions_about(
            [chosen.reference_id],
            query_sha256=chosen.made.finding.query_sha256,
            query_pixel_digest=chosen.document.query_pixel_digest,
        )
        found = in_force(decided.get(chosen.reference_id, ()))
        return None if found is None else _decision_of_people(found, note=found.note)


def _fetched(capture: LogEvidence) -> tuple[str, datetime]:
    """From where and when, as the record in the log says."""
    body = parse_record(parse_opening(capture.opening).record).body
    return body["facts"]["url"], datetime.fromisoformat(body["occurred_at"])


def _decision_of_people(found: Decision, *, note: str) -> DecisionOfPeople:
    return DecisionOfPeople(kind=found.kind, by=found.by, decided_at=_utc(found.decided_at), note=note)


def _licence(licence: LicenceView | None) -> LicenceState | None:
    """As it stood when the check was made. Nobody asked for a check that was made at the console."""
    if licence is None:
        return None
    ends_at = None if licence.ends_at is None else _utc(licence.ends_at)
    return LicenceState(status=licence.status, because=tuple(licence.because), ends_at=ends_at)


def _figures(match: Match | None) -> Figures:
    return Figures() if match is None else Figures(**{name: getattr(match, name) for name in Figures.model_fields})


def _regions(match: Match | None) -> Regions | None:
    if match is None or match.query_region is None or match.reference_region is None:
        return None
    return Regions(listing=_corners(match.query_region), reference=_corners(match.reference_region))


def _corners(region: Sequence[Point]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in region)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
