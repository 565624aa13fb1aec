"""Every outside boundary on one page. Adapters live in storage/ and net/; bootstrap.py chooses them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind
from imgguard.index.base import Vectors
from imgguard.index.fusion import FusedHit
from imgguard.registry.records import Content, Owner, Reference, ReferenceStatus


class Clock(Protocol):
    """Aware UTC now."""

    def now(self) -> datetime: ...


class BlobStore(Protocol):
    """Bytes under their SHA-256 (hex). ``put`` is durable when it returns and idempotent; ``get`` checks the digest.

    Raises NotFound, DigestMismatch, StoreUnavailable.
    """

    def put(self, data: bytes) -> str: ...

    def get(self, sha256: str) -> bytes: ...

    def delete(self, sha256: str) -> None: ...

    def digests(self) -> Iterator[str]: ...


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
    """What an index must hold to be current: the active generation and every change up to ``sequence``."""

    generation: Generation | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """An immutable finding as stored: ``document`` is JSON text in the form of the `check` contract, without paths."""

    finding_id: str
    created_at: datetime
    file: str
    query_sha256: str
    document: str


class Catalogue(Protocol):
    """The database: the truth. Each method is one transaction; what returned is durable. Thread safe.

    Every method raises StoreUnavailable when the database cannot be used. ``at``, ``now`` and ``*_at`` are aware UTC.

    ``store_blob`` makes registering bytes and deleting them exclude each other. Put the bytes into the blob store
    first, outside any transaction, and pass a function that puts them again: it runs inside the transaction, when no
    deletion can intervene, and costs nothing unless the bytes were deleted in between.
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
        store_blob: Callable[[], object] | None = None,
    ) -> Reference:
        """Store owner (if new), content and descriptors (if new), work and reference.

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

    def withdraw(self, reference_id: str, *, at: datetime) -> Reference:
        """No longer matched; everything is kept. Raises NotFound, InvalidTransition unless it is active."""
        ...

    def erase(self, reference_id: str, *, at: datetime) -> Reference:
        """Leaves a tombstone, of an active or a withdrawn reference. Raises NotFound, InvalidTransition when erased.

        Content and descriptors go when no other reference that is not erased uses them; the blob is queued for
        deletion when no kept query uses it either. Afterwards call ``delete_blobs`` and ``ReferenceIndex.save``.
        """
        ...

    # contents and descriptors
    def content(self, sha256: str) -> Content:
        """Raises NotFound."""
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
    ) -> None:
        """``query_expires_at``: until when the query's bytes are kept; None when they are not in the blob store."""
        ...

    def finding(self, finding_id: str) -> StoredFinding:
        """Raises NotFound."""
        ...

    def expire_queries(self, *, now: datetime) -> int:
        """Forget the queries whose time is over, and queue their bytes for deletion; returns how many."""
        ...

    # blobs that no row needs any more: decided with the erasure, executed afterwards, survives a crash in between
    def pending_blob_deletions(self) -> Sequence[str]: ...
    def delete_blobs(self, delete: Callable[[str], None]) -> int:
        """Calls ``delete`` for each digest that is queued and still not needed; returns how many."""
        ...

    def statistics(self) -> dict[str, int]: ...
    def close(self) -> None: ...


class ReferenceIndex(Protocol):
    """The searchable contents of the active generation, kept current with the catalogue. Thread safe.

    Raises IndexNotReady when no generation is active, IndexUnavailable, StoreUnavailable.
    """

    @property
    def generation(self) -> Generation | None:
        """The one that was searched last, or loaded."""
        ...

    def __len__(self) -> int: ...

    def refresh(self) -> int:
        """Take over what changed in the catalogue, by whichever process; returns the number of changes."""
        ...

    def search(self, views: Vectors, limit: int) -> list[FusedHit]:
        """The ``limit`` contents nearest to any of ``views``, (n, dimension); sees all that was registered before."""
        ...

    def save(self) -> None:
        """Write what is new to disk, and drop what was erased from it. A crash at any moment costs only time."""
        ...

    def rebuild(self) -> int:
        """Forget the files and build anew from the catalogue; returns the number of contents."""
        ...

    def close(self) -> None: ...
