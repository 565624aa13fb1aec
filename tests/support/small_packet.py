"""Evidence packets for tests of the verifier, made by hand: complete, and small.

`SmallPacket` is what an honest builder would have; its fields are changed, and sealed again, to make hostile ones.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from small_log import CLAIMANT, LOG, ONE, ORIGIN, RECEIVED_AT, SECONDS, TWO, subtree_of

from imgguard.evidence.packet.archive import sealed
from imgguard.evidence.packet.seal_keys import SealKey
from imgguard.evidence.packet.verifying.packets import verify_packet
from imgguard.evidence.packet.verifying.steps import Level, Result, Step, VerificationReport
from imgguard.provenance import merkle
from imgguard.provenance.authority import EmbeddedAuthority
from imgguard.provenance.canonical import to_canonical
from imgguard.provenance.checkpoints import Checkpoint, cosign, sign_checkpoint
from imgguard.provenance.leaves import Opening, commitment, leaf_of, signed_by
from imgguard.provenance.notes import Signer
from imgguard.provenance.proofs import Proof
from imgguard.provenance.records import ClaimantFacts, Claims, FileFacts, PixelFacts, Record, registration_record
from imgguard.provenance.timestamps import Digest, read_response, request_for
from imgguard.provenance.trust import Trust, read_trust

MADE_AT = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
STAMPED_AT = datetime(2026, 3, 1, 12, 2, 0, tzinfo=UTC)
SEAL = SealKey.new("log.example.org/imgguard", at=datetime(2026, 1, 1, tzinfo=UTC))
STRANGER = SealKey.new("log.example.org/imgguard", at=datetime(2026, 1, 1, tzinfo=UTC))
AUTHORITY = EmbeddedAuthority.new(at=datetime(2026, 1, 1, tzinfo=UTC))
OTHER_AUTHORITY = EmbeddedAuthority.new(at=datetime(2026, 1, 1, tzinfo=UTC))


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def original(number: int) -> bytes:
    return f"the bytes of original {number}".encode()


def record(number: int) -> Record:
    data = original(number)
    return registration_record(
        f"ref_{number}",
        file=FileFacts(sha256=digest(data), byte_length=len(data), format="image/jpeg"),
        pixels=PixelFacts(sha256=digest(b"pixels" + data), width=4000, height=3000, decoder="pillow 13.0.0"),
        claimant=ClaimantFacts(name="Ada Studio", public_key=CLAIMANT.public_key().public_bytes_raw()),
        claims=Claims(dates=[("taken", "2026-02-27")], statement="Taken in our studio."),
    )


def opening(number: int) -> Opening:
    data, salt = record(number).to_bytes(), sha256(f"salt {number}".encode()).digest()
    claimant = signed_by(CLAIMANT, commitment(data, salt), salt=sha256(f"claimant {number}".encode()).digest())
    return Opening(salt=salt, record=data, claimant=claimant)


def leaves(count: int) -> list[bytes]:
    """Of the log: those of the references first, then others, so that there is a path."""
    return [leaf_of(opening(number), received_at=RECEIVED_AT) for number in range(1, count + 1)] + [b"x", b"y", b"z"]


def note_of(entries: list[bytes], *witnesses: Signer, log: Signer = LOG, seconds: int = SECONDS) -> bytes:
    root = merkle.root_of(map(merkle.leaf_hash, entries))
    note = sign_checkpoint(Checkpoint(log.key.name, len(entries), root), log)
    for witness in witnesses:
        note = cosign(note, witness, seconds=seconds)
    return note


def proof_of(entries: list[bytes], index: int, note: bytes) -> bytes:
    hashes = [merkle.leaf_hash(entry) for entry in entries]
    path = merkle.inclusion_proof(index, len(hashes), subtree_of(hashes))
    return Proof(index=index, path=path, checkpoint=note).to_bytes()


def token_of(note: bytes, *, by: EmbeddedAuthority = AUTHORITY, at: datetime = STAMPED_AT) -> bytes:
    """A timestamp of the text of ``note``."""
    text = note.decode().partition("\n\n")[0].encode() + b"\n"
    request = request_for(Digest.of(text), nonce=7)
    return read_response(by.issue(request, at=at), request)


def trust(**changes: Any) -> Trust:
    """What `trust_text` writes."""
    return read_trust(trust_text(**changes))


def trust_text(
    *,
    authority: EmbeddedAuthority | None = AUTHORITY,
    trust_class: str = "independent",
    seal: SealKey | None = SEAL,
    log: Signer | None = LOG,
    quorum: str = "both",
) -> str:
    """A trust file that believes one of each; None leaves that out."""
    text = ""
    if authority is not None:
        pem = authority.root.public_bytes(Encoding.PEM).decode()
        text += f'[[authority]]\nname = "Example Time"\nclass = "{trust_class}"\ncertificate = """\n{pem}"""\n'
    if seal is not None:
        text += f'[[seal]]\nname = "Example Operator"\ncertificate = """\n{seal.to_pem()[0].decode()}"""\n'
    if log is not None:
        text += (
            f'[log]\npolicy = """\nlog {log.key.text}\nwitness one {ONE.key.text}\nwitness two {TWO.key.text}\n'
            f'group both all one two\nquorum {quorum}\n"""\n'
        )
    return text


