"""Ed25519 keys of claimants, logs and witnesses: made, kept as PEM, named by their digest."""

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from imgguard.errors import InputError
from imgguard.provenance.ed25519 import is_public_key, public_bytes

_LONGEST_PEM = 4096


def new_key() -> Ed25519PrivateKey:
    """From the system's random numbers."""
    return Ed25519PrivateKey.generate()


def to_pem(key: Ed25519PrivateKey, *, passphrase: bytes | None = None) -> bytes:
    """PKCS#8, encrypted (PBES2) when there is a passphrase. Raises InputError for an empty one."""
    if passphrase == b"":
        raise InputError("a passphrase is empty", hint="Give one that is not, or none.")
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def parse_pem(data: bytes, *, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    """The key of a PKCS#8 PEM. Raises InputError; a passphrase for a key that needs none is an error too."""
    if len(data) > _LONGEST_PEM:
        raise InputError(f"a private key has at most {_LONGEST_PEM} bytes as PEM")
    try:
        key = serialization.load_pem_private_key(data, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(
            "this is not a private key as PEM, or the passphrase is wrong, missing or not needed",
            hint="Give an Ed25519 key as PKCS#8 PEM, with the passphrase that it was written with.",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError("this private key is of another kind", hint="Give an Ed25519 key.")
    return key


def key_id(public_key: bytes) -> str:
    """``sha256:`` and the digest, in hex, of the key as SubjectPublicKeyInfo in DER (RFC 8410).

    Raises InputError for what is no public key.
    """
    if not is_public_key(public_key):
        raise InputError("this is not an Ed25519 public key", hint="A public key has 32 bytes.")
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError as error:
        raise InputError("this is not an Ed25519 public key") from error
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


__all__ = ["key_id", "new_key", "parse_pem", "public_bytes", "to_pem"]
