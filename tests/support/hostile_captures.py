"""Packets that say something else of where a listing picture was fetched, sealed again with the operator's own key."""

from collections.abc import Callable
from typing import Any

from captured_packet import CAPTURE, FOLDER, NAMES, URL, capture_record, captured_packet, finding_of
from hostile_zips import Refusal
from small_packet import SmallPacket, digest

from imgguard.provenance.records import Kind

_RECORD, _OPENING, _PROOF = (CAPTURE + name for name in ("record.json", "opening.json", "inclusion.tlog-proof"))


def _changed(change: Callable[[SmallPacket], object]) -> bytes:
    packet = captured_packet()
    change(packet)
    return packet.to_bytes()


def _saying(**listing: object) -> bytes:
    return _changed(lambda packet: finding_of(packet)["listing"].update(listing))


def _recorded(**changes: Any) -> bytes:
    return captured_packet(capture_record(**changes)).to_bytes()


def _without(packet: SmallPacket, *names: str) -> None:
    proofs = finding_of(packet)["proofs"]
    for name in names:
        proofs.remove(name)
        del packet.files[name]


def listing_from_another_address() -> bytes:
    return _saying(url="https://other.example/item/1.jpg")


def listing_from_the_same_address_with_another_query() -> bytes:
    return _saying(url=URL.replace("large", "small"))


def listing_fetched_at_another_time() -> bytes:
    return _saying(fetched_at="2026-03-01T11:59:57Z")


def capture_of_which_packet_json_says_nothing() -> bytes:
    return _saying(url=None, fetched_at=None)


def capture_whose_time_packet_json_leaves_out() -> bytes:
    return _saying(fetched_at=None)


def address_that_no_record_shows() -> bytes:
    return _changed(lambda packet: _without(packet, *(CAPTURE + name for name in (*NAMES, "timestamp-1.tsr"))))


def capture_of_another_finding() -> bytes:
    return _recorded(subject="fnd_2")


def capture_of_another_picture() -> bytes:
    return _recorded(digests={"query": digest(b"another picture")})


def capture_of_no_picture() -> bytes:
    return _recorded(digests=None)


def capture_without_an_address() -> bytes:
    return _recorded(facts=None)


def capture_without_an_address_that_packet_json_does_not_have_either() -> bytes:
    packet = captured_packet(capture_record(facts=None))
    finding_of(packet)["listing"]["url"] = None
    return packet.to_bytes()


def capture_that_is_a_claim() -> bytes:
    return _recorded(kind=Kind.CLAIM)


def finding_in_place_of_its_capture() -> bytes:
    def change(packet: SmallPacket) -> None:
        packet.files |= {CAPTURE + name: packet.files[FOLDER + name] for name in NAMES}

    return _changed(change)


def capture_with_an_edited_record() -> bytes:
    def change(packet: SmallPacket) -> None:
        packet.files[_RECORD] = packet.files[_RECORD].replace(b"shop.example", b"shop.exampel")

    return _changed(change)


def capture_with_an_edited_opening() -> bytes:
    def change(packet: SmallPacket) -> None:
        for name in (_RECORD, _OPENING):
            packet.files[name] = packet.files[name].replace(b"shop.example", b"shop.exampel")
        finding_of(packet)["listing"]["url"] = URL.replace("shop.example", "shop.exampel")

    return _changed(change)


def capture_without_a_proof() -> bytes:
    return _changed(lambda packet: _without(packet, _PROOF))


def capture_with_the_proof_of_the_finding() -> bytes:
    def change(packet: SmallPacket) -> None:
        packet.files[_PROOF] = packet.files[FOLDER + "inclusion.tlog-proof"]

    return _changed(change)


def capture_that_belongs_to_a_finding_that_is_not_there() -> bytes:
    def change(packet: SmallPacket) -> None:
        finding_of(packet)["proofs"].append("findings/2/capture/record.json")
        packet.files["findings/2/capture/record.json"] = packet.files[_RECORD]

    return _changed(change)


CAPTURES: dict[Callable[[], bytes], Refusal] = {
    listing_from_another_address: (4, "other_capture", _RECORD),
    listing_from_the_same_address_with_another_query: (4, "other_capture", _RECORD),
    listing_fetched_at_another_time: (4, "other_capture", _RECORD),
    capture_of_which_packet_json_says_nothing: (4, "other_capture", _RECORD),
    capture_whose_time_packet_json_leaves_out: (4, "other_capture", _RECORD),
    address_that_no_record_shows: (4, "not_captured", "packet.json"),
    capture_of_another_finding: (4, "other_capture", _RECORD),
    capture_of_another_picture: (4, "other_capture", _RECORD),
    capture_of_no_picture: (4, "other_capture", _RECORD),
    capture_without_an_address: (4, "other_capture", _RECORD),
    capture_without_an_address_that_packet_json_does_not_have_either: (4, "other_capture", _RECORD),
    capture_that_is_a_claim: (4, "other_capture", _RECORD),
    finding_in_place_of_its_capture: (4, "other_capture", _RECORD),
    capture_with_an_edited_record: (4, "other_record", _RECORD),
    capture_with_an_edited_opening: (4, "leaf_invalid", _OPENING),
    capture_without_a_proof: (4, "not_logged", _PROOF),
    capture_with_the_proof_of_the_finding: (5, "inclusion_proof_invalid", _PROOF),
    capture_that_belongs_to_a_finding_that_is_not_there: (4, "path", "findings/2/capture/record.json"),
}
