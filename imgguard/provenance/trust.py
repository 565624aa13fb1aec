"""The trust file: which timestamp authorities, logs and seals somebody believes. Operator and verifier each have one.

Trust comes from this file only, never from what is to be verified: a token that brings a root along proves nothing.
"""

import tomllib
from collections.abc import Mapping, Sequence
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
class TrustedSeal:
    """Whoever seals with the key of this very certificate is ``name``. Its dates and its issuer are not looked at."""

    name: str
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """``log_policy`` is the text of a C2SP tlog-policy, for whoever reads those."""

    authorities: tuple[TrustedAuthority, ...] = ()
    log_policy: str | None = None
    seals: tuple[TrustedSeal, ...] = ()

    def sealer(self, certificate: x509.Certificate) -> TrustedSeal | None:
        """Whose certificate it is; None for one that the file does not have."""
        return next((one for one in self.seals if one.certificate == certificate), None)

    def authority_of(self, certificate: x509.Certificate) -> TrustedAuthority | None:
        return next((one for one in self.authorities if one.certificate == certificate), None)


def read_trust(text: str) -> Trust:
    """The trust file's content. Raises ConfigurationError, which names the place."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _wrong("", f"it is no TOML: {error}") from error
    _only_keys(document, frozenset({"authority", "log", "seal"}), "")
    authorities = tuple(_authority(entry, place) for entry, place in _entries(document, "authority"))
    seals = tuple(_seal(entry, place) for entry, place in _entries(document, "seal"))
    _all_different("authority", authorities)
    _all_different("seal", seals)
    return Trust(authorities=authorities, log_policy=_log_policy(document.get("log")), seals=seals)


def _entries(document: Mapping[str, Any], kind: str) -> list[tuple[object, str]]:
    entries = document.get(kind, [])
    if not isinstance(entries, list):
        raise _wrong(kind, f"each begins with [[{kind}]]")
    return [(entry, f"{kind} {number}") for number, entry in enumerate(entries, start=1)]


def _all_different(kind: str, entries: Sequence[TrustedAuthority | TrustedSeal]) -> None:
    for number, entry in enumerate(entries, start=1):
        for earlier in entries[: number - 1]:
            if entry.name == earlier.name:
                raise _wrong(f"{kind} {number}", f"the name {entry.name!r} is there twice")
            if entry.certificate == earlier.certificate:
                raise _wrong(f"{kind} {number}", f"it has the certificate of {earlier.name!r}")


def _seal(entry: object, place: str) -> TrustedSeal:
    if not isinstance(entry, dict):
        raise _wrong(place, "it is no table")
    _only_keys(entry, frozenset({"name", "certificate"}), place)
    pem = _text(entry, "certificate", place)
    return TrustedSeal(name=_name(entry, place), certificate=_certificate(pem, f"{place}, certificate"))


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
    name = _name(entry, place)
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


def _name(entry: Mapping[str, Any], place: str) -> str:
    name = _text(entry, "name", place)
    if not name.isprintable() or name != name.strip() or len(name) > _LONGEST_NAME:
        raise _wrong(f"{place}, name", f"it is not a printable name of at most {_LONGEST_NAME} characters")
    return name


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
