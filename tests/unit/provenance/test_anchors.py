"""What calendars answer is held against what they were asked, and a block proves something only to whoever names it."""

from datetime import timedelta
from hashlib import sha256

import pytest
from ots_files import (
    BLOCK_TIME,
    CALENDAR,
    HEIGHT,
    NONCE,
    attested,
    block_of,
    block_text,
    forked,
    nested,
    promise_of,
    promised,
    root_of,
)

from imgguard.errors import ConfigurationError, OpenTimestampsInvalid
from imgguard.provenance.anchors import Question, merged, promises, upgraded, verify_anchor
from imgguard.provenance.opentimestamps import Attestation, tree_bytes
from imgguard.provenance.trust import Trust, read_trust

DATA = b"the text of a checkpoint"
OTHER = "https://other.example"


def test_a_calendar_is_told_a_salted_digest() -> None:
    question = Question.about(DATA, nonce=NONCE)
    assert question.commitment == sha256(sha256(DATA).digest() + NONCE).digest()
    assert Question.about(DATA, nonce=bytes(16)).commitment != question.commitment


def test_its_answer_becomes_a_file_about_the_data() -> None:
    file = promised(DATA)
    assert (file.digest, file.calendars, file.heights) == (sha256(DATA).digest(), (CALENDAR,), ())
    assert [path.attestation.calendar for path in promises(file, by=CALENDAR + "/")] == [CALENDAR]
    assert promises(file, by=OTHER) == ()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (promise_of(b"x" * 32, by=OTHER), "promises nothing by its own address"),
        (tree_bytes(promised(DATA, by=OTHER).paths), "promises nothing by its own address"),
        (b"<html>", "not known here"),
        (nested(254), "operations away"),
        (b"", "ends too early"),
    ],
    ids=["a pool", "another address", "a page", "too deep behind the nonce", "nothing"],
)
def test_an_answer_that_leads_nowhere_is_not_taken(answer: bytes, why: str) -> None:
    with pytest.raises(OpenTimestampsInvalid, match=why):
        Question.about(DATA, nonce=NONCE).answered(answer, by=CALENDAR)


def test_a_block_takes_the_place_of_the_promise() -> None:
    file = attested(DATA)
    assert (file.calendars, file.heights) == ((), (HEIGHT,))
    assert file.digest == sha256(DATA).digest()


def test_promises_of_others_stay_when_one_is_kept() -> None:
    both = merged([promised(DATA), promised(DATA, by=OTHER)])
    (ours,) = promises(both, by=CALENDAR)
    found = upgraded(both, ours, block_of(ours.message))
    assert (found.calendars, found.heights) == ((OTHER,), (HEIGHT,))


def test_a_calendar_that_repeats_itself_has_not_answered() -> None:
    file = promised(DATA)
    (promise,) = promises(file, by=CALENDAR)
    with pytest.raises(OpenTimestampsInvalid, match="only repeats"):
        upgraded(file, promise, b"\x00" + Attestation.by_calendar(CALENDAR).to_bytes())


def test_a_promise_of_another_calendar_does_not_end_the_first() -> None:
    file = promised(DATA)
    (promise,) = promises(file, by=CALENDAR)
    found = upgraded(file, promise, b"\x00" + Attestation.by_calendar(OTHER).to_bytes())
    assert (found.calendars, found.heights) == ((CALENDAR, OTHER), ())


def test_files_about_different_data_are_not_one() -> None:
    with pytest.raises(OpenTimestampsInvalid, match="different files"):
        merged([promised(DATA), promised(b"other")])


def test_what_would_be_too_much_to_be_read_again_is_not_written() -> None:
    file = promised(DATA)
    with pytest.raises(OpenTimestampsInvalid, match="more than 64 attestations"):
        merged([upgraded(file, file.paths[0], forked(64)), promised(DATA, by=OTHER)])


def test_a_block_of_the_trust_file_proves_a_time_two_hours_later() -> None:
    file = attested(DATA)
    (block,) = verify_anchor(file, DATA, trust=read_trust(block_text(root_of(file))))
    assert (block.height, block.time) == (HEIGHT, BLOCK_TIME)
    assert block.no_later_than == BLOCK_TIME + timedelta(hours=2)


def test_the_earliest_block_comes_first() -> None:
    early, late = attested(DATA, height=900), attested(DATA, by=OTHER, height=901)
    text = block_text(root_of(late, height=901), height=901)
    text += block_text(root_of(early, height=900), height=900, at=BLOCK_TIME - timedelta(days=1))
    found = verify_anchor(merged([late, early]), DATA, trust=read_trust(text))
    assert [block.height for block in found] == [900, 901]


def test_a_block_that_nobody_named_is_no_time() -> None:
    file = attested(DATA)
    assert verify_anchor(file, DATA, trust=Trust()) == ()
    assert verify_anchor(file, DATA, trust=read_trust(block_text(root_of(file), height=HEIGHT + 1))) == ()
    assert verify_anchor(promised(DATA), DATA, trust=read_trust(block_text(root_of(file)))) == ()


def test_another_root_refuses_the_file() -> None:
    with pytest.raises(OpenTimestampsInvalid, match="another Merkle root"):
        verify_anchor(attested(DATA), DATA, trust=read_trust(block_text(bytes(32))))


def test_the_root_is_written_as_explorers_print_it() -> None:
    file = attested(DATA)
    with pytest.raises(OpenTimestampsInvalid, match="another Merkle root"):
        verify_anchor(file, DATA, trust=read_trust(block_text(root_of(file)[::-1])))


def test_one_right_block_does_not_make_up_for_a_wrong_one() -> None:
    early, late = attested(DATA, height=900), attested(DATA, by=OTHER, height=901)
    text = block_text(root_of(late, height=901), height=901) + block_text(bytes(32), height=900)
    with pytest.raises(OpenTimestampsInvalid, match="block 900"):
        verify_anchor(merged([late, early]), DATA, trust=read_trust(text))


def test_a_file_about_other_data_is_refused_whatever_it_says() -> None:
    file = attested(b"other")
    with pytest.raises(OpenTimestampsInvalid, match="something else"):
        verify_anchor(file, DATA, trust=read_trust(block_text(root_of(file))))


GOOD = block_text(bytes(32))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (GOOD + GOOD, "bitcoin 2: block 840000 is there twice"),
        (GOOD.replace("840000", "-1"), "bitcoin 1, height"),
        (GOOD.replace("840000", "true"), "bitcoin 1, height"),
        (GOOD.replace("840000", '"840000"'), "bitcoin 1, height"),
        (GOOD.replace("840000", str(2**31)), "bitcoin 1, height"),
        (GOOD.replace("00" * 32, "00" * 31), "bitcoin 1, merkle_root"),
        (GOOD.replace("00" * 32, "AB" * 32), "bitcoin 1, merkle_root"),
        (GOOD.replace("00" * 32, "0x" + "00" * 31), "bitcoin 1, merkle_root"),
        (GOOD.replace("14:10:30Z", "14:10:30"), "bitcoin 1, time"),
        (GOOD.replace("2026-", "9999-"), "bitcoin 1, time"),
        ("".join(GOOD.splitlines(keepends=True)[:3]), "bitcoin 1, time"),
        (GOOD + 'hash = "00"\n', "the key 'hash' is unknown"),
        ("bitcoin = 1\n", "bitcoin: each begins with"),
        ("bitcoin = [1]\n", "bitcoin 1: it is no table"),
    ],
)
def test_a_block_that_is_unclear_is_no_trust(text: str, place: str) -> None:
    with pytest.raises(ConfigurationError, match=place.replace("[", r"\[")):
        read_trust(text)
