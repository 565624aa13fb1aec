"""Ed25519 signatures (RFC 8032) over bytes: keys are 32 bytes, signatures 64."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32
SIGNATURE_BYTES = 64

_P = 2**255 - 19
_ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_SMALL_ORDER = frozenset((0, 1, _P - 1, _ORDER_8, _P - _ORDER_8))
"""The y of all points of order 1, 2, 4 and 8. Under such a key one signature can fit many messages."""

__all__ = ["KEY_BYTES", "SIGNATURE_BYTES", "InvalidSignature", "is_public_key", "public_bytes", "verify_ed25519"]


def is_public_key(data: bytes) -> bool:
    """Whether these bytes can be a key that proves anything: in canonical form, and not of small order."""
    y = int.from_bytes(data, "little") & (2**255 - 1)
    return len(data) == KEY_BYTES and y < _P and y not in _SMALL_ORDER


def public_bytes(private_key: Ed25519PrivateKey) -> bytes:
    """The public half."""
    return private_key.public_key().public_bytes_raw()


def verify_ed25519(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Raises InvalidSignature, for keys and signatures of another form too."""
    if not is_public_key(public_key) or len(signature) != SIGNATURE_BYTES:
        raise InvalidSignature
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError as error:
        raise InvalidSignature from error
    key.verify(signature, message)
