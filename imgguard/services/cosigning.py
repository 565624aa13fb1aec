"""A checkpoint shown to all witnesses at the same time, until a deadline; what they sign is put below it.

What a witness does cannot make the whole fail: who is down, slow or of another opinion is told with the outcome.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from imgguard.errors import ImgguardError, InputError, WitnessSizeDiffers, WitnessUnavailable
from imgguard.ports import LogWitness
from imgguard.provenance.checkpoints import SignedCheckpoint, open_checkpoint, verify_cosignatures
from imgguard.provenance.notes import MOST_SIGNATURES, NoteSignature, VerifierKey
from imgguard.provenance.submissions import with_cosignatures

type ConsistencyProofs = Callable[[int, int], Sequence[bytes]]
"""``proofs(old_size, new_size)``: of the log. It is called by several threads at a time."""

type _Outcome = tuple[NoteSignature, ...] | ImgguardError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no cosignature of ``witness``. WitnessSizeDiffers with a size above that of the checkpoint: the log
    was set back, or the witness is wrong."""

    witness: LogWitness
    error: ImgguardError


@dataclass(frozen=True, slots=True)
class Cosigned:
    """``note`` has the cosignatures that it had before and those of ``signed``; ``failures`` are in the order of the
    witnesses."""

    note: bytes = field(repr=False)
    signed: tuple[VerifierKey, ...]
    failures: tuple[Failure, ...]


def collect_cosignatures(
    checkpoint: bytes,
    log_keys: Sequence[VerifierKey],
    witnesses: Sequence[LogWitness],
    proofs: ConsistencyProofs,
    *,
    sizes: Mapping[VerifierKey, int] | None = None,
    seconds: float,
) -> Cosigned:
    """The note ``checkpoint`` with what witnesses sign within ``seconds``; those that have signed it are not asked.

    ``sizes`` is at which size each witness signed last, as far as it is known: one that tells another size is asked
    once more. Raises NoteInvalid, CheckpointInvalid for what the log has not signed, or a cosignature that is wrong.
    """
    signed = open_checkpoint(checkpoint, log_keys)
    before = {one.key for one in verify_cosignatures(signed.note, [one.key for one in witnesses])}
    asked = [one for one in witnesses if one.key not in before]
    found = _ask_all(signed, asked, proofs, sizes or {}, seconds)
    lines: list[NoteSignature] = []
    new: list[VerifierKey] = []
    failures: list[Failure] = []
    room = MOST_SIGNATURES - len(signed.note.signatures)
    for number, witness in enumerate(asked):
        outcome = found.get(number)
        if len(lines) == room:
            outcome = InputError(f"a note has room for {MOST_SIGNATURES} signatures only")
        if outcome is None:
            outcome = WitnessUnavailable(f"the witness {witness.name} did not answer within {seconds:g} s")
        if isinstance(outcome, ImgguardError):
            failures.append(Failure(witness, outcome))
        else:
            lines.append(outcome[-1])
            new.append(witness.key)
    return Cosigned(with_cosignatures(signed.note, lines), tuple(new), tuple(failures))


def _ask_all(
    signed: SignedCheckpoint,
    witnesses: Sequence[LogWitness],
    proofs: ConsistencyProofs,
    sizes: Mapping[VerifierKey, int],
    seconds: float,
) -> Mapping[int, _Outcome]:
    """By the place among ``witnesses``. Threads of those that are too slow end when their requests do."""
    end = time.monotonic() + seconds
    outcomes: SimpleQueue[tuple[int, _Outcome]] = SimpleQueue()

    def ask(number: int, witness: LogWitness) -> None:
        outcomes.put((number, _ask(signed, witness, proofs, sizes.get(witness.key, 0))))

    for place in enumerate(witnesses):
        threading.Thread(target=ask, args=place, name="imgguard-witness", daemon=True).start()
    found: dict[int, _Outcome] = {}
    while len(found) < len(witnesses):
        try:
            number, outcome = outcomes.get(timeout=max(0.0, end - time.monotonic()))
        except Empty:
            break
        found[number] = outcome
    return found


def _ask(signed: SignedCheckpoint, witness: LogWitness, proofs: ConsistencyProofs, known: int) -> _Outcome:
    size = signed.checkpoint.size
    try:
        try:
            return _signed_from(min(known, size), signed, witness, proofs)
        except WitnessSizeDiffers as error:
            if error.size > size:
                raise
            return _signed_from(error.size, signed, witness, proofs)
    except ImgguardError as error:
        return error
    except Exception as error:
        _log.exception("the witness %s cannot be asked", witness.name)
        return WitnessUnavailable(f"the witness {witness.name} cannot be asked: unexpected {type(error).__name__}")


def _signed_from(
    old_size: int, signed: SignedCheckpoint, witness: LogWitness, proofs: ConsistencyProofs
) -> tuple[NoteSignature, ...]:
    size = signed.checkpoint.size
    proof = proofs(old_size, size) if 0 < old_size < size else ()
    return witness.cosign(signed.note, old_size=old_size, proof=proof)
