"""Answers that are given twice: what was answered to a request that may be sent again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """``body`` is JSON. It never holds secrets or personal data: where the answer did, it holds ids."""

    status: int
    headers: Mapping[str, str]
    body: str


class IdempotencyKeys(Protocol):
    """Keys that callers choose, each for one request, apart for each organisation. Thread safe.

    Each method is one transaction. Raises StoreUnavailable.
    """

    def claim(
        self, organisation_id: str, key: str, *, request_sha256: str, now: datetime, until: datetime
    ) -> StoredAnswer | None:
        """The answer, if the request was answered already; None when the caller is to answer it, before ``until``.

        Forgets what is over. Raises IdempotencyMismatch when the key was sent with another request, Conflict while
        the same one is being answered.
        """
        ...

    def finish(
        self, organisation_id: str, key: str, *, request_sha256: str, answer: StoredAnswer, until: datetime
    ) -> None:
        """Keep the ``answer`` until then. Does nothing when the claim is over."""
        ...

    def release(self, organisation_id: str, key: str, *, request_sha256: str) -> None:
        """Give the claim back: the request was not answered, or not in a way worth repeating."""
        ...
