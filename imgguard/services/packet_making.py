"""A packet that a member asked for: built, kept, and told to the audit trail."""

import hashlib
from datetime import timedelta

from imgguard.errors import NotFound
from imgguard.ports import BlobStore, Catalogue, Clock, PacketRow, PacketState, PacketStore
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action
from imgguard.services.audit import event_of
from imgguard.services.member_packets import PacketOrder, require_member
from imgguard.services.packet_views import told_of
from imgguard.services.packets import Packets, packet_in


class PacketMaking:
    """Thread safe. ``kept``: how long the file of a packet is."""

    def __init__(
        self,
        *,
        packets: Packets,
        store: PacketStore,
        catalogue: Catalogue,
        blobs: BlobStore,
        clock: Clock,
        kept: timedelta,
    ) -> None:
        self._packets = packets
        self._store = store
        self._catalogue = catalogue
        self._blobs = blobs
        self._clock = clock
        self._kept = kept

    def make(self, actor: Actor, order: PacketOrder) -> str:
        """Its id. Raises PermissionDenied without `packets:write` and for the console, and as `Packets.build` does."""
        member_id = require_member(actor)
        data = self._packets.build(
            order.ids,
            purpose=order.purpose,
            on_behalf_of=order.on_behalf_of or actor.owner,
            with_originals=order.with_originals,
            viewer=actor,
        )
        packet, sha256, now = packet_in(data), hashlib.sha256(data).hexdigest(), self._clock.now()
        row = PacketRow(
            packet_id=packet.packet_id,
            organisation_id=actor.organisation_id,
            member_id=member_id,
            state=PacketState.KEPT,
            sha256=sha256,
            byte_length=len(data),
            told=told_of(packet).model_dump_json(),
            references=tuple(sorted(one.reference_id for one in packet.references)),
            findings=tuple(sorted(one.finding_id for one in packet.findings)),
            created_at=packet.created_at,
            expires_at=now + self._kept,
        )
        detail = {"purpose": packet.purpose.value, "references": len(row.references), "findings": len(row.findings)}
        event = event_of(actor, Action.PACKET_BUILT, row.packet_id, at=now, detail=detail)
        # Whatever happens before there is a row, the file goes: an original in it may be erased by then.
        self._catalogue.queue_blob_deletions([sha256], at=now)
        self._blobs.put(data)
        self._store.add(row, event=event, store_blob=lambda: self._ensure(sha256, data))
        return row.packet_id

    def _ensure(self, sha256: str, data: bytes) -> None:
        """Whole it was a moment ago, so whether it is there is all that has to be asked under the lock."""
        try:
            self._blobs.stored_at(sha256)
        except NotFound:
            self._blobs.put(data)
