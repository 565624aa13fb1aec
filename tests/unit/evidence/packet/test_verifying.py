"""What an honest packet reaches, with which trust file, and what is said of it."""

import json
from datetime import timedelta

import pytest
from captured_packet import captured_packet, finding_of
from cryptography.hazmat.primitives.asymmetric import rsa
from seal_certificates import certified
from small_log import LOG, ONE
from small_packet import (
    OTHER_AUTHORITY,
    STAMPED_AT,
    STRANGER,
    bound,
    failed_step,
    refusal,
    small_packet,
    token_of,
    trust,
)

from imgguard.errors import ConfigurationError
from imgguard.evidence.packet.verifying.packets import verify_packet
from imgguard.evidence.packet.verifying.steps import Level, Result, StepNumber, VerificationReport
from imgguard.provenance.trust import Trust


def verified(data: bytes, by: Trust | None = None, level: Level = Level.WITNESSED) -> VerificationReport:
    return verify_packet(data, trust=by, level=level)


def reasons(report: VerificationReport) -> dict[int, str | None]:
    return {step.number.value: step.reason for step in report.steps if step.result is not Result.PASSED}


def test_an_honest_packet_reaches_every_level() -> None:
    report = verified(small_packet(2).to_bytes(), trust())
    assert reasons(report) == {9: "no_anchor"}
    assert report.level is Level.WITNESSED
    assert report.holds
    assert any(
        "no later than 2026-03-01 12:02:01 UTC, says Example Time (independent)." in one for one in report.proven
    )


def test_without_a_trust_file_only_integrity_holds_and_the_origin_is_not_verified() -> None:
    report = verified(small_packet().to_bytes(), level=Level.INTEGRITY)
    assert report.level is Level.INTEGRITY
    assert report.holds
    assert "ORIGIN NOT VERIFIED" in report.to_text()
    assert reasons(report) == {3: "no_trust", 6: "no_trust", 7: "no_trust", 8: "no_trust", 9: "no_anchor"}
    assert not any("existed no later than" in one for one in report.proven)


@pytest.mark.parametrize("level", [Level.LOGGED, Level.TIMESTAMPED, Level.WITNESSED])
def test_without_a_trust_file_no_higher_level_holds(level: Level) -> None:
    assert not verified(small_packet().to_bytes(), level=level).holds


def test_a_level_of_none_is_never_held() -> None:
    assert not verified(small_packet().to_bytes(), trust(), Level.NONE).holds


def test_the_same_input_gives_the_same_packet() -> None:
    one, other = small_packet(), small_packet()
    assert one.to_bytes() == other.to_bytes()


@pytest.mark.parametrize(
    ("by", "number", "reason", "reached"),
    [
        (trust(seal=None), 3, "seal_unknown", Level.INTEGRITY),
        (trust(seal=STRANGER), 3, "seal_unknown", Level.INTEGRITY),
        (trust(log=None), 6, "no_trust", Level.INTEGRITY),
        (trust(authority=None), 8, "no_independent_timestamp", Level.LOGGED),
        (trust(authority=OTHER_AUTHORITY), 8, "no_independent_timestamp", Level.LOGGED),
        (trust(quorum="none"), 7, "no_quorum", Level.TIMESTAMPED),
    ],
)
def test_what_a_trust_file_lacks_lowers_the_level_and_is_no_failure(
    by: Trust, number: int, reason: str, reached: Level
) -> None:
    report = verified(small_packet().to_bytes(), by)
    assert failed_step(report) is None
    assert reasons(report)[number] == reason
    assert report.level is reached
    assert not report.holds


def test_fewer_witnesses_than_the_trust_file_asks_for_are_not_enough() -> None:
    report = verified(small_packet(witnesses=(ONE,)).to_bytes(), trust())
    assert reasons(report)[7] == "quorum_not_reached"
    assert report.level is Level.TIMESTAMPED


