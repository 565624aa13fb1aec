"""What a file says about itself: orientation and declared times. Nothing here can make a decode fail."""

import re
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

from imgguard.imaging.image import DeclaredTime

_TIME_TAGS = (
    (
        "exif:DateTimeOriginal",
        ExifTags.Base.DateTimeOriginal,
        ExifTags.Base.SubsecTimeOriginal,
        ExifTags.Base.OffsetTimeOriginal,
    ),
    (
        "exif:DateTimeDigitized",
        ExifTags.Base.DateTimeDigitized,
        ExifTags.Base.SubsecTimeDigitized,
        ExifTags.Base.OffsetTimeDigitized,
    ),
    ("exif:DateTime", ExifTags.Base.DateTime, ExifTags.Base.SubsecTime, ExifTags.Base.OffsetTime),
)
_TIME = re.compile(
    r"(\d{4})(?:[:/.-](\d\d)(?:[:/.-](\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?)?)?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_PRECISIONS = ("year", "month", "day", "minute", "minute", "second")


def read_exif(image: Image.Image) -> dict[int, Any]:
    """EXIF tags of an opened picture, the Exif sub-directory included; empty when there is none or it is broken.

    An orientation that only XMP states is left out: browsers, hence marketplaces, do not apply it either.
    """
    for key in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(key, None)
    try:
        exif = image.getexif()
        tags = dict(exif)
    except MemoryError:
        raise
    except Exception:
        return {}
    try:
        return tags | dict(exif.get_ifd(ExifTags.IFD.Exif))
    except MemoryError:
        raise
    except Exception:
        return tags


def orientation_of(tags: dict[int, Any]) -> int:
    """EXIF orientation, 1 to 8; 1 when absent or not a legal value."""
    value = tags.get(ExifTags.Base.Orientation)
    return value if type(value) is int and 1 <= value <= 8 else 1


def declared_times(tags: dict[int, Any]) -> tuple[DeclaredTime, ...]:
    """The times of EXIF 3.0, section 4.6.6 (date and time), in the order original, digitized, changed.

    Kept as written, only brought into ISO 8601 order; a date that cannot exist is skipped.
    """
    found = []
    for source, tag, subsecond_tag, offset_tag in _TIME_TAGS:
        text = _text(tags.get(tag))
        parsed = _parse_time(text, _text(tags.get(subsecond_tag)))
        if parsed is not None:
            value, precision = parsed
            offset = _parse_offset(_text(tags.get(offset_tag)))
            found.append(DeclaredTime(source=source, value=value, precision=precision, offset=offset))
    return tuple(found)


def _text(value: object) -> str:
    """EXIF ASCII as text; unknown parts are written as spaces, some writers pad with NUL."""
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.split("\0", 1)[0].strip() if isinstance(value, str) else ""


def _parse_time(text: str, subsecond: str) -> tuple[str, str] | None:
    known = text.split("  ", 1)[0].rstrip(" :")  # an unknown field is two spaces
    match = _TIME.fullmatch(known)
    if match is None:
        return None
    parts = [part for part in match.groups() if part is not None]
    try:
        datetime(*(int(part) for part in (*parts, "1", "1")[: max(len(parts), 3)]))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
    value = "-".join(parts[:3]) + ("T" + ":".join(parts[3:]) if len(parts) > 3 else "")
    if len(parts) == 6 and re.fullmatch(r"\d{1,9}", subsecond, re.ASCII):
        return f"{value}.{subsecond}", "subsecond"
    return value, _PRECISIONS[len(parts) - 1]


def _parse_offset(text: str) -> str | None:
    if text == "Z":
        return "+00:00"
    match = _OFFSET.fullmatch(text)
    if match is None or int(match[2]) > 15 or int(match[3]) > 59:
        return None
    return f"{match[1]}{match[2]}:{match[3]}"
