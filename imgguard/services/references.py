"""An owner's originals: handing them in, looking at them, taking them out again."""

from collections.abc import Sequence

from imgguard.errors import InputError, NotFound
from imgguard.fingerprint.describe import reduced
from imgguard.ports import BlobStore, CheckStore, Clock, FiledReference, LoggedLeaf, Works
from imgguard.provenance.leaves import Opening
from imgguard.provenance.records import Kind
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, AuditEvent, Scope
from imgguard.registry.claims import NewClaims
from imgguard.registry.licences import Use
from imgguard.registry.records import Content, Reference, ReferenceStatus
from imgguard.services import redaction
from imgguard.services.audit import event_of
from imgguard.services.check_views import Standings
from imgguard.services.claim_inputs import checked_claims
from imgguard.services.contract import ErrorObject, Match
from imgguard.services.invitations import checked_name
from imgguard.services.library import CatalogueLibrary
from imgguard.services.pictures import jpeg
from imgguard.services.registration import Registration
from imgguard.services.removal import Removal, Telling
from imgguard.services.rights_inputs import checked_limit
from imgguard.services.transparency import LogProof, Transparency
from imgguard.services.views import (
    MatchView,
    ReferenceView,
    RegisteredView,
    RegistrationRecord,
    RemovedView,
    reference_view,
)

SMALLEST_SIDE, LARGEST_SIDE = 64, 512
"""Pixels: of the picture of a reference; the copy that is stored beside an original has no more."""


