"""Which checkpoints are cosigned: those that go on from the latest of their log."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from imgguard.errors import (
    CheckpointInvalid,
    ConfigurationError,
    ConsistencyProofInvalid,
    InputError,
    LogForked,
    NoteInvalid,
    NotFound,
    Overloaded,
    WitnessSizeDiffers,
)
from imgguard.provenance.checkpoints import (
    Checkpoint,
    SignedCheckpoint,
    cosign,
    open_checkpoint,
    parse_checkpoint,
)
from imgguard.provenance.merkle import verify_consistency
from imgguard.provenance.notes import ED25519, VerifierKey, parse_note
from imgguard.provenance.submissions import Submission, parse_submission
from imgguard.witness.evidence import Kind
from imgguard.witness.home import WitnessHome
from imgguard.witness.state import NOTHING, Seen

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Decision:
    """What `Witness.add_checkpoint` found out about one submission before it looks at the state."""

    submission: Submission
    checkpoint: Checkpoint
    note: bytes
    """With the signatures of trusted keys only."""


class Witness:
    """Cosigns for the logs of ``keys``; several keys of one origin are of one log, which changes its key. Thread safe.

    ``seconds`` since 1970, UTC, is the clock. Raises ConfigurationError for a key that is not of a log.
    """

    def __init__(self, home: WitnessHome, keys: Iterable[VerifierKey], *, seconds: Callable[[], float]) -> None:
        self._home = home
        self._keys = _by_origin(keys, own=home.signer.key)
        self._seconds = seconds

    @property
    def key(self) -> VerifierKey:
        return self._home.signer.key

    def logs(self) -> Mapping[str, Seen]:
        """The latest of each log that is cosigned for, by origin. Raises StoreUnavailable."""
        seen = self._home.state.seen()
        return {origin: seen.get(origin, NOTHING) for origin in self._keys}

    def add_checkpoint(self, body: bytes) -> bytes:
        """The line of a cosignature for a submission.

        1  the body has the form of a submission, and its checkpoint that of one (InputError)
        2  the checkpoint is of a known log (NotFound)
        3  a known key of that log has signed it, and none wrongly (NoteInvalid)
        4  the old size is not above that of the checkpoint (InputError)
        5  the old size is the latest that was cosigned (WitnessSizeDiffers)
        6  of the same size there is no other root (LogForked)
        7  the proof leads from the latest to the checkpoint (ConsistencyProofInvalid)
        8  the clock has not gone back (Overloaded)
        9  the checkpoint is on the disk as the latest; only then is it cosigned

        5 to 9 are one transaction. What 6 and 7 refuse is kept as evidence. Raises StoreUnavailable too.
        """
        decision = self._examined(body)
        origin = decision.checkpoint.origin
        stored = self._home.state.advance(origin, lambda held: self._next(decision, held))
        note = cosign(stored.checkpoint, self._home.signer, seconds=stored.seconds)
        return parse_note(note).signatures[-1].line.encode()

    def _examined(self, body: bytes) -> _Decision:
        # 1
        submission = parse_submission(body)
        try:
            note = parse_note(submission.checkpoint)
            checkpoint = parse_checkpoint(note.text)
        except (NoteInvalid, CheckpointInvalid) as error:
            raise InputError(error.detail) from error
        # 2
        keys = self._keys.get(checkpoint.origin)
        if keys is None:
            raise NotFound("this witness does not know the log")
        # 3
        signed = open_checkpoint(submission.checkpoint, keys)
        # 4
        if submission.old_size > checkpoint.size:
            raise InputError(f"the old size, {submission.old_size}, is above that of the checkpoint")
        return _Decision(submission, checkpoint, _trimmed(signed, keys))

    def _next(self, decision: _Decision, held: Seen) -> Seen:
        """Raises what refuses the submission; nothing is stored then."""
        submission, checkpoint = decision.submission, decision.checkpoint
        is_fork = held.checkpoint != b"" and checkpoint.size == held.size and checkpoint.root != held.root
        if is_fork:
            self._keep(Kind.FORK, decision, held)
        # 5
        if submission.old_size != held.size:
            raise WitnessSizeDiffers(f"the latest size that was cosigned is {held.size}", size=held.size)
        # 6
        if is_fork:
            raise LogForked("another root of this size was cosigned")
        # 7
        try:
            verify_consistency(held.size, held.root, checkpoint.size, checkpoint.root, submission.proof)
        except ConsistencyProofInvalid:
            if held.checkpoint:
                self._keep(Kind.UNPROVEN, decision, held)
            raise
        # 8
        now = int(self._seconds())
        if now < held.seconds:
            behind = held.seconds - now
            _log.warning("the clock is %d s behind the latest cosignature for %s", behind, checkpoint.origin)
            raise Overloaded("the clock of the witness has gone back", retry_after=float(behind))
        return Seen(size=checkpoint.size, root=checkpoint.root, checkpoint=decision.note, seconds=now)

    def _keep(self, kind: Kind, decision: _Decision, held: Seen) -> None:
        self._home.evidence.keep(
            kind,
            decision.checkpoint.origin,
            held=held,
            submission=decision.submission,
            checkpoint=decision.note,
        )


def _by_origin(keys: Iterable[VerifierKey], *, own: VerifierKey) -> Mapping[str, Sequence[VerifierKey]]:
    found: dict[str, list[VerifierKey]] = {}
    for key in dict.fromkeys(keys):
        if key.key_type != ED25519:
            raise ConfigurationError(f"{key.name} is not the key of a log", hint="Give the log's vkey, of type 0x01.")
        if key.public_key == own.public_key:
            raise ConfigurationError(f"{key.name} has the key of the witness itself", hint="Give the log's own vkey.")
        found.setdefault(key.name, []).append(key)
    if not found:
        raise ConfigurationError("a witness needs a log", hint="Give --log with its vkey; repeat it for several.")
    return found


def _trimmed(signed: SignedCheckpoint, keys: Sequence[VerifierKey]) -> bytes:
    """Without the lines of others, of which there can be any number and which nobody has verified."""
    lines = tuple(one for one in signed.note.signatures if any(one.is_by(key) for key in keys))
    return replace(signed.note, signatures=lines).to_bytes()
