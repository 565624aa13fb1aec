"""The database of references, findings and what the index has to follow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind
from imgguard.ports.network import Capture
from imgguard.registry.accounts import AuditEvent
from imgguard.registry.claims import NewClaims
from imgguard.registry.records import Content, Owner, Reference, ReferenceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One index generation: all active contents embedded with one weights digest."""

    generation_id: str
    weights_sha256: str
    status: str  # building | active | retired
    created_at: datetime
    activated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexChange:
    """The content ``number`` became searchable (``present``) or ceased to be, at ``sequence`` in the store's history.

    Only the latest change of each number is kept, and no digest: this list outlives erased contents.
    """

    sequence: int
    number: int
    present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """What an index must hold to be current: the active generation and every change up to ``sequence``.

    ``token`` is random and belongs to that change: in a store that was restored from a backup, and changed since, the
    same sequence has another one.
    """

    generation: Generation | None
    sequence: int
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """An immutable finding as stored: ``document`` is JSON text in the form of the `check` contract, without paths."""

    finding_id: str
    created_at: datetime
    file: str
    query_sha256: str
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCheck:
    """Who asked for a finding, and what for: stored with it. ``intended_use`` and ``standings`` (how each match stands
    at this moment, by reference) are JSON text. ``capture``: where the picture was fetched; None when it was sent."""

    organisation_id: str
    member_id: str
    key_id: str | None
    intended_use: str
    standings: Mapping[str, str]
    event: AuditEvent
    capture: Capture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobDeletions:
    """How many blobs were deleted, and why others could not be, by digest: those stay queued."""

    deleted: int
    failed: Mapping[str, str]


