"""Whatever is sent to a witness is refused, unless it is a submission; then nothing that was signed is contradicted."""

import tempfile
from pathlib import Path

import pytest
from growing_log import GrowingLog
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from small_log import LOG, ORIGIN
from witnesses import ask, witness_in

from imgguard.errors import ConsistencyProofInvalid, InputError, LogForked, NoteInvalid, WitnessSizeDiffers
from imgguard.provenance.checkpoints import open_checkpoint
from imgguard.provenance.notes import parse_note
from imgguard.provenance.submissions import parse_size, parse_submission, verify_answer
from imgguard.witness.witness import Witness

GROWING = GrowingLog(12)
FORKS = (GROWING, GrowingLog(12, others=6), GrowingLog(12, others=10))
SAMPLE = GROWING.submission(0, 5)

hostile = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=200).map(lambda data: b"old 0\n\n" + data),
    st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)).map(
        lambda change: SAMPLE[: change[0]] + bytes([change[1]]) + SAMPLE[change[0] + 1 :]
    ),
    st.integers(0, len(SAMPLE) - 1).map(lambda end: SAMPLE[:end]),
)


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Witness:
    return witness_in(tmp_path_factory.mktemp("witness"))


@settings(max_examples=200, deadline=None)
@given(body=hostile)
def test_any_bytes_are_refused_as_the_senders_fault(witness: Witness, body: bytes) -> None:
    answer = ask(witness, body)
    assert answer.status_code == 200 or 400 <= answer.status_code < 500
    if answer.status_code == 200:  # a change that is none: all that was signed is as it was
        assert parse_note(parse_submission(body).checkpoint).text == parse_note(GROWING.note(5)).text


@given(hostile)
def test_a_submission_is_written_as_it_was_read(body: bytes) -> None:
    try:
        parsed = parse_submission(body)
    except InputError:
        return
    assert parsed.to_bytes() == body


@given(st.binary(max_size=60))
def test_a_size_is_written_as_it_was_read(data: bytes) -> None:
    size = parse_size(data)
    assert size is None or b"%d\n" % size == data


class Witnessing(RuleBasedStateMachine):
    """Any order of submissions of three forks, with any old size, over restarts."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._witness = witness_in(Path(self._folder.name))
        self._signed: dict[int, bytes] = {}

    @rule(fork=st.sampled_from(FORKS), old=st.integers(0, 12), new=st.integers(0, 12))
    def submit(self, fork: GrowingLog, old: int, new: int) -> None:
        try:
            line = self._witness.add_checkpoint(fork.submission(old, new))
        except (InputError, NoteInvalid, WitnessSizeDiffers, LogForked, ConsistencyProofInvalid):
            return
        assert verify_answer(line, parse_note(fork.note(new)), self._witness.key)
        assert new >= max(self._signed, default=0)
        assert self._signed.setdefault(new, fork.root(new)) == fork.root(new)

    @rule(fork=st.sampled_from(FORKS), more=st.integers(0, 4))
    def go_on(self, fork: GrowingLog, more: int) -> None:
        old = self._witness.logs()[ORIGIN].size
        self.submit(fork, old, min(12, old + more))

    @rule()
    def restart(self) -> None:
        self._witness = witness_in(Path(self._folder.name))

    @invariant()
    def one_branch(self) -> None:
        assert any(all(fork.root(size) == root for size, root in self._signed.items()) for fork in FORKS)
        seen = self._witness.logs()[ORIGIN]
        assert seen.size == max(self._signed, default=0)
        if seen.checkpoint:
            assert open_checkpoint(seen.checkpoint, [LOG.key]).checkpoint.root == self._signed[seen.size]

    def teardown(self) -> None:
        self._folder.cleanup()


TestWitnessing = Witnessing.TestCase
TestWitnessing.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
