"""What an ID token must be to count: forged, borrowed, replayed and broken ones do not."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from imgguard.errors import SignInRefused
from imgguard.net.id_token import LEEWAY_SECONDS, Expected, UnknownKey, usable_keys, verify_id_token

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER, CLIENT, ACCESS = "https://login.example.org", "imgguard", "an access token"
EXPECTED = Expected(issuer=ISSUER, client_id=CLIENT, nonce="the nonce", access_token=ACCESS)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "subject-1",
    "nonce": "the nonce",
    "exp": AT + 300,
    "iat": AT,
}
KEYS: dict[str, tuple[str, Key]] = {
    "RS256": ("RS256", RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)),
    "PS256": ("PS256", RSAKey.generate_key(2048, {"kid": "pss"}, private=True)),
    "ES256": ("ES256", ECKey.generate_key("P-256", {"kid": "ec"}, private=True)),
    "Ed25519": ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "ed"}, private=True)),
}
RSA = KEYS["RS256"][1]
PUBLISHED = usable_keys(key.as_dict(private=False) for _, key in KEYS.values())


def signed(claims: dict[str, Any], key: Key = RSA, algorithm: str = "RS256", **header: object) -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid, **header}, claims, key, algorithms=[algorithm])


def changed(**changes: object) -> dict[str, Any]:
    """What is None is left out."""
    return {name: value for name, value in (CLAIMS | changes).items() if value is not None}


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def verified(token: str, keys: tuple[Key, ...] = PUBLISHED) -> dict[str, Any]:
    return verify_id_token(token, keys, EXPECTED, at=NOW)


@pytest.mark.parametrize("name", KEYS)
def test_a_token_that_holds(name: str) -> None:
    algorithm, key = KEYS[name]
    assert verified(signed(CLAIMS, key, algorithm)) == CLAIMS


def test_the_older_name_of_an_algorithm() -> None:
    key = KEYS["Ed25519"][1]
    body = f"{part({'alg': 'EdDSA', 'kid': 'ed'})}.{part(CLAIMS)}"
    token = f"{body}.{_text(key.private_key.sign(body.encode()))}"
    assert verified(token)["sub"] == "subject-1"
    assert verified(token, usable_keys([key.as_dict(private=False) | {"alg": "EdDSA"}]))["sub"] == "subject-1"


def test_parameters_of_the_header_that_are_not_known() -> None:
    assert verified(_with_header({"alg": "RS256", "kid": "rsa", "x-provider": "a"})) == CLAIMS


def _with_header(header: dict[str, object], claims: object = CLAIMS) -> str:
    body = f"{part(header)}.{part(claims)}"
    signature = RSA.private_key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{body}.{_text(signature)}"


def _with_secret(secret: bytes) -> str:
    body = f"{part({'alg': 'HS256', 'kid': 'rsa'})}.{part(CLAIMS)}"
    return f"{body}.{_text(hmac.digest(body.encode(), secret, 'sha256'))}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# signatures


FORGED: dict[str, Callable[[], str]] = {
    "no signature": lambda: f"{part({'alg': 'none'})}.{part(CLAIMS)}.",
    "no signature, named": lambda: f"{part({'alg': 'none', 'kid': 'rsa'})}.{part(CLAIMS)}.",
    "none in capitals": lambda: f"{part({'alg': 'NONE', 'kid': 'rsa'})}.{part(CLAIMS)}.",
    "the public key as a secret": lambda: _with_secret(RSA.as_pem(private=False)),
    "a known secret": lambda: _with_secret(b""),
    "signed by somebody else": lambda: signed(CLAIMS, RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)),
    "a key of its own": lambda: _own_key(),
    "the signature of another": lambda: ".".join(
        [*signed(CLAIMS).split(".")[:2], signed(changed(sub="x")).split(".")[2]]
    ),
    "the claims of another": lambda: ".".join(
        [signed(CLAIMS).split(".")[0], part(changed(sub="admin")), signed(CLAIMS).split(".")[2]]
    ),
    "an algorithm that does not go with the key": lambda: signed(CLAIMS, KEYS["ES256"][1], "ES256", kid="rsa"),
    "another algorithm of the family": lambda: signed(CLAIMS, RSA, "RS512"),
    "encrypted": lambda: jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A128GCM"}, json.dumps(CLAIMS).encode(), RSA),
    "something critical": lambda: _with_header({"alg": "RS256", "kid": "rsa", "crit": ["exp"], "exp": AT}),
    "not a token": lambda: "a.b.c",
    "two parts": lambda: "a.b",
    "nothing": lambda: "",
    "not ASCII": lambda: "é.é.é",
    "a header that is a list": lambda: f"{part(['RS256'])}.{part(CLAIMS)}.x",
    "an algorithm that is a list": lambda: f"{part({'alg': ['RS256']})}.{part(CLAIMS)}.x",
    "a name that is a number": lambda: _with_header({"alg": "RS256", "kid": 1}),
    "claims that are a list": lambda: _with_header({"alg": "RS256", "kid": "rsa"}, [CLAIMS]),
    "far too long": lambda: signed(changed(more="x" * 40_000)),
}


def _own_key() -> str:
    own = RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)
    return signed(CLAIMS, own, jwk=own.as_dict(private=False), jku="https://evil.example/keys")


@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_the_provider_did_not_sign(name: str) -> None:
    with pytest.raises(SignInRefused):
        verified(FORGED[name]())


def test_a_key_that_is_not_known_is_asked_for() -> None:
    key = RSAKey.generate_key(2048, {"kid": "newer"}, private=True)
    with pytest.raises(UnknownKey):
        verified(signed(CLAIMS, key))


def test_without_a_name_all_keys_that_fit_are_tried() -> None:
    other = RSAKey.generate_key(2048, private=True)
    token = jwt.encode({"alg": "RS256"}, CLAIMS, RSA)
    keys = usable_keys([other.as_dict(private=False), KEYS["ES256"][1].as_dict(private=False), RSA.as_dict()])
    assert verified(token, keys) == CLAIMS
    with pytest.raises(SignInRefused, match="not signed by a key of the provider"):
        verified(token, keys[:2])


# claims


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": f"{ISSUER}/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"iss": [ISSUER]}, "iss"),
        ({"aud": "another"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": ["another"]}, "aud"),
        ({"aud": {"imgguard": 1}}, "aud"),
        ({"aud": [CLIENT, "another"]}, "azp"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"exp": AT - LEEWAY_SECONDS}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": "never"}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": AT + LEEWAY_SECONDS + 1}, "iat"),
        ({"iat": None}, "iat"),
        ({"nbf": AT + LEEWAY_SECONDS + 1}, "nbf"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ["another", "the nonce"]}, "nonce"),
        ({"sub": None}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": "x" * 256}, "who"),
        ({"sub": "é"}, "who"),
        ({"at_hash": "another"}, "at_hash"),
        ({"at_hash": 7}, "at_hash"),
    ],
)
def test_a_token_for_somebody_else_or_another_time(changes: dict[str, object], claim: str) -> None:
    with pytest.raises(SignInRefused, match=claim):
        verified(signed(changed(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "another"], "azp": CLIENT},
        {"exp": AT - LEEWAY_SECONDS + 1},
        {"iat": AT + LEEWAY_SECONDS},
        {"at_hash": base64.urlsafe_b64encode(hashlib.sha256(ACCESS.encode()).digest()[:16]).rstrip(b"=").decode()},
    ],
)
def test_what_is_just_right(changes: dict[str, object]) -> None:
    assert verified(signed(changed(**changes)))["sub"] == "subject-1"


def test_the_hash_of_the_access_token_goes_with_the_algorithm() -> None:
    key, digest = KEYS["Ed25519"][1], hashlib.sha512(ACCESS.encode()).digest()[:32]
    right = changed(at_hash=base64.urlsafe_b64encode(digest).rstrip(b"=").decode())
    assert verified(signed(right, key, "Ed25519"))["sub"] == "subject-1"


def test_a_token_lasts_no_longer_than_it_says() -> None:
    token = signed(CLAIMS)
    with pytest.raises(SignInRefused, match="exp"):
        verify_id_token(token, PUBLISHED, EXPECTED, at=NOW + timedelta(seconds=300 + LEEWAY_SECONDS))


# keys


def _small() -> dict[str, object]:
    n = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n
    return {"kty": "RSA", "e": "AQAB", "n": base64.urlsafe_b64encode(n.to_bytes(128)).rstrip(b"=").decode()}


@pytest.mark.parametrize(
    "document",
    [
        None,
        "key",
        {},
        {"kty": "oct", "k": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA"},
        {"kty": "RSA"},
        {"kty": "RSA", "n": "!", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": ["RSA"]},
        RSA.as_dict(private=False) | {"use": "enc"},
        RSA.as_dict(private=False) | {"key_ops": ["encrypt"]},
        RSA.as_dict(private=False) | {"n": 7},
        _small(),
    ],
    ids=[
        "null",
        "a text",
        "empty",
        "a secret",
        "no numbers",
        "no base64",
        "not on the curve",
        "a list",
        "for encryption",
        "to encrypt",
        "a number",
        "too small",
    ],
)
def test_a_key_that_is_none(document: object) -> None:
    assert usable_keys([document]) == ()
    assert len(usable_keys([document, RSA.as_dict(private=False)])) == 1


def test_a_key_for_another_algorithm() -> None:
    keys = usable_keys([RSA.as_dict(private=False) | {"alg": "PS256"}])
    with pytest.raises(SignInRefused):
        verified(signed(CLAIMS), keys)


def test_another_curve() -> None:
    key = ECKey.generate_key("P-384", {"kid": "wide"}, private=True)
    token = f"{part({'alg': 'ES256', 'kid': 'wide'})}.{part(CLAIMS)}.{part('x')}"
    with pytest.raises(SignInRefused):
        verified(token, usable_keys([key.as_dict(private=False)]))


def test_endless_lists_of_keys_are_cut() -> None:
    assert len(usable_keys(RSA.as_dict(private=False) for _ in range(10_000))) == 100
