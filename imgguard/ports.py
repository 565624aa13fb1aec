"""Every outside boundary on one page. Adapters live in storage/ and net/; bootstrap.py chooses them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind
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
    """A content became searchable (``present``) or ceased to be, at ``sequence`` in the store's history."""

    sequence: int
    number: int
    sha256: str
    present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """An immutable finding as stored: ``document`` is JSON text in the form of the `check` contract, without paths."""

    finding_id: str
    created_at: datetime
    file: str
    query_sha256: str
    document: str


class Catalogue(Protocol):
    """The database: the truth. Each method is one transaction; what returned is durable."""

    # owners and references
    def owner(self, name: str) -> Owner | None: ...
    def add_reference(
        self, owner: str, content: Content, descriptors: Iterable[Descriptor], *, file: str, at: datetime
    ) -> Reference:
        """Store owner (if new), content and descriptors (if new), work and reference. Raises DuplicateReference."""
        ...

    def reference(self, reference_id: str) -> Reference: ...
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

    def withdraw(self, reference_id: str, *, at: datetime) -> Reference: ...
    def erase(self, reference_id: str, *, at: datetime) -> Reference:
        """Leaves a tombstone. Content, descriptors and blob go when no other reference or kept query uses them."""
        ...

    # contents and descriptors
    def content(self, sha256: str) -> Content: ...
    def content_numbered(self, number: int) -> Content | None: ...
    def descriptors(self, sha256: str, kinds: Sequence[DescriptorKind]) -> Sequence[Descriptor]: ...
    def add_descriptor(self, sha256: str, descriptor: Descriptor) -> None: ...

    # index
    def active_generation(self) -> Generation | None: ...
    def begin_generation(self, weights_sha256: str, *, at: datetime) -> Generation: ...
    def activate_generation(self, generation_id: str, *, at: datetime) -> Generation: ...
    def index_changes(self, after: int, *, limit: int = 10_000) -> Sequence[IndexChange]: ...
    def embeddings(self, weights_sha256: str, numbers: Sequence[int]) -> dict[int, bytes]: ...
    def contents_without_embedding(self, weights_sha256: str, *, limit: int = 1000) -> Sequence[Content]: ...

    # findings and queries
    def add_finding(self, finding: StoredFinding, *, query_expires_at: datetime | None) -> None: ...
    def finding(self, finding_id: str) -> StoredFinding: ...
    def expire_queries(self, *, now: datetime) -> int: ...

    # deletion of blobs that no row needs any more, in two steps that survive a crash
    def pending_blob_deletions(self) -> Sequence[str]: ...
    def blob_deleted(self, sha256: str) -> None: ...

    def statistics(self) -> dict[str, int]: ...
    def close(self) -> None: ...
