"""A log that signs itself at every size, and forks on demand: what witnesses are tried with."""

from collections.abc import Sequence
from functools import cached_property

from small_log import LOG, ORIGIN, entries, subtree_of

from imgguard.provenance import merkle
from imgguard.provenance.checkpoints import Checkpoint, sign_checkpoint
from imgguard.provenance.notes import Signer
from imgguard.provenance.submissions import Submission


class GrowingLog:
    """``others`` entries take the place of the last ones: two logs that differ in that are forks of one another."""

    def __init__(self, count: int, *, others: int = 0, signer: Signer = LOG, origin: str = ORIGIN) -> None:
        forked = [f"another {number}".encode() for number in range(others)]
        self._entries = [*entries(count - others), *forked]
        self._signer = signer
        self._origin = origin

    @cached_property
    def hashes(self) -> list[bytes]:
        return [merkle.leaf_hash(entry) for entry in self._entries]

    def root(self, size: int) -> bytes:
        return merkle.root_of(self.hashes[:size])

    def note(self, size: int, *, extensions: tuple[str, ...] = ()) -> bytes:
        return sign_checkpoint(Checkpoint(self._origin, size, self.root(size), extensions), self._signer)

    def proof(self, old: int, new: int) -> Sequence[bytes]:
        return merkle.consistency_proof(old, new, subtree_of(self.hashes))

    def submission(self, old: int, new: int) -> bytes:
        proof = self.proof(old, new) if old <= new else ()
        return Submission(old_size=old, proof=tuple(proof), checkpoint=self.note(new)).to_bytes()
