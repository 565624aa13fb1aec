"""The head of the log, signed by the log (C2SP tlog-checkpoint) and cosigned by witnesses (C2SP tlog-cosignature)."""

import base64
import binascii
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from imgguard.errors import CheckpointInvalid, InputError
from imgguard.provenance.ed25519 import SIGNATURE_BYTES, InvalidSignature, verify_ed25519
from imgguard.provenance.merkle import DIGEST_BYTES, LARGEST_SIZE
from imgguard.provenance.notes import (
    COSIGNATURE,
    Note,
    NoteSignature,
    Signer,
    VerifierKey,
    open_note,
    parse_note,
    sign_note,
)

LATEST_SECOND = 2**63 - 1

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_TIMED = struct.Struct(f">Q{SIGNATURE_BYTES}s")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root of the first ``size`` leaves of the log ``origin``. ``extensions`` are lines that mean nothing here."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is signed: a line each of origin, size, root in base64, and the extensions."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that ``log_key`` has signed; ``note`` may have signatures that nobody has verified."""

    checkpoint: Checkpoint
    note: Note
    log_key: VerifierKey


@dataclass(frozen=True, slots=True)
class Cosignature:
    """``key`` says: of this log I have seen nothing larger and nothing else at ``seconds`` since 1970, UTC."""

    key: VerifierKey
    seconds: int


def parse_number(text: str) -> int | None:
    """A decimal without leading zeroes, up to 2^63 - 1; None for anything else."""
    found = int(text) if _NUMBER.fullmatch(text) else LARGEST_SIZE + 1
    return found if found <= LARGEST_SIZE else None


def parse_digest(text: str) -> bytes | None:
    """32 bytes in base64; None for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == DIGEST_BYTES and base64.b64encode(data).decode() == text else None


def parse_checkpoint(text: str) -> Checkpoint:
    """From the text of a note, which has to be verified. Raises CheckpointInvalid."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise CheckpointInvalid("a checkpoint has three lines or more, none of them empty")
    size, root = parse_number(lines[1]), parse_digest(lines[2])
    if size is None:
        raise CheckpointInvalid(f"this is not the size of a log: {lines[1][:40]!r}")
    if root is None:
        raise CheckpointInvalid(f"this is not a root: {lines[2][:60]!r}")
    return Checkpoint(lines[0], size, root, tuple(lines[3:]))


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer, *others: Signer) -> bytes:
    """The note that the log gives out; ``others`` are further keys of the log, while one takes over from another.

    Raises InputError for what is no checkpoint, or of another log.
    """
    try:
        is_sound = parse_checkpoint(checkpoint.text) == checkpoint
    except CheckpointInvalid as error:
        raise InputError(f"this is no checkpoint: {error.detail}") from error
    for one in (signer, *others):
        if not is_sound or checkpoint.origin != one.key.name:
            raise InputError(f"{one.key.name} does not sign this for {checkpoint.origin[:80]!r}")
    return sign_note(checkpoint.text, [signer, *others])


def open_checkpoint(data: bytes, log_keys: Sequence[VerifierKey]) -> SignedCheckpoint:
    """The checkpoint of a note.

    1  the note is signed by one of ``log_keys``, and by none of them wrongly
    2  its text is a checkpoint
    3  one of those that signed is a key of the log that the checkpoint is of: no log speaks for another

    Raises NoteInvalid, CheckpointInvalid.
    """
    # 1
    note, signed = open_note(data, log_keys)
    # 2
    checkpoint = parse_checkpoint(note.text)
    # 3
    for key in signed:
        if key.name == checkpoint.origin:
            return SignedCheckpoint(checkpoint, note, key)
    raise CheckpointInvalid(f"{signed[0].name} has signed a checkpoint of another log, {checkpoint.origin[:80]!r}")


def cosign(data: bytes, witness: Signer, *, seconds: int) -> bytes:
    """The note ``data`` with a signature by ``witness``, of type `COSIGNATURE`, at ``seconds`` since 1970, UTC.

    Whether the checkpoint agrees with those seen before is for the caller to know. Raises NoteInvalid,
    CheckpointInvalid; InputError for a key of another type or a time that cannot be.
    """
    if witness.key.key_type != COSIGNATURE or not 0 <= seconds <= LATEST_SECOND:
        raise InputError("this key does not cosign, or not at this time")
    note = parse_note(data)
    parse_checkpoint(note.text)
    signature = _TIMED.pack(seconds, witness.sign(_cosigned(note.text, seconds)))
    line = NoteSignature(witness.key.name, witness.key.key_id, signature)
    return replace(note, signatures=(*note.signatures, line)).to_bytes()


def verify_cosignatures(note: Note, witness_keys: Sequence[VerifierKey]) -> tuple[Cosignature, ...]:
    """Those by ``witness_keys``, in the order of the note.

    1  the text is a checkpoint
    2  signatures by keys that are not among ``witness_keys``, or of other types than `COSIGNATURE`, are passed over
    3  every other one is a time and a signature over the time and the text: a single wrong one refuses the note

    Raises CheckpointInvalid. None is no error: how many are needed is for a policy to say.
    """
    # 1
    parse_checkpoint(note.text)
    found = []
    for line in note.signatures:
        for key in dict.fromkeys(witness_keys):
            # 2
            if key.key_type != COSIGNATURE or not line.is_by(key):
                continue
            # 3
            if len(line.signature) != _TIMED.size:
                raise CheckpointInvalid(f"the cosignature of {key.name} has another length")
            seconds, signature = _TIMED.unpack(line.signature)
            if seconds > LATEST_SECOND:
                raise CheckpointInvalid(f"the cosignature of {key.name} has no time")
            try:
                verify_ed25519(key.public_key, signature, _cosigned(note.text, seconds))
            except InvalidSignature as error:
                raise CheckpointInvalid(f"the cosignature of {key.name} is wrong") from error
            found.append(Cosignature(key, seconds))
    return tuple(found)


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
