"""Every packet that somebody has tampered with is refused, at the right step and with the right reason."""

import random
import struct
import zlib
from collections.abc import Callable

import pytest
from hostile_packets import HOSTILE, Refusal, members_of
from hypothesis import given, settings
from hypothesis import strategies as st
from small_log import RECEIVED_AT
from small_packet import MADE_AT, refusal, small_packet, trust

from imgguard.errors import PacketInvalid
from imgguard.evidence.packet.verifying.container import write_container
from imgguard.evidence.packet.verifying.layout import MANIFEST, SEAL
from imgguard.evidence.packet.verifying.packets import verify_packet
from imgguard.evidence.packet.verifying.seals import verify_seal


@pytest.mark.parametrize(("made", "expected"), HOSTILE.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_what_is_tampered_with_is_refused_for_the_right_reason(made: Callable[[], bytes], expected: Refusal) -> None:
    assert refusal(made()) == expected


def test_no_bit_of_a_packet_is_free() -> None:
    """One bit of every byte, each of the eight in turn."""
    data, by = small_packet().to_bytes(), trust()
    accepted = [
        at
        for at in range(len(data))
        if refusal(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :], by=by) is None
    ]
    assert accepted == []


def test_no_byte_of_any_file_is_free_when_the_checksum_is_mended() -> None:
    """What CRC-32 would find is taken away, so that digests, seal and canonical forms have to."""
    files, by, chosen = members_of(small_packet().to_bytes()), trust(), random.Random(1)
    for name, data in files.items():
        for at in chosen.sample(range(len(data)), 1):
            changed = data[:at] + bytes([data[at] ^ chosen.randrange(1, 256)]) + data[at + 1 :]
            assert refusal(write_container({**files, name: changed}, made_at=MADE_AT), by=by) is not None, (name, at)


def test_no_byte_of_the_seal_is_free() -> None:
    files = members_of(small_packet().to_bytes())
    seal, manifest = files[SEAL], files[MANIFEST]
    verify_seal(seal, manifest)
    for at in range(len(seal)):
        with pytest.raises(PacketInvalid):
            verify_seal(seal[:at] + bytes([seal[at] ^ 1 << at % 8]) + seal[at + 1 :], manifest)


def test_no_byte_of_the_headers_is_free_when_both_are_changed() -> None:
    """The same byte in a file's two headers, which then agree with each other."""
    data = small_packet().to_bytes()
    directory = struct.unpack("<I", data[-6:-2])[0]
    for at in range(4, 30):  # of the local header; the directory has them two bytes later
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            changed[directory + at + 2] ^= 1 << bit
            assert refusal(bytes(changed)) is not None, (at, bit)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_without_a_crash(data: bytes) -> None:
    assert verify_packet(data).level == "none"


@settings(max_examples=40, deadline=None)
@given(
    st.binary(max_size=2000), st.sampled_from(["packet.json", "references/1/opening.json", "references/1/leaf.json"])
)
def test_any_bytes_in_place_of_a_file_are_refused_without_a_crash(data: bytes, name: str) -> None:
    packet = small_packet()
    if name == "packet.json":
        assert refusal(packet.to_bytes(statement=data)) is not None
    else:
        packet.files[name] = data
        assert refusal(packet.to_bytes()) is not None


def test_the_checksum_in_these_tests_is_that_of_the_format() -> None:
    data = small_packet().to_bytes()
    assert struct.unpack("<I", data[14:18])[0] == zlib.crc32(members_of(data)["mimetype"])
    assert RECEIVED_AT < "2026-03-01T12:02:00Z"
