"""What OpenTimestamps files in packets add: a time to whoever knows the block, and to nobody else."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hostile_anchors import (
    ANCHORS,
    BLOCK,
    FILE,
    FILE_OF_HONEST,
    PROMISE,
    PROOF,
    anchor,
    anchored_packet,
    text_of,
    trusting,
)
from hostile_packets import Refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from ots_files import CALENDAR, attested, block_text, root_of
from small_packet import MADE_AT, OTHER_AUTHORITY, SmallPacket, leaves, note_of, refusal, small_packet, trust

from imgguard.evidence.packet.verifying.packets import verify_packet
from imgguard.evidence.packet.verifying.steps import Level, Result, Step, StepNumber, VerificationReport
from imgguard.provenance.trust import Trust

TWO_HOURS_LATER = "no later than 2026-03-01 16:10:30 UTC, says block 840000 of Bitcoin (independent)"

HONEST = anchored_packet()


def verified(data: bytes, by: Trust | None = None) -> VerificationReport:
    return verify_packet(data, trust=by, level=Level.TIMESTAMPED)


def ninth(report: VerificationReport) -> Step:
    return next(step for step in report.steps if step.number is StepNumber.OPENTIMESTAMPS)


def outcome(data: bytes, by: Trust | None = None) -> tuple[Result, str | None, Level]:
    report = verified(data, by)
    return ninth(report).result, ninth(report).reason, report.level


@pytest.mark.parametrize(("made", "expected"), ANCHORS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_what_is_tampered_with_is_refused_for_the_right_reason(made: Callable[[], bytes], expected: Refusal) -> None:
    assert refusal(made(), by=trusting()) == expected


def test_a_block_of_the_trust_file_says_since_when() -> None:
    report = verified(anchored_packet().to_bytes(), trusting())
    assert (ninth(report).result, ninth(report).detail) == (Result.PASSED, "block 840000 of Bitcoin")
    assert len([one for one in report.proven if TWO_HOURS_LATER in one]) == 2
    assert report.level is Level.WITNESSED


def test_a_block_that_the_trust_file_does_not_name_is_not_looked_at() -> None:
    report = verified(anchored_packet().to_bytes(), trust())
    assert (ninth(report).result, ninth(report).reason) == (Result.NOT_CHECKED, "block_unknown")
    assert "unknown: not looked at" in ninth(report).detail
    assert "block 840000" in ninth(report).detail
    assert not any("Bitcoin" in one for one in report.proven)
    assert report.level is Level.WITNESSED


def test_a_promise_is_not_a_time() -> None:
    report = verified(anchored_packet(PROMISE).to_bytes(), trusting())
    assert (ninth(report).result, ninth(report).reason) == (Result.INSUFFICIENT, "promise_only")
    assert "a promise, not a time" in ninth(report).detail
    assert not any("Bitcoin" in one or CALENDAR in one for one in report.proven)
    assert report.level is Level.WITNESSED


def test_a_packet_without_any_is_what_it_was() -> None:
    old = small_packet(2)
    assert "anchor" not in old.one()
    assert outcome(old.to_bytes(), trusting()) == (Result.NOT_CHECKED, "no_anchor", Level.WITNESSED)
    old.one()["anchor"] = None
    assert outcome(old.to_bytes(), trusting()) == (Result.NOT_CHECKED, "no_anchor", Level.WITNESSED)


def test_without_a_trust_file_nothing_is_believed() -> None:
    assert outcome(anchored_packet().to_bytes()) == (Result.NOT_CHECKED, "no_trust", Level.INTEGRITY)


def test_a_wrong_root_refuses_the_packet() -> None:
    wrong = BLOCK.replace(root_of(FILE_OF_HONEST)[::-1].hex(), "ab" * 32)
    assert refusal(anchored_packet().to_bytes(), by=trusting(wrong)) == (9, "opentimestamps_invalid", FILE)
    assert refusal(anchored_packet().to_bytes(), by=trusting()) is None


class TestLevels:
    def test_a_block_alone_is_a_timestamp(self) -> None:
        data = anchored_packet(is_stamped=False).to_bytes()
        assert outcome(data, trust()) == (Result.NOT_CHECKED, "block_unknown", Level.LOGGED)
        report = verified(data, trusting())
        assert report.level is Level.WITNESSED
        assert report.holds
        assert any(TWO_HOURS_LATER in one for one in report.proven)

    def test_it_makes_up_for_an_authority_that_is_not_independent(self) -> None:
        data = anchored_packet().to_bytes()
        assert verified(data, trusting(trust_class="self_issued")).level is Level.NONE  # packet.json says more
        packet = anchored_packet()
        for number in (1, 2):
            packet.one(number)["existed_no_later_than"][0]["trust"] = "self_issued"
        assert verified(packet.to_bytes(), trusting(trust_class="self_issued")).level is Level.WITNESSED
        assert verified(packet.to_bytes(), trust(trust_class="self_issued")).level is Level.LOGGED

    def test_it_does_not_make_up_for_a_class_that_nobody_confirms(self) -> None:
        """`packet.json` calls an authority independent of which the trust file says nothing."""
        data = anchored_packet().to_bytes()
        found = outcome(data, trusting(authority=OTHER_AUTHORITY))
        assert found == (Result.INSUFFICIENT, "class_unknown", Level.LOGGED)

    def test_every_reference_needs_one(self) -> None:
        packet = anchored_packet(is_stamped=False)
        for name in ("references/2/anchored.ots", "references/2/anchored.tlog-proof"):
            del packet.files[name]
        packet.one(2)["anchor"] = None
        assert outcome(packet.to_bytes(), trusting()) == (Result.INSUFFICIENT, "not_anchored", Level.LOGGED)

    def test_log_and_seal_have_to_be_believed_all_the_same(self) -> None:
        data = anchored_packet(is_stamped=False).to_bytes()
        assert verified(data, trusting(seal=None)).level is Level.INTEGRITY
        assert verified(data, trusting(log=None)).level is Level.INTEGRITY


class TestTimes:
    """Step 10, with what miners' clocks may be off."""

    RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            (RECEIVED - timedelta(hours=2), None),
            (RECEIVED - timedelta(hours=2, minutes=2), (10, "times_disagree", FILE)),
            (MADE_AT + timedelta(hours=2), None),
            (MADE_AT + timedelta(hours=2, minutes=2), (10, "times_disagree", FILE)),
        ],
    )
    def test_a_block_cannot_be_before_the_leaf_nor_after_the_packet(self, at: datetime, expected: Any) -> None:
        by = trusting(block_text(root_of(FILE_OF_HONEST), at=at))
        assert refusal(anchored_packet().to_bytes(), by=by) == expected


