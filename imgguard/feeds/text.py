"""Bytes to text: in the encoding that they are in for certain, or that whoever hands them in names."""

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

from imgguard.errors import InputError
from imgguard.feeds.records import Encoding

_MARKS = (
    (codecs.BOM_UTF8, Encoding.UTF_8),
    (codecs.BOM_UTF16_LE, Encoding.UTF_16),
    (codecs.BOM_UTF16_BE, Encoding.UTF_16),
)
_CODECS = {Encoding.UTF_8: "utf-8-sig", Encoding.WINDOWS_1252: "cp1252"}
_DECLARED = re.compile(rb"""<\?xml[^>]{0,100}?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_NAMES = {
    "utf-8": Encoding.UTF_8,
    "utf8": Encoding.UTF_8,
    "us-ascii": Encoding.UTF_8,
    "gb18030": Encoding.GB18030,
    "gbk": Encoding.GB18030,
    "gb2312": Encoding.GB18030,
    "windows-1252": Encoding.WINDOWS_1252,
    "iso-8859-1": Encoding.WINDOWS_1252,
}
"""What XML declares. GB18030 holds GBK and GB2312, Windows-1252 all letters of ISO 8859-1."""

_OTHERS = (
    (b"PK\x03\x04", "a ZIP file, such as an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"%PDF-", "a PDF"),
)
_HINT = "Save it as UTF-8 (in Excel: CSV UTF-8), or name its encoding: gb18030, windows-1252 or utf-16."


def encoding_of(data: bytes, given: Encoding | None) -> Encoding:
    """``given``, or what its mark or its XML declaration says, or UTF-8. Raises InputError for what is no text, and for
    a mark that contradicts ``given``."""
    for signature, what in _OTHERS:
        if data.startswith(signature):
            raise InputError(f"the feed is {what}, not a table or XML", hint="Save it as CSV UTF-8 and send that.")
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if marked is not None and given not in (None, marked):
        raise InputError(f"the feed begins with the mark of {marked}, and is said to be {given}", hint="Leave it out.")
    return given or marked or _declared(data) or Encoding.UTF_8


def _declared(data: bytes) -> Encoding | None:
    """Raises InputError for one that is not read."""
    found = _DECLARED.match(data.lstrip()[:200])
    if found is None:
        return None
    name = found[1].decode("ascii").lower()
    if name not in _NAMES:
        raise InputError(f"the feed declares the encoding {name}, which is not read", hint=_HINT)
    return _NAMES[name]


def _codec(data: bytes, encoding: Encoding) -> str:
    if encoding is Encoding.UTF_16 and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le"  # what is called Unicode on Windows
    return _CODECS.get(encoding, encoding.value)


@contextmanager
def opened(data: bytes, encoding: Encoding) -> Iterator[io.TextIOWrapper]:
    """A file of text, without its mark and with line ends as they are. Decodes as it is read: inside, what is not in
    this encoding raises InputError."""
    try:
        with io.TextIOWrapper(io.BytesIO(data), _codec(data, encoding), newline="") as file:
            yield file
    except UnicodeError as error:
        raise InputError(f"the feed is not text in {encoding}", hint=_HINT) from error


def beginning(data: bytes, encoding: Encoding) -> str:
    """Some of the text, without the space before it. Raises InputError."""
    with opened(data, encoding) as file:
        return file.read(4096).lstrip()


def checked(text: str) -> str:
    """``text``. Raises InputError when there are NUL characters in it, as in UTF-16 that was read as UTF-8."""
    if "\0" in text:
        raise InputError("the feed is not text: there are NUL characters in it", hint=_HINT)
    return text
