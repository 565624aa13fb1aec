"""PDQ hashes: how they are written, and which of many are near to one. Pure."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgguard.errors import InputError

LONGEST_DISTANCE = 31
"""Bits, of 256: what PDQ's authors call a match (Facebook, The TMK+PDQF Video-Hashing Algorithm, 2019)."""

LOWEST_QUALITY = 50
"""Below it the same authors discard the hash: the picture is too plain."""

_HEX = re.compile("[0-9a-f]{64}", re.ASCII)
_BYTES = 32


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """Hashes of contents, in order of their ``numbers``, int64 (n,); ``words``: uint64 (n, 4). 40 bytes each."""

    numbers: NDArray[np.int64]
    words: NDArray[np.uint64]

    @classmethod
    def of(cls, stored: Iterable[tuple[int, bytes]]) -> "Hashes":
        """Numbers and what is stored of each: hash and quality. Too plain ones and damaged ones are left out."""
        usable = [
            (number, data[:_BYTES])
            for number, data in stored
            if len(data) == _BYTES + 1 and data[_BYTES] >= LOWEST_QUALITY
        ]
        return cls._sorted(
            np.array([number for number, _ in usable], dtype=np.int64), _words(b"".join(data for _, data in usable))
        )

    @classmethod
    def _sorted(cls, numbers: NDArray[np.int64], words: NDArray[np.uint64]) -> "Hashes":
        order = np.argsort(numbers, kind="stable")
        return cls(numbers=numbers[order], words=words[order])

    def __len__(self) -> int:
        return len(self.numbers)

    def changed(self, numbers: Collection[int], now: "Hashes") -> "Hashes":
        """Without ``numbers``, and with ``now``: another object, so that whoever searches this one can go on."""
        stays = np.isin(self.numbers, np.array(sorted(numbers), dtype=np.int64), invert=True)
        return self._sorted(
            np.concatenate((self.numbers[stays], now.numbers)), np.concatenate((self.words[stays], now.words))
        )

    def by_distance(self, pdq: bytes) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """All numbers, nearest to ``pdq`` first and then in order, and the distance of each in bits."""
        distances = np.bitwise_count(self.words ^ _words(pdq)).sum(axis=1, dtype=np.uint16)
        order = np.argsort(distances, kind="stable")
        return self.numbers[order], distances[order]


def _words(data: bytes) -> NDArray[np.uint64]:
    return np.frombuffer(data, dtype=np.uint64).reshape(-1, 4)