def test_stripped_timestamps_leave_it_logged() -> None:
    report = verified(small_packet(is_stamped=False).to_bytes(), trust(), Level.TIMESTAMPED)
    assert reasons(report)[8] == "no_timestamp"
    assert report.level is Level.LOGGED
    assert not report.holds


def test_one_reference_without_a_timestamp_is_enough_not_to_be_timestamped() -> None:
    packet = small_packet(2)
    packet.one(2)["existed_no_later_than"] = []
    del packet.files["references/2/timestamp-1.tsr"]
    report = verified(packet.to_bytes(), trust(), Level.TIMESTAMPED)
    assert reasons(report)[8] == "no_timestamp"
    assert not report.holds


def test_a_self_issued_timestamp_counts_for_nothing_and_says_so() -> None:
    packet = small_packet()
    packet.one()["existed_no_later_than"][0]["trust"] = "self_issued"
    report = verified(packet.to_bytes(), trust(trust_class="self_issued"), Level.TIMESTAMPED)
    assert reasons(report)[8] == "no_independent_timestamp"
    assert report.level is Level.LOGGED
    assert any("not independent of who made it" in one for one in report.proven)


@pytest.mark.parametrize("level", [Level.TIMESTAMPED, Level.LOGGED])
def test_an_old_time_by_somebody_unknown_does_not_pass_as_qualified_beside_a_good_one(level: Level) -> None:
    """An authority of the sealer's own, old enough: its token holds, and only a trust file can tell its worth."""
    packet = small_packet()
    note = packet.files["log/checkpoint"]
    old = STAMPED_AT - timedelta(seconds=30)
    packet.files["references/1/timestamp-2.tsr"] = token_of(note, by=OTHER_AUTHORITY, at=old)
    claim = bound(1, trust="qualified", file="references/1/timestamp-2.tsr", by="Example Qualified")
    packet.one()["existed_no_later_than"].append(claim)
    report = verified(packet.to_bytes(), trust(), level)
    assert reasons(report)[8] == "class_unknown"
    assert report.holds is (level is Level.LOGGED)
    assert not any("Example Qualified" in one for one in report.proven)
    claim["trust"] = "unknown"
    assert verified(packet.to_bytes(), trust(), level).holds


def test_a_witness_that_the_trust_file_does_not_have_is_not_called_independent() -> None:
    packet = small_packet()
    claim = bound(1, basis="cosignature", by="nobody.example.org", file="references/1/inclusion.tlog-proof")
    packet.one()["existed_no_later_than"].append(claim)
    assert reasons(verified(packet.to_bytes(), trust()))[8] == "class_unknown"


def test_a_later_time_than_the_token_shows_is_no_lie() -> None:
    packet = small_packet()
    packet.one()["existed_no_later_than"][0]["at"] = "2026-06-01T00:00:00Z"
    assert refusal(packet.to_bytes()) is None


def test_a_packet_about_nothing_is_never_logged() -> None:
    packet = small_packet()
    packet.statement["references"] = []
    for name in [name for name in packet.files if name.startswith("references/")]:
        del packet.files[name]
    report = verified(packet.to_bytes(), trust(), Level.LOGGED)
    assert reasons(report)[6] == "nothing_logged"
    assert not report.holds


def test_a_finding_that_is_not_in_the_log_is_named() -> None:
    packet = small_packet()
    listing = {"sha256": "12" * 32, "asset": None, "thumbnail": None}
    packet.statement["findings"] = [{"finding_id": "fnd_1", "listing": listing, "pictures": {}, "proofs": []}]
    report = verified(packet.to_bytes(), trust())
    assert report.holds
    assert any("fnd_1" in one for one in report.not_proven)


def test_a_listing_that_was_fetched_is_verified_with_its_finding() -> None:
    report = verified(captured_packet().to_bytes(), trust())
    assert (report.level, report.holds) == (Level.WITNESSED, True)
    said = [one for one in report.proven if "the capture of finding fnd_1" in one]
    assert len(said) == 3  # by the authority, and by two witnesses
    assert any("others were shown the same" in one for one in report.not_proven)
    assert "3 records" in report.to_text()


