"""State something about a reference, and attach files that are to back it: kept, and in the log at once.

Nothing here is checked for truth, and no file is decoded. What is in the log existed no later than its checkpoint.
"""

import os
from collections.abc import Callable, Sequence
from typing import IO

from imgguard.errors import InputError, InvalidTransition, NotFound
from imgguard.ports import BlobStore, Catalogue, ClaimStore, Clock
from imgguard.provenance import shapes
from imgguard.provenance.canonical import LARGEST_INTEGER
from imgguard.provenance.records import Claims, ProofKind
from imgguard.registry.accounts import AuditEvent
from imgguard.registry.claims import MOST_PROOFS, MOST_STATEMENTS, AttachedProof, Keeping, NewClaims, Statement
from imgguard.registry.ids import new_id
from imgguard.registry.records import Reference
from imgguard.services.claim_inputs import checked_proof_name

type Telling = Callable[[str, Reference], AuditEvent]
"""Makes the event that is written with the change, of the statement's or the proof's id; the console writes none."""


class Claiming:
    """Thread safe. All methods raise NotFound, and those that change InvalidTransition once the reference is erased."""

    def __init__(
        self, *, store: ClaimStore, catalogue: Catalogue, blobs: BlobStore, clock: Clock, max_bytes: int
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._blobs = blobs
        self._clock = clock
        self.max_bytes = max_bytes

    def state(
        self, reference_id: str, claims: Claims, *, member_id: str | None = None, event: Telling | None = None
    ) -> Statement:
        """``claims`` as `claim_inputs.checked_claims` gives them. Raises InvalidTransition after 50 statements."""
        stated = NewClaims(claims=claims, member_id=member_id)
        return self._store.claim(reference_id, stated, at=self._clock.now(), most=MOST_STATEMENTS, event=event)

    def attach(
        self,
        reference_id: str,
        file: IO[bytes],
        *,
        kind: ProofKind,
        name: str,
        member_id: str | None = None,
        event: Telling | None = None,
    ) -> AttachedProof:
        """Keep all of ``file``, which can be read from its beginning more than once.

        Raises InputError for one that is empty, or too large, InvalidTransition after 50 proofs, StoreUnavailable.
        """
        name = checked_proof_name(name)
        size = file.seek(0, os.SEEK_END)
        if not 1 <= size <= self.max_bytes:
            raise InputError(
                f"a proof has 1 to {self.max_bytes} bytes, not {size}",
                hint="Attach its digest only, or have the operator raise IMGGUARD_MAX_PROOF_BYTES.",
            )
        self._catalogue.reference(reference_id)
        file.seek(0)
        stored = self._blobs.put_file(file)

        def store_blob() -> None:
            """Whole it was a moment ago, so whether it is there is all that has to be asked under the lock."""
            try:
                self._blobs.stored_at(stored.sha256)
            except NotFound:
                file.seek(0)
                self._blobs.put_file(file)

        proof = self._proof(
            reference_id,
            kind=kind,
            name=name,
            sha256=stored.sha256,
            byte_length=stored.byte_length,
            keeping=Keeping.STORED,
            member_id=member_id,
        )
        try:
            self._store.attach(proof, most=MOST_PROOFS, store_blob=store_blob, event=event)
        except (NotFound, InvalidTransition):
            self._catalogue.queue_blob_deletions([stored.sha256], at=self._clock.now())
            raise
        return proof

    def attach_digest(
        self,
        reference_id: str,
        *,
        kind: ProofKind,
        name: str,
        sha256: str,
        byte_length: int,
        member_id: str | None = None,
        event: Telling | None = None,
    ) -> AttachedProof:
        """Commit to a file that stays at home. Raises InputError, InvalidTransition after 50 proofs."""
        if not shapes.is_hex(sha256, 32):
            raise InputError("sha256 is not a SHA-256 digest in lower-case hex", hint="sha256sum prints it.")
        if not 1 <= byte_length <= LARGEST_INTEGER:
            raise InputError("byte_length is not the length of a file", hint="Give its number of bytes.")
        proof = self._proof(
            reference_id,
            kind=kind,
            name=checked_proof_name(name),
            sha256=sha256,
            byte_length=byte_length,
            keeping=Keeping.DIGEST_ONLY,
            member_id=member_id,
        )
        self._store.attach(proof, most=MOST_PROOFS, event=event)
        return proof

    def _proof(
        self,
        reference_id: str,
        *,
        kind: ProofKind,
        name: str,
        sha256: str,
        byte_length: int,
        keeping: Keeping,
        member_id: str | None,
    ) -> AttachedProof:
        return AttachedProof(
            proof_id=new_id("prf"),
            reference_id=reference_id,
            kind=kind,
            name=name,
            sha256=sha256,
            byte_length=byte_length,
            keeping=keeping,
            member_id=member_id,
            added_at=self._clock.now(),
        )

    def remove(self, reference_id: str, proof_id: str, *, event: Telling | None = None) -> AttachedProof:
        """Delete the file of a proof; its digest stays. What cannot be deleted yet is tried again by `tidy`.

        Raises InvalidTransition when no file of it is kept.
        """
        removed = self._store.remove(reference_id, proof_id, at=self._clock.now(), event=event)
        self._catalogue.delete_blobs(self._blobs.delete)
        return removed

    # looking

    def statements(self, reference_id: str) -> Sequence[Statement]:
        """Oldest first; none of an erased reference."""
        return self._store.statements(reference_id)

    def proofs(self, reference_id: str) -> Sequence[AttachedProof]:
        """Oldest first; none of an erased reference."""
        return self._store.proofs(reference_id)

    def proof(self, reference_id: str, proof_id: str) -> AttachedProof:
        return self._store.proof(reference_id, proof_id)

    def opened(self, reference_id: str, proof_id: str) -> IO[bytes]:
        """The file of a proof, which the caller closes. Raises NotFound when none is kept, DigestMismatch."""
        proof = self._store.proof(reference_id, proof_id)
        if proof.keeping is not Keeping.STORED:
            raise NotFound(f"no file of {proof_id} is kept here", hint="Compare the file you have with its SHA-256.")
        return self._blobs.opened(proof.sha256)
