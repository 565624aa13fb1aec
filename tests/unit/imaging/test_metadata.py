"""Times are kept as a file states them: precision and offset too, nothing guessed."""

import pytest
from PIL import Image

from imgguard.imaging.decode import decode_bytes
from imgguard.imaging.image import DeclaredTime, DecodeLimits
from imgguard.imaging.metadata import declared_times, orientation_of

ORIGINAL, SUBSECOND, OFFSET = 36867, 37521, 36881


@pytest.mark.parametrize(
    ("tags", "value", "precision", "offset"),
    [
        ({ORIGINAL: "2024:05:01 10:22:03"}, "2024-05-01T10:22:03", "second", None),
        ({ORIGINAL: "2024:05:01 10:22:03\0"}, "2024-05-01T10:22:03", "second", None),
        ({ORIGINAL: b"2024:05:01 10:22:03"}, "2024-05-01T10:22:03", "second", None),
        ({ORIGINAL: "2024-05-01T10:22:03"}, "2024-05-01T10:22:03", "second", None),
        ({ORIGINAL: "2024:05:01 10:22:03", OFFSET: "+08:00"}, "2024-05-01T10:22:03", "second", "+08:00"),
        ({ORIGINAL: "2024:05:01 10:22:03", OFFSET: "-0330"}, "2024-05-01T10:22:03", "second", "-03:30"),
        ({ORIGINAL: "2024:05:01 10:22:03", OFFSET: "Z"}, "2024-05-01T10:22:03", "second", "+00:00"),
        ({ORIGINAL: "2024:05:01 10:22:03", OFFSET: "+99:00"}, "2024-05-01T10:22:03", "second", None),
        ({ORIGINAL: "2024:05:01 10:22:03", SUBSECOND: "120"}, "2024-05-01T10:22:03.120", "subsecond", None),
        ({ORIGINAL: "2024:05:01 10:22:03", SUBSECOND: "x"}, "2024-05-01T10:22:03", "second", None),
        ({ORIGINAL: "2024:05:01 10:22:  "}, "2024-05-01T10:22", "minute", None),
        ({ORIGINAL: "2024:05:01   :  :  "}, "2024-05-01", "day", None),
        ({ORIGINAL: "2024:05:01"}, "2024-05-01", "day", None),
        ({ORIGINAL: "2024:05:     :  :  "}, "2024-05", "month", None),
        ({ORIGINAL: "2024:  :     :  :  "}, "2024", "year", None),
    ],
)
def test_times(tags, value, precision, offset):
    assert declared_times(tags) == (
        DeclaredTime(source="exif:DateTimeOriginal", value=value, precision=precision, offset=offset),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "    :  :     :  :  ",
        "0000:00:00 00:00:00",
        "2024:13:01 10:00:00",
        "2023:02:29 10:00:00",
        "yesterday",
        "2024:05:01 25:00:00",
        "24:05:01 10:00:00",
        "2024:05:01 10:22:03 and more",
        7,
        None,
        (2024, 5, 1),
        "２０２４:05:01",
    ],
)
def test_broken_times_are_skipped(text):
    assert declared_times({ORIGINAL: text}) == ()


@pytest.mark.parametrize(("value", "orientation"), [(6, 6), (0, 1), (9, 1), ("6", 1), (None, 1), ((6,), 1), (True, 1)])
def test_orientation_must_be_legal(value, orientation):
    assert orientation_of({0x0112: value}) == orientation


def test_all_three_times_of_a_file(picture, encode):
    exif = Image.Exif()
    exif[306] = "2024:05:03 00:00:00"
    details = {36867: "2024:05:01 10:22:03", 36868: "2024:05:02 01:02:03", 37522: "5", 36882: "+01:00"}
    exif.get_ifd(0x8769).update(details)
    for plugin in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        # Pillow writes the Exif directory of a TIFF only when it is given as a tag.
        options = {"tiffinfo": {306: exif[306], 34665: details}} if plugin == "TIFF" else {"exif": exif}
        times = decode_bytes(encode(picture, plugin, **options), DecodeLimits()).declared_times
        assert [(t.source, t.value, t.offset) for t in times] == [
            ("exif:DateTimeOriginal", "2024-05-01T10:22:03", None),
            ("exif:DateTimeDigitized", "2024-05-02T01:02:03.5", "+01:00"),
            ("exif:DateTime", "2024-05-03T00:00:00", None),
        ], plugin


def test_orientation_in_xmp_alone_is_not_applied(picture, encode):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    for plugin in ("JPEG", "PNG", "WEBP", "TIFF"):
        decoded = decode_bytes(encode(picture, plugin, xmp=xmp), DecodeLimits())
        assert (decoded.width, decoded.orientation) == (120, 1), plugin
