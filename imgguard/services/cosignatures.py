"""What witnesses have signed is kept, and put below the checkpoints that are given out."""

from collections.abc import Sequence

from imgguard.errors import CheckpointInvalid
from imgguard.ports import Clock, LogStore, TokenStore
from imgguard.provenance.checkpoints import parse_checkpoint, verify_cosignatures
from imgguard.provenance.notes import VerifierKey, parse_note


def cosigned(note: bytes, tokens: TokenStore) -> bytes:
    """The checkpoint ``note`` as it was signed, with the cosignatures that were collected."""
    size = parse_checkpoint(parse_note(note).text).size
    return note + "".join(tokens.cosignatures(size)).encode()


def keep_cosignatures(
    note: bytes, witnesses: Sequence[VerifierKey], *, log: LogStore, tokens: TokenStore, clock: Clock
) -> int:
    """Store those of ``witnesses`` below ``note``; returns how many there are.

    1  the text of the note is that of a checkpoint which this log has signed
    2  the cosignatures are right

    Raises NoteInvalid, NotFound, CheckpointInvalid.
    """
    # 1
    parsed = parse_note(note)
    size = parse_checkpoint(parsed.text).size
    if parse_note(log.checkpoint(size).note).text != parsed.text:
        raise CheckpointInvalid(f"this log has signed another checkpoint of {size} leaves")
    # 2
    keys = {one.key for one in verify_cosignatures(parsed, witnesses)}
    lines = [line for line in parsed.signatures if any(line.is_by(key) for key in keys)]
    tokens.add_cosignatures(size, lines, at=clock.now())
    return len(lines)
