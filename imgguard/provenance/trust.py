"""The trust file: which timestamp authorities somebody believes, and how far. Operator and verifier each choose theirs.

Trust comes from this file only, never from what is to be verified: a token that brings a root along proves nothing.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from cryptography import x509

from imgguard.errors import ConfigurationError

_AUTHORITY_KEYS = frozenset({"name", "class", "certificate", "not_before", "not_after"})
_LONGEST_NAME = 200
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


class TrustClass(StrEnum):
    """Who vouches for a time. ``unknown`` is nobody that the file names: then it is no time at all."""

    QUALIFIED = "qualified"
    INDEPENDENT = "independent"
    SELF_ISSUED = "self_issued"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedAuthority:
    """``certificate`` is a root, an intermediate or the signer itself. It is believed for times within its window."""

    name: str
    trust_class: TrustClass
    certificate: x509.Certificate
    not_before: datetime | None = None
    not_after: datetime | None = None

    def is_believed_at(self, moment: datetime) -> bool:
        return (self.not_before is None or self.not_before <= moment) and (
            self.not_after is None or moment <= self.not_after
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """``log_policy`` is the text of a C2SP tlog-policy, for whoever reads those."""

    authorities: tuple[TrustedAuthority, ...] = ()
    log_policy: str | None = None

    def authority_of(self, certificate: x509.Certificate) -> TrustedAuthority | None:
        return next((one for one in self.authorities if one.certificate == certificate), None)


def read_trust(text: str) -> Trust:
    """The trust file's content. Raises ConfigurationError, which names the place."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong("", f"it is no TOML: {error}") from error
    _only_keys(document, frozenset({"authority", "log"}), "")
    entries = document.get("authority", [])
    if not isinstance(entries, list):
        raise _wrong("authority", "authorities begin with [[authority]]")
    authorities = tuple(_authority(entry, f"authority {number}") for number, entry in enumerate(entries, start=1))
    for number, authority in enumerate(authorities, start=1):
        for earlier in authorities[: number - 1]:
            if authority.name == earlier.name:
                raise _wrong(f"authority {number}", f"the name {authority.name!r} is there twice")
            if authority.certificate == earlier.certificate:
                raise _wrong(f"authority {number}", f"it has the certificate of {earlier.name!r}")
    return Trust(authorities=authorities, log_policy=_log_policy(document.get("log")))


def _log_policy(log: object) -> str | None:
    if log is None:
        return None
    if not isinstance(log, dict):
        raise _wrong("log", "it is no table")
    _only_keys(log, frozenset({"policy"}), "log")
    return _text(log, "policy", "log")


def _authority(entry: object, place: str) -> TrustedAuthority:
    if not isinstance(entry, dict):
        raise _wrong(place, "it is no table")
    _only_keys(entry, _AUTHORITY_KEYS, place)
    name = _text(entry, "name", place)
    if not name.isprintable() or name != name.strip() or len(name) > _LONGEST_NAME:
        raise _wrong(f"{place}, name", f"it is not a printable name of at most {_LONGEST_NAME} characters")
    trust_class = _text(entry, "class", place)
    classes = [one.value for one in TrustClass if one is not TrustClass.UNKNOWN]
    if trust_class not in classes:
        raise _wrong(f"{place}, class", f"it is none of {', '.join(classes)}")
    not_before, not_after = _moment(entry, "not_before", place), _moment(entry, "not_after", place)
    if not_before is not None and not_after is not None and not_before > not_after:
        raise _wrong(place, "its window ends before it begins")
    return TrustedAuthority(
        name=name,
        trust_class=TrustClass(trust_class),
        certificate=_certificate(_text(entry, "certificate", place), f"{place}, certificate"),
        not_before=not_before,
        not_after=not_after,
    )


def _certificate(pem: str, place: str) -> x509.Certificate:
    if pem.count("-----BEGIN ") != 1 or not pem.lstrip().startswith(_CERTIFICATE):
        raise _wrong(place, "it is not exactly one certificate in PEM")
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode("utf-8"))
        certificate.public_key()
    except Exception as error:  # what parsers and unknown algorithms raise is of many kinds, and none is ours
        raise _wrong(place, "it cannot be read") from error
    return certificate


def _text(table: Mapping[str, Any], key: str, place: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(f"{place}, {key}", "it is missing, empty or no text")
    return value


def _moment(table: Mapping[str, Any], key: str, place: str) -> datetime | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _wrong(f"{place}, {key}", "it is no time with an offset, like 2026-01-31T00:00:00Z")
    return value.astimezone(UTC)


def _only_keys(table: Mapping[str, Any], known: frozenset[str], place: str) -> None:
    for key in table:
        if key not in known:
            raise _wrong(place, f"the key {key!r} is unknown")


def _wrong(place: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"the trust file{f', {place}' if place else ''}: {reason}",
        hint="Compare it with the example in docs/timestamps.md.",
    )
