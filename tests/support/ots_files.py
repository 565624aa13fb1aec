"""OpenTimestamps files and calendars for tests: real ways to blocks of Bitcoin that there have never been."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from imgguard.provenance.anchors import Question, upgraded
from imgguard.provenance.opentimestamps import (
    APPEND,
    PREPEND,
    SHA256,
    Attestation,
    OpenTimestamp,
    Operation,
    Path,
    tree_bytes,
)

CALENDAR = "https://calendar.example"
NONCE = bytes(range(16))
HEIGHT = 840_000
BLOCK_TIME = datetime(2026, 3, 1, 14, 10, 30, tzinfo=UTC)


def way(message: bytes, attestation: Attestation, *operations: Operation) -> Path:
    for operation in operations:
        message = operation.applied(message)
    return Path(operations, attestation, message)


def promise_of(message: bytes, *, by: str = CALENDAR) -> bytes:
    """What a calendar answers at first."""
    steps = Operation(APPEND, b"salt of the calendar"), Operation(SHA256)
    return tree_bytes([way(message, Attestation.by_calendar(by), *steps)])


def block_of(message: bytes, *, height: int = HEIGHT) -> bytes:
    """What it answers later: by a transaction into the Merkle tree of a block."""
    steps = (
        Operation(PREPEND, b"transaction"),
        Operation(SHA256),
        Operation(SHA256),
        Operation(APPEND, b"its neighbour"),
    )
    steps += Operation(SHA256), Operation(SHA256)
    return tree_bytes([way(message, Attestation.by_block(height), *steps)])


def promised(data: bytes, *, by: str = CALENDAR) -> OpenTimestamp:
    question = Question.about(data, nonce=NONCE)
    return question.answered(promise_of(question.commitment, by=by), by=by)


def attested(data: bytes, *, by: str = CALENDAR, height: int = HEIGHT) -> OpenTimestamp:
    file = promised(data, by=by)
    return upgraded(file, file.paths[0], block_of(file.paths[0].message, height=height))


def root_of(file: OpenTimestamp, *, height: int = HEIGHT) -> bytes:
    """The Merkle root that the block must have, as it is hashed."""
    (root,) = {path.message for path in file.paths if path.attestation.height == height}
    return root


def block_text(root: bytes, *, height: int = HEIGHT, at: datetime = BLOCK_TIME) -> str:
    """The block in a trust file; its root as block explorers print it."""
    return f'[[bitcoin]]\nheight = {height}\nmerkle_root = "{root[::-1].hex()}"\ntime = {at:%Y-%m-%dT%H:%M:%SZ}\n'


@dataclass
class FakeCalendar:
    """``fails`` is what it does instead of answering; ``answer`` what it answers, whatever it is asked."""

    url: str = CALENDAR
    name: str = "calendar.example"
    fails: BaseException | None = None
    answer: bytes | None = None
    has_block: bool = False
    submitted: list[bytes] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)

    def submit(self, commitment: bytes) -> bytes:
        self.submitted.append(commitment)
        return self._answer(lambda: promise_of(commitment, by=self.url))

    def upgrade(self, commitment: bytes) -> bytes | None:
        self.asked.append(commitment)
        return (
            self._answer(lambda: block_of(commitment))
            if self.has_block or self.answer is not None or self.fails
            else None
        )

    def _answer(self, otherwise: Callable[[], bytes]) -> bytes:
        if self.fails is not None:
            raise self.fails
        return otherwise() if self.answer is None else self.answer


def nested(depth: int) -> bytes:
    """A tree with so many operations behind each other."""
    return b"\x08" * depth + b"\x00" + Attestation.by_block(1).to_bytes()


def forked(count: int) -> bytes:
    """A tree with so many attestations."""
    return b"\xff\x00".join([b""] + [Attestation.by_block(number).to_bytes() for number in range(1, count)]) + (
        b"\x00" + Attestation.by_block(count).to_bytes()
    )
