"""The Catalogue port on a database: one method, one transaction."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from imgguard.errors import InvalidTransition
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind
from imgguard.ports import BlobDeletions, Capture, Generation, IndexChange, IndexState, NewCheck, StoredFinding
from imgguard.registry.accounts import AuditEvent
from imgguard.registry.claims import NewClaims
from imgguard.registry.records import Content, Owner, Reference, ReferenceStatus
from imgguard.storage.sql import (
    audit,
    captures,
    checks,
    claims,
    contents,
    index_log,
    log_events,
    packets,
    queries,
    references,
)
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.migrate import BUSY_SECONDS, open_database
from imgguard.storage.sql.statistics import statistics

_DELETIONS_PER_TRANSACTION = 50
"""Blobs deleted under one write lock: a file takes well under a millisecond, so writers wait unnoticeably."""


class SqlCatalogue:
    """See `imgguard.ports.Catalogue` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> Self:
        """The catalogue in the SQLite file at ``path``, created or migrated as needed."""
        return cls(open_database(path, busy_seconds=busy_seconds))

    def close(self) -> None:
        self._database.close()

    # owners and references

    def owner(self, name: str) -> Owner | None:
        with self._database.read() as connection:
            return references.owner(connection, name)

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
        given = list(descriptors)  # whatever makes them must not run under the write lock
        with self._database.write() as connection:
            number = contents.ensure(connection, content)
            reference = references.add(connection, owner, number, file=file, title=title, stated=stated, at=at)
            if stated is not None:
                claims.add_registered(connection, reference.reference_id, stated, at=at)
            contents.add_missing_descriptors(connection, number, given)
            contents.require_embedding(connection, number)
            queries.cancel_deletion(connection, content.sha256)
            if event is not None:
                audit.record(connection, event(reference))
            if store_blob is not None:
                store_blob()
            return reference

    def reference(self, reference_id: str) -> Reference:
        with self._database.read() as connection:
            return references.get(connection, reference_id)

    def find_reference(self, owner: str, sha256: str) -> Reference | None:
        with self._database.read() as connection:
            return references.find(connection, owner, sha256)

    def references(
        self, *, owner: str | None = None, status: ReferenceStatus | None = None, after: str = "", limit: int = 1000
    ) -> Sequence[Reference]:
        with self._database.read() as connection:
            return references.page(connection, owner_name=owner, status=status, after=after, limit=limit)

    def references_of(self, sha256: str) -> Sequence[Reference]:
        with self._database.read() as connection:
            return references.of_content(connection, sha256)

    def withdraw(
        self, reference_id: str, *, at: datetime, event: Callable[[Reference], AuditEvent] | None = None
    ) -> Reference:
        with self._database.write() as connection:
            withdrawn = references.withdraw(connection, reference_id, at=at)
            if event is not None:
                audit.record(connection, event(withdrawn))
            return withdrawn

    def erase(
        self, reference_id: str, *, at: datetime, event: Callable[[Reference], AuditEvent] | None = None
    ) -> Reference:
        with self._database.write() as connection:
            tombstone = references.erase(connection, reference_id, at=at)
            claims.erase(connection, reference_id, at=at)
            packets.erase_about(connection, reference_id, at=at)
            if event is not None:
                audit.record(connection, event(tombstone))
        self._database.scrub()
        return tombstone

    # contents and descriptors

    def content(self, sha256: str) -> Content:
        with self._database.read() as connection:
            return contents.get(connection, sha256)

    def identical_contents(self, sha256: str, pixel_digest: str) -> Sequence[int]:
        with self._database.read() as connection:
            return contents.identical(connection, sha256, pixel_digest)

    def content_numbered(self, number: int) -> Content | None:
        with self._database.read() as connection:
            return contents.numbered(connection, number)

    def descriptors(self, sha256: str, kinds: Sequence[DescriptorKind]) -> Sequence[Descriptor]:
        with self._database.read() as connection:
            return contents.descriptors_of(connection, sha256, kinds)

    def add_descriptor(self, sha256: str, descriptor: Descriptor) -> None:
        with self._database.write() as connection:
            contents.put_descriptor(connection, sha256, descriptor)

    # index

    def active_generation(self) -> Generation | None:
        with self._database.read() as connection:
            return index_log.active_generation(connection)

    def begin_generation(self, weights_sha256: str, *, at: datetime) -> Generation:
        with self._database.write() as connection:
            return index_log.begin(connection, weights_sha256, at)

    def activate_generation(self, generation_id: str, *, at: datetime) -> Generation:
        with self._database.write() as connection:
            chosen = index_log.generation(connection, generation_id)
            if chosen.status == "retired":
                raise InvalidTransition(f"{generation_id} is retired: begin a new generation with its weights")
            if chosen.status == "active":
                return chosen
            # In the same transaction as the swap: nothing registered meanwhile can fall between two generations.
            if contents.without_embedding(connection, chosen.weights_sha256, limit=1):
                raise InvalidTransition(f"{generation_id} is incomplete: some pictures still lack their embedding")
            return index_log.activate(connection, generation_id, at)

    def index_state(self) -> IndexState:
        with self._database.read() as connection:
            return index_log.state(connection)

    def index_token(self, sequence: int) -> str | None:
        with self._database.read() as connection:
            return index_log.token(connection, sequence)

    def index_changes(self, after: int, *, limit: int = 10_000) -> Sequence[IndexChange]:
        with self._database.read() as connection:
            return index_log.changes(connection, after, limit=limit)

    def embeddings(self, weights_sha256: str, numbers: Sequence[int]) -> dict[int, bytes]:
        with self._database.read() as connection:
            return contents.embeddings(connection, weights_sha256, numbers)

    def searchable_embeddings(
        self, weights_sha256: str, *, after: int = 0, limit: int = 1000
    ) -> Sequence[tuple[int, bytes]]:
        with self._database.read() as connection:
            return contents.searchable_embeddings(connection, weights_sha256, after=after, limit=limit)

    def contents_without_embedding(self, weights_sha256: str, *, limit: int = 1000) -> Sequence[Content]:
        with self._database.read() as connection:
            return contents.without_embedding(connection, weights_sha256, limit=limit)

    # findings, queries, blobs

    def add_finding(
        self,
        finding: StoredFinding,
        *,
        query_expires_at: datetime | None,
        store_blob: Callable[[], object] | None = None,
        check: NewCheck | None = None,
    ) -> None:
        with self._database.write() as connection:
            queries.add_finding(connection, finding)
            if check is not None:
                checks.add(connection, finding.finding_id, check, kept_until=query_expires_at or finding.created_at)
            log_events.finding(connection, finding, organisation_id=None if check is None else check.organisation_id)
            if check is not None and check.capture is not None:
                log_events.capture(connection, finding, check.capture, organisation_id=check.organisation_id)
            if query_expires_at is not None:
                queries.keep_query(connection, finding.query_sha256, since=finding.created_at, until=query_expires_at)
                if store_blob is not None:
                    store_blob()

    def finding(self, finding_id: str) -> StoredFinding:
        with self._database.read() as connection:
            return queries.finding(connection, finding_id)

    def capture(self, finding_id: str) -> Capture | None:
        with self._database.read() as connection:
            return captures.of(connection, [finding_id]).get(finding_id)

    def findings(self, *, after: str = "", limit: int = 1000) -> Sequence[StoredFinding]:
        with self._database.read() as connection:
            return queries.findings_after(connection, after, limit=limit)

    def expire_queries(self, *, now: datetime) -> int:
        with self._database.write() as connection:
            return queries.expire(connection, now=now)

    def kept_queries(self) -> Sequence[str]:
        with self._database.read() as connection:
            return queries.kept(connection)

    def pending_blob_deletions(self) -> Sequence[str]:
        with self._database.read() as connection:
            return queries.pending_deletions(connection)

    def queue_blob_deletions(self, digests: Iterable[str], *, at: datetime) -> int:
        given = list(digests)
        with self._database.write() as connection:
            return queries.queue_deletions(connection, given, at=at)

    def delete_blobs(self, delete: Callable[[str], None]) -> BlobDeletions:
        deleted, failed = 0, dict[str, str]()
        while True:
            with self._database.write() as connection:
                handled, done = queries.delete_some_blobs(
                    connection, delete, limit=_DELETIONS_PER_TRANSACTION, without=failed.keys()
                )
            deleted += done.deleted
            failed |= done.failed
            if handled < _DELETIONS_PER_TRANSACTION:
                return BlobDeletions(deleted=deleted, failed=failed)

    def statistics(self) -> dict[str, int]:
        with self._database.read() as connection:
            return statistics(connection)
