"""Content Credentials for the evidence pictures that the service draws: made from the checked picture, no more.

Signed as `c2pa.opened` with the checked picture as parent, never as `c2pa.created`: who took a photograph is what the
service cannot know. The parent is named by its digest only and never parsed here, for it is a stranger's file, and the
key is in this process.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from imgguard import __version__
from imgguard.errors import ConfigurationError

_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_HINT = "Look at IMGGUARD_C2PA_CHAIN and IMGGUARD_C2PA_KEY."
_SETTINGS = {
    "core": {"allowed_network_hosts": []},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": False},
    "builder": {"thumbnail": {"enabled": False}},  # it would double the size of a picture
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The file that a picture was made from: its media type and SHA-256 in hexadecimal digits."""

    media_type: str
    sha256: str

    @property
    def title(self) -> str:
        return f"sha256:{self.sha256}"


def sign_opened(data: bytes, parent: Parent, *, chain: bytes, key: bytes) -> bytes:
    """``data`` (a PNG or JPEG of our own) with a manifest that says it was opened from ``parent`` and edited.

    ``chain`` and ``key`` are PEM, the signer's certificate first. Without a timestamp, which would need a network.
    Raises ConfigurationError for a chain or a key that does not do.
    """
    import c2pa

    media_type = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
    algorithm, private = algorithm_of(chain, key)
    signed = BytesIO()
    try:
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(algorithm, chain, private, None))
        context = c2pa.Context(c2pa.Settings.from_dict(_SETTINGS))
        with c2pa.Builder(json.dumps(_manifest(parent, media_type)), context=context) as builder:
            builder.sign(signer, media_type, BytesIO(data), signed)
    except c2pa.C2paError as error:
        raise ConfigurationError(f"evidence pictures cannot be signed: {str(error)[:200]}", hint=_HINT) from error
    return signed.getvalue()


def _manifest(parent: Parent, media_type: str) -> dict[str, Any]:
    ingredient = {
        "title": parent.title,
        "format": parent.media_type,
        "relationship": "parentOf",
        "instance_id": parent.title,
        "label": "parent",
    }
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}
    drawn = {"action": "c2pa.edited", "softwareAgent": {"name": "imgguard", "version": __version__}}
    return {
        "claim_generator_info": [{"name": "imgguard", "version": __version__}],
        "title": "evidence picture",
        "format": media_type,
        "ingredients": [ingredient],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [opened, drawn]}}],
    }


def algorithm_of(chain: bytes, key: bytes) -> tuple[str, bytes]:
    """The name of the key's algorithm in C2PA, and the key as PKCS #8. Raises ConfigurationError."""
    try:
        certificates: Sequence[x509.Certificate] = x509.load_pem_x509_certificates(chain)
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError("the chain or the key for signing is not in PEM form", hint=_HINT) from error
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if certificates[0].public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        raise ConfigurationError("the key for signing is not that of the first certificate of the chain", hint=_HINT)
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        algorithm = _CURVES[private.curve.name]
    elif isinstance(private, ed25519.Ed25519PrivateKey):
        algorithm = "ed25519"
    elif isinstance(private, rsa.RSAPrivateKey):
        algorithm = "ps256"
    else:
        raise ConfigurationError("C2PA knows no signatures with this kind of key", hint=_HINT)
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return algorithm, private.private_bytes(*pkcs8)
