"""Product feeds that were handed in: what is kept of them beside the job that checks their pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from imgguard.feeds.records import Encoding, Form
from imgguard.ports.jobs import Job
from imgguard.registry.accounts import AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeed:
    """Stored with its job, by `JobStore.submit`. ``sha256``: of its bytes in the blob store, which are needed until it
    is deleted; ``url``: where they were fetched, if they were. ``picture_count``: of different addresses."""

    feed_id: str
    file: str
    form: Form
    encoding: Encoding
    sha256: str
    url: str | None
    product_count: int
    picture_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What was handed in, and the ``job`` as it is now: its items are the different addresses of pictures."""

    feed_id: str
    organisation_id: str
    member_id: str
    file: str
    form: Form
    encoding: Encoding
    sha256: str
    url: str | None
    product_count: int
    picture_count: int
    created_at: datetime
    job: Job


class FeedStore(Protocol):
    """Each method is one transaction. Feeds go with their job, by `JobStore.forget`, at the latest. Thread safe.

    Every method raises StoreUnavailable when the database cannot be used.
    """

    def feed(self, feed_id: str) -> Feed:
        """Raises NotFound."""
        ...

    def feeds(
        self, organisation_id: str, *, after: str = "", limit: int = 100, newest_first: bool = False
    ) -> Sequence[Feed]:
        """Those of the organisation, in the order of ``feed_id`` or the reverse, behind ``after``."""
        ...

    def delete(self, feed_id: str, *, event: AuditEvent) -> None:
        """Forget it, and queue its bytes for deletion unless something else needs them. Its job stays.

        Raises NotFound.
        """
        ...