class References:
    """Thread safe. What belongs to another owner is not found; reviewers of the operator may read it."""

    def __init__(
        self,
        *,
        works: Works,
        store: CheckStore,
        blobs: BlobStore,
        registration: Registration,
        removal: Removal,
        library: CatalogueLibrary,
        standings: Standings,
        transparency: Transparency,
        clock: Clock,
    ) -> None:
        self._works = works
        self._store = store
        self._blobs = blobs
        self._registration = registration
        self._removal = removal
        self._library = library
        self._standings = standings
        self._transparency = transparency
        self._clock = clock

    # handing in

    def register(
        self, actor: Actor, data: bytes, *, file: str, title: str | None = None, claims: object = None
    ) -> RegisteredView:
        """Register an original of the actor's organisation. The same bytes again are a `duplicate`, which changes
        nothing. ``title`` is what its work is called; by default like the file. ``claims``: what is stated of it, as
        plain JSON.

        Raises PermissionDenied without `references:write`, InputError, ConfigurationError, DependencyError.
        """
        record = self.recorded(actor, data, file=file, title=title, claims=claims)
        return self._registered(actor, record, self._works.filed(record.reference_id))

    def recorded(
        self, actor: Actor, data: bytes, *, file: str, title: str | None = None, claims: object = None
    ) -> RegistrationRecord:
        """`register`, as a job keeps it for `registered`. Not to be shown."""
        actor.require(Scope.REFERENCES_WRITE)
        stated = None if claims is None else NewClaims(claims=checked_claims(claims), member_id=actor.member_id)
        line = self._registration.register(
            data,
            owner=actor.owner,
            file=file,
            title=None if title is None else checked_name(title, whose="a work"),
            stated=stated,
            event=_telling(actor, Action.REFERENCE_REGISTERED),
        )
        return RegistrationRecord(
            status="duplicate" if line.status == "duplicate" else "registered",
            reference_id=line.reference_id or "",
            similar=[match.model_copy(update={"file": None, "owner": None}) for match in line.similar],
            error=_untold(line.error),
        )

    def registered(self, actor: Actor, record: RegistrationRecord) -> RegisteredView:
        """What became of a picture that was handed in, as it is shown now.

        Raises PermissionDenied without `references:read`, NotFound when it is not the actor's to see.
        """
        return self._registered(actor, record, self._readable(actor, record.reference_id))

    def _registered(self, actor: Actor, record: RegistrationRecord, filed: FiledReference) -> RegisteredView:
        return RegisteredView(
            status=record.status,
            reference=reference_view(filed),
            similar=self._similar(actor, record.similar, filed.content),
            error=record.error,
        )

    def _similar(self, actor: Actor, matches: Sequence[Match], content: Content | None) -> list[MatchView]:
        """What it resembles: of others' originals no more than a check would tell."""
        if not matches or content is None:
            return []
        originals = self._store.originals({match.reference_id for match in matches if match.reference_id})
        standings = self._standings.of(
            actor.organisation_id,
            actor.owner_id,
            [original.reference for original in originals.values()],
            query_sha256=content.sha256,
            query_pixel_digest=content.pixel_digest,
            use=Use(),
            at=self._clock.now(),
        )
        seen = redaction.seen_by(actor, matches, originals, standings)
        return redaction.match_views(seen, finding_id=None)

    # looking

    def references(
        self,
        actor: Actor,
        *,
        status: ReferenceStatus | None = None,
        work_id: str | None = None,
        owner_id: str | None = None,
        after: str = "",
        limit: int = 100,
    ) -> Sequence[ReferenceView]:
        """The actor's own, oldest first, behind ``after``; those of ``owner_id`` for reviewers of the operator.

        Raises PermissionDenied without `references:read`, InputError for a ``limit`` outside of 1 to 1000, NotFound
        for another owner.
        """
        actor.require(Scope.REFERENCES_READ)
        whose = actor.owner_id if owner_id is None else owner_id
        if not actor.owns(whose) and not actor.reads_every_finding:
            raise NotFound(f"no owner {whose}", hint="Leave it out to mean your own references.")
        filed = self._works.filed_references(
            whose, status=status, work_id=work_id, after=after, limit=checked_limit(limit)
        )
        return [reference_view(one) for one in filed]

    def reference(self, actor: Actor, reference_id: str) -> ReferenceView:
        """Raises PermissionDenied without `references:read`, NotFound."""
        return reference_view(self._readable(actor, reference_id))

    def original(self, actor: Actor, reference_id: str) -> tuple[bytes, str]:
        """The bytes as they were handed in, and their media type.

        Raises PermissionDenied without `references:read`, NotFound, also once it is erased, DigestMismatch.
        """
        content = _content(self._readable(actor, reference_id))
        return self._blobs.get(content.sha256), content.media_type

    def picture(self, actor: Actor, reference_id: str, side: int) -> bytes:
        """A JPEG whose longest side has at most ``side`` pixels, 64 to 512.

        Raises PermissionDenied without `references:read`, InputError, NotFound, also once it is erased, DigestMismatch.
        """
        if not SMALLEST_SIDE <= side <= LARGEST_SIDE:
            raise InputError(f"a picture has {SMALLEST_SIDE} to {LARGEST_SIDE} pixels", hint="Choose another size.")
        stored = self._library.picture(_content(self._readable(actor, reference_id)))
        if stored is None:
            raise _erased(reference_id)
        return jpeg(reduced(stored.working, side))

    def proof(self, actor: Actor, reference_id: str, kind: Kind | None = None) -> LogProof:
        """That the log has its registration, or the latest leaf of ``kind`` about it. A tombstone has proofs too.

        Raises PermissionDenied without `references:read`, NotFound, InvalidTransition while no checkpoint has the leaf.
        """
        self._readable(actor, reference_id)
        return self._transparency.proof_of(reference_id, kind)

    def logged(self, actor: Actor, reference_id: str, kind: Kind | None = None) -> tuple[LoggedLeaf, Opening]:
        """The leaf, as `proof` chooses it, and what opens it: for the owner alone.

        Raises PermissionDenied without `references:read`, NotFound, also once it is erased.
        """
        actor.require(Scope.REFERENCES_READ)
        if not actor.owns(self._works.filed(reference_id).reference.owner_id):
            raise _nothing(reference_id)
        leaf, opening = self._transparency.leaf_of(reference_id, kind)
        if opening is None:
            raise _erased(reference_id)
        return leaf, opening

    # changing

    def change(self, actor: Actor, reference_id: str, *, title: str) -> ReferenceView:
        """Give its work another title. Raises PermissionDenied without `references:write`, NotFound, InputError."""
        filed = self._own(actor, reference_id)
        title = checked_name(title, whose="a work")
        work_id = filed.reference.work_id
        if work_id is None:
            raise _erased(reference_id)
        event = event_of(actor, Action.WORK_RENAMED, work_id, at=self._clock.now())
        self._works.retitle(work_id, title, owner_id=actor.owner_id, event=event)
        return reference_view(self._works.filed(reference_id))

    def withdraw(self, actor: Actor, reference_id: str) -> ReferenceView:
        """No longer matched from now on; history stays.

        Raises PermissionDenied without `references:write`, NotFound, InvalidTransition unless it is active.
        """
        self._own(actor, reference_id)
        self._removal.withdraw(reference_id, event=_telling(actor, Action.REFERENCE_WITHDRAWN))
        return reference_view(self._works.filed(reference_id))

    def erase(self, actor: Actor, reference_id: str) -> RemovedView:
        """Destroy its bytes, descriptors and names, and leave a tombstone. No check that begins afterwards finds it;
        processes that hold the index drop it from the index's files by themselves (`LiveIndex.drop_removed`).

        Raises PermissionDenied without `references:write`, NotFound, InvalidTransition when it is erased already.
        """
        self._own(actor, reference_id)
        removed = self._removal.erase(reference_id, event=_telling(actor, Action.REFERENCE_ERASED))
        unfinished = removed.unfinished
        return RemovedView(
            reference=reference_view(self._works.filed(reference_id)),
            unfinished=None if unfinished is None else ErrorObject(code=unfinished.code, detail=unfinished.detail),
        )

    # inside

    def _readable(self, actor: Actor, reference_id: str) -> FiledReference:
        actor.require(Scope.REFERENCES_READ)
        filed = self._works.filed(reference_id)
        if not redaction.sees_everything(actor, filed.reference):
            raise _nothing(reference_id)
        return filed

    def _own(self, actor: Actor, reference_id: str) -> FiledReference:
        """To be changed: by its owner only."""
        actor.require(Scope.REFERENCES_WRITE)
        filed = self._works.filed(reference_id)
        if not actor.owns(filed.reference.owner_id):
            raise _nothing(reference_id)
        return filed


def _telling(actor: Actor, action: Action) -> Telling:
    """The event of a change to a reference, at the time that the change has."""

    def tell(reference: Reference) -> AuditEvent:
        at = reference.erased_at or reference.withdrawn_at or reference.registered_at
        return event_of(actor, action, reference.reference_id, at=at)

    return tell


def _content(filed: FiledReference) -> Content:
    if filed.content is None:
        raise _erased(filed.reference.reference_id)
    return filed.content


def _untold(error: ErrorObject | None) -> ErrorObject | None:
    """An error of the comparison with others' originals: its text may name what is stored of them."""
    if error is None:
        return None
    return ErrorObject(code=error.code, detail="it is registered, but not all that it resembles could be compared")


def _nothing(reference_id: str) -> NotFound:
    return NotFound(f"no reference {reference_id}", hint="Look at the references you have.")


def _erased(reference_id: str) -> NotFound:
    return NotFound(f"{reference_id} is erased", hint="Nothing is left of it to be shown.")
