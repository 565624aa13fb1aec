"""What people hand in for licences and decisions: accepted and brought into one form, or refused."""

from collections.abc import Iterable
from datetime import datetime

from imgguard.errors import InputError, UnsupportedFormat
from imgguard.imaging.container import sniff
from imgguard.registry.licences import LONGEST_KEYWORD, TERRITORIES, is_keyword, keyword, territory

LONGEST_PAGE = 1000
LONGEST_NOTE = 2000
LONGEST_DOCUMENT = 20_000_000
"""Bytes: a scanned contract of some dozen pages."""

_MOST_WORDS = 250  # all territories are 249


def checked_limit(limit: int) -> int:
    """How many a page has. Raises InputError."""
    if not 1 <= limit <= LONGEST_PAGE:
        raise InputError(f"a page has 1 to {LONGEST_PAGE} entries", hint="Ask for fewer, then for the next page.")
    return limit


def checked_note(note: str) -> str:
    """Text of several lines, without what surrounds it. Raises InputError."""
    note = note.replace("\r\n", "\n").strip()
    if len(note) > LONGEST_NOTE or not note.replace("\n", "").replace("\t", "").isprintable():
        raise InputError(f"a note has at most {LONGEST_NOTE} printable characters", hint="Shorten it.")
    return note


def checked_keywords(words: Iterable[str], *, what: str) -> frozenset[str]:
    """Raises InputError."""
    given = frozenset(keyword(word) for word in words)
    for word in sorted(given):
        if not is_keyword(word):
            raise InputError(
                f"{word[:LONGEST_KEYWORD]!r} is no keyword for {what}",
                hint=f"Use up to {LONGEST_KEYWORD} letters, digits, hyphens and underscores, such as `listing`.",
            )
    return _not_too_many(given, what)


def checked_territories(codes: Iterable[str]) -> frozenset[str]:
    """Raises InputError."""
    given = frozenset(territory(code) for code in codes)
    if unknown := sorted(given - TERRITORIES):
        raise InputError(
            f"{unknown[0][:LONGEST_KEYWORD]!r} is no territory",
            hint="Use the two letters of ISO 3166-1, such as DE, or GB for the United Kingdom.",
        )
    return _not_too_many(given, "territories")


def _not_too_many(words: frozenset[str], what: str) -> frozenset[str]:
    if len(words) > _MOST_WORDS:
        raise InputError(f"more than {_MOST_WORDS} {what}", hint="Leave them out: none is no limit.")
    return words


def checked_time(at: datetime | None, *, what: str) -> datetime | None:
    """Raises InputError for a time without a zone."""
    if at is not None and at.utcoffset() is None:
        raise InputError(f"{what} has no time zone", hint="Give one, such as 2026-05-01T00:00:00Z.")
    return at


def document_type(data: bytes) -> str:
    """The media type of a document, by its content alone. Raises InputError, UnsupportedFormat."""
    if not data or len(data) > LONGEST_DOCUMENT:
        raise InputError(
            f"a document has 1 to {LONGEST_DOCUMENT} bytes, not {len(data)}",
            hint="Reduce it, or split it into several.",
        )
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    if _is_text(data):  # before pictures: a text may begin with the two letters that a BMP begins with
        return "text/plain"
    try:
        return sniff(data).media_type
    except UnsupportedFormat:
        raise UnsupportedFormat(
            "the document is neither a PDF, nor a picture, nor plain text in UTF-8", hint="Save it as a PDF."
        ) from None


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in "\t\n\r\f" for character in set(text)) and "\x7f" not in text
