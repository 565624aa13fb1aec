"""What is collected from witnesses, and that no witness can spoil the rest."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from growing_log import GrowingLog
from small_log import LOG, ONE, SECONDS, TWO, key
from witnesses import witness_in

from imgguard.bootstrap.adapters import Adapters
from imgguard.errors import (
    CheckpointInvalid,
    ConfigurationError,
    ConsistencyProofInvalid,
    ImgguardError,
    InputError,
    NoteInvalid,
    WitnessRefused,
    WitnessSizeDiffers,
    WitnessUnavailable,
)
from imgguard.provenance.checkpoints import cosign, verify_cosignatures
from imgguard.provenance.notes import COSIGNATURE, Note, NoteSignature, Signer, VerifierKey, parse_note
from imgguard.provenance.policy import parse_policy
from imgguard.provenance.submissions import Submission, verify_answer
from imgguard.services.cosigning import collect_cosignatures
from imgguard.settings import Settings
from imgguard.witness.witness import Witness

GROWING = GrowingLog(20)
FORK = GrowingLog(20, others=4)

type Way = Callable[[Note, int, Sequence[bytes]], tuple[NoteSignature, ...]]


class Played:
    """A LogWitness that does as the test says; it counts how often it was asked."""

    def __init__(self, signer: Signer, way: Way | None = None) -> None:
        self.name = signer.key.name
        self.key = signer.key
        self._signer = signer
        self._way = way
        self.asked: list[int] = []

    def cosign(self, note: Note, *, old_size: int, proof: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        self.asked.append(old_size)
        if self._way is not None:
            return self._way(note, old_size, proof)
        return parse_note(cosign(note.to_bytes(), self._signer, seconds=SECONDS)).signatures[-1:]


class Real:
    """A LogWitness that is one, without a network between."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self.name = "real"
        self.key = witness.key

    def cosign(self, note: Note, *, old_size: int, proof: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        body = Submission(old_size=old_size, proof=tuple(proof), checkpoint=note.to_bytes()).to_bytes()
        return verify_answer(self._witness.add_checkpoint(body), note, self.key)


def failing(error: Exception) -> Way:
    def way(*_: object) -> tuple[NoteSignature, ...]:
        raise error

    return way


def signed(note: bytes, *keys: VerifierKey) -> list[str]:
    return [one.key.name for one in verify_cosignatures(parse_note(note), keys)]


def test_what_can_be_had_is_collected_and_the_rest_is_told() -> None:
    signers = [Signer(f"{number}.example.org", key(str(number)), key_type=COSIGNATURE) for number in range(4)]
    errors = [WitnessUnavailable("down"), WitnessRefused("no"), RuntimeError("a bug")]
    witnesses = [Played(ONE), *(Played(one, failing(error)) for one, error in zip(signers, errors, strict=False))]
    witnesses.append(Played(TWO))
    outcome = collect_cosignatures(GROWING.note(20), [LOG.key], witnesses, GROWING.proof, seconds=5)
    assert signed(outcome.note, ONE.key, TWO.key) == [ONE.key.name, TWO.key.name]
    assert outcome.signed == (ONE.key, TWO.key)
    assert [type(one.error) for one in outcome.failures] == [WitnessUnavailable, WitnessRefused, WitnessUnavailable]
    assert [one.witness for one in outcome.failures] == witnesses[1:4]
    assert "RuntimeError" in outcome.failures[2].error.detail


def test_nobody_is_waited_for_beyond_the_deadline() -> None:
    ending = threading.Event()

    def slow(*_: object) -> tuple[NoteSignature, ...]:
        ending.wait(20)
        return ()

    start = time.monotonic()
    outcome = collect_cosignatures(
        GROWING.note(20), [LOG.key], [Played(ONE, slow), Played(TWO)], GROWING.proof, seconds=0.3
    )
    assert time.monotonic() - start < 5
    ending.set()
    assert signed(outcome.note, ONE.key, TWO.key) == [TWO.key.name]
    (failure,) = outcome.failures
    assert "within 0.3 s" in failure.error.detail


def test_witnesses_are_asked_at_the_same_time() -> None:
    together = threading.Barrier(3)
    signers = [Signer(f"{number}.example.org", key(str(number)), key_type=COSIGNATURE) for number in range(3)]

    def way(signer: Signer) -> Way:
        def sign(note: Note, *_: object) -> tuple[NoteSignature, ...]:
            together.wait(5)
            return Played(signer).cosign(note, old_size=0, proof=())

        return sign

    witnesses = [Played(one, way(one)) for one in signers]
    assert not collect_cosignatures(GROWING.note(20), [LOG.key], witnesses, GROWING.proof, seconds=10).failures


def test_a_witness_tells_its_size_and_gets_the_proof_from_there(tmp_path: Path) -> None:
    witness = witness_in(tmp_path)
    real = Real(witness)
    asked: list[tuple[int, int]] = []

    def proofs(old: int, new: int) -> Sequence[bytes]:
        asked.append((old, new))
        return GROWING.proof(old, new)

    for size in (7, 20, 20):
        outcome = collect_cosignatures(GROWING.note(size), [LOG.key], [real], proofs, seconds=5)
        assert outcome.signed == (witness.key,)
        assert signed(outcome.note, witness.key)
    assert asked == [(7, 20)]


def test_a_size_that_is_known_saves_asking_twice() -> None:
    one = Played(ONE)
    collect_cosignatures(GROWING.note(20), [LOG.key], [one], GROWING.proof, sizes={ONE.key: 7}, seconds=5)
    assert one.asked == [7]
    collect_cosignatures(GROWING.note(8), [LOG.key], [one], GROWING.proof, sizes={ONE.key: 11}, seconds=5)
    assert one.asked == [7, 8]


def test_one_that_tells_ever_other_sizes_is_asked_twice() -> None:
    def way(_: Note, old_size: int, __: Sequence[bytes]) -> tuple[NoteSignature, ...]:
        raise WitnessSizeDiffers("another", size=old_size + 1)

    one = Played(ONE, way)
    outcome = collect_cosignatures(GROWING.note(20), [LOG.key], [one], GROWING.proof, seconds=5)
    assert one.asked == [0, 1]
    assert [type(failure.error) for failure in outcome.failures] == [WitnessSizeDiffers]


def test_a_witness_that_has_seen_more_than_there_is_is_told_as_that(tmp_path: Path) -> None:
    real = Real(witness_in(tmp_path))
    collect_cosignatures(GROWING.note(20), [LOG.key], [real], GROWING.proof, seconds=5)
    outcome = collect_cosignatures(GROWING.note(12), [LOG.key], [real], GROWING.proof, seconds=5)
    (failure,) = outcome.failures
    assert isinstance(failure.error, WitnessSizeDiffers)
    assert failure.error.size == 20
    assert outcome.note == GROWING.note(12)


def test_a_fork_is_told_and_gets_nothing(tmp_path: Path) -> None:
    real = Real(witness_in(tmp_path))
    collect_cosignatures(GROWING.note(18), [LOG.key], [real], GROWING.proof, seconds=5)
    outcome = collect_cosignatures(FORK.note(20), [LOG.key], [real], FORK.proof, seconds=5)
    assert [type(one.error) for one in outcome.failures] == [ConsistencyProofInvalid]
    assert outcome.signed == ()


def test_who_has_signed_is_not_asked_again() -> None:
    one, two = Played(ONE), Played(TWO)
    note = cosign(GROWING.note(20), ONE, seconds=SECONDS)
    outcome = collect_cosignatures(note, [LOG.key], [one, two], GROWING.proof, seconds=5)
    assert (one.asked, two.asked, outcome.signed) == ([], [0], (TWO.key,))
    assert signed(outcome.note, ONE.key, TWO.key) == [ONE.key.name, TWO.key.name]


def test_a_proof_that_cannot_be_made_concerns_those_who_need_it() -> None:
    def proofs(old: int, new: int) -> Sequence[bytes]:
        raise ImgguardError("the tiles are gone")

    sizes = {ONE.key: 7, TWO.key: 20}
    outcome = collect_cosignatures(
        GROWING.note(20), [LOG.key], [Played(ONE), Played(TWO)], proofs, sizes=sizes, seconds=5
    )
    assert [one.error.detail for one in outcome.failures] == ["the tiles are gone"]
    assert outcome.signed == (TWO.key,)


def test_more_witnesses_than_a_note_has_room_for_do_not_spoil_it() -> None:
    signers = [Signer(f"{number}.example.org", key(str(number)), key_type=COSIGNATURE) for number in range(101)]
    outcome = collect_cosignatures(
        GROWING.note(20), [LOG.key], [Played(one) for one in signers], GROWING.proof, seconds=20
    )
    assert len(signed(outcome.note, *(one.key for one in signers))) == len(outcome.signed) == 99
    assert [type(one.error) for one in outcome.failures] == [InputError, InputError]


def test_nothing_is_shown_to_witnesses_that_the_log_has_not_signed() -> None:
    one = Played(ONE)
    with pytest.raises(NoteInvalid):
        collect_cosignatures(GROWING.note(20), [TWO.key], [one], GROWING.proof, seconds=5)
    wrong = cosign(GROWING.note(19), ONE, seconds=SECONDS).rsplit(b"\xe2\x80\x94", 1)[1]
    with pytest.raises(CheckpointInvalid):
        collect_cosignatures(GROWING.note(20) + b"\xe2\x80\x94" + wrong, [LOG.key], [one], GROWING.proof, seconds=5)
    assert one.asked == []


def test_without_witnesses_the_note_stays_as_it_is() -> None:
    outcome = collect_cosignatures(GROWING.note(20), [LOG.key], [], GROWING.proof, seconds=5)
    assert (outcome.note, outcome.signed, outcome.failures) == (GROWING.note(20), (), ())


def test_the_witnesses_are_those_of_the_file_that_have_an_address(tmp_path: Path) -> None:
    file = tmp_path / "witnesses"
    file.write_text(
        f"witness one {ONE.key.text} https://one.example.org/w\nwitness two {TWO.key.text}\n"
        "group any any one two\nquorum any\n"
    )
    adapters = Adapters(Settings(home=tmp_path, log_witnesses=file))
    assert [(one.name, one.key) for one in adapters.log_witnesses] == [("one", ONE.key)]
    assert adapters.log_policy == parse_policy(file.read_bytes())
    without = Adapters(Settings(home=tmp_path))
    assert (without.log_policy, without.log_witnesses) == (None, ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read"),
        ("quorum some\n", "line 1"),
        (f"witness one {ONE.key.text} ftp://one.example.org\nquorum one\n", "one: .*scheme"),
    ],
)
def test_a_file_of_witnesses_that_cannot_work(tmp_path: Path, text: str | None, reason: str) -> None:
    file = tmp_path / "witnesses"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=rf"IMGGUARD_LOG_WITNESSES.*{reason}"):
        _ = Adapters(Settings(home=tmp_path, log_witnesses=file)).log_witnesses
