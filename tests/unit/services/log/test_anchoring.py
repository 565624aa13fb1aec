"""Whatever calendars do: what they promise is asked for until a block has it, and nothing wrong is kept."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from ots_files import CALENDAR, FakeCalendar, block_text, forked, nested, promise_of, root_of

from imgguard.errors import CalendarUnavailable, OpenTimestampsInvalid
from imgguard.ports import Anchor, AnchorState
from imgguard.provenance.anchors import verify_anchor
from imgguard.provenance.opentimestamps import parse_file
from imgguard.provenance.policy import parse_policy
from imgguard.provenance.proofs import parse_proof, verify_proof
from imgguard.provenance.timestamp_renewal import stamped_body
from imgguard.provenance.trust import read_trust
from imgguard.services.anchoring import FIRST_BLOCK, FIRST_PAUSE, LONGEST_PAUSE, Anchoring, Asked
from imgguard.storage.sql.log_anchors import SqlAnchors

from .conftest import NOW, Books

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OTHER = "https://other.example"
DOWN = CalendarUnavailable("down")


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class House:
    """One log, its calendars, and the time."""

    books: Books
    clock: Clock = field(default_factory=Clock)
    calendars: list[FakeCalendar] = field(default_factory=lambda: [FakeCalendar()])

    @property
    def anchors(self) -> SqlAnchors:
        return SqlAnchors(self.books.database)

    @property
    def one(self) -> FakeCalendar:
        return self.calendars[0]

    def another(self) -> FakeCalendar:
        self.calendars.append(FakeCalendar(OTHER, "other.example"))
        return self.calendars[-1]

    def publish(self, count: int = 1) -> int:
        self.books.append(count)
        return self.books.log.publish().size

    def run(self, *, later: timedelta = timedelta(), at_once: bool = False) -> list[Asked]:
        """By a process that has just begun."""
        self.clock.at += later
        return Anchoring(
            log=self.books.store,
            anchors=self.anchors,
            calendars=self.calendars,
            clock=self.clock,
            every=DAY,
            lease=2 * MINUTE,
            chance=lambda: 1.0,
        ).run(at_once=at_once)

    def body(self, size: int) -> bytes:
        return stamped_body(self.books.store.checkpoint(size).note)

    def row(self, size: int, *, by: str = CALENDAR) -> Anchor:
        (found,) = [one for one in self.anchors.of_checkpoint(size) if one.url == by]
        return found


@pytest.fixture
def house(books: Books) -> House:
    return House(books)


def told(outcomes: list[Asked]) -> list[tuple[int, str, bool]]:
    return [(one.size, one.state.value, one.error is not None) for one in outcomes]


def test_from_a_checkpoint_to_a_block(house: House) -> None:
    size = house.publish(5)
    assert told(house.run()) == [(size, "promised", False)]
    assert len(house.one.submitted[0]) == 32
    assert house.one.submitted[0] not in house.body(size)
    house.one.has_block = True
    assert house.run(later=FIRST_BLOCK - MINUTE) == []
    assert told(house.run(later=MINUTE)) == [(size, "attested", False)]
    assert house.run(later=9 * DAY) == []
    data = house.row(size).file
    assert data is not None
    file = parse_file(data)
    (block,) = verify_anchor(file, house.body(size), trust=read_trust(block_text(root_of(file))))
    assert block.height == file.heights[0]


def test_without_leaves_or_calendars_nothing_happens(house: House) -> None:
    house.books.log.publish()
    assert house.run() == []
    house.calendars.clear()
    house.publish()
    assert house.run() == []


def test_one_checkpoint_a_day(house: House) -> None:
    first = house.publish()
    house.run()
    house.publish()
    assert told(house.run(later=23 * HOUR, at_once=True)) == [(first, "promised", False)]
    size = house.publish()
    assert (size, "promised", False) in told(house.run(later=HOUR))
    assert len(house.one.submitted) == 2


def test_every_nonce_is_new(house: House) -> None:
    house.another()
    house.publish()
    house.run()
    assert house.calendars[0].submitted != house.calendars[1].submitted


def test_a_promise_is_asked_for_less_and_less_often(house: House) -> None:
    size = house.publish()
    house.run()
    pauses = []
    for _ in range(6):
        before = house.clock.at = house.row(size).next_at
        assert told(house.run()) == [(size, "promised", False)]
        pauses.append(house.row(size).next_at - before)
    assert pauses == [HOUR, 2 * HOUR, 4 * HOUR, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    assert house.row(size).error is None
    assert len(set(house.one.asked)) == 1


def test_a_calendar_that_is_down_is_asked_again_and_holds_up_no_other(house: House) -> None:
    house.one.fails = DOWN
    other = house.another()
    size = house.publish()
    assert sorted(told(house.run())) == [(size, "promised", False), (size, "waiting", True)]
    assert house.row(size).next_at == NOW + FIRST_PAUSE
    house.one.fails = None
    assert (size, "promised", False) in told(house.run(later=FIRST_PAUSE))
    assert len(other.submitted) == 1
    assert (house.row(size).tries, house.row(size).error) == (0, None)


def test_calendars_are_asked_at_the_same_time(house: House) -> None:
    house.another()
    meeting = threading.Barrier(2, timeout=5)

    @dataclass
    class Meeting(FakeCalendar):
        def submit(self, commitment: bytes) -> bytes:
            meeting.wait()
            return promise_of(commitment, by=self.url)

    house.calendars = [Meeting(), Meeting(OTHER, "other.example")]
    size = house.publish()
    assert told(house.run()) == [(size, "promised", False)] * 2


def test_one_that_is_down_costs_one_question_a_run(house: House) -> None:
    for _ in range(3):
        house.publish()
        house.run()
        house.clock.at += DAY
    house.one.fails = DOWN
    assert len(house.run()) == 1
    house.one.fails = None
    house.one.has_block = True
    assert told(house.run(at_once=True)) == [(size, "attested", False) for size in (3, 2, 1)]


def test_it_says_when_to_ask_again(house: House) -> None:
    house.one.fails = CalendarUnavailable("busy", retry_after=7200.0)
    size = house.publish()
    house.run()
    assert house.row(size).next_at == NOW + 2 * HOUR


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        promise_of(bytes(32), by=OTHER),
        nested(300),
        forked(65),
        b"\xff\x08" * 4000,
        bytes(20_000),
    ],
    ids=["nothing", "a page", "another address", "too deep", "too many", "forks", "too long"],
)
def test_what_cannot_be_used_is_not_kept_at_first(house: House, answer: bytes) -> None:
    house.one.answer = answer
    size = house.publish()
    (outcome,) = house.run()
    assert isinstance(outcome.error, OpenTimestampsInvalid)
    row = house.row(size)
    assert (row.state, row.file, row.tries) == (AnchorState.WAITING, None, 1)
    assert row.error is not None
    house.one.answer = None
    assert told(house.run(later=HOUR)) == [(size, "promised", False)]


@pytest.mark.parametrize("answer", [b"", b"<html>", nested(300), forked(65)])
def test_what_cannot_be_used_leaves_the_promise_as_it_was(house: House, answer: bytes) -> None:
    size = house.publish()
    house.run()
    before = house.row(size).file
    house.one.answer = answer
    (outcome,) = house.run(later=HOUR)
    assert isinstance(outcome.error, OpenTimestampsInvalid)
    assert (house.row(size).state, house.row(size).file) == (AnchorState.PROMISED, before)


def test_what_nobody_expects_is_an_error_of_that_calendar_alone(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.one.fails = ZeroDivisionError("a bug")
    house.another()
    size = house.publish()
    assert sorted(told(house.run())) == [(size, "promised", False), (size, "waiting", True)]
    assert "ZeroDivisionError" in (house.row(size).error or "")


class TestProofs:
    def test_a_leaf_has_its_own_way_to_the_anchored_checkpoint(self, house: House) -> None:
        house.publish(2)
        house.run()
        house.publish(3)
        house.one.has_block = True
        house.run(later=HOUR)
        found = house.books.log.proof_of("clm_1")
        assert found.checkpoint.size == 5
        assert found.anchor is not None
        assert found.anchor.checkpoint.size == 2
        policy = parse_policy(f"log {house.books.log.status().keys[-1].text}\nquorum none\n".encode())
        verify_proof(parse_proof(found.anchor.proof), found.leaf.leaf, policy)
        file = parse_file(found.anchor.file)
        assert verify_anchor(file, house.body(2), trust=read_trust(block_text(root_of(file))))
        assert house.books.log.proof_of("clm_2").anchor is None

    def test_a_calendar_that_says_too_much_does_not_cost_what_others_have_said(self, house: House) -> None:
        other = house.another()
        house.publish(2)
        house.run()
        house.one.answer = forked(60)
        other.answer = forked(61)
        house.run(later=HOUR)
        anchor = house.books.log.proof_of("clm_0").anchor
        assert anchor is not None
        assert len(parse_file(anchor.file).heights) == 60

    def test_the_file_has_what_all_calendars_have_said(self, house: House) -> None:
        house.another()
        house.publish(2)
        house.run()
        anchor = house.books.log.proof_of("clm_0").anchor
        assert anchor is not None
        assert parse_file(anchor.file).calendars == (CALENDAR, OTHER)
