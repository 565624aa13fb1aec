"""Packets whose records, originals or `packet.json` somebody has changed, sealed again with the operator's own key."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

from hostile_zips import Refusal
from small_packet import (
    MADE_AT,
    SmallPacket,
    opening,
    small_packet,
)

from imgguard.evidence.packet.archive import sealed
from imgguard.provenance.canonical import to_canonical

PROOF = "references/1/inclusion.tlog-proof"
TOKEN = "references/1/timestamp-1.tsr"
_RECORD, _OPENING = "references/1/record.json", "references/1/opening.json"
_ORIGINAL = "references/1/original.jpg"


def sealed_after(change: Callable[[SmallPacket], None], *, references: int = 2) -> bytes:
    packet = small_packet(references)
    change(packet)
    return packet.to_bytes()


def stating(**changes: object) -> bytes:
    return sealed_after(lambda packet: packet.one().update(changes))


def _swap(name: str) -> Callable[[SmallPacket], None]:
    def change(packet: SmallPacket) -> None:
        one, other = f"references/1/{name}", f"references/2/{name}"
        packet.files[one], packet.files[other] = packet.files[other], packet.files[one]

    return change


def swapped_salts() -> bytes:
    def change(packet: SmallPacket) -> None:
        one, other = opening(1), opening(2)
        name = "references/1/opening.json"
        packet.files[name] = packet.files[name].replace(one.salt.hex().encode(), other.salt.hex().encode())

    return sealed_after(change)


def swapped_originals() -> bytes:
    return sealed_after(_swap("original.jpg"))


def swapped_leaves() -> bytes:
    return sealed_after(_swap("leaf.json"))


def swapped_openings() -> bytes:
    return sealed_after(_swap("opening.json"))


def swapped_records() -> bytes:
    return sealed_after(_swap("record.json"))


def swapped_proofs() -> bytes:
    return sealed_after(_swap("inclusion.tlog-proof"))


def signature_of_the_claimant_replaced() -> bytes:
    def change(packet: SmallPacket) -> None:
        own, other = opening(1).claimant, opening(2).claimant
        assert own is not None
        assert other is not None
        name = "references/1/opening.json"
        packet.files[name] = packet.files[name].replace(own.signature.hex().encode(), other.signature.hex().encode())

    return sealed_after(change)


def another_reference_id() -> bytes:
    return stating(reference_id="ref_99")


def another_claimant() -> bytes:
    return stating(registered_by="Mallory")


def other_claims() -> bytes:
    claims = {"dates": [{"event": "taken", "value": "2020-01-01"}], "places": [], "urls": [], "statement": None}
    return stating(claims=claims)


def other_pixels() -> bytes:
    return stating(pixels={"sha256": "00" * 32, "width": 1, "height": 1, "decoder": "pillow 13.0.0"})


def digest_of_another_original() -> bytes:
    def change(packet: SmallPacket) -> None:
        packet.files["references/1/original.jpg"] = b"forged"
        packet.one()["file"] |= {"sha256": sha256(b"forged").hexdigest(), "bytes": 6}

    return sealed_after(change)


def file_that_nothing_explains() -> bytes:
    return sealed_after(lambda packet: packet.files.update({"references/1/extra.bin": b"x"}))


def file_of_another_reference() -> bytes:
    return stating(thumbnail="references/2/original.jpg")


def reference_without_a_leaf() -> bytes:
    return stating(leaf=None)


def two_keys_in_packet_json() -> bytes:
    packet = small_packet()
    data = to_canonical(packet.listed())
    return packet.to_bytes(statement=b'{"created_at":"2020-01-01T00:00:00Z",' + data[1:])


def two_keys_in_a_record() -> bytes:
    def change(packet: SmallPacket) -> None:
        name = "references/1/opening.json"
        packet.files[name] = packet.files[name].replace(b'"record":{', b'"record":{"kind":"finding",', 1)

    return sealed_after(change)


def packet_json_with_spaces() -> bytes:
    packet = small_packet()
    return packet.to_bytes(statement=to_canonical(packet.listed()) + b"\n")


def packet_json_of_another_version() -> bytes:
    return sealed_after(lambda packet: packet.statement.update({"version": 2}))


def packet_json_nested_deep() -> bytes:
    return small_packet().to_bytes(statement=b"[" * 100_000 + b"]" * 100_000)


def packet_json_that_lists_too_little() -> bytes:
    packet = small_packet()
    statement = packet.listed()
    statement["files"] = statement["files"][:-1]
    return packet.to_bytes(statement=to_canonical(statement))


def another_time_in_the_zip() -> bytes:
    packet = small_packet()
    files = {**packet.files, "packet.json": to_canonical(packet.listed())}
    return sealed(files, seal=packet.seal, at=MADE_AT - timedelta(days=400))


RECORDS: dict[Callable[[], bytes], Refusal] = {
    swapped_salts: (4, "leaf_invalid", _OPENING),
    swapped_originals: (4, "other_file", _ORIGINAL),
    swapped_leaves: (4, "leaf_invalid", _OPENING),
    swapped_openings: (4, "leaf_invalid", _OPENING),
    swapped_records: (4, "other_record", _RECORD),
    swapped_proofs: (5, "inclusion_proof_invalid", PROOF),
    signature_of_the_claimant_replaced: (4, "leaf_invalid", _OPENING),
    another_reference_id: (4, "other_record", _RECORD),
    another_claimant: (4, "other_record", _RECORD),
    other_claims: (4, "other_record", _RECORD),
    other_pixels: (4, "other_record", _RECORD),
    digest_of_another_original: (4, "other_record", _RECORD),
    file_that_nothing_explains: (4, "not_explained", "references/1/extra.bin"),
    file_of_another_reference: (4, "path", "references/2/original.jpg"),
    reference_without_a_leaf: (4, "not_logged", "references/1/leaf.json"),
    two_keys_in_packet_json: (4, "not_canonical", "packet.json"),
    two_keys_in_a_record: (4, "leaf_invalid", _OPENING),
    packet_json_with_spaces: (4, "not_canonical", "packet.json"),
    packet_json_of_another_version: (4, "version", "packet.json"),
    packet_json_nested_deep: (4, "not_canonical", "packet.json"),
    packet_json_that_lists_too_little: (4, "other_file", TOKEN),
    another_time_in_the_zip: (4, "time_differs", "packet.json"),
}
