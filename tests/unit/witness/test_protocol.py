"""What a witness answers, over its real application (C2SP tlog-witness)."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from growing_log import GrowingLog
from small_log import LOG, ONE, ORIGIN, SECONDS, TWO, key
from witnesses import NAME, Clock, ask, witness_in

from imgguard.errors import ConfigurationError, ConsistencyProofInvalid, LogForked, WitnessSizeDiffers
from imgguard.provenance.checkpoints import Cosignature, cosign, open_checkpoint, verify_cosignatures
from imgguard.provenance.merkle import root_of
from imgguard.provenance.notes import Signer, parse_note
from imgguard.provenance.submissions import Submission, verify_answer
from imgguard.witness import app as app_module
from imgguard.witness.home import EVIDENCE, STATE
from imgguard.witness.witness import Witness

GROWING = GrowingLog(20)
FORK = GrowingLog(20, others=4)
"""Differs from `GROWING` from leaf 16 on."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def witness(tmp_path: Path, clock: Clock) -> Witness:
    return witness_in(tmp_path, clock=clock)


def cosigned(witness: Witness, note: bytes, answer: bytes) -> Cosignature:
    """The only one of the answer, verified."""
    (line,) = verify_answer(answer, parse_note(note), witness.key)
    (found,) = verify_cosignatures(parse_note(note + line.line.encode()), [witness.key])
    return found


def evidence(folder: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted((folder / EVIDENCE).glob("*.json"))]


def test_a_log_that_grows_is_cosigned_at_every_size(witness: Witness, clock: Clock) -> None:
    size = 0
    for new in (1, 2, 7, 8, 8, 20):
        answer = ask(witness, GROWING.submission(size, new))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert cosigned(witness, GROWING.note(new), answer.content).seconds == int(clock.seconds)
        size = new
        clock.seconds += 1.5
    assert witness.logs()[ORIGIN].size == 20


def test_an_empty_log_is_cosigned_once_its_root_is_that_of_no_leaves(witness: Witness) -> None:
    assert ask(witness, GROWING.submission(0, 0)).status_code == 200
    assert ask(witness, GROWING.submission(0, 3)).status_code == 200


def test_the_old_size_has_to_be_the_latest(witness: Witness) -> None:
    assert ask(witness, GROWING.submission(0, 8)).status_code == 200
    for old, new in ((0, 20), (7, 20), (9, 20), (0, 8), (0, 3)):
        answer = ask(witness, GROWING.submission(old, new))
        assert (answer.status_code, answer.content) == (409, b"8\n")
        assert answer.headers["content-type"].startswith("text/x.tlog.size")
    assert witness.logs()[ORIGIN].size == 8


def test_a_log_is_never_set_back(witness: Witness) -> None:
    ask(witness, GROWING.submission(0, 8))
    assert ask(witness, GROWING.submission(3, 3)).status_code == 409
    assert ask(witness, GROWING.submission(8, 3)).status_code == 400
    assert witness.logs()[ORIGIN].size == 8


