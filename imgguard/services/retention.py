"""Deletions that are due: queries whose time is over, and the bytes that no row needs any more."""

from imgguard.ports import BlobStore, Catalogue, Clock


def tidy(catalogue: Catalogue, blobs: BlobStore, clock: Clock) -> int:
    """Forget expired queries and finish deletions that a crash left; returns how many files went. Cheap when idle."""
    catalogue.expire_queries(now=clock.now())
    return catalogue.delete_blobs(blobs.delete) if catalogue.pending_blob_deletions() else 0
