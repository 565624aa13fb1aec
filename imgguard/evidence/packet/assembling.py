"""From what a packet is made of to its files and `packet.json`, which names them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

from imgguard.evidence.packet.contents import FindingContents, LogEvidence, PacketContents, ReferenceContents
from imgguard.evidence.packet.finding import PacketFinding
from imgguard.evidence.packet.model import EnclosedFile, Packet
from imgguard.evidence.packet.reference import Anchor, Basis, PacketReference, TimeBound, Trust
from imgguard.evidence.packet.verifier_files import verifier_files
from imgguard.evidence.packet.verifying import layout
from imgguard.evidence.packet.verifying.statement import moment_of
from imgguard.evidence.packet.weaknesses import weaknesses
from imgguard.evidence.packet.words import not_proven
from imgguard.provenance.checkpoints import parse_checkpoint, verify_cosignatures
from imgguard.provenance.leaves import parse_leaf, parse_opening
from imgguard.provenance.notes import parse_note
from imgguard.provenance.opentimestamps import parse_file
from imgguard.provenance.policy import parse_policy
from imgguard.provenance.proofs import parse_proof
from imgguard.provenance.timestamps import verify_timestamp

_SUFFIXES = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tif"),
    (b"MM\x00*", "tif"),
    (b"%PDF", "pdf"),
)


def assemble(contents: PacketContents) -> tuple[Packet, dict[str, bytes]]:
    """The packet, and its files by name but for packet.json, READMEs, reports, manifest and seal.

    Raises TimestampInvalid for a token that is not of its checkpoint, OpenTimestampsInvalid, LeafInvalid,
    InclusionProofInvalid, NoteInvalid, CheckpointInvalid and PolicyInvalid for evidence that cannot be read; pydantic's
    ValidationError for ids and texts beyond the limits of `packet.json`.
    """
    files: dict[str, bytes] = {layout.CHECKPOINT: contents.checkpoint, layout.POLICY: contents.policy}
    files |= verifier_files()
    references = tuple(
        _reference(one, layout.reference_folder(number), contents, files)
        for number, one in enumerate(contents.references, start=1)
    )
    findings = tuple(
        _finding(one, layout.finding_folder(number), files) for number, one in enumerate(contents.findings, start=1)
    )
    missing, against = weaknesses(contents, references, findings)
    packet = Packet(
        version=1,
        packet_id=contents.packet_id,
        created_at=contents.created_at.astimezone(UTC).replace(microsecond=0),
        made_by=contents.made_by,
        purpose=contents.purpose,
        on_behalf_of=contents.on_behalf_of,
        subjects=contents.subjects,
        references=references,
        findings=findings,
        missing=missing,
        against=against,
        not_proven=not_proven(),
        files=tuple(
            EnclosedFile(path=path, sha256=sha256(data).hexdigest(), bytes=len(data))
            for path, data in sorted(files.items())
        ),
    )
    return packet, files


def _reference(
    one: ReferenceContents, folder: str, contents: PacketContents, files: dict[str, bytes]
) -> PacketReference:
    _add_evidence(one.evidence, folder, files)
    attached = []
    for number, proof in enumerate(one.stated.proofs, start=1):
        data = one.attached.get(proof.sha256)
        path = _add(f"{folder}attached-{number}", data, files)
        attached.append(proof.model_copy(update={"path": path}))
    update = {
        "proofs": tuple(attached),
        "existed_no_later_than": tuple(_bounds(one.evidence, folder, contents)),
        "asset": _add(f"{folder}original", one.original, files),
        "thumbnail": _add(f"{folder}thumbnail", one.thumbnail, files),
        "record": folder + layout.RECORD,
        "opening": folder + layout.OPENING,
        "leaf": folder + layout.LEAF,
        "log_proof": folder + layout.PROOF,
        "anchor": _anchor(one.evidence, folder),
    }
    return one.stated.model_copy(update=update)


def _finding(one: FindingContents, folder: str, files: dict[str, bytes]) -> PacketFinding:
    proofs = () if one.evidence is None else _add_evidence(one.evidence, folder, files)
    if proofs and one.document is not None:
        files[folder + layout.DOCUMENT] = one.document
        proofs += (folder + layout.DOCUMENT,)
    if one.capture is not None:
        proofs += _add_evidence(one.capture, folder + layout.CAPTURE, files)
    pictures = {
        name: _enclosed(f"{folder}{name.replace('_', '-')}", data, files) for name, data in one.pictures.items()
    }
    listing = one.stated.listing.model_copy(
        update={
            "asset": _add(f"{folder}listing", one.listing, files),
            "thumbnail": _add(f"{folder}thumbnail", one.thumbnail, files),
        }
    )
    return one.stated.model_copy(update={"listing": listing, "pictures": pictures, "proofs": proofs})


def _add(stem: str, data: bytes | None, files: dict[str, bytes]) -> str | None:
    return None if data is None else _enclosed(stem, data, files)


def _enclosed(stem: str, data: bytes, files: dict[str, bytes]) -> str:
    """The name under which ``data`` is enclosed: what it is called comes from its first bytes, not from people."""
    suffix = next((suffix for head, suffix in _SUFFIXES if data.startswith(head)), "bin")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        suffix = "webp"
    path = f"{stem}.{suffix}"
    files[path] = data
    return path


def _add_evidence(evidence: LogEvidence, folder: str, files: dict[str, bytes]) -> tuple[str, ...]:
    parts = {
        layout.RECORD: parse_opening(evidence.opening).record,
        layout.OPENING: evidence.opening,
        layout.LEAF: evidence.leaf,
        layout.PROOF: evidence.proof,
        **{layout.timestamp_name(number): token for number, token in enumerate(evidence.timestamps, start=1)},
    }
    if evidence.anchor is not None:
        parts |= {layout.ANCHOR_PROOF: evidence.anchor.proof, layout.ANCHOR: evidence.anchor.file}
    files |= {folder + name: data for name, data in parts.items()}
    return tuple(folder + name for name in parts)


def _anchor(evidence: LogEvidence, folder: str) -> Anchor | None:
    """Raises OpenTimestampsInvalid for a file that is none."""
    if evidence.anchor is None:
        return None
    found = parse_file(evidence.anchor.file)
    return Anchor(
        proof=folder + layout.ANCHOR_PROOF,
        file=folder + layout.ANCHOR,
        blocks=found.heights,
        calendars=found.calendars,
    )


def _bounds(evidence: LogEvidence, folder: str, contents: PacketContents) -> Iterator[TimeBound]:
    """Who says since when the record has existed: authorities, witnesses, and the log itself. Raises as `assemble`."""
    note = parse_note(parse_proof(evidence.proof).checkpoint)
    for number, token in enumerate(evidence.timestamps, start=1):
        verified = verify_timestamp(token, note.text.encode(), trust=contents.trust)
        facts = verified.token
        yield TimeBound(
            at=facts.gen_time if facts.accuracy is None else facts.gen_time + facts.accuracy,
            by=verified.authority or facts.authority,
            trust=Trust(verified.trust_class.value),
            basis=Basis.TIMESTAMP,
            file=folder + layout.timestamp_name(number),
        )
    if contents.trust.log_policy is not None:
        policy = parse_policy(contents.trust.log_policy.encode())
        for cosignature in verify_cosignatures(note, policy.witness_keys):
            yield TimeBound(
                at=datetime.fromtimestamp(cosignature.seconds, UTC),
                by=cosignature.key.name,
                trust=Trust.INDEPENDENT,
                basis=Basis.COSIGNATURE,
                file=folder + layout.PROOF,
            )
    yield TimeBound(
        at=moment_of(parse_leaf(evidence.leaf).received_at),
        by=parse_checkpoint(note.text).origin,
        trust=Trust.SELF_ISSUED,
        basis=Basis.LOG,
        file=folder + layout.LEAF,
    )
