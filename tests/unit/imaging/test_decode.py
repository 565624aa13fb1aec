"""Every accepted format and kind of pixel comes out as the same upright sRGB picture."""

import contextlib
import hashlib
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from imgguard.errors import CorruptImage, ImageTooLarge, InputError, UnsupportedFormat
from imgguard.imaging.decode import decode_bytes
from imgguard.imaging.image import WORKING_SIDE, DecodedImage, DecodeLimits

LIMITS = DecodeLimits()
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def difference(decoded: DecodedImage, expected: Image.Image) -> float:
    """Mean absolute difference in grey levels."""
    return float(np.abs(decoded.working.astype(int) - np.asarray(expected.convert("RGB"), dtype=int)).mean())


def corner(decoded: DecodedImage) -> tuple[int, ...]:
    return tuple(int(value) for value in decoded.working[0, 0])


@pytest.mark.parametrize(
    ("plugin", "media_type", "tolerance"),
    [
        ("JPEG", "image/jpeg", 4.0),
        ("PNG", "image/png", 0.0),
        ("WEBP", "image/webp", 4.0),
        ("GIF", "image/gif", 5.0),
        ("BMP", "image/bmp", 0.0),
        ("TIFF", "image/tiff", 0.0),
        ("AVIF", "image/avif", 4.0),
        ("MPO", "image/jpeg", 4.0),
    ],
)
def test_formats(plugin, media_type, tolerance, picture, encode):
    data = encode(picture, plugin)
    decoded = decode_bytes(data, LIMITS)
    assert decoded.media_type == media_type
    assert (decoded.width, decoded.height) == picture.size
    assert decoded.frame_count == 1
    assert decoded.sha256 == hashlib.sha256(data).hexdigest()
    assert decoded.byte_length == len(data)
    assert difference(decoded, picture) <= tolerance
    assert decoded.working.dtype == np.uint8
    assert not decoded.working.flags.writeable


@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff(compression, picture, encode):
    assert difference(decode_bytes(encode(picture, "TIFF", compression=compression), LIMITS), picture) < 1.5


def test_heic(assets: Path):
    decoded = decode_bytes((assets / "rgb.heic").read_bytes(), LIMITS)
    assert (decoded.media_type, decoded.decoder) == ("image/heic", "pi-heif")
    assert (decoded.width, decoded.height) == (64, 48)
    assert np.abs(decoded.working[10, 10].astype(int) - (220, 30, 30)).max() < 12
    assert "libheif" in decoded.decoder_version


def test_heic_is_turned_once(assets: Path):
    """The container states the turn and so does EXIF: only the first counts (ISO/IEC 23008-12, 6.5.10)."""
    decoded = decode_bytes((assets / "turned.heic").read_bytes(), LIMITS)
    assert (decoded.width, decoded.height, decoded.orientation) == (48, 64, 1)
    assert np.abs(decoded.working[10, -10].astype(int) - (220, 30, 30)).max() < 12
    assert decoded.declared_times[0].value == "2024-05-01T10:22:03"


def test_heic_alpha_is_laid_on_white(assets: Path):
    decoded = decode_bytes((assets / "alpha.heic").read_bytes(), LIMITS)
    assert corner(decoded) == WHITE
    assert decoded.working[30, 60].max() < 255


