"""The checks of an ID token (OpenID Connect Core 1.0, section 3.1.3.7): bytes and keys in, claims out, no network."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, override

from joserfc import jws
from joserfc.errors import ClaimError, JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from imgguard.errors import SignInRefused

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""Signatures with a key pair only: with a shared secret, whoever can check a token can make one. Ed25519 is what RFC
9864 calls EdDSA with that curve."""

LEEWAY_SECONDS = 60
"""What the provider's clock may be ahead or behind."""

_LONGEST = 32_768
_MOST_KEYS = 100
_SMALLEST_RSA = 2048
_SMALLEST_MODULUS = 342
"""The same in characters of base64url."""
_LONGEST_SUBJECT = 255
"""Characters, all of ASCII (OpenID Connect Core 1.0, section 2)."""

_BROKEN = (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What the library raises for things that are not what they should be."""

type Claims = dict[str, Any]


class UnknownKey(Exception):
    """The token names a key that is not among those given: it may be newer than they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the token must say. ``access_token`` is what came with it."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    access_token: str | None = field(repr=False)


def usable_keys(documents: Iterable[object]) -> tuple[Key, ...]:
    """Those of a JWK set (its ``keys``) that can have signed something; what is broken or unknown is left out."""
    found = (_usable(document) for _, document in zip(range(_MOST_KEYS), documents, strict=False))
    return tuple(key for key in found if key is not None)


def _usable(document: object) -> Key | None:
    if not isinstance(document, dict) or document.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    if document.get("use", "sig") != "sig" or "verify" not in document.get("key_ops", ["verify"]):
        return None
    if document["kty"] == "RSA" and len(str(document.get("n", ""))) < _SMALLEST_MODULUS:
        return None  # before the library sees it, which warns of each
    if document["kty"] == "OKP":  # its algorithm has two names, and follows from the curve
        document = {name: value for name, value in document.items() if name != "alg"}
    try:
        key = import_key(document)
        is_strong = not isinstance(key, RSAKey) or key.public_key.key_size >= _SMALLEST_RSA
    except _BROKEN:
        return None
    return key if is_strong else None


def verify_id_token(token: str, keys: Sequence[Key], expected: Expected, *, at: datetime) -> Claims:
    """The claims of a token that holds.

    1  it is a signed token, by one of the algorithms that we take
    2  the key is one of the provider's, the one that the token names if it names one, and made for that algorithm
    3  the signature is right
    4  it is from the issuer, for us and nobody else, from now, and for this sign-in
    5  it belongs to the access token that came with it, if it says to which
    6  it says who

    Raises SignInRefused, UnknownKey.
    """
    # 1
    algorithm, key_id = _header(token)
    # 2
    named = [key for key in keys if key_id is None or key.get("kid") == key_id]
    if key_id is not None and not named:
        raise UnknownKey(key_id)
    fitting = [key for key in named if _fits(key, algorithm)]
    # 3
    claims = _signed(token, fitting)
    # 4
    _check_claims(claims, expected, at)
    # 5
    if "at_hash" in claims and expected.access_token is not None:
        _check_at_hash(claims["at_hash"], expected.access_token, algorithm)
    # 6
    subject = claims["sub"]
    if not (isinstance(subject, str) and subject.isascii() and 0 < len(subject) <= _LONGEST_SUBJECT):
        raise SignInRefused("the identity provider's token does not say who")
    return claims


class _Registry(JWSRegistry):
    """Providers add parameters to headers as they like; critical ones (RFC 7515, 4.1.11) are refused still."""

    def __init__(self) -> None:
        super().__init__(algorithms=ALGORITHMS, strict_check_header=False)

    @override
    def get_alg(self, name: str) -> Any:
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


_REGISTRY = _Registry()


def _header(token: str) -> tuple[str, str | None]:
    if len(token) > _LONGEST:
        raise SignInRefused("the identity provider's token is too long")
    try:
        header = jws.extract_compact(token.encode("ascii"), registry=_REGISTRY).headers()
    except _BROKEN as error:
        raise SignInRefused("the identity provider's token has no proper form") from error
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise SignInRefused("the identity provider's token is signed by an algorithm that is not accepted")
    if key_id is not None and not isinstance(key_id, str):
        raise SignInRefused("the identity provider's token has no proper form")
    return algorithm, key_id


def _fits(key: Key, algorithm: str) -> bool:
    """By its kind. That a key is for another algorithm of its kind is seen when the signature is checked."""
    if algorithm in ("RS256", "PS256"):
        return isinstance(key, RSAKey)
    if algorithm == "ES256":
        return isinstance(key, ECKey) and key.curve_name == "P-256"
    return isinstance(key, OKPKey) and key.curve_name == "Ed25519"


def _signed(token: str, keys: Sequence[Key]) -> Claims:
    for key in keys:
        try:
            found = jws.deserialize_compact(token.encode("ascii"), key, registry=_REGISTRY)
            claims = json.loads(found.payload)
        except _BROKEN:
            continue
        if isinstance(claims, dict):
            return claims
    raise SignInRefused("the identity provider's token is not signed by a key of the provider")


def _check_claims(claims: Claims, expected: Expected, at: datetime) -> None:
    rules = JWTClaimsRegistry(
        now=int(at.timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": expected.nonce},
    )
    try:
        rules.validate(claims)
    except _BROKEN as error:
        claim = error.claim if isinstance(error, ClaimError) else "times"
        raise SignInRefused(f"the identity provider's token does not hold: {claim}") from error
    audience = claims["aud"]
    others = [] if isinstance(audience, str) else [one for one in audience if one != expected.client_id]
    # Whoever else the token is for could send it to us: then it must say that it was made for us.
    if claims.get("azp", None if others else expected.client_id) != expected.client_id:
        raise SignInRefused("the identity provider's token does not hold: azp")
    if not isinstance(claims["nonce"], str):  # a list that has it among others is not it
        raise SignInRefused("the identity provider's token does not hold: nonce")


def _check_at_hash(given: object, access_token: str, algorithm: str) -> None:
    """OpenID Connect Core 1.0, section 3.1.3.6: half of the hash that goes with the algorithm."""
    digest = (hashlib.sha512 if algorithm.startswith("Ed") else hashlib.sha256)(access_token.encode()).digest()
    wanted = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode("utf-8", "replace"), wanted):
        raise SignInRefused("the identity provider's token does not hold: at_hash")
