"""Counts and sizes for `imgguard stats`. Runs inside the caller's transaction."""

from sqlalchemy import Connection, func, select

from imgguard.fingerprint.fingerprint import DescriptorKind
from imgguard.registry.records import ReferenceStatus
from imgguard.storage.sql.schema import blob_deletions, contents, descriptors, findings, owners, queries, refs, works


def statistics(connection: Connection) -> dict[str, int]:
    """Numbers of rows; ``*_bytes`` are bytes. ``descriptor_bytes`` is the sum over the kinds."""
    tables = {
        "owners": owners,
        "works": works,
        "references": refs,
        "contents": contents,
        "findings": findings,
        "queries": queries,
        "pending_blob_deletions": blob_deletions,
    }
    counted = {
        name: connection.execute(select(func.count()).select_from(table)).scalar_one() for name, table in tables.items()
    }
    by_status = {row[0]: row[1] for row in connection.execute(select(refs.c.status, func.count()).group_by("status"))}
    counted |= {f"references_{status}": by_status.get(str(status), 0) for status in ReferenceStatus}
    originals = select(func.coalesce(func.sum(contents.c.byte_length), 0))
    counted["original_bytes"] = connection.execute(originals).scalar_one()
    size = func.sum(func.length(descriptors.c.data))
    by_kind = {row[0]: row[1] for row in connection.execute(select(descriptors.c.kind, size).group_by("kind"))}
    counted |= {f"descriptor_bytes_{kind}": by_kind.get(str(kind), 0) for kind in DescriptorKind}
    counted["descriptor_bytes"] = sum(by_kind.values())
    return counted
