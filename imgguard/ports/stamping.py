"""The tokens of checkpoints: those that there are, and those that are still waited for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from imgguard.ports.transparency import StampedBy, StoredCheckpoint
from imgguard.provenance.notes import NoteSignature

SELF_ISSUED_URL = "embedded"
"""Of the authority that runs within imgguard: it proves nothing to outsiders."""


class TokenState(StrEnum):
    """``covered``: a later checkpoint has a token of that authority, and holds all that this one holds."""

    WAITING = "waiting"
    STAMPED = "stamped"
    REFUSED = "refused"
    COVERED = "covered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """``expires_at``: when the certificate of its signer ends."""

    token: bytes = field(repr=False)
    gen_time: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointToken:
    """Of the checkpoint of ``size`` leaves, by the authority at ``url``.

    ``renews`` is the token (`token_id`) that it renews, None for a first one. ``tries`` have failed; ``next_at`` comes
    the next, and ``error`` says why the last one did. ``stamp`` is there when it is stamped. ``covered_by`` is the size
    of the later checkpoint.
    """

    token_id: int
    size: int
    url: str
    authority: str
    renews: int | None
    state: TokenState
    tries: int
    next_at: datetime
    error: str | None
    stamp: Stamp | None
    covered_by: int | None

    @property
    def is_self_issued(self) -> bool:
        return self.url == SELF_ISSUED_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """First tokens that are waited for, and when the oldest of their checkpoints was signed."""

    count: int
    since: datetime | None


class TokenStore(Protocol):
    """A token that is stamped never changes, nor goes away."""

    def prepare(self, authorities: Sequence[StampedBy], *, at: datetime, again: bool = False) -> None:
        """The newest checkpoint waits for each of ``authorities`` that it was never asked of; nothing waits for others.

        ``again``: also for those that have refused it.
        """
        ...

    def newest_waiting(self, url: str) -> CheckpointToken | None:
        """Of the largest checkpoint that waits for that authority; renewals are not among them."""
        ...

    def renewal(
        self, authorities: Sequence[StampedBy], *, ends_before: datetime, at: datetime
    ) -> CheckpointToken | None:
        """The one renewal in hand; begins one for a token that ends before then, the largest checkpoint first.

        None when nothing is to be renewed. What has ended already is not renewed: that would prove nothing.
        """
        ...

    def claim(self, token_id: int, *, due: datetime | None, until: datetime) -> bool:
        """Whether it is for the caller to ask now: no other will before ``until``. ``due`` None: whether due or not."""
        ...

    def stamped(self, token_id: int, stamp: Stamp, *, by: StampedBy) -> bool:
        """It is there now, and what waited for that authority with smaller checkpoints is covered. False when another
        was faster: then nothing changes."""
        ...

    def put_off(self, token_id: int, *, next_at: datetime, error: str, by: StampedBy | None = None) -> None:
        """It has failed once more; ``by`` is asked the next time, or who was asked now."""
        ...

    def refused(self, token_id: int, *, next_at: datetime, error: str) -> None:
        """Not asked for again. Smaller checkpoints that wait for that authority do so until ``next_at``."""
        ...

    def chain(self, token_id: int) -> Sequence[CheckpointToken]:
        """The stamped tokens from the first one up to this."""
        ...

    def chains(self, size: int) -> Sequence[Sequence[CheckpointToken]]:
        """Of that checkpoint: each first token that is stamped, with those that renew it."""
        ...

    def of_checkpoint(self, size: int) -> Sequence[CheckpointToken]:
        """All first tokens, whatever their state."""
        ...

    def stamped_checkpoint(self, position: int) -> StoredCheckpoint | None:
        """The smallest that has that leaf and a token, if possible one that is not self-issued. None without any."""
        ...

    def waiting(self) -> Waiting: ...
    def add_cosignatures(self, size: int, cosignatures: Sequence[NoteSignature], *, at: datetime) -> None:
        """All of them were verified. Of one key the first one stays."""
        ...

    def cosignatures(self, size: int) -> Sequence[str]:
        """As `NoteSignature.line`, in the order in which they came."""
        ...
