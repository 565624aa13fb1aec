"""References of stores that were made before there was a log. Each function runs inside the caller's transaction."""

import logging
from datetime import datetime

from sqlalchemy import Connection, select, update

from imgguard.errors import InputError
from imgguard.provenance.records import Kind
from imgguard.registry.records import ReferenceStatus
from imgguard.storage.sql import log
from imgguard.storage.sql.schema import counters, log_leaves, owners, refs

_COUNTER = "log_backlog"
_log = logging.getLogger(__name__)

unlogged = (
    select(refs.c.reference_id, refs.c.owner_id, owners.c.name, refs.c.content_number, refs.c.file)
    .join(owners, owners.c.owner_id == refs.c.owner_id)
    .outerjoin(
        log_leaves, (log_leaves.c.object_id == refs.c.reference_id) & (log_leaves.c.kind == Kind.REGISTRATION.value)
    )
    .where(refs.c.status == ReferenceStatus.ACTIVE, log_leaves.c.position.is_(None))
    .order_by(refs.c.reference_id)
)
"""Active references without a leaf."""


def is_due(connection: Connection) -> bool:
    """Whether there may be any. What is registered from now on has its leaf."""
    return bool(connection.execute(select(counters.c.value).where(counters.c.name == _COUNTER)).scalar_one())


def append_some(connection: Connection, *, after: str, limit: int, at: datetime) -> str | None:
    """Append leaves of the next ``limit`` behind the reference ``after``; returns the last of them, None at the end.

    They were received ``at``: what was there before, the log has not seen. To begin anew leaves out what has a leaf.
    """
    rows = connection.execute(unlogged.where(refs.c.reference_id > after).limit(limit)).all()
    for row in rows:
        handed = log.Handed(
            reference_id=row.reference_id,
            owner_id=row.owner_id,
            owner=row.name,
            number=row.content_number,
            file=row.file,
        )
        try:
            log.register(connection, handed, at=at)
        except InputError as error:  # nothing that can be repaired: the others shall have their leaves
            _log.warning("%s cannot be logged: %s", row.reference_id, error)
    if rows:
        return str(rows[-1].reference_id)
    connection.execute(update(counters).where(counters.c.name == _COUNTER).values(value=0))
    return None
