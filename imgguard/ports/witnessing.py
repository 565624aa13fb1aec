"""Who says that it has seen a log, and nothing else of it."""

from collections.abc import Sequence
from typing import Protocol

from imgguard.provenance.notes import Note, NoteSignature, VerifierKey


class LogWitness(Protocol):
    """One witness of the operator's choice. Thread safe. ``name`` is that of the policy, ``key`` verifies it."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> VerifierKey: ...
    def cosign(self, note: Note, *, old_size: int, proof: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        """Its lines for the checkpoint of ``note``, one at least, all verified; ``proof`` leads there from
        ``old_size``.

        Raises WitnessSizeDiffers when it has seen the log at another size, WitnessRefused, WitnessUnavailable;
        InputError for what no witness would take.
        """
        ...
