"""Contents and their descriptors. Each function runs inside the caller's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, exists, insert, or_, select, update

from imgguard.errors import NotFound, WeightsUnavailable
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind
from imgguard.registry.records import Content, ReferenceStatus
from imgguard.storage.sql import index_log
from imgguard.storage.sql.schema import contents, descriptors, refs

STATEMENT_NUMBERS = 500
"""Bound parameters of one statement; SQLite builds may limit them to 999."""

is_searchable = exists().where(refs.c.content_number == contents.c.number, refs.c.status == ReferenceStatus.ACTIVE)


def _record(row: Row[Any]) -> Content:
    return Content(**row._mapping)


def find(connection: Connection, sha256: str) -> Content | None:
    """The content with these bytes."""
    row = connection.execute(select(contents).where(contents.c.sha256 == sha256)).one_or_none()
    return None if row is None else _record(row)


def get(connection: Connection, sha256: str) -> Content:
    """The content with these bytes. Raises NotFound."""
    content = find(connection, sha256)
    if content is None:
        raise NotFound(f"no content with SHA-256 {sha256}")
    return content


def numbered(connection: Connection, number: int) -> Content | None:
    """The content that the index knows by this number; None when it was erased."""
    row = connection.execute(select(contents).where(contents.c.number == number)).one_or_none()
    return None if row is None else _record(row)


def ensure(connection: Connection, content: Content) -> int:
    """The number of ``content``, stored now if it was not. What an earlier decoder found in the bytes stays."""
    found = connection.execute(
        select(contents.c.number).where(contents.c.sha256 == content.sha256)
    ).scalar_one_or_none()
    if found is not None:
        return int(found)
    columns = [column.name for column in contents.columns if column.name != "number"]
    values = {name: getattr(content, name) for name in columns}
    return int(connection.execute(insert(contents).values(values).returning(contents.c.number)).scalar_one())


def destroy(connection: Connection, number: int) -> None:
    """With its descriptors. No reference may use it any more."""
    connection.execute(delete(descriptors).where(descriptors.c.content_number == number))
    connection.execute(delete(contents).where(contents.c.number == number))


def add_missing_descriptors(connection: Connection, number: int, given: Iterable[Descriptor]) -> None:
    """Those of a kind and weights that the content has not; what it has stays."""
    statement = select(descriptors.c.kind, descriptors.c.weights_sha256).where(descriptors.c.content_number == number)
    present = {(row.kind, row.weights_sha256) for row in connection.execute(statement)}
    for descriptor in given:
        key = (str(descriptor.kind), descriptor.weights_sha256 or "")
        if key not in present:
            connection.execute(insert(descriptors).values(_values(number, descriptor)))
            present.add(key)


def put_descriptor(connection: Connection, sha256: str, descriptor: Descriptor) -> None:
    """Add or replace; tells the index when it is the embedding that the active generation was waiting for.

    Raises NotFound.
    """
    number = get(connection, sha256).number
    values = _values(number, descriptor)
    same = (
        (descriptors.c.content_number == number)
        & (descriptors.c.kind == values["kind"])
        & (descriptors.c.weights_sha256 == values["weights_sha256"])
    )
    if connection.execute(update(descriptors).where(same).values(values)).rowcount == 0:
        connection.execute(insert(descriptors).values(values))
    active = index_log.active_generation(connection)
    if active is not None and descriptor.weights_sha256 == active.weights_sha256:
        searchable = connection.execute(select(is_searchable).where(contents.c.number == number)).scalar_one()
        if searchable:
            index_log.record(connection, number, present=True)


def _values(number: int, descriptor: Descriptor) -> dict[str, Any]:
    return {
        "content_number": number,
        "kind": str(descriptor.kind),
        "weights_sha256": descriptor.weights_sha256 or "",
        "algorithm": descriptor.algorithm,
        "version": descriptor.version,
        "data": descriptor.data,
    }


def require_embedding(connection: Connection, number: int) -> None:
    """A reference that the active generation cannot find would be registered in name only.

    Raises WeightsUnavailable.
    """
    active = index_log.active_generation(connection)
    if active is None:
        return
    statement = select(descriptors.c.descriptor_id).where(
        descriptors.c.content_number == number,
        descriptors.c.kind == DescriptorKind.EMBEDDING,
        descriptors.c.weights_sha256 == active.weights_sha256,
    )
    if connection.execute(statement).first() is None:
        raise WeightsUnavailable(
            f"the picture was not embedded with the weights of the active index ({active.weights_sha256[:12]}...)"
        )


def descriptors_of(connection: Connection, sha256: str, kinds: Sequence[DescriptorKind]) -> list[Descriptor]:
    """In order of kind and weights; none when there is no such content."""
    statement = (
        select(descriptors)
        .join(contents, contents.c.number == descriptors.c.content_number)
        .where(contents.c.sha256 == sha256, descriptors.c.kind.in_([str(kind) for kind in kinds]))
        .order_by(descriptors.c.kind, descriptors.c.weights_sha256)
    )
    return [
        Descriptor(
            kind=DescriptorKind(row.kind),
            algorithm=row.algorithm,
            version=row.version,
            weights_sha256=row.weights_sha256 or None,
            data=row.data,
        )
        for row in connection.execute(statement)
    ]


def _embeddings(weights_sha256: str) -> Select[tuple[int, bytes]]:
    return select(descriptors.c.content_number, descriptors.c.data).where(
        descriptors.c.kind == DescriptorKind.EMBEDDING, descriptors.c.weights_sha256 == weights_sha256
    )


def embeddings(connection: Connection, weights_sha256: str, numbers: Sequence[int]) -> dict[int, bytes]:
    """Packed, by number; a number without one is absent."""
    found: dict[int, bytes] = {}
    for start in range(0, len(numbers), STATEMENT_NUMBERS):
        some = [int(number) for number in numbers[start : start + STATEMENT_NUMBERS]]
        statement = _embeddings(weights_sha256).where(descriptors.c.content_number.in_(some))
        found.update((row.content_number, row.data) for row in connection.execute(statement))
    return found


def searchable_embeddings(
    connection: Connection, weights_sha256: str, *, after: int, limit: int
) -> list[tuple[int, bytes]]:
    """Number and packed embedding of contents with an active reference, in order of number, those behind ``after``."""
    statement = (
        _embeddings(weights_sha256)
        .join(contents, contents.c.number == descriptors.c.content_number)
        .where(contents.c.number > after, is_searchable)
        .order_by(contents.c.number)
        .limit(limit)
    )
    return [(row.content_number, row.data) for row in connection.execute(statement)]


def identical(connection: Connection, sha256: str, pixel_digest: str) -> list[int]:
    same = or_(contents.c.sha256 == sha256, contents.c.pixel_digest == pixel_digest)
    statement = select(contents.c.number).where(same, is_searchable).order_by(contents.c.number)
    return list(connection.scalars(statement))


def without_embedding(connection: Connection, weights_sha256: str, *, limit: int) -> list[Content]:
    """Contents with an active reference that lack one, in order of number."""
    embedded = _embeddings(weights_sha256).where(descriptors.c.content_number == contents.c.number).exists()
    statement = select(contents).where(is_searchable, ~embedded).order_by(contents.c.number).limit(limit)
    return [_record(row) for row in connection.execute(statement)]