def test_the_checkpoint_may_be_that_of_the_timestamps_too() -> None:
    entries = leaves(2)
    note = note_of(entries)
    packet = small_packet(2)
    file = attested(text_of(note))
    anchor(packet, file, note=note, entries=entries)
    by = trusting(block_text(root_of(file)))
    assert outcome(packet.to_bytes(), by) == (Result.PASSED, None, Level.WITNESSED)


def test_no_bit_of_an_anchor_is_free_for_whoever_names_the_block() -> None:
    """One bit of every byte of the file, and of some of the proof, which steps 5 and 6 are tried on elsewhere."""
    chosen, by, packet = random.Random(1), trusting(), anchored_packet()
    for name, places in ((FILE, None), (PROOF, 20)):
        data = packet.files[name]
        for at in range(len(data)) if places is None else chosen.sample(range(len(data)), places):
            packet.files[name] = data[:at] + bytes([data[at] ^ 1 << chosen.randrange(8)]) + data[at + 1 :]
            assert refusal(packet.to_bytes(), by=by) is not None, (name, at)
        packet.files[name] = data


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=500), st.sampled_from([FILE, PROOF]))
def test_any_bytes_in_place_of_it_are_refused_without_a_crash(data: bytes, name: str) -> None:
    packet = SmallPacket(HONEST.statement, {**HONEST.files, name: data})
    assert refusal(packet.to_bytes(), by=trusting()) is not None