def bound(number: int, **changes: Any) -> dict[str, Any]:
    stated = {
        "at": (STAMPED_AT + timedelta(seconds=1)).isoformat().replace("+00:00", "Z"),
        "by": "Example Time",
        "trust": "independent",
        "basis": "timestamp",
        "file": f"references/{number}/timestamp-1.tsr",
    }
    return stated | changes


def reference(number: int, *, is_stamped: bool = True) -> dict[str, Any]:
    data, folder, body = original(number), f"references/{number}/", record(number).body
    return {
        "reference_id": f"ref_{number}",
        "title": "Jacket",
        "registered_by": "Ada Studio",
        "file": {"name": "jacket.jpg", "sha256": digest(data), "bytes": len(data), "media_type": "image/jpeg"},
        "pixels": dict(body["pixels"]),
        "claims": {
            "dates": [{"event": "taken", "value": "2026-02-27"}],
            "places": [],
            "urls": [],
            "statement": "Taken in our studio.",
        },
        "metadata": {"times": []},
        "proofs": [],
        "existed_no_later_than": [bound(number)] if is_stamped else [],
        "asset": f"{folder}original.jpg",
        "thumbnail": None,
        "record": f"{folder}record.json",
        "opening": f"{folder}opening.json",
        "leaf": f"{folder}leaf.json",
        "log_proof": f"{folder}inclusion.tlog-proof",
    }


@dataclass
class SmallPacket:
    """``files`` without packet.json, manifest and seal, and ``statement``, of which packet.json is made."""

    statement: dict[str, Any]
    files: dict[str, bytes]
    seal: SealKey = field(default=SEAL)

    def listed(self) -> dict[str, Any]:
        """The statement with the list of files as it must be."""
        unlisted = ("README.en.txt", "README.zh.txt", "report.en.pdf", "report.zh.pdf", "packet.json")
        listed = [
            {"path": name, "sha256": digest(data), "bytes": len(data)}
            for name, data in sorted(self.files.items())
            if name not in unlisted
        ]
        return {**self.statement, "files": listed}

    def to_bytes(self, *, statement: bytes | None = None) -> bytes:
        """Sealed; ``statement`` is the text of packet.json, if it is to be another."""
        data = to_canonical(self.listed()) if statement is None else statement
        return sealed({**self.files, "packet.json": data}, seal=self.seal, at=MADE_AT)

    def one(self, number: int = 1) -> dict[str, Any]:
        """What the statement says of a reference."""
        found: dict[str, Any] = self.statement["references"][number - 1]
        return found


def small_packet(
    references: int = 1, *, witnesses: tuple[Signer, ...] = (ONE, TWO), is_stamped: bool = True, log: Signer = LOG
) -> SmallPacket:
    """Honest, and good for every level."""
    entries = leaves(references)
    note = note_of(entries, *witnesses, log=log)
    files = dict.fromkeys(("README.en.txt", "README.zh.txt", "report.en.pdf", "report.zh.pdf"), b"-")
    files |= {"log/checkpoint": note, "log/policy.txt": f"log {log.key.text}\nquorum none\n".encode()}
    for number in range(1, references + 1):
        folder, opened = f"references/{number}/", opening(number)
        files |= {
            f"{folder}record.json": opened.record,
            f"{folder}opening.json": opened.to_bytes(),
            f"{folder}leaf.json": entries[number - 1],
            f"{folder}inclusion.tlog-proof": proof_of(entries, number - 1, note),
            f"{folder}original.jpg": original(number),
        }
        if is_stamped:
            files[f"{folder}timestamp-1.tsr"] = token_of(note)
    statement = {
        "version": 1,
        "packet_id": "pkt_1",
        "created_at": "2026-11-22T10:00:00Z",
        "references": [reference(number, is_stamped=is_stamped) for number in range(1, references + 1)],
        "findings": [],
    }
    return SmallPacket(statement, files)


def failed_step(report: VerificationReport) -> Step | None:
    """The step that failed, of which there is at most one."""
    failed = [step for step in report.steps if step.result is Result.FAILED]
    assert len(failed) <= 1
    return failed[0] if failed else None


def refusal(data: bytes, *, by: Trust | None = None) -> tuple[int, str | None, str | None] | None:
    """Number, reason and file of the step that fails; None when none does. No level may hold after that."""
    report = verify_packet(data, trust=trust() if by is None else by, level=Level.INTEGRITY)
    step = failed_step(report)
    if step is None:
        return None
    assert not report.holds
    assert report.proven == ()
    return step.number.value, step.reason, step.file


__all__ = ["ORIGIN", "SmallPacket", "failed_step", "refusal", "small_packet", "trust"]
