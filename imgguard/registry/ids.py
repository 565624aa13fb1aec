"""Identifiers: a prefix that says what is named, and 128 bits that sort by time (after UUIDv7, RFC 9562)."""

import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread
_RANDOM_BITS = 80

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """``prefix`` + ``_`` + 26 characters: 48 bits of milliseconds, 80 random. Increases strictly within a process."""
    global _last
    with _lock:
        value = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        if value <= _last:  # same millisecond, or the clock was set back
            value = _last + 1 + secrets.randbits(32)
        _last = value
    return f"{prefix}_" + "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -5, -5))
