"""Sniffing and counting: bounded, and by content only."""

import struct

import pytest

from imgguard.errors import UnsupportedFormat
from imgguard.imaging.container import Format, count_frames, sniff


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = major + bytes(4) + b"".join(compatible)
    return struct.pack(">I", len(body) + 8) + b"ftyp" + body + bytes(32)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (ftyp(b"avif", b"mif1"), Format.AVIF),
        (ftyp(b"mif1", b"avif", b"miaf"), Format.AVIF),
        (ftyp(b"heic"), Format.HEIC),
        (ftyp(b"mif1", b"heic"), Format.HEIC),
        (ftyp(b"msf1", b"hevc"), Format.HEIC),
        (b"RIFF\0\0\0\0WEBPVP8 ", Format.WEBP),
        (b"MM\0+", Format.TIFF),
    ],
)
def test_sniff(data, kind):
    assert sniff(data) is kind


@pytest.mark.parametrize("data", [ftyp(b"isom", b"mp42"), ftyp(b"mif1"), b"\0\0\0\0ftyp", b"\xff\xd8", b"GIF88a"])
def test_sniff_refuses(data):
    with pytest.raises(UnsupportedFormat):
        sniff(data)


def test_gif_counter_stops_at_its_bound():
    frame = b"," + bytes(8) + b"\0" + b"\2\1\0\0"
    data = b"GIF89a" + bytes(7) + frame * 100_000
    assert count_frames(data, Format.GIF, stop=11) == 11
    assert count_frames(data[:13] + frame * 5 + b";", Format.GIF, stop=11) == 5


def test_tiff_counter_ends_at_a_loop():
    loop = b"II*\0" + struct.pack("<L", 8) + struct.pack("<H", 0) + struct.pack("<L", 8)
    assert count_frames(loop, Format.TIFF, stop=1000) == 1


@pytest.mark.parametrize(("order", "name"), [("<", b"II"), (">", b"MM")])
def test_tiff_counter_follows_the_chain(order, name):
    data = name + struct.pack(order + "HL", 42, 8)
    for page in range(5):
        data += struct.pack(order + "HL", 0, 8 + 6 * (page + 1) if page < 4 else 0)
    assert count_frames(data, Format.TIFF, stop=100) == 5
    assert count_frames(data, Format.TIFF, stop=3) == 3


def test_big_tiff_counter():
    data = b"II+\0" + struct.pack("<HHQ", 8, 0, 16) + struct.pack("<QQ", 0, 32) + struct.pack("<QQ", 0, 0)
    assert count_frames(data, Format.TIFF, stop=100) == 2
