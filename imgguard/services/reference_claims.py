"""Claims and proofs of an owner's references, for people."""

from collections.abc import Sequence
from typing import IO

from imgguard.errors import NotFound
from imgguard.ports import Clock, Works
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, AuditEvent, Scope
from imgguard.registry.records import Reference
from imgguard.services import redaction
from imgguard.services.audit import event_of
from imgguard.services.claim_inputs import checked_claims, checked_kind
from imgguard.services.claim_views import ProofView, StatementView, proof_view, statement_view
from imgguard.services.claiming import Claiming, Telling


class ReferenceClaims:
    """Thread safe. What belongs to another owner is not found; reviewers of the operator may read it.

    Reading raises PermissionDenied without `references:read`, changing without `references:write`; changes raise
    InvalidTransition once the reference is erased, and when it has 50 already.
    """

    def __init__(self, *, works: Works, claiming: Claiming, clock: Clock) -> None:
        self._works = works
        self._claiming = claiming
        self._clock = clock

    @property
    def max_bytes(self) -> int:
        """Of a file that is attached."""
        return self._claiming.max_bytes

    # changing

    def state(self, actor: Actor, reference_id: str, claims: object) -> StatementView:
        """``claims`` is plain JSON. Raises NotFound, InputError."""
        self._own(actor, reference_id)
        stated = checked_claims(claims)
        event = self._telling(actor, Action.REFERENCE_CLAIMED, "claim_id")
        made = self._claiming.state(reference_id, stated, member_id=actor.member_id, event=event)
        return statement_view(made)

    def attach(self, actor: Actor, reference_id: str, file: IO[bytes], *, kind: str, name: str) -> ProofView:
        """Keep the file. Raises NotFound, InputError, StoreUnavailable."""
        self._own(actor, reference_id)
        attached = self._claiming.attach(
            reference_id,
            file,
            kind=checked_kind(kind),
            name=name,
            member_id=actor.member_id,
            event=self._telling(actor, Action.PROOF_ATTACHED, "proof_id"),
        )
        return proof_view(attached)

    def attach_digest(
        self, actor: Actor, reference_id: str, *, kind: str, name: str, sha256: str, byte_length: int
    ) -> ProofView:
        """Commit to a file that stays at home. Raises NotFound, InputError."""
        self._own(actor, reference_id)
        attached = self._claiming.attach_digest(
            reference_id,
            kind=checked_kind(kind),
            name=name,
            sha256=sha256,
            byte_length=byte_length,
            member_id=actor.member_id,
            event=self._telling(actor, Action.PROOF_ATTACHED, "proof_id"),
        )
        return proof_view(attached)

    def remove(self, actor: Actor, reference_id: str, proof_id: str) -> ProofView:
        """Delete its file; the digest stays. Raises NotFound, InvalidTransition when no file of it is kept."""
        self._own(actor, reference_id)
        event = self._telling(actor, Action.PROOF_REMOVED, "proof_id")
        return proof_view(self._claiming.remove(reference_id, proof_id, event=event))

    # looking

    def statements(self, actor: Actor, reference_id: str) -> Sequence[StatementView]:
        """Oldest first. Raises NotFound."""
        self._readable(actor, reference_id)
        return [statement_view(one) for one in self._claiming.statements(reference_id)]

    def statement(self, actor: Actor, reference_id: str, claim_id: str) -> StatementView:
        """Raises NotFound."""
        for view in self.statements(actor, reference_id):
            if view.claim_id == claim_id:
                return view
        raise NotFound(f"no claim {claim_id}", hint="Look at the claims of the reference.")

    def proofs(self, actor: Actor, reference_id: str) -> Sequence[ProofView]:
        """Oldest first. Raises NotFound."""
        self._readable(actor, reference_id)
        return [proof_view(one) for one in self._claiming.proofs(reference_id)]

    def proof(self, actor: Actor, reference_id: str, proof_id: str) -> ProofView:
        """Raises NotFound."""
        self._readable(actor, reference_id)
        return proof_view(self._claiming.proof(reference_id, proof_id))

    def opened(self, actor: Actor, reference_id: str, proof_id: str) -> IO[bytes]:
        """The file of a proof, which the caller closes. Raises NotFound, also when none is kept, DigestMismatch."""
        self._readable(actor, reference_id)
        return self._claiming.opened(reference_id, proof_id)

    # inside

    def _readable(self, actor: Actor, reference_id: str) -> None:
        actor.require(Scope.REFERENCES_READ)
        if not redaction.sees_everything(actor, self._works.filed(reference_id).reference):
            raise _nothing(reference_id)

    def _own(self, actor: Actor, reference_id: str) -> None:
        actor.require(Scope.REFERENCES_WRITE)
        if not actor.owns(self._works.filed(reference_id).reference.owner_id):
            raise _nothing(reference_id)

    def _telling(self, actor: Actor, action: Action, name: str) -> Telling:
        at = self._clock.now()

        def tell(object_id: str, reference: Reference) -> AuditEvent:
            return event_of(actor, action, reference.reference_id, at=at, detail={name: object_id})

        return tell


def _nothing(reference_id: str) -> NotFound:
    return NotFound(f"no reference {reference_id}", hint="Look at the references you have.")