def test_the_fraction_of_a_second_may_be_written_out() -> None:
    packet = captured_packet()
    finding_of(packet)["listing"]["fetched_at"] = "2026-03-01T11:59:58.000Z"
    assert refusal(packet.to_bytes()) is None


def test_a_capture_is_proven_by_its_own_token() -> None:
    packet = captured_packet()
    packet.files["findings/1/capture/timestamp-1.tsr"] = token_of(small_packet().files["log/checkpoint"])
    assert refusal(packet.to_bytes()) == (8, "timestamp_invalid", "findings/1/capture/timestamp-1.tsr")


def test_the_record_of_a_capture_is_not_that_of_its_finding() -> None:
    packet = captured_packet()
    one = finding_of(packet)
    for name in [name for name in one["proofs"] if "/capture/" not in name]:
        one["proofs"].remove(name)
        del packet.files[name]
    report = verified(packet.to_bytes(), trust())
    assert report.holds, report.to_text()
    assert any("Since when there is a record of: finding fnd_1." in one for one in report.not_proven)


def test_packets_from_before_there_were_captures_still_verify() -> None:
    packet = captured_packet()
    one = finding_of(packet)
    one["listing"] |= {"url": None, "fetched_at": None}
    for name in [name for name in one["proofs"] if "/capture/" in name]:
        one["proofs"].remove(name)
        del packet.files[name]
    report = verified(packet.to_bytes(), trust())
    assert report.holds, report.to_text()
    assert not any("others were shown" in one for one in report.not_proven)


def test_the_report_as_json_has_what_the_text_has() -> None:
    report = verified(small_packet().to_bytes(), trust())
    value = json.loads(report.to_json())
    assert [step["number"] for step in value["steps"]] == [number.value for number in StepNumber]
    assert (value["holds"], value["level_reached"], value["origin_verified"]) == (True, "witnessed", True)
    assert all(sentence in report.to_text() for sentence in value["proven"] + value["not_proven"])


def test_names_in_a_packet_cannot_steer_a_terminal() -> None:
    packet = small_packet()
    packet.statement["packet_id"] = "\x1b[2J\u202etkp"
    text = verified(packet.to_bytes(), trust()).to_text()
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_policy_that_cannot_be_read_is_an_error_of_the_trust_file() -> None:
    with pytest.raises(ConfigurationError, match="trust file"):
        verify_packet(b"", trust=Trust(log_policy="nonsense\n"))


def test_a_limit_of_the_caller_is_kept() -> None:
    data = small_packet().to_bytes()
    report = verify_packet(data, largest=len(data) - 1)
    step = failed_step(report)
    assert step is not None
    assert (step.number, step.reason) == (StepNumber.CONTAINER, "too_large")


def test_an_operator_can_seal_with_an_rsa_key() -> None:
    packet = small_packet()
    packet.seal = certified(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert verified(packet.to_bytes(), trust(seal=packet.seal)).holds


def test_tokens_may_come_within_a_minute_before_the_log_says_it_received_the_leaf() -> None:
    packet = small_packet()
    early = STAMPED_AT - timedelta(minutes=4)
    packet.files["references/1/timestamp-1.tsr"] = token_of(packet.files["log/checkpoint"], at=early)
    assert refusal(packet.to_bytes()) == (10, "times_disagree", "references/1/timestamp-1.tsr")
    packet.files["references/1/timestamp-1.tsr"] = token_of(
        packet.files["log/checkpoint"], at=STAMPED_AT - timedelta(minutes=2, seconds=50)
    )
    assert refusal(packet.to_bytes()) is None


def test_the_keys_of_the_log_in_the_tests_are_those_of_the_trust_file() -> None:
    assert LOG.key.text in (trust().log_policy or "")
