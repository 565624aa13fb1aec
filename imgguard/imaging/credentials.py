"""What a file says of its own making: Content Credentials (C2PA 2.2), as far as they can be read without a network.

`state`, the validation codes, `timestamp` and `revocation` are what a validator found. All else is what whoever signed
the file wrote into it: bounded, in printable characters, and no more true than that person is honest.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from imgguard.imaging.image import DeclaredTime

MOST_ACTIONS, MOST_INGREDIENTS, MOST_CODES = 32, 16, 32
LONGEST_TEXT = 100  # characters
MOST_JSON_BYTES = 96_000  # all of the above filled with characters of four bytes come to some 80,000

# The type of the description box of a manifest store (C2PA 2.2, section 11.1.4.2), all of its UUID: a longer mark is
# found sooner. And the property of XMP that says where else the manifest is (section 11.5).
_MARKS = (b"jumd" + bytes.fromhex("6332706100110010800000aa00389b71"), b"dcterms:provenance")
_MARGIN = timedelta(days=1)  # clocks without time zone may be 14 hours off
_CAPTURES = frozenset({"digitalCapture", "computationalCapture"})

_CLOSED = {"extra": "forbid", "json_schema_serialization_defaults_required": True}


class CredentialState(StrEnum):
    """``valid``: intact, and the signer is in no trust list here; ``trusted``: intact, and it is in the operator's.

    ``invalid``: something does not fit, see ``failures``. ``unreadable``: there is something, which could not be read.
    """

    NONE = "none"
    VALID = "valid"
    TRUSTED = "trusted"
    INVALID = "invalid"
    UNREADABLE = "unreadable"


class Timestamp(StrEnum):
    """Whether somebody else than the signer vouches for ``signed_at``."""

    NONE = "none"
    UNTRUSTED = "untrusted"
    TRUSTED = "trusted"


class Generated(StrEnum):
    """What the manifests say of generative AI: of this picture, or of a part or an earlier state of it."""

    NOT_STATED = "not_stated"
    PARTLY = "partly"
    WHOLLY = "wholly"


class Revocation(StrEnum):
    """Of the signer's certificate, by what the file itself brings along: nobody is asked."""

    NOT_KNOWN = "not_known"
    NOT_REVOKED = "not_revoked"
    REVOKED = "revoked"


class Remark(StrEnum):
    """Where what the file says does not agree with itself, or says that it is not first-hand."""

    OPENED_FROM_ANOTHER = "opened_from_another"
    EXIF_AFTER_SIGNING = "exif_after_signing"
    EXIF_BEFORE_CAPTURE = "exif_before_capture"


class Unread(StrEnum):
    """Why credentials are ``unreadable``; those with a dot are codes of C2PA."""

    INACCESSIBLE = "manifest.inaccessible"
    MALFORMED = "malformed"
    CRASHED = "reader_crashed"
    TIMED_OUT = "reader_timed_out"
    NO_LIBRARY = "reader_unavailable"
    DAMAGED = "stored_damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Of the certificate that signed: ``serial`` in hexadecimal digits, ``issuer`` the name of its issuer."""

    __pydantic_config__ = _CLOSED

    common_name: str | None
    organisation: str | None
    issuer: str | None
    serial: str | None
    not_before: datetime | None
    not_after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One step, as the file tells it. ``source_type`` is the last part of IPTC's URL: `digitalCapture`, say."""

    __pydantic_config__ = _CLOSED

    code: str
    software: str | None
    at: datetime | None
    source_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """A file that this one was made from. ``relationship``: `parentOf`, `componentOf` or `inputTo`."""

    __pydantic_config__ = _CLOSED

    title: str | None
    relationship: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentCredentials:
    """What a file says of its making, and whether that is intact.

    ``action_count`` and ``ingredient_count`` count those that are left out too. ``generator`` is the software that
    wrote the manifest, ``device`` the camera that the file names. ``reader`` says what validated it.
    """

    __pydantic_config__ = _CLOSED

    state: CredentialState
    successes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    ingredient_failures: tuple[str, ...] = ()
    signer: Signer | None = None
    signed_at: datetime | None = None
    timestamp: Timestamp = Timestamp.NONE
    revocation: Revocation = Revocation.NOT_KNOWN
    generator: str | None = None
    device: str | None = None
    actions: tuple[Action, ...] = ()
    action_count: int = 0
    ingredients: tuple[Ingredient, ...] = ()
    ingredient_count: int = 0
    ai_generated: Generated = Generated.NOT_STATED
    remarks: tuple[Remark, ...] = ()
    reader: str | None = None


class CredentialsReader(Protocol):
    """Reads what a file that was decoded says of its making. Raises DependencyError only."""

    def credentials(self, data: bytes) -> ContentCredentials: ...


NO_CREDENTIALS = ContentCredentials(state=CredentialState.NONE)


def unreadable(why: Unread) -> ContentCredentials:
    """There is something that could not be read."""
    return ContentCredentials(state=CredentialState.UNREADABLE, failures=(why.value,))


def may_have_credentials(data: bytes) -> bool:
    """Whether a look by the library is worth its 23 MB: a scan for two marks. A file without them has none."""
    return any(mark in data for mark in _MARKS)


def to_json(credentials: ContentCredentials) -> str:
    """JSON text, which `imgguard.imaging.credentials_json` reads."""
    return json.dumps(asdict(credentials), ensure_ascii=False, separators=(",", ":"), default=datetime.isoformat)


def with_remarks(credentials: ContentCredentials, declared_times: Sequence[DeclaredTime]) -> ContentCredentials:
    """The same with what is odd about it beside the times that the file's EXIF tells."""
    found = {
        Remark.OPENED_FROM_ANOTHER: any(one.relationship == "parentOf" for one in credentials.ingredients)
        or any(action.code == "c2pa.opened" for action in credentials.actions),
        Remark.EXIF_AFTER_SIGNING: _exif_after_signing(credentials, declared_times),
        Remark.EXIF_BEFORE_CAPTURE: _exif_before_capture(credentials, declared_times),
    }
    return replace(credentials, remarks=tuple(remark for remark, holds in found.items() if holds))


def _exif_after_signing(credentials: ContentCredentials, times: Sequence[DeclaredTime]) -> bool:
    """Nothing can be taken or changed after it was signed, unless a clock was wrong."""
    signed = credentials.signed_at
    return signed is not None and any(at is not None and at - signed > _MARGIN for at in map(_instant, times))


def _exif_before_capture(credentials: ContentCredentials, times: Sequence[DeclaredTime]) -> bool:
    """A camera signs as it takes the picture."""
    captured = any(one.code == "c2pa.created" and one.source_type in _CAPTURES for one in credentials.actions)
    signed = credentials.signed_at
    if not captured or signed is None:
        return False
    taken = [_instant(time) for time in times if time.source == "exif:DateTimeOriginal"]
    return any(at is not None and signed - at > _MARGIN for at in taken)


def _instant(time: DeclaredTime) -> datetime | None:
    """In UTC, as if the clock had been there when no offset is told; None for what is no more than a day."""
    if time.precision in ("year", "month", "day"):
        return None
    try:
        return datetime.fromisoformat(time.value + (time.offset or "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):  # the year 1, an hour before it began
        return None
