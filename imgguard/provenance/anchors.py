"""Anchors of checkpoints: what calendars are asked, what their answers make of a file, what a known block proves."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from imgguard.errors import OpenTimestampsInvalid
from imgguard.provenance.opentimestamps import (
    APPEND,
    BITCOIN,
    SHA256,
    OpenTimestamp,
    Operation,
    Path,
    parse_file,
    parse_tree,
)
from imgguard.provenance.trust import Trust, TrustedBlock

NONCE_BYTES = 16
"""As the reference client takes them: a calendar cannot tell what it was asked about, not even for a file it has."""


@dataclass(frozen=True, slots=True)
class Question:
    """About bytes with the SHA-256 ``digest``; ``commitment`` is what a calendar is told."""

    digest: bytes
    nonce: bytes

    @classmethod
    def about(cls, data: bytes, *, nonce: bytes) -> "Question":
        return cls(sha256(data).digest(), nonce)

    @property
    def operations(self) -> tuple[Operation, ...]:
        return Operation(APPEND, self.nonce), Operation(SHA256)

    @property
    def commitment(self) -> bytes:
        return sha256(self.digest + self.nonce).digest()

    def answered(self, answer: bytes, *, by: str) -> OpenTimestamp:
        """The file that the calendar at the address ``by`` makes of it.

        Raises OpenTimestampsInvalid when it cannot be read, or neither promises anything by that very address nor
        names a block: nobody would know where to ask later.
        """
        found = _written(self.digest, _behind(self.operations, parse_tree(answer, self.commitment)))
        if not found.heights and _address(by) not in map(_address, found.calendars):
            raise OpenTimestampsInvalid(f"the calendar promises nothing by its own address {by}")
        return found


def promises(file: OpenTimestamp, *, by: str) -> tuple[Path, ...]:
    """Of the calendar at the address ``by``."""
    return tuple(path for path in file.paths if _address(path.attestation.calendar or "") == _address(by))


def upgraded(file: OpenTimestamp, promise: Path, answer: bytes) -> OpenTimestamp:
    """With what a calendar has ``answered`` about the message of its ``promise``, which stays when no block has come.

    Raises OpenTimestampsInvalid when it cannot be read, or does not go beyond the promise.
    """
    found = _behind(promise.operations, parse_tree(answer, promise.message))
    has_block = any(path.attestation.tag == BITCOIN for path in found)
    kept = tuple(path for path in file.paths if path != promise or not has_block)
    made = _written(file.digest, (*kept, *found))
    if made == _written(file.digest, file.paths):
        raise OpenTimestampsInvalid("the calendar only repeats its promise")
    return made


def merged(files: Iterable[OpenTimestamp]) -> OpenTimestamp:
    """One file of several that are about the same digest; at least one. Raises OpenTimestampsInvalid."""
    every = tuple(files)
    if len({one.digest for one in every}) != 1:
        raise OpenTimestampsInvalid("they are about different files")
    return _written(every[0].digest, [path for one in every for path in one.paths])


def verify_anchor(file: OpenTimestamp, data: bytes, *, trust: Trust) -> tuple[TrustedBlock, ...]:
    """The blocks of the trust file that hold ``data``, the earliest first; none when it names none of the file's.

    1. The file is about ``data``.
    2. Each path to a block that the trust file names ends in that block's Merkle root.

    Raises OpenTimestampsInvalid. A block that the trust file does not name is not looked at, nor is a promise.
    """
    # 1.
    if file.digest != sha256(data).digest():
        raise OpenTimestampsInvalid("it is about something else")
    # 2.
    found: dict[TrustedBlock, None] = {}
    for path in file.paths:
        height = path.attestation.height
        block = None if height is None else trust.block(height)
        if block is not None:
            if path.message != block.merkle_root:
                raise OpenTimestampsInvalid(f"block {height} of Bitcoin has another Merkle root, says the trust file")
            found[block] = None
    return tuple(sorted(found, key=lambda block: block.time))


def _behind(first: tuple[Operation, ...], paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(Path((*first, *path.operations), path.attestation, path.message) for path in paths)


def _written(digest: bytes, paths: Iterable[Path]) -> OpenTimestamp:
    """As it is read again: each path once, in the order of the file. Raises OpenTimestampsInvalid beyond the limits."""
    return parse_file(OpenTimestamp(digest, tuple(dict.fromkeys(paths))).to_bytes())


def _address(text: str) -> str:
    return text.rstrip("/")