def test_another_root_of_the_same_size_is_proof_that_the_log_forked(
    witness: Witness, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ask(witness, GROWING.submission(0, 20))
    with caplog.at_level(logging.WARNING):
        answer = ask(witness, FORK.submission(20, 20))
    assert answer.status_code == 409
    assert "tlog.size" not in answer.headers["content-type"]
    (kept,) = evidence(tmp_path)
    assert kept["kind"] == "fork"
    notes = [open_checkpoint(str(kept[name]).encode(), [LOG.key]).checkpoint for name in ("held", "submitted")]
    assert [one.root for one in notes] == [GROWING.root(20), FORK.root(20)]
    assert f"{ORIGIN} has signed two different logs of 20 leaves" in caplog.text
    assert str(next((tmp_path / EVIDENCE).iterdir())) in caplog.text


def test_a_fork_is_kept_whatever_old_size_it_comes_with_and_once(witness: Witness, tmp_path: Path) -> None:
    ask(witness, GROWING.submission(0, 20))
    for _ in range(3):
        assert ask(witness, FORK.submission(0, 20)).content == b"20\n"
    assert ask(witness, FORK.submission(20, 20)).status_code == 409
    assert len(evidence(tmp_path)) == 1


def test_a_larger_fork_is_not_cosigned_and_kept(witness: Witness, tmp_path: Path) -> None:
    ask(witness, GROWING.submission(0, 18))
    assert ask(witness, FORK.submission(18, 20)).status_code == 422
    assert [one["kind"] for one in evidence(tmp_path)] == ["unproven"]
    assert witness.logs()[ORIGIN].root == GROWING.root(18)


def test_a_first_submission_has_no_proof(witness: Witness, tmp_path: Path) -> None:
    body = Submission(old_size=0, proof=(bytes(32),), checkpoint=GROWING.note(3)).to_bytes()
    assert ask(witness, body).status_code == 422
    assert not (tmp_path / EVIDENCE).exists()  # nothing was seen before that it could contradict


def test_evidence_does_not_fill_the_disk(witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgguard.witness.evidence.MOST_FILES", 2)
    ask(witness, GROWING.submission(0, 17))
    for new in (18, 19, 20):
        assert ask(witness, FORK.submission(17, new)).status_code == 422
    assert len(evidence(tmp_path)) == 2


def test_what_cannot_be_kept_is_refused_all_the_same(witness: Witness, tmp_path: Path) -> None:
    (tmp_path / EVIDENCE).write_text("not a folder")
    ask(witness, GROWING.submission(0, 20))
    assert ask(witness, FORK.submission(20, 20)).status_code == 409


def test_logs_and_keys_that_are_not_known(witness: Witness) -> None:
    stranger = Signer("other.example.org", key("other"))
    other = GrowingLog(3, signer=stranger, origin=stranger.key.name)
    assert ask(witness, other.submission(0, 3)).status_code == 404
    forged = GrowingLog(3, signer=Signer(ORIGIN, key("thief")))
    assert ask(witness, forged.submission(0, 3)).status_code == 403
    assert witness.logs()[ORIGIN].size == 0


def test_a_wrong_signature_by_a_known_key_is_forbidden(witness: Witness) -> None:
    note = GROWING.note(4).replace(GROWING.note(4).split(b"\n")[2], GROWING.note(3).split(b"\n")[2])
    assert ask(witness, b"old 0\n\n" + note).status_code == 403


def test_a_log_that_changes_its_key_stays_the_same_log(tmp_path: Path) -> None:
    new = Signer(ORIGIN, key("log, second"))
    witness = witness_in(tmp_path, [LOG.key, new.key])
    assert ask(witness, GROWING.submission(0, 8)).status_code == 200
    assert ask(witness, GrowingLog(20, signer=new).submission(8, 20)).status_code == 200
    assert list(witness.logs()) == [ORIGIN]
    only_new = witness_in(tmp_path, [new.key])
    assert ask(only_new, GROWING.submission(20, 20)).status_code == 403


def test_a_log_that_is_added_and_one_that_is_left_out(tmp_path: Path) -> None:
    other = Signer("other.example.org", key("other"))
    ask(witness_in(tmp_path), GROWING.submission(0, 8))
    without = witness_in(tmp_path, [other.key])
    assert ask(without, GROWING.submission(8, 9)).status_code == 404
    assert ask(without, GrowingLog(3, signer=other, origin=other.key.name).submission(0, 3)).status_code == 200
    again = witness_in(tmp_path, [LOG.key, other.key])
    assert {origin: seen.size for origin, seen in again.logs().items()} == {ORIGIN: 8, other.key.name: 3}


def test_lines_of_others_below_a_checkpoint_are_neither_verified_nor_stored(witness: Witness) -> None:
    note = cosign(cosign(GROWING.note(5), ONE, seconds=SECONDS), TWO, seconds=SECONDS)
    answer = ask(witness, b"old 0\n\n" + note)
    assert cosigned(witness, GROWING.note(5), answer.content)
    assert witness.logs()[ORIGIN].checkpoint == GROWING.note(5)


def test_extension_lines_are_cosigned_as_they_are(witness: Witness) -> None:
    note = GROWING.note(5, extensions=("hello",))
    assert cosigned(witness, note, ask(witness, b"old 0\n\n" + note).content)


def test_a_clock_that_goes_back_is_not_signed(witness: Witness, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    ask(witness, GROWING.submission(0, 3))
    clock.seconds -= 5
    with caplog.at_level(logging.WARNING):
        answer = ask(witness, GROWING.submission(3, 5))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "5 s behind" in caplog.text
    assert witness.logs()[ORIGIN].size == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 0\n\n",
        b"old 0\n" + GROWING.note(3),
        b"old 00\n\n" + GROWING.note(3),
        b"old -1\n\n" + GROWING.note(3),
        b"old 9223372036854775808\n\n" + GROWING.note(3),
        b"Old 0\n\n" + GROWING.note(3),
        b"old 0 \n\n" + GROWING.note(3),
        b"\nold 0\n\n" + GROWING.note(3),
        GROWING.submission(0, 3).replace(b"\n", b"\r\n"),
        b"old 1\nAAAA\n\n" + GROWING.note(3),
        b"old 1\n" + b"A" * 43 + b"\n\n" + GROWING.note(3),
        b"old 1\n" + b"A" * 42 + b"B=\n\n" + GROWING.note(3),
        b"old 1\n" + b"_" * 43 + b"=\n\n" + GROWING.note(3),
        b"old 1\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + GROWING.note(3),
        b"old 0\n\n" + GROWING.note(3)[:-1],
        b"old 0\n\n" + GROWING.note(3).replace(b"\n3\n", b"\n03\n"),
        b"old 0\n\n" + GROWING.note(3).replace(b"\n3\n", b"\n3\n\n"),
        b"old 0\n\n\xff" + GROWING.note(3),
        b"old 4\n\n" + GROWING.note(3),
    ],
)
def test_what_is_no_submission(witness: Witness, body: bytes) -> None:
    assert ask(witness, body).status_code == 400
    assert witness.logs()[ORIGIN].size == 0


def test_sixty_three_digests_are_taken_as_a_proof(witness: Witness) -> None:
    ask(witness, GROWING.submission(0, 2))
    body = b"old 2\n" + (b"A" * 43 + b"=\n") * 63 + b"\n" + GROWING.note(3)
    assert ask(witness, body).status_code == 422


def test_large_bodies_are_not_read(witness: Witness) -> None:
    assert ask(witness, bytes(1_000_000)).status_code == 413
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 8192
            yield bytes(8192)

    assert ask(witness, endless()).status_code == 413
    assert read < 200_000
    assert ask(witness, b"x", headers={"Content-Length": "9" * 30}).status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "BODY_SECONDS", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield b"old 0\n"
        await asyncio.sleep(5)
        yield b"\n"

    assert ask(witness, slow()).status_code == 408


def test_there_are_three_routes_and_they_are_plain_text(witness: Witness) -> None:
    ask(witness, GROWING.submission(0, 8))
    page = ask(witness, method="GET", path="/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    for told in (NAME, witness.key.text, f"8  {ORIGIN}\n"):
        assert told in page.text
    assert ask(witness, method="GET", path="/healthz").text == "ok\n"
    for path in ("/docs", "/openapi.json", "/add-checkpoint/", "/metrics"):
        assert ask(witness, method="GET", path=path).status_code == 404
    answer = ask(witness, method="GET")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_state_that_cannot_be_written_is_not_answered_with_a_signature(witness: Witness, tmp_path: Path) -> None:
    (tmp_path / STATE).unlink()
    answer = ask(witness, GROWING.submission(0, 3))
    assert answer.status_code == 503
    assert str(tmp_path) not in answer.text
    assert ask(witness, method="GET", path="/healthz").status_code == 503
    assert not (tmp_path / STATE).exists()


def test_of_submissions_at_the_same_time_the_largest_stays(tmp_path: Path) -> None:
    """Two witnesses on one folder are two processes to the file. Every answer is of the state as it was then."""
    for attempt in range(10):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        both = [witness_in(folder), witness_in(folder)]
        ask(both[0], GROWING.submission(0, 4))
        start, outcomes = threading.Barrier(6), []

        def submit(number: int, new: int) -> None:
            start.wait()  # noqa: B023 - all have ended before the next attempt
            try:
                both[number % 2].add_checkpoint(GROWING.submission(4, new))  # noqa: B023
                outcomes.append(new)  # noqa: B023
            except WitnessSizeDiffers as error:
                outcomes.append(-error.size)  # noqa: B023

        threads = [threading.Thread(target=submit, args=(n, new)) for n, new in enumerate((5, 20, 6, 19, 7, 18))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (stored,) = [one for one in outcomes if one > 0]
        assert [one for one in outcomes if one < 0] == [-stored] * 5
        assert both[0].logs()[ORIGIN].size == stored


def test_of_two_forks_at_the_same_time_one_is_cosigned(tmp_path: Path) -> None:
    witness = witness_in(tmp_path)
    start, answered = threading.Barrier(8), []

    def submit(log: GrowingLog) -> None:
        start.wait()
        for new in (17, 18, 19, 20):
            old = witness.logs()[ORIGIN].size
            try:
                witness.add_checkpoint(log.submission(min(old, new), new))
                answered.append((new, log.root(new)))
            except (WitnessSizeDiffers, ConsistencyProofInvalid, LogForked):
                continue

    threads = [threading.Thread(target=submit, args=(log,)) for log in (GROWING, FORK) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answered
    branch = GROWING if answered[0][1] == GROWING.root(answered[0][0]) else FORK
    assert all(root == branch.root(size) for size, root in answered)
    assert witness.logs()[ORIGIN].root == root_of(branch.hashes[: witness.logs()[ORIGIN].size])


def test_keys_that_are_not_of_a_log(tmp_path: Path) -> None:
    own = Signer("other.example.org", key("x"))
    for keys in ((), (ONE.key,)):
        with pytest.raises(ConfigurationError):
            witness_in(tmp_path, keys)
    witness = witness_in(tmp_path, [own.key])
    disguised = own.key.of("disguise.example.org", 1, witness.key.public_key)
    with pytest.raises(ConfigurationError, match="of the witness itself"):
        witness_in(tmp_path, [disguised])
