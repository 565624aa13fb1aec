"""Where the pictures of checks were fetched. Each function runs inside the caller's transaction."""

from collections.abc import Sequence
from itertools import batched

from sqlalchemy import Connection, delete, insert, select

from imgguard.ports import Capture
from imgguard.storage.sql.contents import STATEMENT_NUMBERS
from imgguard.storage.sql.schema import captures

_FIELDS = [column for column in captures.columns if column.name != "finding_id"]


def add(connection: Connection, finding_id: str, capture: Capture) -> None:
    """Of a check that is stored in the same transaction."""
    values = {column.name: getattr(capture, column.name) for column in _FIELDS}
    connection.execute(insert(captures).values(finding_id=finding_id, **values))


def of(connection: Connection, finding_ids: Sequence[str]) -> dict[str, Capture]:
    """By finding; one that was not fetched is absent."""
    found: dict[str, Capture] = {}
    for some in batched(finding_ids, STATEMENT_NUMBERS):
        for row in connection.execute(select(captures).where(captures.c.finding_id.in_(some))):
            found[row.finding_id] = Capture(**{column.name: row._mapping[column.name] for column in _FIELDS})
    return found


def forget(connection: Connection, finding_id: str) -> None:
    """Does nothing when it was not fetched."""
    connection.execute(delete(captures).where(captures.c.finding_id == finding_id))
