"""The trust file: which timestamp authorities, logs and seals somebody believes. Operator and verifier each have one.

Trust comes from this file only, never from what is to be verified: a token that brings a root along proves nothing.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography import x509

from imgguard.errors import ConfigurationError

_AUTHORITY_KEYS = frozenset({"name", "class", "certificate", "not_before", "not_after"})
_BLOCK_KEYS = frozenset({"height", "merkle_root", "time"})
_LONGEST_NAME = 200
_HIGHEST = 2**31
_LAST_YEAR = 2106
"""Of what the 32 bits for the time of a block can say."""
_ROOT = re.compile(r"[0-9a-f]{64}")
BLOCK_TOLERANCE = timedelta(hours=2)
"""The time of a block is its miner's. Nodes take a block whose time is up to two hours ahead of their own."""
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
class TrustedBlock:
    """A block of Bitcoin that the verifier has looked up. ``merkle_root``: 32 bytes in the order in which they are
    hashed, which is not that in which block explorers print them. ``time`` is what the block says."""

    height: int
    merkle_root: bytes
    time: datetime

    @property
    def no_later_than(self) -> datetime:
        """By when what it holds existed: miners' clocks may be off by `BLOCK_TOLERANCE`."""
        return self.time + BLOCK_TOLERANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """``log_policy`` is the text of a C2SP tlog-policy, for whoever reads those."""

    authorities: tuple[TrustedAuthority, ...] = ()
    log_policy: str | None = None
    seals: tuple[TrustedSeal, ...] = ()
    blocks: tuple[TrustedBlock, ...] = ()

    def block(self, height: int) -> TrustedBlock | None:
        """The block of Bitcoin of that number; None for one that the file does not have."""
        return next((one for one in self.blocks if one.height == height), None)

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
    _only_keys(document, frozenset({"authority", "bitcoin", "log", "seal"}), "")
    authorities = tuple(_authority(entry, place) for entry, place in _entries(document, "authority"))
    seals = tuple(_seal(entry, place) for entry, place in _entries(document, "seal"))
    _all_different("authority", authorities)
    _all_different("seal", seals)
    log_policy = _log_policy(document.get("log"))
    return Trust(authorities=authorities, log_policy=log_policy, seals=seals, blocks=_blocks(document))


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


def _blocks(document: Mapping[str, Any]) -> tuple[TrustedBlock, ...]:
    found: dict[int, TrustedBlock] = {}
    for entry, place in _entries(document, "bitcoin"):
        block = _block(entry, place)
        if found.setdefault(block.height, block) is not block:
            raise _wrong(place, f"block {block.height} is there twice")
    return tuple(found.values())


def _block(entry: object, place: str) -> TrustedBlock:
    if not isinstance(entry, dict):
        raise _wrong(place, "it is no table")
    _only_keys(entry, _BLOCK_KEYS, place)
    height, time = entry.get("height"), _moment(entry, "time", place)
    if not isinstance(height, int) or isinstance(height, bool) or not 0 <= height < _HIGHEST:
        raise _wrong(f"{place}, height", "it is no number of a block")
    root = _text(entry, "merkle_root", place)
    if _ROOT.fullmatch(root) is None:
        raise _wrong(f"{place}, merkle_root", "it is not 64 hexadecimal digits in lower case")
    if time is None or time.year > _LAST_YEAR:
        raise _wrong(f"{place}, time", f"it is missing, or later than the year {_LAST_YEAR}")
    return TrustedBlock(height=height, merkle_root=bytes.fromhex(root)[::-1], time=time)


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
