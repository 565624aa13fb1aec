"""Works and collections: how an owner orders what it has registered.

A work is one picture with all its files: the camera's, the one for print, the one for the shop. Licences are granted
for works. A collection is a named set of works, for the owner's own use.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One with references that are not erased; an emptied one is not shown any more.

    ``reference_ids`` and ``collection_ids`` in order.
    """

    work_id: str
    owner_id: str
    title: str | None
    created_at: datetime
    reference_ids: tuple[str, ...]
    collection_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """``name`` is unique among those of its owner."""

    collection_id: str
    owner_id: str
    name: str
    created_at: datetime
    work_count: int
