"""The transparency log: what the database has of it, and the files that are given out."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imgguard.provenance.leaves import Opening
from imgguard.provenance.notes import VerifierKey
from imgguard.provenance.records import Kind, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedLeaf:
    """``leaf`` is the entry as the log gives it out; ``object_id`` and ``owner_id`` are private."""

    position: int
    leaf: bytes
    leaf_hash: bytes
    kind: Kind
    object_id: str
    owner_id: str | None
    logged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheckpoint:
    """``note`` is what was given out."""

    size: int
    root: bytes
    note: bytes
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class StampedBy:
    """A timestamp authority, by its address in the settings and its name for people."""

    url: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """``private_key`` is None when it lies in a file of its own. Checkpoints of ``first_size`` leaves and more have its
    signature, until it is retired."""

    vkey: VerifierKey
    private_key: Ed25519PrivateKey | None = field(repr=False)
    first_size: int
    created_at: datetime
    retired_at: datetime | None = None


class LogStore(Protocol):
    """Leaves are written with the changes that they tell of, by the other stores; those of what changes nothing here,
    by `append`."""

    def size(self) -> int:
        """How many leaves there are."""
        ...

    def leaves(self, start: int, *, limit: int) -> Sequence[LoggedLeaf]:
        """In order of position, from ``start`` on."""
        ...

    def hashes(self, start: int, *, limit: int) -> Sequence[bytes]:
        """As `leaves`: what is stored as their hashes."""
        ...

    def leaf_about(self, object_id: str, kind: Kind | None = None) -> LoggedLeaf:
        """The latest of that kind; the first of any kind for None. Raises NotFound."""
        ...

    def openings(self, start: int, *, limit: int) -> Sequence[tuple[LoggedLeaf, Opening | None]]:
        """As `leaves`, with what opens them; None where that was erased."""
        ...

    def counts(self) -> dict[str, int]:
        """Leaves by kind."""
        ...

    def append(self, record: Record, *, object_id: str, at: datetime) -> int:
        """The position of a leaf that nobody signs. Raises InputError for what cannot be logged."""
        ...

    def log_earlier(self, *, at: datetime) -> int:
        """Append leaves for references from before there was a log; returns how many. Can be stopped at any time."""
        ...

    def without_leaf(self, *, limit: int = 100) -> Sequence[str]:
        """Active references that have no leaf."""
        ...

    def checkpoints(self) -> Sequence[StoredCheckpoint]:
        """The smallest first."""
        ...

    def last_checkpoint(self) -> StoredCheckpoint | None: ...
    def checkpoint(self, size: int) -> StoredCheckpoint:
        """Raises NotFound."""
        ...

    def add_checkpoint(self, checkpoint: StoredCheckpoint, *, stamped_by: Sequence[StampedBy] = ()) -> None:
        """With it is stored that it waits for their tokens."""
        ...

    def log_keys(self) -> Sequence[LogKey]:
        """The oldest first; the last one signs."""
        ...

    def begin(self, key: LogKey) -> LogKey:
        """The first key; when there is one already, that one stays."""
        ...

    def rotate(self, key: Callable[[int], LogKey], record: Record, *, object_id: str) -> LogKey:
        """Retire the present key, log ``record``, and take the key that is made for the size that the log has then."""
        ...


class LogFiles(Protocol):
    """Files by their paths below the URL of the log (C2SP tlog-tiles). Once given out they never change."""

    def writing(self) -> AbstractContextManager[None]:
        """While inside, nobody else writes: waits for others, of other processes too. Raises StoreUnavailable."""
        ...

    def read(self, path: str) -> bytes:
        """Raises NotFound, StoreUnavailable."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """All of it or nothing is there under ``path``; for good once `settle` was called. Raises StoreUnavailable."""
        ...

    def settle(self) -> None:
        """What was written survives a loss of power. Raises StoreUnavailable."""
        ...

    def discard(self, path: str) -> None:
        """Remove the partial tiles of the full tile ``path``, if there are any. Raises StoreUnavailable."""
        ...
