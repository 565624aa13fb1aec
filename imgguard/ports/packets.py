"""Evidence packets that members had built: what is kept of them, and for how long."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from imgguard.registry.accounts import AuditEvent


class PacketState(StrEnum):
    """``kept``: its file is there. Of the others it is not: its time was over, its organisation had it deleted, or
    something that it contained was erased."""

    KEPT = "kept"
    EXPIRED = "expired"
    DELETED = "deleted"
    ERASED = "erased"


class SubjectKind(StrEnum):
    """What a packet contains."""

    REFERENCE = "reference"
    FINDING = "finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketRow:
    """``references`` and ``findings`` are the ids of all that it contains, in order of their ids.

    ``sha256`` and ``byte_length`` are of its file, ``told`` is JSON text: what it states, for those who built it. Once
    it is erased all three are None, and only ids and times are left. ``ended_at``: when the file was let go of.
    """

    packet_id: str
    organisation_id: str
    member_id: str
    state: PacketState
    sha256: str | None
    byte_length: int | None
    told: str | None = field(repr=False)
    references: tuple[str, ...]
    findings: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def state_at(self, at: datetime) -> PacketState:
        """What it is at that time, whether its file is deleted yet or not."""
        if self.state is PacketState.KEPT and self.expires_at <= at:
            return PacketState.EXPIRED
        return self.state


class PacketStore(Protocol):
    """Each method is one transaction. What erases a reference or a check erases every packet that contains it in the
    same one. Thread safe.

    Every method raises StoreUnavailable when the database cannot be used.
    """

    def add(self, packet: PacketRow, *, event: AuditEvent, store_blob: Callable[[], object] | None = None) -> None:
        """Its file is needed from now on, and as long as the packet is kept: a deletion that is queued is called off.
        ``store_blob`` is called last and sees to it that the file is there.

        Raises InvalidTransition when something that it contains is not there any more.
        """
        ...

    def packet(self, packet_id: str) -> PacketRow:
        """Raises NotFound."""
        ...

    def packets(
        self,
        organisation_id: str,
        *,
        kinds: Collection[SubjectKind],
        after: str = "",
        limit: int = 100,
        newest_first: bool = False,
    ) -> Sequence[PacketRow]:
        """Those of the organisation that contain nothing but ``kinds``, in the order of ``packet_id`` or the reverse,
        behind ``after``."""
        ...

    def delete(self, packet_id: str, *, event: AuditEvent) -> PacketRow:
        """Let go of its file, and queue that for deletion. Raises NotFound, InvalidTransition when none is kept."""
        ...

    def expire(self, *, now: datetime) -> int:
        """Let go of the files whose time is over, and queue them for deletion; returns how many."""
        ...
