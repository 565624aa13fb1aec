"""What the bytes are, whatever the server says they are."""

import codecs
import re

from imgguard.errors import FetchFailed, UnsupportedFormat
from imgguard.imaging.container import Format, sniff
from imgguard.ports import Accept

UNKNOWN = "application/octet-stream"
_HEAD = 4096
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PROLOGUE = re.compile(r"(?:\s+|\ufeff|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body|script|meta|title)\b", re.IGNORECASE)
_SIGNATURES = ((b"%PDF-", "application/pdf"), (b"\x1f\x8b", "application/gzip"), (b"PK\x03\x04", "application/zip"))
_ACCEPTED = {
    Accept.IMAGE: frozenset(kind.media_type for kind in Format),
    Accept.FEED: frozenset({"application/xml", "application/json", "text/plain"}),
}


def media_type_of(data: bytes) -> str:
    """An accepted image format, HTML, XML, JSON, other text (tables too), PDF, gzip, ZIP; else ``UNKNOWN``."""
    for signature, media_type in _SIGNATURES:
        if data.startswith(signature):
            return media_type
    # Text first: the two letters by which BMP is known also begin words.
    text = _text(data[:_HEAD])
    if text is not None:
        return _text_type(text)
    try:
        return sniff(data).media_type
    except UnsupportedFormat:
        return UNKNOWN


def check_content(data: bytes, accept: Accept) -> str:
    """The media type of ``data``. Raises FetchFailed when it is not what the caller accepts."""
    media_type = media_type_of(data)
    if accept is not Accept.ANYTHING and media_type not in _ACCEPTED[accept]:
        seen = f"it looks like {media_type}" if data else "it is empty"
        raise FetchFailed(f"the content is not an accepted {accept.value}: {seen}")
    return media_type


def _text(head: bytes) -> str | None:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "replace")
    if not head or _NOT_TEXT.search(head):
        return None
    return head.decode("utf-8", "replace")


def _text_type(text: str) -> str:
    prologue = _PROLOGUE.match(text)
    start = text[prologue.end() :] if prologue else text
    if _PAGE.match(start):
        return "text/html"
    if start.startswith("<") or text.lstrip("\ufeff \t\r\n").startswith("<?xml"):
        return "application/xml"
    return "application/json" if start.startswith(("{", "[")) else "text/plain"
