"""The log of a store, shown to witnesses that decide as ours do."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from small_log import key

from imgguard.errors import WitnessSizeDiffers, WitnessUnavailable
from imgguard.provenance.checkpoints import cosign, parse_checkpoint, verify_cosignatures
from imgguard.provenance.merkle import verify_consistency
from imgguard.provenance.notes import COSIGNATURE, Note, NoteSignature, Signer, VerifierKey, parse_note
from imgguard.provenance.proofs import parse_proof
from imgguard.services.cosigning import Failure
from imgguard.services.witnessing import Witnessing
from imgguard.storage.sql.log_tokens import SqlTokens

from .conftest import Books, FixedClock


@dataclass
class Witness:
    """Signs what continues what it has signed, and says where it stands when that is somewhere else."""

    name: str
    is_down: bool = False
    size: int = 0
    root: bytes = b""
    asked: list[int] = field(default_factory=list)

    @property
    def signer(self) -> Signer:
        return Signer(f"{self.name}.example.org", key(self.name), key_type=COSIGNATURE)

    @property
    def key(self) -> VerifierKey:
        return self.signer.key

    def cosign(self, note: Note, *, old_size: int, proof: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        self.asked.append(old_size)
        if self.is_down:
            raise WitnessUnavailable("down")
        if old_size != self.size:
            raise WitnessSizeDiffers("it stands elsewhere", size=self.size)
        found = parse_checkpoint(note.text)
        if self.size:
            verify_consistency(self.size, self.root, found.size, found.root, proof)
        self.size, self.root = found.size, found.root
        return (parse_note(cosign(note.to_bytes(), self.signer, seconds=1_772_366_400)).signatures[-1],)


@dataclass
class House:
    books: Books
    witnesses: tuple[Witness, ...]
    now: float = 0.0

    def __post_init__(self) -> None:
        self.witnessing = self.begun_anew()

    def begun_anew(self) -> Witnessing:
        return Witnessing(
            log=self.books.store,
            transparency=self.books.log,
            tokens=SqlTokens(self.books.database),
            witnesses=self.witnesses,
            clock=FixedClock(),
            seconds=20,
            elapsed=lambda: self.now,
        )

    def grow(self, count: int) -> Sequence[Failure]:
        self.books.append(count)
        self.books.log.publish()
        return self.witnessing.run()

    def signed(self) -> set[str]:
        """Who has signed the checkpoint that is given out."""
        note = parse_note(self.books.log.file("checkpoint"))
        return {one.key.name for one in verify_cosignatures(note, [one.key for one in self.witnesses])}


BOTH = {"one.example.org", "two.example.org"}


@pytest.fixture
def house(books: Books) -> House:
    return House(books, (Witness("one"), Witness("two")))


def test_each_checkpoint_is_signed_once_by_all(house: House) -> None:
    for count in (3, 5, 300):
        assert house.grow(count) == ()
        assert house.signed() == BOTH
        house.witnessing.run()
    assert [one.asked for one in house.witnesses] == [[0, 3, 8]] * 2
    proof = parse_proof(house.books.log.proof_of("clm_0").proof)
    assert len(verify_cosignatures(parse_note(proof.checkpoint), [one.key for one in house.witnesses])) == 2
    assert house.books.problems() == []


def test_an_empty_log_is_shown_to_nobody(house: House) -> None:
    assert house.grow(0) == ()
    assert house.witnesses[0].asked == []


def test_a_witness_that_was_down_signs_the_newest_when_it_is_back(house: House) -> None:
    one, two = house.witnesses
    two.is_down = True
    (failure,) = house.grow(2)
    assert failure.witness is two
    assert house.signed() == {one.key.name}
    house.now += 1
    assert house.grow(2) == ()  # left alone for a while
    assert two.asked == [0]
    house.now += 60
    two.is_down = False
    assert house.witnessing.run() == ()
    assert house.signed() == BOTH
    assert two.size == 4


def test_who_stays_down_is_asked_ever_more_seldom(house: House) -> None:
    house.witnesses[1].is_down = True
    house.grow(1)
    for _ in range(24 * 60):
        house.now += 60
        house.witnessing.run()
    assert 24 <= len(house.witnesses[1].asked) <= 32


def test_a_process_that_has_just_begun_finds_out_where_each_stands(house: House) -> None:
    house.grow(6)
    house.witnessing = house.begun_anew()
    assert house.grow(70) == ()
    assert house.witnesses[0].asked == [0, 0, 6]
    assert house.signed() == BOTH


def test_a_witness_that_has_seen_more_is_an_alarm(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.witnesses[0].size = 900
    (failure,) = house.grow(2)
    assert failure.witness is house.witnesses[0]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "900 leaves" in caplog.text
    assert house.signed() == {"two.example.org"}
