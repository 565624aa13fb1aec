"""Findings, the retention of queries, and the deletion of blobs. Each function runs inside the caller's transaction."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, union, update

from imgguard.errors import ImgguardError, NotFound
from imgguard.ports import BlobDeletions, PacketState, StoredFinding
from imgguard.registry.claims import Keeping
from imgguard.storage.sql.schema import (
    blob_deletions,
    contents,
    feeds,
    findings,
    job_items,
    licence_documents,
    packets,
    queries,
    reference_proofs,
)

_ATTACHED = reference_proofs.c.keeping == Keeping.STORED
_KEPT = packets.c.state == PacketState.KEPT
_UNFINISHED = job_items.c.state.in_(("queued", "running"))


def add_finding(connection: Connection, finding: StoredFinding) -> None:
    """Once: rows of findings cannot be changed."""
    values = {column.name: getattr(finding, column.name) for column in findings.columns}
    connection.execute(insert(findings).values(values))


def finding(connection: Connection, finding_id: str) -> StoredFinding:
    """Raises NotFound."""
    row = connection.execute(select(findings).where(findings.c.finding_id == finding_id)).one_or_none()
    if row is None:
        raise NotFound(f"no finding {finding_id}")
    return StoredFinding(**row._mapping)


def findings_after(connection: Connection, after: str, *, limit: int) -> list[StoredFinding]:
    """In order of ``finding_id``, those behind ``after``."""
    chosen = select(findings).where(findings.c.finding_id > after).order_by(findings.c.finding_id).limit(limit)
    return [StoredFinding(**row._mapping) for row in connection.execute(chosen)]


def keep_query(connection: Connection, sha256: str, *, since: datetime, until: datetime) -> None:
    """Keep the bytes of a query; of two retention times of the same bytes the later one holds, and the first
    ``since`` that was not let go of meanwhile."""
    mine = queries.c.query_sha256 == sha256
    present = connection.execute(select(queries.c.expires_at).where(mine)).scalar_one_or_none()
    if present is None:
        connection.execute(insert(queries).values(query_sha256=sha256, kept_since=since, expires_at=until))
    elif present < until:
        connection.execute(update(queries).where(mine).values(expires_at=until))
    cancel_deletion(connection, sha256)


def kept(connection: Connection) -> list[str]:
    """Digests of all queries whose bytes are kept, of those that wait to be worked on, of feeds, of documents of
    licences, of proofs that are stored, and of packets that are kept, in order."""
    waiting = select(job_items.c.sha256).where(_UNFINISHED, job_items.c.sha256.is_not(None))
    every = union(
        select(queries.c.query_sha256.label("sha256")),
        waiting,
        select(feeds.c.sha256),
        select(licence_documents.c.sha256),
        select(reference_proofs.c.sha256).where(_ATTACHED),
        select(packets.c.sha256).where(_KEPT),
    ).subquery()
    return list(connection.execute(select(every.c.sha256).order_by(every.c.sha256)).scalars())


def expire(connection: Connection, *, now: datetime) -> int:
    """Forget the queries whose time is over, and queue their bytes for deletion; returns how many."""
    expired = list(connection.execute(select(queries.c.query_sha256).where(queries.c.expires_at <= now)).scalars())
    for sha256 in expired:
        release_blob(connection, sha256, at=now)
    return len(expired)


def release_query(connection: Connection, sha256: str, *, kept_from: datetime, at: datetime) -> None:
    """Let go of the bytes of a query, unless they were kept before ``kept_from``, and queue them for deletion."""
    older = select(queries.c.query_sha256).where(queries.c.query_sha256 == sha256, queries.c.kept_since < kept_from)
    if connection.execute(older).first() is None:
        release_blob(connection, sha256, at=at)


def release_blob(connection: Connection, sha256: str, *, at: datetime) -> None:
    """Forget the query of these bytes, and queue them for deletion unless something else needs them."""
    connection.execute(delete(queries).where(queries.c.query_sha256 == sha256))
    queue_deletions(connection, [sha256], at=at)


def queue_deletions(connection: Connection, digests: Iterable[str], *, at: datetime) -> int:
    """Queue those that no content, kept query or packet, licence, proof, feed or unfinished item needs; how many."""
    unneeded = [sha256 for sha256 in digests if not _needed(connection, sha256)]
    for sha256 in unneeded:
        cancel_deletion(connection, sha256)
        connection.execute(insert(blob_deletions).values(sha256=sha256, decided_at=at))
    return len(unneeded)


def cancel_deletion(connection: Connection, sha256: str) -> None:
    """The bytes are needed again. Does nothing when their deletion is not queued."""
    connection.execute(delete(blob_deletions).where(blob_deletions.c.sha256 == sha256))


def _needed(connection: Connection, sha256: str) -> bool:
    by_content = select(contents.c.number).where(contents.c.sha256 == sha256)
    by_query = select(queries.c.query_sha256).where(queries.c.query_sha256 == sha256)
    by_licence = select(licence_documents.c.document_id).where(licence_documents.c.sha256 == sha256)
    by_proof = select(reference_proofs.c.proof_id).where(reference_proofs.c.sha256 == sha256, _ATTACHED)
    by_packet = select(packets.c.packet_id).where(packets.c.sha256 == sha256, _KEPT)
    by_item = select(job_items.c.position).where(job_items.c.sha256 == sha256, _UNFINISHED)
    by_feed = select(feeds.c.feed_id).where(feeds.c.sha256 == sha256)
    needing = (by_content, by_query, by_licence, by_proof, by_packet, by_feed, by_item)
    return any(connection.execute(statement.limit(1)).first() for statement in needing)


def pending_deletions(connection: Connection, *, limit: int | None = None) -> list[str]:
    """Digests that are queued, in the order in which that was decided."""
    statement = select(blob_deletions.c.sha256).order_by(blob_deletions.c.decided_at, blob_deletions.c.sha256)
    return list(connection.execute(statement.limit(limit)).scalars())


def delete_some_blobs(
    connection: Connection, delete_blob: Callable[[str], None], *, limit: int, without: Collection[str]
) -> tuple[int, BlobDeletions]:
    """Deletes under the write lock, so that no registration of the same bytes can come in between.

    A crash after the file is gone and before the commit leaves the row, and the deletion is repeated. So does an error
    of ``delete_blob`` (ImgguardError or OSError), which holds up no other. Returns how many rows were handled, and what
    became of them; rows of ``without`` are passed over.
    """
    pending = pending_deletions(connection, limit=limit + len(without))
    chosen = [sha256 for sha256 in pending if sha256 not in without][:limit]
    deleted, failed = 0, {}
    for sha256 in chosen:
        if not _needed(connection, sha256):
            try:
                delete_blob(sha256)
            except (ImgguardError, OSError) as error:
                failed[sha256] = str(error)
                continue
            deleted += 1
        cancel_deletion(connection, sha256)
    return len(chosen), BlobDeletions(deleted=deleted, failed=failed)
