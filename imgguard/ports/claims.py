"""The database of claims and proofs."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from imgguard.registry.accounts import AuditEvent
from imgguard.registry.claims import AttachedProof, NewClaims, Statement
from imgguard.registry.records import Reference


class ClaimStore(Protocol):
    """Each method is one transaction; what changes something writes its leaf of the log and its ``event`` in it.

    Thread safe. Lists are oldest first. Every method raises StoreUnavailable when the database cannot be used; all that
    name a reference or a proof raise NotFound, and those that change InvalidTransition once the reference is erased.
    """

    def claim(
        self,
        reference_id: str,
        stated: NewClaims,
        *,
        at: datetime,
        most: int,
        event: Callable[[str, Reference], AuditEvent] | None = None,
    ) -> Statement:
        """``event`` is given the id of the statement, and the reference. Raises InvalidTransition beyond ``most``."""
        ...

    def attach(
        self,
        proof: AttachedProof,
        *,
        most: int,
        store_blob: Callable[[], object] | None = None,
        event: Callable[[str, Reference], AuditEvent] | None = None,
    ) -> None:
        """``event`` is given the id of the proof. Raises InvalidTransition beyond ``most``."""
        ...

    def remove(
        self,
        reference_id: str,
        proof_id: str,
        *,
        at: datetime,
        event: Callable[[str, Reference], AuditEvent] | None = None,
    ) -> AttachedProof:
        """Queues its file for deletion. Raises InvalidTransition when none is kept."""
        ...

    def statements(self, reference_id: str) -> Sequence[Statement]: ...
    def proofs(self, reference_id: str) -> Sequence[AttachedProof]: ...
    def proof(self, reference_id: str, proof_id: str) -> AttachedProof: ...
