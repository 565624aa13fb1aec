"""What kind of file the bytes are, and how many pictures they declare: both read from the bytes, never from a name.

The frame counters follow the block structure only; they decode no pixels and stop at the bound they are given, so a
file that declares millions of frames costs no more than one that is refused.
"""

import struct
from enum import Enum

from imgguard.errors import UnsupportedFormat


class Format(Enum):
    """An accepted format: the name of its Pillow plugin and its media type."""

    JPEG = ("JPEG", "image/jpeg")
    PNG = ("PNG", "image/png")
    WEBP = ("WEBP", "image/webp")
    GIF = ("GIF", "image/gif")
    BMP = ("BMP", "image/bmp")
    TIFF = ("TIFF", "image/tiff")
    AVIF = ("AVIF", "image/avif")
    HEIC = ("HEIF", "image/heic")

    def __init__(self, plugin: str, media_type: str) -> None:
        self.plugin = plugin
        self.media_type = media_type


_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"BM", Format.BMP),
    (b"II*\0", Format.TIFF),
    (b"MM\0*", Format.TIFF),
    (b"II+\0", Format.TIFF),
    (b"MM\0+", Format.TIFF),
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})


def sniff(data: bytes) -> Format:
    """The format of a file, by its content. Raises UnsupportedFormat."""
    if not data:
        raise UnsupportedFormat("the file is empty")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Format.WEBP
    if data[4:8] == b"ftyp":
        return _sniff_isobmff(data)
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    raise UnsupportedFormat("the content is not that of an accepted image format")


def _sniff_isobmff(data: bytes) -> Format:
    """AVIF and HEIC share one container (ISO/IEC 23008-12): the brands of the ``ftyp`` box tell them apart."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12]} | {data[at : at + 4] for at in range(16, end - 3, 4)}
    if brands & _AVIF_BRANDS:
        return Format.AVIF
    if brands & _HEIC_BRANDS:
        return Format.HEIC
    raise UnsupportedFormat("the container holds neither AVIF nor HEIC pictures")


def count_frames(data: bytes, kind: Format, *, stop: int) -> int | None:
    """Frames or pages the file declares, at most ``stop``; None where the plugin knows it from the header."""
    if kind is Format.GIF:
        return _count_gif(data, stop=stop)
    if kind is Format.TIFF:
        return _count_tiff(data, stop=stop)
    return None


def _count_gif(data: bytes, *, stop: int) -> int:
    """Image descriptors of a GIF (GIF89a specification, sections 18 to 27); a cut file counts what is there."""
    if len(data) < 13:
        return 1
    at = 13 + _colour_table_length(data[10])
    frames = 0
    while at < len(data) and frames < stop:
        marker = data[at]
        if marker == 0x21:
            at = _after_sub_blocks(data, at + 2)
        elif marker == 0x2C and at + 9 < len(data):
            frames += 1
            at = _after_sub_blocks(data, at + 11 + _colour_table_length(data[at + 9]))
        elif marker == 0x3B:
            break
        else:
            at += 1
    return max(frames, 1)


def _colour_table_length(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def _count_tiff(data: bytes, *, stop: int) -> int:
    """Length of the chain of image file directories (TIFF 6.0, section 2; BigTIFF); a loop ends the chain."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    count_format, entry_length, offset_format, at = ("Q", 20, "Q", 8) if big else ("H", 12, "L", 4)
    count_length, offset_length = struct.calcsize("<" + count_format), struct.calcsize("<" + offset_format)
    seen: set[int] = set()
    while len(seen) < stop:
        raw = data[at : at + offset_length]
        if len(raw) < offset_length:
            break
        directory = struct.unpack(order + offset_format, raw)[0]
        count_raw = data[directory : directory + count_length]
        if directory == 0 or directory in seen or len(count_raw) < count_length:
            break
        seen.add(directory)
        at = directory + count_length + entry_length * struct.unpack(order + count_format, count_raw)[0]
    return max(len(seen), 1)
