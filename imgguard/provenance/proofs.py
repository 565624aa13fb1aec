"""A proof in one file, to be verified offline: that a log has an entry, and that witnesses have seen the log.

The form is C2SP tlog-proof v1. As a tag is missing there, it is that of commit 5ba5ee8.
"""

import base64
import binascii
from dataclasses import dataclass, field

from imgguard.errors import InclusionProofInvalid, InputError, QuorumNotReached
from imgguard.provenance.checkpoints import (
    Checkpoint,
    Cosignature,
    open_checkpoint,
    parse_digest,
    parse_number,
    verify_cosignatures,
)
from imgguard.provenance.merkle import LONGEST_PROOF, leaf_hash, verify_inclusion
from imgguard.provenance.notes import LONGEST_NOTE, VerifierKey
from imgguard.provenance.policy import Policy

HEADER = "c2sp.org/tlog-proof@v1"
LONGEST_EXTRA = 65_536
LONGEST_FILE = LONGEST_NOTE + 2 * LONGEST_EXTRA + LONGEST_PROOF * 45 + 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """``path`` from the leaf's sibling up; ``checkpoint`` is the note as the log gave it out. ``extra`` proves nothing:
    nobody has signed it."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes = field(repr=False)
    extra: bytes | None = None

    def to_bytes(self) -> bytes:
        """The file. Raises InputError for what would be no proof."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines += [f"index {self.index}", *(base64.b64encode(one).decode() for one in self.path)]
        data = ("\n".join(lines) + "\n\n").encode() + self.checkpoint
        try:
            if parse_proof(data) == self:
                return data
        except InclusionProofInvalid as error:
            raise InputError(f"this is no proof: {error.detail}") from error
        raise InputError("this is no proof")


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """The log of ``log_key`` has the entry at ``index``; all ``cosignatures`` were verified."""

    index: int
    checkpoint: Checkpoint
    log_key: VerifierKey
    cosignatures: tuple[Cosignature, ...]


def parse_proof(data: bytes) -> Proof:
    """The parts, none of them verified; not even the note is parsed. Raises InclusionProofInvalid."""
    if len(data) > LONGEST_FILE:
        raise InclusionProofInvalid(f"a proof has at most {LONGEST_FILE} bytes, not {len(data)}")
    head, gap, checkpoint = data.partition(b"\n\n")
    if not gap:
        raise InclusionProofInvalid("the proof has no checkpoint below an empty line")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InclusionProofInvalid("the proof is not ASCII above its checkpoint") from error
    if lines.pop(0) != HEADER:
        raise InclusionProofInvalid(f"the first line is not {HEADER}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = _extra(lines.pop(0).removeprefix("extra "))
    word, _, number = lines.pop(0).partition(" ") if lines else ("", "", "")
    index = parse_number(number)
    if word != "index" or index is None:
        raise InclusionProofInvalid("no line says which index the entry has")
    if len(lines) > LONGEST_PROOF:
        raise InclusionProofInvalid(f"a proof has at most {LONGEST_PROOF} digests, not {len(lines)}")
    path = []
    for line in lines:
        digest = parse_digest(line)
        if digest is None:
            raise InclusionProofInvalid(f"this is not a digest: {line[:60]!r}")
        path.append(digest)
    return Proof(index=index, path=tuple(path), checkpoint=checkpoint, extra=extra)


def _extra(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InclusionProofInvalid("the extra data are not base64") from error
    if base64.b64encode(data).decode() != text or len(data) > LONGEST_EXTRA:
        raise InclusionProofInvalid("the extra data are not base64 as it is written, or too long")
    return data


def verify_proof(proof: Proof, entry: bytes, policy: Policy) -> ProvenEntry:
    """That a log of ``policy`` has ``entry`` (the bytes of a leaf), and that its quorum has seen the log.

    1  the checkpoint is signed by a log of the policy, and is of that log
    2  the cosignatures of the policy's witnesses are right
    3  they are as many as the policy asks for
    4  from the hash of the entry, the path leads to the root of the checkpoint

    Raises NoteInvalid, CheckpointInvalid, QuorumNotReached, InclusionProofInvalid.
    """
    # 1
    signed = open_checkpoint(proof.checkpoint, policy.log_keys)
    # 2
    cosignatures = verify_cosignatures(signed.note, policy.witness_keys)
    # 3
    if not policy.quorum_holds({one.key for one in cosignatures}):
        names = ", ".join(sorted({one.key.name for one in cosignatures})) or "no witness"
        raise QuorumNotReached(f"signed by {names}: that is less than the policy asks for")
    # 4
    checkpoint = signed.checkpoint
    verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.path, checkpoint.root)
    return ProvenEntry(proof.index, checkpoint, signed.log_key, cosignatures)
