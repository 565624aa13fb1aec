"""Registered pictures by their PDQ hash: for matchers elsewhere, which exchange hashes and no pictures."""

import heapq
import re

import numpy as np

from imgguard.errors import InputError
from imgguard.ports import CheckStore

LONGEST_DISTANCE = 31
"""Bits, of 256: what PDQ's authors call a match (Facebook, The TMK+PDQF Video-Hashing Algorithm, 2019)."""

LOWEST_QUALITY = 50
"""Below it the same authors discard the hash: the picture is too plain."""

_HEX = re.compile("[0-9a-f]{64}", re.ASCII)


def pdq_of(text: str) -> bytes:
    """The 32 bytes of a PDQ hash written in hexadecimal. Raises InputError."""
    text = text.strip().lower()
    if _HEX.fullmatch(text) is None:
        raise InputError("a PDQ hash has 64 hexadecimal digits", hint="Give all 256 bits, without a prefix.")
    return bytes.fromhex(text)


def checked_distance(distance: int) -> int:
    """Raises InputError."""
    if not 0 <= distance <= LONGEST_DISTANCE:
        raise InputError(
            f"a distance is a number from 0 to {LONGEST_DISTANCE}", hint="Beyond that, hashes agree by chance."
        )
    return distance


def nearest(store: CheckStore, pdq: bytes, *, most: int) -> list[tuple[int, str]]:
    """Distance and SHA-256 of the ``most`` searchable contents nearest to ``pdq``, not beyond ``LONGEST_DISTANCE``.

    Reads them all, page by page: nothing of what is erased can linger in a copy.
    """
    wanted = np.frombuffer(pdq, dtype=np.uint8)
    found: list[tuple[int, str]] = []
    after = 0
    while page := store.perceptual_hashes(after=after):
        after = page[-1][0]
        usable = [(sha256, data) for _, sha256, data in page if len(data) == 33 and data[32] >= LOWEST_QUALITY]
        if not usable:
            continue
        rows = np.frombuffer(b"".join(data[:32] for _, data in usable), dtype=np.uint8).reshape(-1, 32)
        distances = np.bitwise_count(rows ^ wanted).sum(axis=1, dtype=np.int64)
        near = np.flatnonzero(distances <= LONGEST_DISTANCE)
        found = heapq.nsmallest(most, [*found, *((int(distances[at]), usable[at][0]) for at in near)])
    return found
