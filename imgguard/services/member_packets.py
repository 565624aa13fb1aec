"""Evidence packets for members: built of what is theirs, kept for a time, handed out, forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from imgguard.errors import NotFound, PermissionDenied
from imgguard.evidence.packet.model import Purpose
from imgguard.ports import BlobStore, Catalogue, CheckStore, Clock, PacketRow, PacketState, PacketStore, SubjectKind
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, Scope
from imgguard.services.audit import event_of
from imgguard.services.installation import Installation
from imgguard.services.packet_subjects import (
    readable_kinds,
    require_check,
    require_kinds,
    require_reference,
    subjects_of,
)
from imgguard.services.packet_views import PacketView, packet_view
from imgguard.services.rights_inputs import checked_limit

MOST_SUBJECTS = 20
"""Of one packet: a machine that serves many builds them one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketOrder:
    """What a packet is to be about. ``on_behalf_of`` None: the organisation that asks."""

    ids: tuple[str, ...]
    purpose: Purpose
    on_behalf_of: str | None = None
    with_originals: bool = True


class PacketMaker(Protocol):
    """Builds packets and keeps them: `PacketMaking` does it here, another may have it done elsewhere. Thread safe."""

    def make(self, actor: Actor, order: PacketOrder) -> str:
        """As `PacketMaking.make` does; where another process does it, raises WorkerCrashed and Overloaded too."""
        ...


class MemberPackets:
    """Thread safe. What belongs to another organisation is not found, for reviewers of the operator too."""

    def __init__(
        self,
        *,
        store: PacketStore,
        maker: PacketMaker,
        catalogue: Catalogue,
        checks: CheckStore,
        blobs: BlobStore,
        installation: Installation,
        clock: Clock,
    ) -> None:
        self._store = store
        self._maker = maker
        self._catalogue = catalogue
        self._checks = checks
        self._blobs = blobs
        self._installation = installation
        self._clock = clock

    def build(self, actor: Actor, order: PacketOrder) -> PacketView:
        """A packet of what is the actor's organisation's: its references, and checks that it made. Takes seconds.

        Raises PermissionDenied without `packets:write` and `packets:read`, without the scopes that read what it is
        about, and for the console, which has a command of its own; InputError for no ids or more than 20, and as
        `Packets.build` does for a viewer; NotFound, InvalidTransition for what is erased, DigestMismatch,
        DependencyError, and what the maker raises.
        """
        require_member(actor)
        actor.require(Scope.PACKETS_READ)
        self._require_subjects(actor, order)
        return self.packet(actor, self._maker.make(actor, order))

    def _require_subjects(self, actor: Actor, order: PacketOrder) -> None:
        """What is no packet anyway waits for no turn. The maker asks again, since things change meanwhile."""
        for subject in subjects_of(order.ids, most=MOST_SUBJECTS):
            if subject.kind == "reference":
                require_kinds(actor, [SubjectKind.REFERENCE])
                require_reference(actor, self._catalogue.reference(subject.id))
            else:
                require_kinds(actor, [SubjectKind.FINDING])
                require_check(actor, self._checks.check(subject.id))

    def packets(
        self, actor: Actor, *, after: str = "", limit: int = 100, newest_first: bool = True
    ) -> Sequence[PacketView]:
        """Those of the actor's organisation, behind the packet ``after``, that contain nothing it may not read.

        Raises PermissionDenied without `packets:read`, InputError for a ``limit`` outside of 1 to 1000.
        """
        actor.require(Scope.PACKETS_READ)
        now = self._clock.now()
        rows = self._store.packets(
            actor.organisation_id,
            kinds=readable_kinds(actor),
            after=after,
            limit=checked_limit(limit),
            newest_first=newest_first,
        )
        return [packet_view(row, at=now) for row in rows]

    def packet(self, actor: Actor, packet_id: str) -> PacketView:
        """Raises PermissionDenied without `packets:read` and the scopes that read what it contains, NotFound."""
        return packet_view(self._readable(actor, packet_id), at=self._clock.now())

    def opened(self, actor: Actor, packet_id: str) -> IO[bytes]:
        """The file of a packet, which the caller closes. Raises as `packet` does, NotFound also when no file of it is
        kept, DigestMismatch."""
        row = self._readable(actor, packet_id)
        if row.state_at(self._clock.now()) is not PacketState.KEPT or row.sha256 is None:
            raise NotFound(f"no file of {packet_id} is kept", hint="Build the packet anew.")
        return self._blobs.opened(row.sha256)

    def delete(self, actor: Actor, packet_id: str) -> PacketView:
        """Forget its file before its time; what it stated stays. What cannot be deleted yet is tried again by `tidy`.

        Raises PermissionDenied without `packets:write`, and as `packet` does; InvalidTransition when no file is kept.
        """
        actor.require(Scope.PACKETS_WRITE)
        self._readable(actor, packet_id)
        now = self._clock.now()
        event = event_of(actor, Action.PACKET_DELETED, packet_id, at=now)
        row = self._store.delete(packet_id, event=event)
        self._catalogue.delete_blobs(self._blobs.delete)
        return packet_view(row, at=now)

    def trust_file(self, actor: Actor) -> str:
        """As `Installation.trust_file`. Raises PermissionDenied without `packets:read`."""
        actor.require(Scope.PACKETS_READ)
        return self._installation.trust_file()

    def _readable(self, actor: Actor, packet_id: str) -> PacketRow:
        actor.require(Scope.PACKETS_READ)
        row = self._store.packet(packet_id)
        if row.organisation_id != actor.organisation_id:
            raise NotFound(f"no packet {packet_id}", hint="Look at your packets.")
        held = {SubjectKind.REFERENCE: row.references, SubjectKind.FINDING: row.findings}
        require_kinds(actor, [kind for kind, ids in held.items() if ids])
        return row


def require_member(actor: Actor) -> str:
    """The member who asks for a packet. Raises PermissionDenied without `packets:write`, and for the console."""
    actor.require(Scope.PACKETS_WRITE)
    if actor.member_id is None:
        raise PermissionDenied(
            "a packet belongs to a member", hint="On the machine itself use `imgguard packet build`."
        )
    return actor.member_id
