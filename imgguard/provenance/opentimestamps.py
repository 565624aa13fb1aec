"""Files of OpenTimestamps (`.ots`): ways from the digest of a file to what a calendar or a block of Bitcoin attests.

A calendar's attestation is a promise; a block's is a time, for whoever knows the block. Neither says who made the file.
The format has no specification: this is what the reference implementation, python-opentimestamps 0.4, reads and writes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import Final

from imgguard.errors import OpenTimestampsInvalid

MAGIC: Final = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94"
VERSION: Final = 1
DIGEST_BYTES: Final = 32

LONGEST_FILE: Final = 65_536
LONGEST_ANSWER: Final = 10_000
"""Bytes. Of what a calendar says, as in the reference client; it says about 200 at first, and 1,500 later."""
LONGEST_MESSAGE: Final = 4_096
LONGEST_PAYLOAD: Final = 8_192
LONGEST_ADDRESS: Final = 1_000
DEEPEST: Final = 255
"""Operations of one way. These four are limits of the reference implementation."""
MOST_PATHS: Final = 64
LARGEST_NUMBER: Final = 2**32 - 1

APPEND: Final = 0xF0
PREPEND: Final = 0xF1
SHA256: Final = 0x08
_NAMES: Final = {0x02: "SHA-1", 0x03: "RIPEMD-160", 0x67: "Keccak-256", 0xF2: "reverse", 0xF3: "hexlify"}
"""Of the format as well, and refused: no calendar answers with them. RIPEMD-160 some builds of OpenSSL have and others
have not, and whether a file holds must not depend on that."""
_ATTESTED: Final = 0x00
_FORK: Final = 0xFF

PENDING: Final = bytes.fromhex("83dfe30d2ef90c8e")
BITCOIN: Final = bytes.fromhex("0588960d73d71901")
_ADDRESS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/:")


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    """``code`` is `APPEND`, `PREPEND` or `SHA256`; the first two have an ``argument``."""

    code: int
    argument: bytes = b""

    def applied(self, message: bytes) -> bytes:
        """Raises OpenTimestampsInvalid for a result that is too long."""
        if self.code == SHA256:
            return sha256(message).digest()
        found = message + self.argument if self.code == APPEND else self.argument + message
        if len(found) > LONGEST_MESSAGE:
            raise OpenTimestampsInvalid(f"a message has more than {LONGEST_MESSAGE} bytes")
        return found

    def to_bytes(self) -> bytes:
        return bytes([self.code]) + (b"" if self.code == SHA256 else _counted(self.argument))


@dataclass(frozen=True, slots=True)
class Attestation:
    """Of the kind ``tag``. Kinds other than `PENDING` and `BITCOIN` are kept as they are, and mean nothing here."""

    tag: bytes
    payload: bytes

    @property
    def height(self) -> int | None:
        """The number of the block of Bitcoin; None for another kind."""
        return _Reader(self.payload).number() if self.tag == BITCOIN else None

    @property
    def calendar(self) -> str | None:
        """The address of the calendar that promises; None for another kind."""
        return _Reader(self.payload).counted(LONGEST_ADDRESS).decode("ascii") if self.tag == PENDING else None

    def to_bytes(self) -> bytes:
        return self.tag + _counted(self.payload)

    @property
    def _order(self) -> tuple[bytes, int, bytes]:
        return self.tag, self.height or 0, self.payload

    @classmethod
    def by_calendar(cls, address: str) -> "Attestation":
        return cls(PENDING, _counted(address.encode("ascii")))

    @classmethod
    def by_block(cls, height: int) -> "Attestation":
        return cls(BITCOIN, _number(height))


@dataclass(frozen=True, slots=True)
class Path:
    """From the first message by ``operations`` to ``message``, which is what the ``attestation`` is of."""

    operations: tuple[Operation, ...]
    attestation: Attestation
    message: bytes


@dataclass(frozen=True, slots=True)
class OpenTimestamp:
    """A whole file, of what has the SHA-256 ``digest``. There is at least one path."""

    digest: bytes
    paths: tuple[Path, ...]

    @property
    def heights(self) -> tuple[int, ...]:
        """The blocks of Bitcoin that it names, each once, the earliest first."""
        found = {path.attestation.height for path in self.paths}
        return tuple(sorted(height for height in found if height is not None))

    @property
    def calendars(self) -> tuple[str, ...]:
        """The addresses of calendars whose promises it holds, each once, sorted."""
        found = {path.attestation.calendar for path in self.paths}
        return tuple(sorted(address for address in found if address is not None))

    def to_bytes(self) -> bytes:
        """The file, in the order in which the reference implementation writes."""
        return MAGIC + _number(VERSION) + bytes([SHA256]) + self.digest + tree_bytes(self.paths)


def parse_file(data: bytes) -> OpenTimestamp:
    """Raises OpenTimestampsInvalid for what is no such file, or of another digest than SHA-256."""
    if len(data) > LONGEST_FILE:
        raise OpenTimestampsInvalid(f"it has more than {LONGEST_FILE} bytes")
    reader = _Reader(data)
    if reader.take(len(MAGIC)) != MAGIC or reader.number() != VERSION:
        raise OpenTimestampsInvalid("it is no OpenTimestamps file of version 1")
    if reader.byte() != SHA256:
        raise OpenTimestampsInvalid("it is not about a SHA-256 digest")
    digest = reader.take(DIGEST_BYTES)
    return OpenTimestamp(digest, _paths(reader, digest))


def parse_tree(data: bytes, message: bytes) -> tuple[Path, ...]:
    """What a calendar answers about ``message``. Raises OpenTimestampsInvalid."""
    if len(data) > LONGEST_ANSWER:
        raise OpenTimestampsInvalid(f"it has more than {LONGEST_ANSWER} bytes")
    return _paths(_Reader(data), message)


def _paths(reader: "_Reader", message: bytes) -> tuple[Path, ...]:
    """All that is left in ``reader``. Without recursion: ``open_forks`` are the places where another way begins."""
    operations: tuple[Operation, ...] = ()
    open_forks: list[tuple[tuple[Operation, ...], bytes]] = []
    found: dict[Path, None] = {}
    while True:
        code = reader.byte()
        if code == _FORK:
            open_forks.append((operations, message))
            code = reader.byte()
        if len(open_forks) + len(found) >= MOST_PATHS:
            raise OpenTimestampsInvalid(f"it has more than {MOST_PATHS} attestations")
        if code != _ATTESTED:
            operation = _operation(code, reader)
            operations, message = (*operations, operation), operation.applied(message)
            if len(operations) > DEEPEST:
                raise OpenTimestampsInvalid(f"an attestation is more than {DEEPEST} operations away")
            continue
        found[Path(operations, _attestation(reader), message)] = None
        if not open_forks:
            reader.end()
            return tuple(found)
        operations, message = open_forks.pop()


def _operation(code: int, reader: "_Reader") -> Operation:
    if code == SHA256:
        return Operation(code)
    if code not in (APPEND, PREPEND):
        raise OpenTimestampsInvalid(f"it has an operation that is not known here: {_NAMES.get(code, f'0x{code:02x}')}")
    argument = reader.counted(LONGEST_MESSAGE)
    if not argument:
        raise OpenTimestampsInvalid("an operation has an empty argument")
    return Operation(code, argument)


def _attestation(reader: "_Reader") -> Attestation:
    made = Attestation(reader.take(len(PENDING)), reader.counted(LONGEST_PAYLOAD))
    inner = _Reader(made.payload)
    if made.tag == BITCOIN:
        inner.number()
        inner.end()
    if made.tag == PENDING:
        if not _ADDRESS.issuperset(inner.counted(LONGEST_ADDRESS).decode("latin-1")):
            raise OpenTimestampsInvalid("the address of a calendar has characters that are not allowed there")
        inner.end()
    return made


def tree_bytes(paths: Sequence[Path]) -> bytes:
    """What `parse_tree` reads. There is at least one path."""
    return b"".join(_tree(paths, 0))


def _tree(paths: Sequence[Path], depth: int) -> Iterator[bytes]:
    """At most `DEEPEST` calls within each other."""
    attested = {path.attestation for path in paths if len(path.operations) == depth}
    parts = [[b"\x00", one.to_bytes()] for one in sorted(attested, key=lambda one: one._order)]
    further = sorted((path for path in paths if len(path.operations) > depth), key=lambda path: path.operations[depth])
    for operation, branch in groupby(further, key=lambda path: path.operations[depth]):
        parts.append([operation.to_bytes(), *_tree(list(branch), depth + 1)])
    for part in parts[:-1]:
        yield from (bytes([_FORK]), *part)
    yield from parts[-1]


class _Reader:
    """Bytes one after the other. Every method raises OpenTimestampsInvalid."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) < count:
            raise OpenTimestampsInvalid("it ends too early")
        self._at += count
        return found

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """Seven bits in a byte, the lowest first; up to `LARGEST_NUMBER`, without zeroes in front."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if value > LARGEST_NUMBER or shift > 28 or (byte == 0 and shift):
                raise OpenTimestampsInvalid("a number is too large, or is written longer than it has to be")
            if byte < 0x80:
                return value
            shift += 7

    def counted(self, most: int) -> bytes:
        count = self.number()
        if count > most:
            raise OpenTimestampsInvalid(f"{count} bytes are announced, where {most} are the most")
        return self.take(count)

    def end(self) -> None:
        if self._at < len(self._data):
            raise OpenTimestampsInvalid("something follows after its end")


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _counted(data: bytes) -> bytes:
    return _number(len(data)) + data
