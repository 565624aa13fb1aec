"""The four things that must not be mixed up: content (bytes), reference (one owner's registration of a content),
work (a picture with all its files), owner. Two owners may register the same bytes: that is the dispute."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReferenceStatus(StrEnum):
    """``withdrawn``: no longer matched, history stays. ``erased``: bytes, descriptors, names and salt destroyed."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    owner_id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Bytes, by SHA-256, and what decoding them gave. ``number`` is the key in the index; 0 before it is stored.

    ``declared_times`` is the JSON text of what the file claims of itself, ``credentials`` that of its Content
    Credentials as they were found at registration, None where there are none.
    """

    number: int
    sha256: str
    byte_length: int
    pixel_digest: str
    media_type: str
    width: int
    height: int
    decoder: str
    decoder_version: str
    declared_times: str
    credentials: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One owner's registration of a content. After erasure only ids, status and times remain (a tombstone).

    ``owner`` is the owner's name.
    """

    reference_id: str
    owner_id: str
    owner: str | None
    work_id: str | None
    sha256: str | None
    file: str | None
    status: ReferenceStatus
    registered_at: datetime
    withdrawn_at: datetime | None
    erased_at: datetime | None
