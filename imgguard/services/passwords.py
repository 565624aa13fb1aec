"""Passwords: what is accepted, and argon2id.

The parameters are the second recommended option of RFC 9106 (section 4). Composition rules are left out on purpose, as
NIST SP 800-63B advises: length is what makes a password hard to guess.
"""

import base64
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from imgguard.errors import InputError, Overloaded
from imgguard.registry.names import email_key

SHORTEST, LONGEST = 12, 1024

_SALT_BYTES, _HASH_BYTES = 16, 32
_AT_ONCE = 2
_PATIENCE_SECONDS = 10.0


class Passwords:
    """Digests of passwords. Thread safe; at most two are computed at a time, since each takes ``memory_kib``.

    ``hash`` and ``matches`` raise Overloaded when others keep them waiting too long.
    """

    def __init__(self, *, passes: int = 3, memory_kib: int = 65_536, lanes: int = 4) -> None:
        self._hasher = PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=lanes, hash_len=_HASH_BYTES, salt_len=_SALT_BYTES
        )
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        # Matches nothing and costs as much to compare with as a real one.
        self._nobody = (
            f"$argon2id$v={ARGON2_VERSION}$m={memory_kib},t={passes},p={lanes}"
            f"${_base64(secrets.token_bytes(_SALT_BYTES))}${_base64(secrets.token_bytes(_HASH_BYTES))}"
        )

    def hash(self, password: str) -> str:
        """The digest to store, in the PHC string format."""
        with self._slot():
            return self._hasher.hash(_composed(password))

    def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the one; takes as long when there is none to compare with."""
        if len(password) > LONGEST:
            return False
        with self._slot():
            try:
                return self._hasher.verify(password_hash or self._nobody, _composed(password))
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(password_hash)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=_PATIENCE_SECONDS):
            raise Overloaded("too many are signing in at the same time", retry_after=_PATIENCE_SECONDS)
        try:
            yield
        finally:
            self._slots.release()


def accepted(password: str, *, email: str | None) -> str:
    """``password``, when it may become that of the member with this address. Raises InputError."""
    length = len(unicodedata.normalize("NFC", password))
    if length < SHORTEST:
        raise InputError(
            f"the password has {length} characters, and needs {SHORTEST}",
            hint="A sentence is easier to remember than a short riddle, and harder to guess.",
        )
    if length > LONGEST:
        raise InputError(f"the password is longer than {LONGEST} characters", hint="Choose a shorter one.")
    if email is not None and email_key(password.strip()) == email_key(email):
        raise InputError("the password is the address", hint="Choose one that is not written beside it.")
    return password


def _composed(password: str) -> bytes:
    """The same bytes whichever way a keyboard writes an accent (RFC 8265, section 4)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
