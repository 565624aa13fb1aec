"""Every outside boundary. Adapters live in storage/ and net/; bootstrap/ chooses them.

Import from here; the modules inside only keep the pages short.
"""

from imgguard.ports.accounts import Accounts, AuditTrail, Credentials, KeyGrant, Login, NewCredential, SessionGrant
from imgguard.ports.blobs import BlobStore
from imgguard.ports.catalogue import BlobDeletions, Catalogue, Generation, IndexChange, IndexState, StoredFinding
from imgguard.ports.clock import Clock
from imgguard.ports.index import ReferenceIndex
from imgguard.ports.network import Accept, Fetched, Fetcher, Posted, Poster, Redirect

__all__ = [
    "Accept",
    "Accounts",
    "AuditTrail",
    "BlobDeletions",
    "BlobStore",
    "Catalogue",
    "Clock",
    "Credentials",
    "Fetched",
    "Fetcher",
    "Generation",
    "IndexChange",
    "IndexState",
    "KeyGrant",
    "Login",
    "NewCredential",
    "Posted",
    "Poster",
    "Redirect",
    "ReferenceIndex",
    "SessionGrant",
    "StoredFinding",
]
