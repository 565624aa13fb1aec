"""Secrets that prove who asks: 256 random bits each, of which only the SHA-256 is stored.

They are not slow to digest, unlike passwords: there is nothing to guess.
"""

import hashlib
import hmac
import re
import secrets
import zlib

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, as in ids
_SECRET_CHARACTERS = 52  # of 5 bits each
_CHECKSUM_CHARACTERS = 7
_KEY = re.compile(rf"imgguard_[{_ALPHABET}]{{26}}_[{_ALPHABET}]{{{_SECRET_CHARACTERS}}}_[{_ALPHABET}]{{7}}", re.ASCII)


def new_token() -> str:
    """For a session or an invitation."""
    return _in_base32(secrets.randbits(256), _SECRET_CHARACTERS)


def new_secret(key_id: str) -> str:
    """The whole text of an API key: ``imgguard_<key id>_<secret>_<checksum>``.

    The form is easy to find for scanners that look for leaked secrets, and the checksum tells it from other text.
    """
    body = f"imgguard_{key_id.removeprefix('key_')}_{new_token()}"
    return f"{body}_{_checksum(body)}"


def has_form_of_key(text: str) -> bool:
    """Whether ``text`` can be an API key: its form, and its checksum (which catches a mistyped one)."""
    if _KEY.fullmatch(text) is None:
        return False
    body, _, checksum = text.rpartition("_")
    return checksum == _checksum(body)


def digest(token: str) -> str:
    """As it is stored: SHA-256, hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_token(session_token: str) -> str:
    """What a form must send along to prove that our page made it. Follows from the session's token, so that nothing
    is stored, and does not lead back to it."""
    return hmac.digest(session_token.encode("utf-8", "surrogatepass"), b"imgguard csrf", "sha256").hex()


def same(one: str, other: str) -> bool:
    """Whether they are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _checksum(body: str) -> str:
    return _in_base32(zlib.crc32(body.encode()), _CHECKSUM_CHARACTERS)


def _in_base32(value: int, length: int) -> str:
    return "".join(_ALPHABET[value >> 5 * place & 31] for place in reversed(range(length)))
