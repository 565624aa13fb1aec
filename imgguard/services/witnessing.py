"""The newest checkpoint is shown to the witnesses of the operator's choice, and what they sign is kept.

Only the newest: whoever signs it has seen that it holds all that the ones before it held. A witness that fails is asked
again later, and later still; what it signs of a checkpoint it signs once.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from imgguard.errors import WitnessSizeDiffers
from imgguard.ports import Clock, LogStore, LogWitness, StoredCheckpoint, TokenStore
from imgguard.provenance.notes import VerifierKey
from imgguard.services.cosignatures import cosigned, keep_cosignatures
from imgguard.services.cosigning import Failure, collect_cosignatures
from imgguard.services.transparency import Transparency

_FIRST_PAUSE = timedelta(seconds=30).total_seconds()
_LONGEST_PAUSE = timedelta(hours=1).total_seconds()

_log = logging.getLogger(__name__)


class Witnessing:
    """For one thread. ``seconds`` is how long all of them together may take. ``elapsed`` counts the pauses."""

    def __init__(
        self,
        *,
        log: LogStore,
        transparency: Transparency,
        tokens: TokenStore,
        witnesses: Sequence[LogWitness],
        clock: Clock,
        seconds: float,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._transparency = transparency
        self._tokens = tokens
        self._witnesses = tuple(witnesses)
        self._clock = clock
        self._seconds = seconds
        self._elapsed = elapsed
        self._sizes: dict[VerifierKey, int] = {}
        self._pauses: dict[VerifierKey, tuple[float, float]] = {}
        """How long a witness that has failed is left alone, and until when."""

    def run(self) -> Sequence[Failure]:
        """Ask those who have not signed the newest checkpoint, but for those who failed a short while ago.

        Raises StoreUnavailable, NoteInvalid, CheckpointInvalid, NotFound.
        """
        newest = self._log.last_checkpoint()
        asked = [one for one in self._witnesses if self._is_due(one.key)]
        if newest is None or newest.size == 0 or not asked:
            return ()
        found = collect_cosignatures(
            cosigned(newest.note, self._tokens),
            self._transparency.status().keys,
            asked,
            lambda old_size, _new_size: self._transparency.consistency_proof(old_size, newest),
            sizes=self._sizes,
            seconds=self._seconds,
        )
        if found.signed:
            keep_cosignatures(found.note, found.signed, log=self._log, tokens=self._tokens, clock=self._clock)
        for key in found.signed:
            self._sizes[key] = newest.size
            self._pauses.pop(key, None)
        for failure in found.failures:
            self._failed(failure, newest)
        return found.failures

    def _is_due(self, key: VerifierKey) -> bool:
        return key not in self._pauses or self._elapsed() >= self._pauses[key][1]

    def _failed(self, failure: Failure, newest: StoredCheckpoint) -> None:
        key = failure.witness.key
        pause = min(self._pauses.get(key, (_FIRST_PAUSE / 2, 0.0))[0] * 2, _LONGEST_PAUSE)
        self._pauses[key] = pause, self._elapsed() + pause
        error = failure.error
        if isinstance(error, WitnessSizeDiffers) and error.size > newest.size:
            _log.error(
                "the witness %s has signed this log with %d leaves, and here it has %d: was an older backup restored?",
                failure.witness.name,
                error.size,
                newest.size,
            )
        else:
            _log.warning("the witness %s did not sign: %s", failure.witness.name, error)
