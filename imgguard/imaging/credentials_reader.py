"""The library that reads Content Credentials, and what is taken from what it says. For the decoder process only.

It is native code that parses what strangers wrote. Importing this module loads it.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from typing import Any

import c2pa

from imgguard.errors import UnsupportedFormat
from imgguard.imaging.container import sniff
from imgguard.imaging.credentials import (
    LONGEST_TEXT,
    MOST_ACTIONS,
    MOST_CODES,
    MOST_INGREDIENTS,
    NO_CREDENTIALS,
    Action,
    ContentCredentials,
    CredentialState,
    Generated,
    Ingredient,
    Revocation,
    Signer,
    Timestamp,
    Unread,
    unreadable,
)

OFFLINE = {
    "core": {"allowed_network_hosts": []},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
"""Settings under which the library asks nobody for anything."""

_STATES = {
    "Trusted": CredentialState.TRUSTED,
    "Valid": CredentialState.VALID,
    "Invalid": CredentialState.INVALID,
}
_SECOND_CLAIM = "claim.v2"
_CAMERA_LABELS = ("stds.exif", "c2pa.metadata", "cawg.metadata")
_WHOLLY, _PARTLY = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"


def read_credentials(data: bytes, *, trust: str = "") -> ContentCredentials:
    """What the file says of its making. ``trust``: PEM certificates of those whose word counts, for signatures and
    timestamps. Raises nothing but MemoryError: what cannot be read is ``unreadable``."""
    try:
        media_type = sniff(data).media_type
    except UnsupportedFormat:
        return NO_CREDENTIALS
    try:
        with c2pa.Reader(media_type, BytesIO(data), context=_context(trust)) as reader:
            state, report = reader.get_validation_state(), json.loads(reader.crjson())
        return _facts(state, report, trusting=bool(trust))
    except c2pa.C2paError.ManifestNotFound:
        return NO_CREDENTIALS
    except c2pa.C2paError as error:
        remote = isinstance(error, c2pa.C2paError.RemoteManifest) or str(error).startswith("Remote")
        return unreadable(Unread.INACCESSIBLE if remote else Unread.MALFORMED)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):  # a report of another shape
        return unreadable(Unread.MALFORMED)


@lru_cache(maxsize=1)
def _context(trust: str) -> Any:
    anchors = {"trust": {"trust_anchors": trust}} if trust else {}
    return c2pa.Context(c2pa.Settings.from_dict(OFFLINE | anchors))


def _facts(state: str | None, report: dict[str, Any], *, trusting: bool) -> ContentCredentials:
    """``report`` is crJSON, whose first manifest is the active one."""
    manifests = report["manifests"]
    active = manifests[0]
    is_second = _SECOND_CLAIM in active
    claim = active.get(_SECOND_CLAIM) or active.get("claim") or {}
    signature, results = active.get("signature") or {}, active.get("validationResults") or {}
    successes, failures = _codes(results.get("success")), _codes(results.get("failure"))
    deltas = [one.get("validationDeltas") or {} for one in active.get("ingredientDeltas") or []]
    actions, ingredients = list(_actions(active)), list(_ingredients(active))
    generator = report.get("jsonGenerator") or {}
    return ContentCredentials(
        state=_STATES[state or ""],
        successes=successes,
        failures=failures,
        ingredient_failures=_codes(code for delta in deltas for code in delta.get("failure") or []),
        signer=_signer(signature.get("certificateInfo")),
        signed_at=_time((signature.get("timeStampInfo") or {}).get("timestamp")),
        # Of the first version of claims the library trusts every timestamp, whoever made it.
        timestamp=_timestamp(signature, successes, trusting=trusting and is_second),
        revocation=_revocation(successes, failures),
        generator=_software(claim.get("claim_generator_info")) or _text(claim.get("claim_generator")),
        device=_device(active),
        actions=tuple(map(_action, actions[:MOST_ACTIONS])),
        action_count=len(actions),
        ingredients=tuple(map(_ingredient, ingredients[:MOST_INGREDIENTS])),
        ingredient_count=len(ingredients),
        ai_generated=_generated(manifests),
        reader=_text(f"{generator.get('name')} {generator.get('version')}"),
    )


def _codes(results: Iterable[Any] | None) -> tuple[str, ...]:
    """Each once, in their order."""
    codes = dict.fromkeys(_text(result.get("code")) for result in results or ())
    return tuple(code for code in codes if code is not None)[:MOST_CODES]


def _signer(certificate: Any) -> Signer | None:
    if not isinstance(certificate, dict):
        return None
    subject, issuer = certificate.get("subject") or {}, certificate.get("issuer") or {}
    validity = certificate.get("validity") or {}
    return Signer(
        common_name=_text(subject.get("CN")),
        organisation=_text(subject.get("O")),
        issuer=_text(issuer.get("CN")) or _text(issuer.get("O")),
        serial=_text(certificate.get("serialNumber")),
        not_before=_time(validity.get("notBefore")),
        not_after=_time(validity.get("notAfter")),
    )


def _timestamp(signature: dict[str, Any], successes: tuple[str, ...], *, trusting: bool) -> Timestamp:
    if not signature.get("timeStampInfo"):
        return Timestamp.NONE
    return Timestamp.TRUSTED if trusting and "timeStamp.trusted" in successes else Timestamp.UNTRUSTED


def _revocation(successes: tuple[str, ...], failures: tuple[str, ...]) -> Revocation:
    if {"signingCredential.revoked", "signingCredential.ocsp.revoked"} & set(failures):
        return Revocation.REVOKED
    is_good = {"signingCredential.notRevoked", "signingCredential.ocsp.notRevoked"} & set(successes)
    return Revocation.NOT_REVOKED if is_good else Revocation.NOT_KNOWN


def _assertions(manifest: dict[str, Any], *prefixes: str) -> Iterator[dict[str, Any]]:
    for label, assertion in (manifest.get("assertions") or {}).items():
        if label.startswith(prefixes) and isinstance(assertion, dict):
            yield assertion


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for assertion in _assertions(manifest, "c2pa.actions"):
        yield from (action for action in assertion.get("actions") or [] if isinstance(action, dict))


def _action(action: dict[str, Any]) -> Action:
    return Action(
        code=_text(action.get("action")) or "?",
        software=_software(action.get("softwareAgent")),
        at=_time(action.get("when")),
        source_type=_text(_source_type(action)),
    )


def _source_type(action: dict[str, Any]) -> str:
    url = action.get("digitalSourceType")
    return url.rstrip("/").rpartition("/")[2] if isinstance(url, str) else ""


def _ingredients(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return _assertions(manifest, "c2pa.ingredient")


def _ingredient(ingredient: dict[str, Any]) -> Ingredient:
    return Ingredient(title=_text(ingredient.get("dc:title")), relationship=_text(ingredient.get("relationship")))


def _generated(manifests: list[dict[str, Any]]) -> Generated:
    active = {_source_type(action) for action in _actions(manifests[0])}
    if _WHOLLY in active:
        return Generated.WHOLLY
    earlier = {_source_type(action) for manifest in manifests[1:] for action in _actions(manifest)}
    return Generated.PARTLY if _PARTLY in active or {_WHOLLY, _PARTLY} & earlier else Generated.NOT_STATED


def _device(manifest: dict[str, Any]) -> str | None:
    for metadata in _assertions(manifest, *_CAMERA_LABELS):
        named = [_text(metadata.get(f"tiff:{key}") or metadata.get(f"exif:{key}")) for key in ("Make", "Model")]
        if text := _text(" ".join(name for name in named if name)):
            return text
    return None


def _software(value: Any) -> str | None:
    """A name, or an object with ``name`` and ``version``, or a list of such."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = " ".join(str(value[key]) for key in ("name", "version") if isinstance(value.get(key), str))
    return _text(value)


def _text(value: Any) -> str | None:
    """Printable, in one line, not too long; None where nothing is left."""
    if not isinstance(value, str):
        return None
    plain = "".join(character if character.isprintable() else " " for character in value[: 4 * LONGEST_TEXT])
    return " ".join(plain.split())[:LONGEST_TEXT].rstrip() or None


def _time(value: Any) -> datetime | None:
    """In UTC; None for what is no time, or has no offset."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
