"""Calendars of OpenTimestamps, and the anchors of checkpoints: promises of calendars, and what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from imgguard.ports.stamping import Waiting
from imgguard.ports.transparency import StampedBy, StoredCheckpoint


class Calendar(Protocol):
    """One calendar of the operator's choice. Thread safe. ``name`` is for people, ``url`` ends without a slash."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    def submit(self, commitment: bytes) -> bytes:
        """Its answer about 32 bytes, at most `LONGEST_ANSWER` and not read yet. Raises CalendarUnavailable."""
        ...

    def upgrade(self, commitment: bytes) -> bytes | None:
        """The same of the message of its promise; None while it has nothing new. Raises CalendarUnavailable."""
        ...


class AnchorState(StrEnum):
    """``waiting``: the calendar has not answered yet; ``promised``: it has; ``attested``: a block of Bitcoin is named,
    which nobody here has looked at."""

    WAITING = "waiting"
    PROMISED = "promised"
    ATTESTED = "attested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Of the checkpoint of ``size`` leaves, by the calendar at ``url``.

    ``tries`` have brought nothing; ``next_at`` comes the next, and ``error`` says why the last one failed, if it did.
    ``file`` is the `.ots` file, once the calendar has answered.
    """

    anchor_id: int
    size: int
    url: str
    calendar: str
    state: AnchorState
    begun_at: datetime
    tries: int
    next_at: datetime
    error: str | None
    file: bytes | None = field(repr=False)


class AnchorStore(Protocol):
    """An anchor that is attested never changes, nor goes away."""

    def prepare(self, calendars: Sequence[StampedBy], *, at: datetime, since: datetime) -> None:
        """The newest checkpoint waits for each of ``calendars`` that was asked nothing since then, or has not answered
        about an older one, whose place it takes. Nothing waits for others. Of an empty log nobody is asked."""
        ...

    def due(self, url: str, *, at: datetime | None, limit: int) -> Sequence[Anchor]:
        """Those of that calendar that are to be asked about, the newest first, which alone can be unanswered. ``at``
        None: whether due or not."""
        ...

    def claim(self, anchor_id: int, *, due: datetime | None, until: datetime) -> bool:
        """Whether it is for the caller to ask now: no other will before ``until``. ``due`` None: whether due or not."""
        ...

    def keep(self, anchor_id: int, file: bytes, *, state: AnchorState, next_at: datetime) -> None:
        """The calendar has answered. Does nothing once it is attested."""
        ...

    def put_off(self, anchor_id: int, *, next_at: datetime, error: str | None) -> None:
        """Nothing has come of it; None when nothing went wrong either."""
        ...

    def of_checkpoint(self, size: int) -> Sequence[Anchor]: ...
    def newest(self) -> Sequence[Anchor]:
        """Those of the largest checkpoint that has any."""
        ...

    def anchored_checkpoint(self, position: int) -> StoredCheckpoint | None:
        """The smallest that has that leaf and is attested; else the smallest that has it and a promise."""
        ...

    def waiting(self, urls: Sequence[str]) -> Waiting:
        """Those of these calendars that no block attests yet."""
        ...
