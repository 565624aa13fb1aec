"""A packet about one finding whose listing picture was fetched, made by hand: complete, and small."""

from hashlib import sha256
from typing import Any

from small_log import ONE, RECEIVED_AT, TWO
from small_packet import SmallPacket, digest, leaves, note_of, proof_of, small_packet, token_of

from imgguard.provenance.leaves import Opening, leaf_of
from imgguard.provenance.records import Kind, Record, event_record

LISTING = b"the bytes of a listing picture"
URL = "https://shop.example/item/1.jpg?size=large"
FETCHED_AT = "2026-03-01T11:59:58Z"
FOLDER = "findings/1/"
CAPTURE = "findings/1/capture/"
NAMES = ("record.json", "opening.json", "leaf.json", "inclusion.tlog-proof")


def finding_record() -> Record:
    return event_record(
        Kind.FINDING,
        subject="fnd_1",
        occurred_at=RECEIVED_AT,
        digests={"query": digest(LISTING)},
        facts={"verdict": "copy"},
    )


def capture_record(*, kind: Kind = Kind.CAPTURE, **changes: Any) -> Record:
    """``changes`` replace the subject, the time, the digests or the facts."""
    facts = {
        "url": URL,
        "final_url": "https://cdn.example/1.jpg",
        "address": "192.0.2.1",
        "status": 200,
        "declared_type": "image/jpeg",
        "bytes": len(LISTING),
    }
    fields: dict[str, Any] = {
        "subject": "fnd_1",
        "occurred_at": FETCHED_AT,
        "digests": {"query": digest(LISTING)},
        "facts": facts,
    }
    return event_record(kind, **fields | changes)


def opening_of(record: Record, *, salt: str) -> Opening:
    return Opening(salt=sha256(salt.encode()).digest(), record=record.to_bytes())


def captured_packet(capture: Record | None = None) -> SmallPacket:
    """Honest, and good for every level, unless the record of the ``capture`` is another one."""
    opened = {
        FOLDER: opening_of(finding_record(), salt="finding"),
        CAPTURE: opening_of(capture or capture_record(), salt="capture"),
    }
    entries = [*leaves(1), *(leaf_of(one, received_at=RECEIVED_AT) for one in opened.values())]
    note = note_of(entries, ONE, TWO)
    packet = small_packet(1)
    packet.files |= {"log/checkpoint": note, "findings/1/listing.bin": LISTING}
    for number, (folder, one) in enumerate(opened.items(), start=len(entries) - len(opened)):
        parts = (one.record, one.to_bytes(), entries[number], proof_of(entries, number, note))
        packet.files |= {folder + name: data for name, data in zip(NAMES, parts, strict=True)}
        packet.files[f"{folder}timestamp-1.tsr"] = token_of(note)
    packet.statement["findings"] = [
        {
            "finding_id": "fnd_1",
            "verdict": "copy",
            "listing": {
                "url": URL,
                "fetched_at": FETCHED_AT,
                "sha256": digest(LISTING),
                "asset": "findings/1/listing.bin",
                "thumbnail": None,
            },
            "pictures": {},
            "proofs": [folder + name for folder in opened for name in (*NAMES, "timestamp-1.tsr")],
        }
    ]
    return packet


def finding_of(packet: SmallPacket) -> dict[str, Any]:
    """What the statement says of the finding."""
    found: dict[str, Any] = packet.statement["findings"][0]
    return found
