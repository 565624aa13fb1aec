"""Every outside boundary. Adapters live in storage/ and net/; bootstrap/ chooses them.

Import from here; the modules inside only keep the pages short.
"""

from imgguard.ports.accounts import (
    Accounts,
    AuditTrail,
    Credentials,
    InvitationGrant,
    KeyGrant,
    Login,
    NewCredential,
    SessionGrant,
)
from imgguard.ports.anchoring import Anchor, AnchorState, AnchorStore, Calendar
from imgguard.ports.blobs import BlobStore, StoredFile
from imgguard.ports.catalogue import (
    BlobDeletions,
    Catalogue,
    Generation,
    IndexChange,
    IndexState,
    NewCheck,
    StoredFinding,
)
from imgguard.ports.checks import Asker, CheckStore, MadeCheck, Original
from imgguard.ports.claims import ClaimStore
from imgguard.ports.clock import Clock
from imgguard.ports.feeds import Feed, FeedStore, NewFeed
from imgguard.ports.idempotency import IdempotencyKeys, StoredAnswer
from imgguard.ports.index import ReferenceIndex
from imgguard.ports.jobs import (
    ATTEMPTS,
    WORKER_CRASHED,
    ClaimedItem,
    Item,
    ItemError,
    ItemState,
    Job,
    JobState,
    JobStore,
    NewItem,
    Priority,
    Room,
)
from imgguard.ports.network import Accept, Capture, CheckedUrl, Fetched, Fetcher, Posted, Poster, Redirect
from imgguard.ports.packets import PacketRow, PacketState, PacketStore, SubjectKind
from imgguard.ports.rights import Rights
from imgguard.ports.sign_in import IdentityProvider, PendingSignIn, Proof, ProvenIdentity, SignIns
from imgguard.ports.stamping import (
    SELF_ISSUED_URL,
    CheckpointToken,
    Stamp,
    TokenState,
    TokenStore,
    Waiting,
)
from imgguard.ports.timestamping import TimestampAuthority
from imgguard.ports.traces import Traces
from imgguard.ports.transparency import LogFiles, LoggedLeaf, LogKey, LogStore, StampedBy, StoredCheckpoint
from imgguard.ports.webhooks import Attempt, ClaimedDelivery, Pace, Replayed, Slots, WebhookStore
from imgguard.ports.witnessing import LogWitness
from imgguard.ports.works import FiledReference, Works

__all__ = [
    "ATTEMPTS",
    "SELF_ISSUED_URL",
    "WORKER_CRASHED",
    "Accept",
    "Accounts",
    "Anchor",
    "AnchorState",
    "AnchorStore",
    "Asker",
    "Attempt",
    "AuditTrail",
    "BlobDeletions",
    "BlobStore",
    "Calendar",
    "Capture",
    "Catalogue",
    "CheckStore",
    "CheckedUrl",
    "CheckpointToken",
    "ClaimStore",
    "ClaimedDelivery",
    "ClaimedItem",
    "Clock",
    "Credentials",
    "Feed",
    "FeedStore",
    "Fetched",
    "Fetcher",
    "FiledReference",
    "Generation",
    "IdempotencyKeys",
    "IdentityProvider",
    "IndexChange",
    "IndexState",
    "InvitationGrant",
    "Item",
    "ItemError",
    "ItemState",
    "Job",
    "JobState",
    "JobStore",
    "KeyGrant",
    "LogFiles",
    "LogKey",
    "LogStore",
    "LogWitness",
    "LoggedLeaf",
    "Login",
    "MadeCheck",
    "NewCheck",
    "NewCredential",
    "NewFeed",
    "NewItem",
    "Original",
    "Pace",
    "PacketRow",
    "PacketState",
    "PacketStore",
    "PendingSignIn",
    "Posted",
    "Poster",
    "Priority",
    "Proof",
    "ProvenIdentity",
    "Redirect",
    "ReferenceIndex",
    "Replayed",
    "Rights",
    "Room",
    "SessionGrant",
    "SignIns",
    "Slots",
    "Stamp",
    "StampedBy",
    "StoredAnswer",
    "StoredCheckpoint",
    "StoredFile",
    "StoredFinding",
    "SubjectKind",
    "TimestampAuthority",
    "TokenState",
    "TokenStore",
    "Traces",
    "Waiting",
    "WebhookStore",
    "Works",
]
