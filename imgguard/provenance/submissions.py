"""What a log sends to a witness, and what comes back (C2SP tlog-witness): bytes both ways."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from imgguard.errors import CheckpointInvalid, InputError, NoteInvalid
from imgguard.provenance.checkpoints import parse_digest, parse_number, verify_cosignatures
from imgguard.provenance.merkle import DIGEST_BYTES, require_size
from imgguard.provenance.notes import Note, NoteSignature, VerifierKey, parse_note

LARGEST_SUBMISSION = 65_536
"""Bytes, the checkpoint included."""
MOST_DIGESTS = 63
"""Of a consistency proof; the specification allows no more."""
LARGEST_ANSWER = 16_384
"""Bytes: a cosignature takes some 200."""
SIZE_TYPE = "text/x.tlog.size"
"""The media type of an answer that says how large the log was when the witness saw it last."""

_DIGITS = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """``checkpoint`` is a note, not parsed; ``proof`` is said to lead to it from the tree of ``old_size``."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """The body of a request. Raises InputError for what no witness would take."""
        require_size(self.old_size)
        if len(self.proof) > MOST_DIGESTS or any(len(one) != DIGEST_BYTES for one in self.proof):
            raise InputError(f"a consistency proof has at most {MOST_DIGESTS} digests of {DIGEST_BYTES} bytes")
        lines = [f"old {self.old_size}", *(base64.b64encode(one).decode() for one in self.proof)]
        data = ("\n".join(lines) + "\n\n").encode() + self.checkpoint
        if len(data) > LARGEST_SUBMISSION:
            raise InputError(f"a submission has at most {LARGEST_SUBMISSION} bytes, not {len(data)}")
        return data


def parse_submission(data: bytes) -> Submission:
    """The parts, the checkpoint as it came. Raises InputError."""
    if len(data) > LARGEST_SUBMISSION:
        raise InputError(f"a submission has at most {LARGEST_SUBMISSION} bytes, not {len(data)}")
    head, gap, checkpoint = data.partition(b"\n\n")
    if not gap:
        raise InputError("the submission has no checkpoint below an empty line")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InputError("the submission is not ASCII above its checkpoint") from error
    word, _, number = first.partition(" ")
    old_size = parse_number(number)
    if word != "old" or old_size is None:
        raise InputError("the first line does not say the old size")
    if len(lines) > MOST_DIGESTS:
        raise InputError(f"a consistency proof has at most {MOST_DIGESTS} digests, not {len(lines)}")
    proof = []
    for line in lines:
        digest = parse_digest(line)
        if digest is None:
            raise InputError(f"this is not a digest: {line[:60]!r}")
        proof.append(digest)
    return Submission(old_size=old_size, proof=tuple(proof), checkpoint=checkpoint)


def parse_size(data: bytes) -> int | None:
    """From the body of an answer of type `SIZE_TYPE`; None for anything else."""
    if len(data) > _DIGITS + 1 or not data.endswith(b"\n") or not data.isascii():
        return None
    return parse_number(data[:-1].decode())


def verify_answer(data: bytes, note: Note, key: VerifierKey) -> tuple[NoteSignature, ...]:
    """The lines of an answer that are by ``key``, all verified for the checkpoint of ``note``.

    1  the answer is the lines of signatures, and nothing that would change the text above them
    2  every line by ``key`` is right; lines by others are left out, whatever they are
    3  there is one at least

    Raises NoteInvalid, CheckpointInvalid.
    """
    # 1
    if len(data) > LARGEST_ANSWER:
        raise NoteInvalid(f"an answer has at most {LARGEST_ANSWER} bytes, not {len(data)}")
    answered = parse_note(note.text.encode() + b"\n" + data)
    if answered.text != note.text:
        raise NoteInvalid("the answer has more than lines of signatures")
    # 2
    verify_cosignatures(answered, [key])
    lines = tuple(one for one in answered.signatures if one.is_by(key))
    # 3
    if not lines:
        raise CheckpointInvalid(f"the answer has no cosignature of {key.name}")
    return lines


def with_cosignatures(note: Note, lines: Sequence[NoteSignature]) -> bytes:
    """The note with these lines below the others. Raises InputError when there would be too many."""
    return replace(note, signatures=(*note.signatures, *lines)).to_bytes()
