"""The report's font, and which characters it can show.

Only the fonts named here and those inside typst are used, never the machine's, so that a report looks the same
everywhere. PDF/A wants a glyph for every character: what the font lacks is written out.
"""

import struct
import unicodedata
from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_cn

from imgguard.evidence.statements import visible

FOLDER = Path(pylopdf_fonts_zh_cn.sans_path()).parent


def printable(text: str) -> str:
    """``text`` composed (NFC), with everything written out that leaves no mark on paper or that the font lacks."""
    known = covered()
    return "".join(
        character if ord(character) in known else f"\\u{{{ord(character):x}}}"
        for character in visible(unicodedata.normalize("NFC", text))
    )


@cache
def covered() -> frozenset[int]:
    """The code points that Noto Sans SC has glyphs for."""
    return frozenset(_code_points(Path(pylopdf_fonts_zh_cn.sans_path()).read_bytes()))


def _code_points(font: bytes) -> set[int]:
    """From the character map of an OpenType file: its subtable of format 12 (OpenType 1.9, cmap).

    Raises ValueError when there is none, which no version of the font is known for.
    """
    (tables,) = struct.unpack_from(">H", font, 4)
    directory = {font[at : at + 4]: struct.unpack_from(">I", font, at + 8)[0] for at in range(12, 12 + 16 * tables, 16)}
    start = directory[b"cmap"]
    (subtables,) = struct.unpack_from(">H", font, start + 2)
    for number in range(subtables):
        at = start + struct.unpack_from(">I", font, start + 8 + 8 * number)[0]
        if struct.unpack_from(">H", font, at)[0] == 12:
            (groups,) = struct.unpack_from(">I", font, at + 12)
            ranges = (struct.unpack_from(">II", font, at + 16 + 12 * group) for group in range(groups))
            return {point for first, last in ranges for point in range(first, last + 1)}
    raise ValueError("the font has no character map of format 12")
