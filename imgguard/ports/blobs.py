"""Bytes by their digest."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """What was read from a file, and is stored now: its SHA-256 (hex) and its length in bytes."""

    sha256: str
    byte_length: int


class BlobStore(Protocol):
    """Bytes under their SHA-256 (hex). ``put`` is durable when it returns and idempotent, and replaces bytes that were
    damaged; ``get`` checks the digest; ``stored_at`` is an aware time. ``put_file`` and ``opened`` do the same for what
    is too large for the memory: the one reads from where the file stands to its end, the other checks the digest of all
    of it first.

    Raises NotFound, DigestMismatch, StoreUnavailable.
    """

    def put(self, data: bytes) -> str: ...

    def put_file(self, file: IO[bytes]) -> StoredFile: ...

    def opened(self, sha256: str) -> IO[bytes]: ...

    def get(self, sha256: str) -> bytes: ...

    def delete(self, sha256: str) -> None: ...

    def stored_at(self, sha256: str) -> datetime: ...

    def digests(self) -> Iterator[str]: ...
