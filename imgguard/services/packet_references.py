"""A reference as a packet has it: what its record in the log says, and what is kept of it beside that."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from imgguard.errors import InvalidTransition, NotFound
from imgguard.evidence.packet.contents import AnchorEvidence, LogEvidence, ReferenceContents
from imgguard.evidence.packet.reference import (
    ClaimedDate,
    Claims,
    ContentCredentials,
    DeclaredTime,
    Metadata,
    OriginalFile,
    OriginalPixels,
    PacketReference,
    Proof,
)
from imgguard.fingerprint.describe import reduced
from imgguard.ports import BlobStore, Catalogue, ClaimStore, FiledReference, Works
from imgguard.provenance.leaves import parse_opening
from imgguard.provenance.records import Kind, parse_record
from imgguard.registry.access import Actor
from imgguard.registry.records import Content, Reference, ReferenceStatus
from imgguard.services.credentials import credentials_of
from imgguard.services.library import CatalogueLibrary
from imgguard.services.packet_subjects import require_reference
from imgguard.services.pictures import jpeg
from imgguard.services.transparency import LogProof, Transparency

THUMBNAIL_SIDE = 512
"""Pixels: the longest side of the small pictures in packets."""

_MOST_TOKENS = 99


def log_evidence(proof: LogProof) -> LogEvidence:
    """Of a record that can still be opened. Of each chain of tokens the first: the others stamp that one, and not the
    checkpoint. Raises InvalidTransition once what opens it is erased."""
    if proof.opening is None:
        raise InvalidTransition(
            f"what opens the leaf about {proof.leaf.object_id} is erased", hint="Leave it out of the packet."
        )
    stamps = [stamp.token for first, *_ in proof.tokens if (stamp := first.stamp) is not None]
    return LogEvidence(
        opening=proof.opening.to_bytes(),
        leaf=proof.leaf.leaf,
        proof=proof.proof,
        timestamps=tuple(stamps[:_MOST_TOKENS]),
        anchor=None if proof.anchor is None else AnchorEvidence(proof=proof.anchor.proof, file=proof.anchor.file),
    )


class PacketReferences:
    """Reads only. Thread safe."""

    def __init__(
        self,
        *,
        works: Works,
        catalogue: Catalogue,
        claims: ClaimStore,
        blobs: BlobStore,
        library: CatalogueLibrary,
        transparency: Transparency,
    ) -> None:
        self._works = works
        self._catalogue = catalogue
        self._claims = claims
        self._blobs = blobs
        self._library = library
        self._transparency = transparency

    def gathered(self, reference_id: str, *, with_original: bool, viewer: Actor | None = None) -> ReferenceContents:
        """What is claimed, and the proofs, are those of the registration's record: what was stated or attached later
        has leaves of its own, and is only told to exist. ``viewer``: whose it has to be; None is the console.

        Raises NotFound, InvalidTransition when it is erased, DigestMismatch when what is kept of it is damaged;
        PermissionDenied when the ``viewer`` may not read references.
        """
        filed = self._works.filed(reference_id)
        if viewer is not None:
            require_reference(viewer, filed.reference)
        content = filed.content
        if content is None or filed.reference.status is ReferenceStatus.ERASED:
            raise InvalidTransition(
                f"{reference_id} is erased, and nothing is left of it to be shown",
                hint="The log still has its leaf: `imgguard log proof` gives the proof of that.",
            )
        evidence = log_evidence(self._transparency.proof_of(reference_id, Kind.REGISTRATION))
        picture = self._library.picture(content)
        return ReferenceContents(
            stated=_stated(filed, content, evidence),
            evidence=evidence,
            original=self._original(content) if with_original else None,
            thumbnail=None if picture is None else jpeg(reduced(picture.working, THUMBNAIL_SIDE)),
            earlier_elsewhere=self._is_earlier_elsewhere(filed.reference, content),
            stated_later=self._is_stated_later(reference_id),
        )

    def _original(self, content: Content) -> bytes | None:
        try:
            return self._blobs.get(content.sha256)
        except NotFound:
            return None

    def _is_earlier_elsewhere(self, reference: Reference, content: Content) -> bool:
        """Whether another owner has an older active reference of these bytes or these pixels."""
        for number in self._catalogue.identical_contents(content.sha256, content.pixel_digest):
            same = self._catalogue.content_numbered(number)
            others = () if same is None else self._catalogue.references_of(same.sha256)
            for other in others:
                if other.owner_id != reference.owner_id and other.registered_at < reference.registered_at:
                    return True
        return False

    def _is_stated_later(self, reference_id: str) -> bool:
        later = any(not one.at_registration for one in self._claims.statements(reference_id))
        return later or bool(self._claims.proofs(reference_id))


def _stated(filed: FiledReference, content: Content, evidence: LogEvidence) -> PacketReference:
    reference, body = filed.reference, parse_record(parse_opening(evidence.opening).record).body
    file, metadata = body["file"], body["metadata"]
    return PacketReference(
        reference_id=reference.reference_id,
        title=filed.title or "",
        registered_by=body["claimant"]["name"],
        registered_at=reference.registered_at.astimezone(UTC),
        status=reference.status,
        file=OriginalFile(
            name=metadata.get("file_name") or reference.file or "",
            sha256=file["sha256"],
            bytes=file["bytes"],
            media_type=file["format"],
        ),
        pixels=OriginalPixels(**body["pixels"]),
        claims=_claims(body["claims"]),
        metadata=Metadata(
            times=tuple(
                DeclaredTime(source=one["source"], value=one["value"], offset=one.get("offset"))
                for one in metadata.get("declared_times", ())
            ),
            content_credentials=_credentials(content),
        ),
        proofs=tuple(Proof(**one, path=None) for one in body["proofs"]),
        existed_no_later_than=(),
        asset=None,
        thumbnail=None,
        record=None,
        opening=None,
        leaf=None,
        log_proof=None,
    )


def _claims(claimed: Mapping[str, Any]) -> Claims:
    return Claims(
        dates=tuple(ClaimedDate(event=date["what"], value=date["at"]) for date in claimed.get("dates", ())),
        places=tuple(claimed.get("places", ())),
        urls=tuple(claimed.get("urls", ())),
        statement=claimed.get("statement"),
    )


def _credentials(content: Content) -> ContentCredentials | None:
    found = credentials_of(content.credentials)
    if found is None:
        return None
    signer = found.signer
    return ContentCredentials(
        state=found.state.value,
        signer=None if signer is None else signer.common_name or signer.organisation,
        device=found.device,
        actions=tuple(action.code for action in found.actions),
    )
