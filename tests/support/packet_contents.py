"""What a packet is built of, for tests of the builder: two references and a finding, as a store would give them."""

from datetime import datetime
from typing import Any

import packets
from small_log import ONE, RECEIVED_AT, TWO
from small_packet import MADE_AT, digest, leaves, note_of, opening, original, proof_of, record, token_of, trust

from imgguard.evidence.packet.contents import FindingContents, LogEvidence, PacketContents, ReferenceContents
from imgguard.evidence.packet.finding import PacketFinding
from imgguard.evidence.packet.model import MadeBy, Purpose, Subject
from imgguard.evidence.packet.reference import PacketReference

LISTING = packets.png(seed=7)


def evidence(number: int, count: int, *, is_stamped: bool = True, is_witnessed: bool = True) -> LogEvidence:
    entries = leaves(count)
    note = note_of(entries, *((ONE, TWO) if is_witnessed else ()))
    return LogEvidence(
        opening=opening(number).to_bytes(),
        leaf=entries[number - 1],
        proof=proof_of(entries, number - 1, note),
        timestamps=(token_of(note),) if is_stamped else (),
    )


def reference_contents(number: int = 1, *, count: int = 2, **changes: Any) -> ReferenceContents:
    """``changes`` with the names of fields of `PacketReference` change what is stated, others the contents."""
    body, data = record(number).body, original(number)
    stated = packets.reference(
        number,
        reference_id=f"ref_{number}",
        registered_by="Ada Studio",
        registered_at=datetime.fromisoformat(RECEIVED_AT),
        file={"name": "jacket.jpg", "sha256": digest(data), "bytes": len(data), "media_type": "image/jpeg"},
        pixels=dict(body["pixels"]),
        claims={
            "dates": [{"event": "taken", "value": "2026-02-27"}],
            "places": [],
            "urls": [],
            "statement": "Taken in our studio.",
        },
        metadata={"times": [], "camera": None, "software": None, "content_credentials": None},
        proofs=[],
        existed_no_later_than=[],
        **dict.fromkeys(("asset", "thumbnail", "record", "opening", "leaf", "log_proof")),
    )
    stated |= {name: changes.pop(name) for name in list(changes) if name in stated}
    fields: dict[str, Any] = {
        "stated": PacketReference.model_validate_json(packets.to_json(stated)),
        "evidence": evidence(number, count),
        "original": data,
        "thumbnail": packets.png(seed=number),
    }
    return ReferenceContents(**fields | changes)


def finding_contents(number: int = 1, **changes: Any) -> FindingContents:
    stated = packets.finding(number, pictures={}, proofs=[])
    stated["listing"] |= {"asset": None, "thumbnail": None, "sha256": digest(LISTING), "url": None, "fetched_at": None}
    stated |= {name: changes.pop(name) for name in list(changes) if name in stated}
    fields: dict[str, Any] = {
        "stated": PacketFinding.model_validate_json(packets.to_json(stated)),
        "listing": LISTING,
        "thumbnail": LISTING,
        "pictures": {name: packets.png(seed=at) for at, name in enumerate(("side_by_side", "aligned"))},
    }
    return FindingContents(**fields | changes)


def contents(**changes: Any) -> PacketContents:
    fields: dict[str, Any] = {
        "packet_id": "pkt_01",
        "created_at": MADE_AT,
        "made_by": MadeBy(installation="log.example.org/imgguard", software="imgguard 0.1.0", sealed_by="Operator"),
        "purpose": Purpose.COMPLAINT,
        "on_behalf_of": "Ada Studio",
        "subjects": (Subject(kind="finding", id="fnd_1"),),
        "references": (reference_contents(1), reference_contents(2)),
        "findings": (finding_contents(),),
        "checkpoint": note_of(leaves(2), ONE, TWO),
        "policy": (trust().log_policy or "").strip().encode() + b"\n",
        "trust": trust(),
    }
    return PacketContents(**fields | changes)
