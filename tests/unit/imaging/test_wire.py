"""A decoder process is not trusted: whatever it sends is a sound picture, a known error, or BadReply."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgguard.errors import CorruptImage, ImageTooLarge, InputError
from imgguard.imaging import wire
from imgguard.imaging.image import DeclaredTime, DecodedImage, DecodeLimits

LIMITS = DecodeLimits(max_pixels=1000)
DATA = b"the file"


def reply(**changes: Any) -> dict[str, Any]:
    header = {
        "pixel_digest": "0" * 64,
        "media_type": "image/png",
        "width": 4,
        "height": 3,
        "frame_count": 1,
        "source_mode": "RGB",
        "orientation": 1,
        "declared_times": [["exif:DateTime", "2024-05-01T10:22:03", "second", None]],
        "decoder": "pillow",
        "decoder_version": "13",
    }
    return header | changes


def parse(header: object, body: bytes = bytes(36)) -> DecodedImage:
    return wire.parse_reply(json.dumps(header).encode(), bytearray(body), data=DATA, limits=LIMITS)


def test_sound_reply():
    image = parse(reply())
    assert image.working.shape == (3, 4, 3)
    assert image.byte_length == len(DATA)
    assert image.declared_times[0].precision == "second"


def test_header_survives_the_way():
    time = DeclaredTime(source="exif:DateTime", value="2024-05", precision="month", offset="+08:00")
    image = DecodedImage(
        sha256="0" * 64,
        byte_length=1,
        pixel_digest="a" * 64,
        media_type="image/gif",
        width=4,
        height=3,
        frame_count=2,
        source_mode="P",
        orientation=3,
        declared_times=(time,),
        decoder="pillow",
        decoder_version="13",
        working=np.zeros((3, 4, 3), np.uint8),
    )
    parsed = parse(wire.picture_header(image))
    assert parsed.declared_times == (time,)
    assert wire.picture_header(parsed) == wire.picture_header(image)


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 0},
        {"width": -4, "height": -3},
        {"width": 4.0},
        {"width": True},
        {"width": "4"},
        {"width": 40, "height": 40},
        {"width": 5},
        {"frame_count": 10**9},
        {"orientation": 9},
        {"media_type": "image/x"},
        {"media_type": "text/html"},
        {"pixel_digest": "0" * 63},
        {"pixel_digest": "0" * 64 + "\n"},
        {"source_mode": "<script>" * 10},
        {"decoder": "a\u202eb"},
        {"decoder_version": ""},
        {"declared_times": None},
        {"declared_times": [["a", "b"]]},
        {"declared_times": [["exif", "<b>", "second", None]]},
        {"declared_times": [["exif", "2024", "eon", None]]},
        {"declared_times": [["exif", "2024", ["year"], None]]},
        {"declared_times": [["exif", "2024", "year", "UTC"]]},
        {"declared_times": [["exif", "2024", "year", None]] * 9},
        {"error": "internal", "detail": "x"},
        {"error": "corrupt_image"},
        {"error": ["corrupt_image"], "detail": "x"},
    ],
)
def test_unsound_reply(changes):
    with pytest.raises(wire.BadReply):
        parse(reply(**changes))


@pytest.mark.parametrize("header", [b"", b"[]", b"{", b"\xff", b"[" * 60_000])
def test_unsound_header(header):
    with pytest.raises(wire.BadReply):
        wire.parse_reply(header, bytearray(), data=DATA, limits=LIMITS)


def test_pixels_must_fit_the_size():
    for length in (0, 35, 37):
        with pytest.raises(wire.BadReply):
            parse(reply(), bytes(length))


def test_reported_errors():
    for error in (CorruptImage("broken"), ImageTooLarge("big")):
        with pytest.raises(type(error), match=error.detail):
            parse(wire.error_header(error))


def test_detail_is_made_harmless():
    with pytest.raises(CorruptImage) as caught:
        parse({"error": "corrupt_image", "detail": "\x1b[2J" + "x" * 10_000})
    assert "\x1b" not in caught.value.detail
    assert len(caught.value.detail) <= 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(field=st.sampled_from([*reply(), "error", "detail"]), value=JSON)
def test_any_value_in_any_field(field, value):
    try:
        image = parse(reply() | {field: value})
    except (wire.BadReply, InputError):
        return
    assert image.working.shape == (3, 4, 3)