def test_truncated_heic(assets: Path):
    data = (assets / "rgb.heic").read_bytes()
    with pytest.raises(CorruptImage):
        decode_bytes(data[: len(data) * 2 // 3], LIMITS)


@pytest.mark.parametrize(
    ("mode", "plugin"),
    [
        ("1", "PNG"),
        ("L", "PNG"),
        ("L", "JPEG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("RGBA", "PNG"),
        ("PA", "TIFF"),
        ("CMYK", "TIFF"),
        ("CMYK", "JPEG"),
        ("YCbCr", "TIFF"),
        ("I", "TIFF"),
        ("F", "TIFF"),
        ("1", "TIFF"),
    ],
)
def test_modes(mode, plugin, picture, encode):
    source = picture.convert("P").convert("PA") if mode == "PA" else picture.convert(mode)
    decoded = decode_bytes(encode(source, plugin), LIMITS)
    assert decoded.source_mode == mode
    # CMYK and YCbCr go through their own naive conversion; I and F cannot be converted by Pillow without clipping.
    expected = picture.convert("L") if mode in {"I", "F"} else source
    assert difference(decoded, expected) < 1.5


def test_lab(picture, encode):
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    source = ImageCms.profileToProfile(picture, srgb, lab, outputMode="LAB")
    assert difference(decode_bytes(encode(source, "TIFF"), LIMITS), picture) < 1.5


@pytest.mark.parametrize(("plugin", "mode"), [("PNG", "I;16"), ("TIFF", "I;16"), ("TIFF", "I;16B")])
def test_16_bit_grey_is_scaled_not_clipped(plugin, mode, encode):
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    raw = levels.astype(">u2" if mode.endswith("B") else "<u2").tobytes()
    decoded = decode_bytes(encode(Image.frombytes(mode, (256, 256), raw), plugin), LIMITS)
    assert np.abs(decoded.working[..., 0] - levels / 257).max() <= 0.5


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def make_png(depth: int, colour_type: int, rows: list[bytes], width: int, transparent: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = [png_chunk(b"IHDR", header)]
    if transparent:
        chunks.append(png_chunk(b"tRNS", transparent))
    return b"\x89PNG\r\n\x1a\n" + b"".join([*chunks, png_chunk(b"IDAT", pixels), png_chunk(b"IEND", b"")])


def test_16_bit_rgb():
    decoded = decode_bytes(make_png(16, 2, [struct.pack(">6H", 65535, 32768, 0, 257, 0, 65535)], 2), LIMITS)
    assert decoded.working[0].tolist() == [[255, 128, 0], [1, 0, 255]]


@pytest.mark.parametrize(
    ("depth", "colour_type", "row", "transparent"),
    [
        (8, 0, bytes([10, 20]), struct.pack(">H", 10)),
        (16, 0, struct.pack(">2H", 4660, 20), struct.pack(">H", 4660)),
        (4, 0, bytes([0x72]), struct.pack(">H", 7)),
        (2, 0, bytes([0x40]), struct.pack(">H", 1)),
        (8, 2, bytes([10, 20, 30, 40, 50, 60]), struct.pack(">3H", 10, 20, 30)),
        (16, 2, struct.pack(">6H", 4660, 5000, 6000, 1, 2, 3), struct.pack(">3H", 4660, 5000, 6000)),
    ],
)
def test_transparent_colour_of_png(depth, colour_type, row, transparent):
    decoded = decode_bytes(make_png(depth, colour_type, [row], 2, transparent), LIMITS)
    assert decoded.working[0, 0].tolist() == [255, 255, 255]
    assert decoded.working[0, 1].max() < 255


def test_impossible_transparent_colour_is_ignored():
    decoded = decode_bytes(make_png(8, 0, [bytes([10, 20])], 2, struct.pack(">H", 60000)), LIMITS)
    assert decoded.working[0, :, 0].tolist() == [10, 20]


@pytest.mark.parametrize("plugin", ["PNG", "GIF", "WEBP"])
def test_transparency_is_laid_on_white(plugin, encode):
    source = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    source.paste((0, 0, 255, 255), (10, 0, 20, 20))
    if plugin in {"PNG", "GIF"}:
        source = source.convert("P", palette=Image.Palette.ADAPTIVE) if plugin == "GIF" else source.quantize()
    options = {"lossless": True} if plugin == "WEBP" else {}
    if plugin == "GIF":
        source = Image.new("P", (20, 20), 0)
        source.putpalette([0, 0, 0, 0, 0, 255])
        source.paste(1, (10, 0, 20, 20))
        options = {"transparency": 0}
    decoded = decode_bytes(encode(source, plugin, **options), LIMITS)
    assert corner(decoded) == WHITE
    assert decoded.working[0, 15].tolist() == list(BLUE)


def test_half_transparent_is_mixed_with_white(encode):
    decoded = decode_bytes(encode(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG"), LIMITS)
    assert corner(decoded) == (127, 127, 127)


def test_profile_is_applied(swapped_profile, encode):
    red = Image.new("RGB", (8, 8), RED)
    for plugin in ("PNG", "JPEG", "TIFF", "WEBP", "AVIF"):
        options = {"lossless": True} if plugin == "WEBP" else {"quality": 100} if plugin == "AVIF" else {}
        decoded = decode_bytes(encode(red, plugin, icc_profile=swapped_profile, **options), LIMITS)
        assert np.abs(np.array(corner(decoded)) - BLUE).max() < 8, plugin


def test_profile_is_applied_to_palette_and_under_alpha(swapped_profile, encode):
    palette = Image.new("RGB", (8, 8), RED).convert("P")
    assert corner(decode_bytes(encode(palette, "PNG", icc_profile=swapped_profile), LIMITS))[2] > 247
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert corner(decode_bytes(encode(clear, "PNG", icc_profile=swapped_profile), LIMITS)) == WHITE


def test_cmyk_profile_is_applied(colourless_ink_profile, encode):
    cyan = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    for plugin in ("TIFF", "JPEG"):
        plain = corner(decode_bytes(encode(cyan, plugin), LIMITS))
        assert plain[0] < 10 < 200 < plain[2]
        grey = corner(decode_bytes(encode(cyan, plugin, icc_profile=colourless_ink_profile), LIMITS))
        assert max(grey) - min(grey) <= 2
        assert 0 < grey[0] < 255


@pytest.mark.parametrize("damage", [b"", b"not a profile", bytes(200)])
def test_broken_profile_is_ignored(damage, picture, swapped_profile, encode):
    for profile in (damage, swapped_profile[:150] + damage, swapped_profile[:128] + b"\xff" * 300):
        assert difference(decode_bytes(encode(picture, "PNG", icc_profile=profile), LIMITS), picture) == 0


def test_profile_for_other_pixels_is_ignored(picture, colourless_ink_profile, encode):
    assert difference(decode_bytes(encode(picture, "PNG", icc_profile=colourless_ink_profile), LIMITS), picture) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation(orientation, plugin, picture, encode):
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = picture.transpose(undo[orientation]) if orientation > 1 else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode_bytes(encode(stored, plugin, exif=exif), LIMITS)
    assert (decoded.width, decoded.height) == picture.size
    assert decoded.orientation == orientation
    assert difference(decoded, picture) < 4


def test_first_frame_of_animations(encode):
    frames = [Image.new("RGB", (30, 20), colour) for colour in (RED, BLUE, WHITE)]
    for plugin in ("GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO"):
        decoded = decode_bytes(encode(frames[0], plugin, save_all=True, append_images=frames[1:]), LIMITS)
        assert decoded.frame_count == 3, plugin
        assert np.abs(np.array(corner(decoded)) - RED).max() < 12, plugin


def test_frame_limit(encode):
    frames = [Image.new("RGB", (30, 20), colour) for colour in (RED, BLUE, WHITE)]
    for plugin in ("GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO"):
        data = encode(frames[0], plugin, save_all=True, append_images=frames[1:])
        assert decode_bytes(data, DecodeLimits(max_frames=3)).frame_count == 3
        with pytest.raises(ImageTooLarge, match="frames"):
            decode_bytes(data, DecodeLimits(max_frames=2))


@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_pixel_limit_is_exact(plugin, picture, encode):
    data = encode(picture, plugin)
    decode_bytes(data, DecodeLimits(max_pixels=120 * 90))
    for limit in (120 * 90 - 1, 100, 1):
        with pytest.raises(ImageTooLarge, match="pixels"):
            decode_bytes(data, DecodeLimits(max_pixels=limit))


def test_pixel_limit_of_heic(assets: Path):
    with pytest.raises(ImageTooLarge, match="pixels"):
        decode_bytes((assets / "rgb.heic").read_bytes(), DecodeLimits(max_pixels=64 * 48 - 1))


def test_byte_limit(picture, encode):
    data = encode(picture, "PNG")
    decode_bytes(data, DecodeLimits(max_bytes=len(data)))
    with pytest.raises(ImageTooLarge, match="bytes"):
        decode_bytes(data, DecodeLimits(max_bytes=len(data) - 1))


def test_pillow_keeps_its_own_limits(picture, encode):
    before = Image.MAX_IMAGE_PIXELS
    decode_bytes(encode(picture, "PNG"), LIMITS)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("plugin", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_cut_files_are_corrupt(plugin, part, picture, encode):
    data = encode(picture, plugin)
    with pytest.raises(CorruptImage):
        decode_bytes(data[: int(len(data) * part)], LIMITS)


@pytest.mark.parametrize("data", [b"", b"\0", b"%PDF-1.7", b"<svg/>", b"P6 1 1 255 abc", b"RIFF1234AVI ", b"\0" * 500])
def test_other_content_is_unsupported(data):
    with pytest.raises(UnsupportedFormat):
        decode_bytes(data, LIMITS)


@pytest.mark.parametrize("plugin", ["PPM", "TGA", "ICO", "PCX", "SGI", "JPEG2000", "DDS"])
def test_other_formats_are_unsupported(plugin, picture, encode):
    with pytest.raises(UnsupportedFormat):
        decode_bytes(encode(picture, plugin), LIMITS)


def test_camera_raw_is_unsupported(picture, encode):
    """A DNG is a TIFF that starts with a thumbnail."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags[50706] = b"\1\4\0\0"
    tags.tagtype[50706] = 1
    with pytest.raises(UnsupportedFormat, match="raw"):
        decode_bytes(encode(picture, "TIFF", tiffinfo=tags), LIMITS)


def test_working_copy_is_reduced_never_enlarged(encode):
    for size, expected in {(3000, 1500): (1024, 512), (1024, 7): (1024, 7), (5000, 1): (1024, 1)}.items():
        decoded = decode_bytes(encode(Image.new("RGB", size, RED), "PNG"), LIMITS)
        assert (decoded.width, decoded.height) == size
        assert decoded.working.shape == (expected[1], expected[0], 3)
        assert max(decoded.working.shape) <= WORKING_SIDE
        assert corner(decoded) == RED


def test_working_copy_averages(encode):
    """Fine stripes turn to grey: a reduction that skips pixels would show black, white or moire."""
    stripes = np.zeros((4096, 64), np.uint8)
    stripes[::2] = 255
    decoded = decode_bytes(encode(Image.fromarray(stripes), "PNG"), LIMITS)
    assert np.abs(decoded.working[8:-8].astype(int) - 127).max() <= 4


def test_pixel_digest_is_as_specified(picture, encode):
    decoded = decode_bytes(encode(picture, "PNG"), LIMITS)
    body = b"imgguard-rgb8\0" + struct.pack(">II", 120, 90) + np.asarray(picture).tobytes()
    assert decoded.pixel_digest == hashlib.sha256(body).hexdigest()


def test_pixel_digest_ignores_metadata_and_container(picture, encode):
    exif = Image.Exif()
    exif[306] = "2020:01:01 00:00:00"
    files = [encode(picture, "PNG"), encode(picture, "PNG", exif=exif), encode(picture, "BMP"), encode(picture, "TIFF")]
    assert len({decode_bytes(data, LIMITS).pixel_digest for data in files}) == 1


def test_nothing_is_said_on_stderr_or_as_warning(picture, encode, capfd):
    damaged = encode(picture, "TIFF", compression="tiff_lzw").replace(b"\x02\x01\x03\x00", b"\x02\x01\x07\x00")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in (damaged, damaged[:200], encode(Image.new("RGB", (5, 5)), "JPEG", exif=b"Exif\0\0rubbish")):
            with contextlib.suppress(InputError):
                decode_bytes(data, LIMITS)
    assert capfd.readouterr().err == ""
