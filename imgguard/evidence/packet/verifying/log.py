"""Steps 5 to 7: the leaves are in the log, the log is one that is believed, and witnesses have seen it."""

from collections.abc import Sequence
from dataclasses import dataclass

from imgguard.errors import (
    CheckpointInvalid,
    InclusionProofInvalid,
    NoteInvalid,
    PacketInvalid,
    VerificationError,
)
from imgguard.evidence.packet.verifying.container import Container
from imgguard.evidence.packet.verifying.layout import CHECKPOINT
from imgguard.evidence.packet.verifying.records import Entry
from imgguard.provenance.checkpoints import (
    Checkpoint,
    Cosignature,
    open_checkpoint,
    parse_checkpoint,
    verify_cosignatures,
)
from imgguard.provenance.merkle import leaf_hash, verify_inclusion
from imgguard.provenance.notes import LONGEST_NOTE, parse_note
from imgguard.provenance.policy import Policy
from imgguard.provenance.proofs import parse_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """``entry`` is in the tree of ``checkpoint``. ``note`` is what the log gave out, its signatures not verified."""

    entry: Entry
    checkpoint: Checkpoint
    note: bytes

    @property
    def stamped(self) -> bytes:
        """What timestamp tokens are for: the text of the note, which the log has signed."""
        return self.checkpoint.text.encode()


def check_inclusion(entries: Sequence[Entry], container: Container) -> tuple[Included, ...]:
    """Each entry with its checkpoint. Nothing is said of whose log it is.

    1  from the hash of each leaf, the path of its proof leads to the root of the checkpoint in the proof
    2  all checkpoints, and the one in `log/checkpoint`, are of one log, and two of one size have one root
    3  `log/checkpoint` is the newest

    Raises PacketInvalid.
    """
    newest = newest_checkpoint(container)
    roots = {newest.size: newest.root}
    # 1, 2, 3
    return tuple(included_by(entry, entry.proof, entry.proof_file, newest, roots) for entry in entries)


def newest_checkpoint(container: Container) -> Checkpoint:
    """What `log/checkpoint` says. Raises PacketInvalid."""
    return _checkpoint(container.read(CHECKPOINT, most_bytes=LONGEST_NOTE), CHECKPOINT)


def included_by(entry: Entry, data: bytes, file: str, newest: Checkpoint, roots: dict[int, bytes]) -> Included:
    """The ``entry`` with the checkpoint of the proof ``data``, which is called ``file``; steps as in `check_inclusion`.

    ``roots``: those of the checkpoints so far, by size; this one's is added. Raises PacketInvalid.
    """
    # 1
    try:
        proof = parse_proof(data)
        checkpoint = _checkpoint(proof.checkpoint, file)
        verify_inclusion(leaf_hash(entry.leaf_bytes), proof.index, checkpoint.size, proof.path, checkpoint.root)
    except InclusionProofInvalid as error:
        raise _refused(error, file) from error
    # 2
    if checkpoint.origin != newest.origin:
        raise PacketInvalid("it is of another log", reason="other_log", file=file)
    if roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
        detail = f"two checkpoints of {checkpoint.size} leaves have two roots: the log was forked"
        raise PacketInvalid(detail, reason="log_forked", file=file)
    # 3
    if checkpoint.size > newest.size:
        raise PacketInvalid("a proof has a newer checkpoint", reason="checkpoint_rolled_back", file=CHECKPOINT)
    return Included(entry=entry, checkpoint=checkpoint, note=proof.checkpoint)


def check_logs(included: Sequence[Included], container: Container, policy: Policy) -> None:
    """That logs of ``policy`` have signed all checkpoints; keys in a packet count for nothing. Raises PacketInvalid."""
    newest = container.read(CHECKPOINT, most_bytes=LONGEST_NOTE)
    for note, file in [(newest, CHECKPOINT), *((one.note, one.entry.proof_file) for one in included)]:
        check_log(note, file, policy)


def check_log(note: bytes, file: str, policy: Policy) -> None:
    """The same of one ``note``, in the file of that name. Raises PacketInvalid."""
    try:
        open_checkpoint(note, policy.log_keys)
    except (NoteInvalid, CheckpointInvalid) as error:
        raise _refused(error, file) from error


def cosignatures_of(one: Included, policy: Policy) -> tuple[Cosignature, ...]:
    """Those by the witnesses of ``policy``, all of them right. Raises PacketInvalid."""
    try:
        return verify_cosignatures(parse_note(one.note), policy.witness_keys)
    except (NoteInvalid, CheckpointInvalid) as error:
        raise _refused(error, one.entry.proof_file) from error


def _checkpoint(note: bytes, file: str) -> Checkpoint:
    try:
        return parse_checkpoint(parse_note(note).text)
    except (NoteInvalid, CheckpointInvalid) as error:
        raise _refused(error, file) from error


def _refused(error: VerificationError, file: str) -> PacketInvalid:
    return PacketInvalid(error.detail, reason=error.code, file=file)
