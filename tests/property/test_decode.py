"""No bytes make the decoder raise anything but an InputError, and it is a function of the bytes."""

import io

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from imgguard.errors import InputError
from imgguard.imaging.container import Format, count_frames
from imgguard.imaging.decode import decode_bytes
from imgguard.imaging.image import WORKING_SIDE, DecodedImage, DecodeLimits, working_size
from imgguard.imaging.metadata import declared_times

LIMITS = DecodeLimits(max_pixels=200_000, max_frames=20)
# In this process, so that Hypothesis can shrink; a crash would take the test run with it, which is a result too.
MODERATE = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _samples() -> list[bytes]:
    x, y = np.meshgrid(np.arange(48) * 5, np.arange(32) * 8)
    rgb = Image.fromarray(np.dstack([x, y, x ^ y]).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[36867] = "2024:05:01 10:22:03"
    samples = []
    for plugin, mode, options in (
        ("JPEG", "RGB", {"exif": exif}),
        ("JPEG", "CMYK", {}),
        ("JPEG", "L", {"progressive": True}),
        ("MPO", "RGB", {"save_all": True, "append_images": [rgb]}),
        ("PNG", "P", {"exif": exif}),
        ("PNG", "RGBA", {}),
        ("PNG", "RGB", {"save_all": True, "append_images": [rgb.rotate(90)]}),
        ("WEBP", "RGBA", {"exif": exif, "lossless": True}),
        ("WEBP", "RGB", {}),
        ("GIF", "P", {"save_all": True, "append_images": [rgb.rotate(90)]}),
        ("BMP", "RGB", {}),
        ("TIFF", "RGB", {"compression": "tiff_lzw", "exif": exif}),
        ("TIFF", "F", {}),
        ("TIFF", "1", {"compression": "group4"}),
        ("AVIF", "RGB", {"exif": exif}),
    ):
        stream = io.BytesIO()
        rgb.convert(mode).save(stream, plugin, **options)
        samples.append(stream.getvalue())
    return samples


SAMPLES = _samples()
SIGNATURES = [
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"RIFF\0\0\0\0WEBPVP8X",
]
SIGNATURES += [b"\0\0\0\x18ftypheic\0\0\0\0heic", b"\0\0\0\x18ftypavif\0\0\0\0avif"]


def decode(data: bytes) -> DecodedImage | str:
    try:
        return decode_bytes(data, LIMITS)
    except InputError as error:
        return error.code


@MODERATE
@given(signature=st.sampled_from([b"", *SIGNATURES]), rest=st.binary(max_size=400))
def test_arbitrary_bytes(signature, rest):
    decode(signature + rest)


@MODERATE
@given(data=st.data(), sample=st.sampled_from(SAMPLES))
def test_mutated_files(data, sample):
    mutated = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        kind = data.draw(st.sampled_from(["set", "cut", "repeat", "insert"]))
        if kind == "set":
            mutated[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del mutated[at : at + data.draw(st.integers(1, 64))]
            mutated = mutated or bytearray(b"\0")
        elif kind == "repeat":
            mutated[at:at] = mutated[max(0, at - 32) : at]
        else:
            mutated[at:at] = data.draw(st.binary(max_size=16))
    result = decode(bytes(mutated))
    if isinstance(result, DecodedImage):
        assert result.width * result.height <= LIMITS.max_pixels
        assert result.working.shape == (*working_size(result.width, result.height)[::-1], 3)


@settings(max_examples=30, deadline=None)
@given(sample=st.sampled_from(SAMPLES), at=st.integers(20, 2000), value=st.integers(0, 255))
def test_same_bytes_same_picture(sample, at, value):
    data = sample[:at] + bytes([value]) + sample[at + 1 :]
    first, second = decode(data), decode(data)
    if isinstance(first, str) or isinstance(second, str):
        assert first == second
    else:
        assert first.pixel_digest == second.pixel_digest
        assert (first.working == second.working).all()


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_working_size(width, height):
    small = working_size(width, height)
    assert max(small) == min(WORKING_SIDE, max(width, height))
    assert min(small) >= 1
    assert small == (width, height) or max(width, height) > WORKING_SIDE
    for before, after in zip((width, height), small, strict=True):
        assert abs(before * max(small) / max(width, height) - after) <= 1


@given(st.dictionaries(st.sampled_from([306, 36867, 36868, 37521, 36881]), st.text() | st.binary() | st.integers()))
def test_any_tags(tags):
    for time in declared_times(tags):
        assert time.value[:4].isdigit()


@given(st.sampled_from([b"GIF89a", b"II*\0", b"MM\0+"]), st.binary(max_size=300), st.integers(1, 50))
def test_counters_are_bounded(signature, rest, stop):
    kind = Format.GIF if signature == b"GIF89a" else Format.TIFF
    frames = count_frames(signature + rest, kind, stop=stop)
    assert frames is not None
    assert 1 <= frames <= stop
