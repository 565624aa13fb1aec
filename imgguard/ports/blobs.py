"""Bytes by their digest."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol


class BlobStore(Protocol):
    """Bytes under their SHA-256 (hex). ``put`` is durable when it returns and idempotent, and replaces bytes that were
    damaged; ``get`` checks the digest; ``stored_at`` is an aware time.

    Raises NotFound, DigestMismatch, StoreUnavailable.
    """

    def put(self, data: bytes) -> str: ...

    def get(self, sha256: str) -> bytes: ...

    def delete(self, sha256: str) -> None: ...

    def stored_at(self, sha256: str) -> datetime: ...

    def digests(self) -> Iterator[str]: ...