class Catalogue(Protocol):
    """The database: the truth. Each method is one transaction; what returned is durable. Thread safe.

    Every method raises StoreUnavailable when the database cannot be used. ``at``, ``now`` and ``*_at`` are aware UTC.

    ``store_blob`` makes registering bytes and deleting them exclude each other. Put the bytes into the blob store
    first, outside any transaction, and pass a function that puts them again: it runs inside the transaction, when no
    deletion can intervene, and costs nothing unless the bytes were deleted in between.

    ``event``, given the reference as the change leaves it, is written to the audit trail in the same transaction.
    """

    # owners and references
    def owner(self, name: str) -> Owner | None: ...
    def add_reference(
        self,
        owner: str,
        content: Content,
        descriptors: Iterable[Descriptor],
        *,
        file: str,
        at: datetime,
        title: str | None = None,
        stated: NewClaims | None = None,
        store_blob: Callable[[], object] | None = None,
        event: Callable[[Reference], AuditEvent] | None = None,
    ) -> Reference:
        """Store owner (if new), content and descriptors (if new), work and reference. The work is called ``title``, or
        like the file; one that exists already keeps its title unless another is given. What is ``stated`` is stored,
        and in the record of the registration.

        Raises DuplicateReference when the owner has an active reference of these bytes, and WeightsUnavailable when
        neither ``descriptors`` nor the store has an embedding made with the weights of the active generation.
        """
        ...

    def reference(self, reference_id: str) -> Reference:
        """Raises NotFound."""
        ...

    def find_reference(self, owner: str, sha256: str) -> Reference | None:
        """The owner's active reference of these bytes."""
        ...

    def references(
        self, *, owner: str | None = None, status: ReferenceStatus | None = None, after: str = "", limit: int = 1000
    ) -> Sequence[Reference]:
        """In order of ``reference_id``, those behind ``after``."""
        ...

    def references_of(self, sha256: str) -> Sequence[Reference]:
        """Active references of a content, oldest first."""
        ...

    def withdraw(
        self, reference_id: str, *, at: datetime, event: Callable[[Reference], AuditEvent] | None = None
    ) -> Reference:
        """No longer matched; everything is kept. Raises NotFound, InvalidTransition unless it is active."""
        ...

    def erase(
        self, reference_id: str, *, at: datetime, event: Callable[[Reference], AuditEvent] | None = None
    ) -> Reference:
        """Leaves a tombstone, of an active or a withdrawn reference. Raises NotFound, InvalidTransition when erased.

        Content and descriptors go when no other reference that is not erased uses them; then the blob is queued for
        deletion, and forgotten as a kept query if the same bytes were checked as well. The owner loses its name with
        the last of its references, unless it is an organisation. Afterwards call ``delete_blobs`` and
        ``ReferenceIndex.save``.
        """
        ...

    # contents and descriptors
    def content(self, sha256: str) -> Content:
        """Raises NotFound."""
        ...

    def identical_contents(self, sha256: str, pixel_digest: str) -> Sequence[int]:
        """Numbers of contents with an active reference and these bytes or these pixels, in order."""
        ...

    def content_numbered(self, number: int) -> Content | None: ...
    def descriptors(self, sha256: str, kinds: Sequence[DescriptorKind]) -> Sequence[Descriptor]: ...
    def add_descriptor(self, sha256: str, descriptor: Descriptor) -> None:
        """Add or replace the one of the same kind and weights. Raises NotFound when there is no such content."""
        ...

    # index
    def active_generation(self) -> Generation | None: ...
    def begin_generation(self, weights_sha256: str, *, at: datetime) -> Generation:
        """A generation in status ``building``; an unfinished one with the same weights is continued."""
        ...

    def activate_generation(self, generation_id: str, *, at: datetime) -> Generation:
        """Retires the active one. Raises InvalidTransition while a searchable content lacks its embedding."""
        ...

    def index_state(self) -> IndexState: ...
    def index_token(self, sequence: int) -> str | None:
        """The token of that change; None when the history of this store has none."""
        ...

    def index_changes(self, after: int, *, limit: int = 10_000) -> Sequence[IndexChange]:
        """In order of ``sequence``, those behind ``after``."""
        ...

    def embeddings(self, weights_sha256: str, numbers: Sequence[int]) -> dict[int, bytes]:
        """As `imgguard.fingerprint.fingerprint.pack_vector` wrote them; a number without one is absent."""
        ...

    def searchable_embeddings(
        self, weights_sha256: str, *, after: int = 0, limit: int = 1000
    ) -> Sequence[tuple[int, bytes]]:
        """Number and embedding of contents with an active reference, in order of number, those behind ``after``."""
        ...

    def contents_without_embedding(self, weights_sha256: str, *, limit: int = 1000) -> Sequence[Content]:
        """Contents with an active reference that still need one, in order of number."""
        ...

    # findings and queries
    def add_finding(
        self,
        finding: StoredFinding,
        *,
        query_expires_at: datetime | None,
        store_blob: Callable[[], object] | None = None,
        check: NewCheck | None = None,
    ) -> None:
        """``query_expires_at``: until when the query's bytes are kept; None when they are not in the blob store.
        ``check``: who asked for it; None for the console."""
        ...

    def finding(self, finding_id: str) -> StoredFinding:
        """Raises NotFound."""
        ...

    def capture(self, finding_id: str) -> Capture | None:
        """Where the picture of a check was fetched; None when it was sent, or there is no such check."""
        ...

    def findings(self, *, after: str = "", limit: int = 1000) -> Sequence[StoredFinding]:
        """In order of ``finding_id``, those behind ``after``."""
        ...

    def expire_queries(self, *, now: datetime) -> int:
        """Forget the queries whose time is over, and queue their bytes for deletion; returns how many."""
        ...

    def kept_queries(self) -> Sequence[str]:
        """Digests of what is kept besides originals: checked images, and documents of licences. In order."""
        ...

    # blobs that no row needs any more: decided with the erasure, executed afterwards, survives a crash in between
    def pending_blob_deletions(self) -> Sequence[str]: ...
    def queue_blob_deletions(self, digests: Iterable[str], *, at: datetime) -> int:
        """Queue those of ``digests`` that nothing here needs; returns how many."""
        ...

    def delete_blobs(self, delete: Callable[[str], None]) -> BlobDeletions:
        """Calls ``delete`` for each digest that is queued and still not needed.

        One for which it raises ImgguardError or OSError stays queued, and the others go on.
        """
        ...

    def statistics(self) -> dict[str, int]: ...
    def close(self) -> None: ...
