"""Deletions that are due: queries whose time is over, and the bytes that no row needs any more."""

import logging

from imgguard.ports import BlobStore, Catalogue, Clock

_log = logging.getLogger(__name__)


def tidy(catalogue: Catalogue, blobs: BlobStore, clock: Clock) -> int:
    """Forget expired queries and finish deletions that are left over; returns how many files went. Cheap when idle.

    Files that resist are logged, and tried again the next time. Raises StoreUnavailable.
    """
    catalogue.expire_queries(now=clock.now())
    if not catalogue.pending_blob_deletions():
        return 0
    done = catalogue.delete_blobs(blobs.delete)
    if done.failed:
        reason = next(iter(done.failed.values()))
        _log.warning("%d files that are due to be deleted could not be: %s", len(done.failed), reason)
    return done.deleted
