"""A packet that is built verifies; what is enclosed is what is named; and weaknesses come by rules."""

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import packets
import pytest
from captured_packet import FETCHED_AT, NAMES, URL, captured_packet
from captured_packet import LISTING as FETCHED
from hostile_anchors import FILE_OF_HONEST, PROMISE, trusting
from hostile_packets import members_of
from ots_files import CALENDAR, HEIGHT
from packet_contents import LISTING, contents, evidence, finding_contents, reference_contents
from small_log import ONE, TWO
from small_packet import MADE_AT, SEAL, digest, leaves, note_of, original, proof_of, refusal, token_of, trust

from imgguard.errors import InputError, TimestampInvalid
from imgguard.evidence.packet.archive import sealed
from imgguard.evidence.packet.assembling import assemble
from imgguard.evidence.packet.building import build_packet
from imgguard.evidence.packet.contents import AnchorEvidence, LogEvidence, PacketContents
from imgguard.evidence.packet.model import Packet, Purpose
from imgguard.evidence.packet.verifying.layout import OPENING, is_name
from imgguard.evidence.packet.verifying.packets import verify_packet
from imgguard.evidence.packet.verifying.steps import Level
from imgguard.provenance.leaves import Opening, leaf_of, parse_opening
from imgguard.provenance.opentimestamps import OpenTimestamp
from imgguard.provenance.records import Kind, event_record
from imgguard.provenance.trust import Trust


@pytest.fixture(scope="module")
def built() -> bytes:
    return build_packet(contents(), seal=SEAL)


def test_what_is_built_verifies_at_every_level(built: bytes) -> None:
    assert verify_packet(built, trust=trust(), level=Level.WITNESSED).holds


class TestAnchors:
    """A finding and two references whose leaves calendars were asked about."""

    @staticmethod
    def made(file: OpenTimestamp) -> bytes:
        entries = leaves(2)
        note = note_of(entries[:4])
        anchors = [
            AnchorEvidence(proof=proof_of(entries[:4], number, note), file=file.to_bytes()) for number in range(2)
        ]
        references = [
            reference_contents(number, evidence=replace(evidence(number, 2), anchor=anchors[number - 1]))
            for number in (1, 2)
        ]
        return build_packet(contents(references=tuple(references)), seal=SEAL)

    def test_they_are_enclosed_and_verify_for_whoever_knows_the_block(self) -> None:
        data = self.made(FILE_OF_HONEST)
        report = verify_packet(data, trust=trusting(), level=Level.WITNESSED)
        assert report.holds
        assert any("says block 840000 of Bitcoin" in one for one in report.proven)
        stated = Packet.model_validate_json(members_of(data)["packet.json"]).references[0]
        assert stated.anchor is not None
        assert (stated.anchor.blocks, stated.anchor.calendars) == ((HEIGHT,), ())
        assert not any("anchored" in (bound.file or "") for bound in stated.existed_no_later_than)

    def test_a_promise_is_enclosed_too(self) -> None:
        data = self.made(PROMISE)
        assert verify_packet(data, trust=trusting(), level=Level.WITNESSED).holds
        stated = Packet.model_validate_json(members_of(data)["packet.json"]).references[0]
        assert stated.anchor is not None
        assert (stated.anchor.blocks, stated.anchor.calendars) == ((), (CALENDAR,))


def test_packet_json_is_that_of_the_model_and_lists_what_is_enclosed(built: bytes) -> None:
    files = members_of(built)
    packet = Packet.model_validate_json(files["packet.json"])
    assert {file.path: file.sha256 for file in packet.files} == {
        name: digest(data)
        for name, data in files.items()
        if not name.startswith(("META-INF", "README", "report", "mimetype", "packet.json"))
    }
    assert files["references/1/original.bin"] == original(1)
    assert files["findings/1/listing.png"] == files["findings/1/thumbnail.png"]
    assert all(is_name(name) for name in files)


def test_all_but_the_seals_of_the_reports_is_the_same_each_time(built: bytes) -> None:
    def stable(data: bytes) -> dict[str, bytes]:
        return {name: part for name, part in members_of(data).items() if not name.startswith(("report", "META-INF"))}

    assert stable(build_packet(contents(), seal=SEAL)) == stable(built)


def test_sealed_bytes_are_the_same_each_time() -> None:
    files = {"packet.json": b"{}"}
    assert sealed(files, seal=SEAL, at=MADE_AT) == sealed(files, seal=SEAL, at=MADE_AT)


def test_the_reports_stay_pdf_1_7_and_are_sealed(built: bytes) -> None:
    for language in ("en", "zh"):
        report = members_of(built)[f"report.{language}.pdf"]
        assert report.startswith(b"%PDF-1.7")
        assert b"/Version /2.0" not in report
        assert b"ETSI.CAdES.detached" in report


def test_names_that_people_gave_name_no_file() -> None:
    hostile = reference_contents(
        1,
        count=1,
        title="../../x",
        file={"name": "../../../etc/passwd", "sha256": digest(original(1)), "bytes": 28}
        | {"media_type": "image/jpeg; ../x"},
    )
    _, files = assemble(contents(references=(hostile,), findings=()))
    assert all(is_name(name) and "passwd" not in name for name in files)


@pytest.mark.parametrize("name", ["META-INF/x", "mimetype", "../x", "/x", "a//b", "a\\b", "ü", ".x", "x" * 201, ""])
def test_no_file_gets_a_name_that_the_verifier_refuses(name: str) -> None:
    with pytest.raises(InputError):
        sealed({name: b""}, seal=SEAL, at=MADE_AT)


def test_a_token_of_something_else_is_not_packed() -> None:
    good = evidence(1, 1)
    wrong = LogEvidence(
        opening=good.opening, leaf=good.leaf, proof=good.proof, timestamps=(token_of(note_of([b"other"])),)
    )
    with pytest.raises(TimestampInvalid):
        assemble(contents(references=(reference_contents(1, count=1, evidence=wrong),), findings=()))


def codes(**changes: Any) -> tuple[list[str], list[str]]:
    packet, _ = assemble(contents(**changes))
    return [one.code for one in packet.missing], [one.code for one in packet.against]


def test_a_packet_with_every_weakness_but_these_names_these() -> None:
    assert codes() == (["no_camera_original", "finding_not_logged", "not_captured"], [])


def test_self_issued_times_are_no_independent_ones() -> None:
    own = trust(trust_class="self_issued", quorum="none")
    single = evidence(1, 1, is_witnessed=False)
    missing, _ = codes(references=(reference_contents(1, count=1, evidence=single),), findings=(), trust=own)
    assert missing == ["no_independent_time", "no_witness", "no_camera_original"]
    missing, _ = codes(references=(reference_contents(1, count=1, evidence=single),), findings=(), trust=Trust())
    assert "no_independent_time" in missing


def test_what_is_only_named_by_its_digest_is_missing() -> None:
    missing, _ = codes(
        references=(reference_contents(1, original=None), reference_contents(2)),
        findings=(replace(finding_contents(), listing=None),),
    )
    assert missing[1:] == ["original_not_enclosed", "listing_not_enclosed", "finding_not_logged", "not_captured"]


def test_a_camera_original_that_is_attached_is_not_missing() -> None:
    raw = {"kind": "raw", "name": "1.raf", "sha256": "ef" * 32, "bytes": 3, "path": None}
    missing, _ = codes(references=(reference_contents(1, count=1, proofs=[raw]),), findings=())
    assert "no_camera_original" not in missing


def _decision(kind: str) -> dict[str, Any]:
    return {"kind": kind, "by": "reviewer", "decided_at": MADE_AT, "note": ""}


def _licence(status: str) -> dict[str, Any]:
    return {"status": status, "because": [], "ends_at": None}


@pytest.mark.parametrize(
    ("purpose", "changes", "expected"),
    [
        (Purpose.COMPLAINT, {"licence": _licence("licensed")}, ["licensed"]),
        (Purpose.RECORD, {"decision": _decision("not_a_copy")}, ["decided_no_copy"]),
        (Purpose.COMPLAINT, {"decision": _decision("confirmed_copy")}, []),
        (Purpose.DEFENCE, {"licence": _licence("licensed")}, []),
        (Purpose.DEFENCE, {"licence": _licence("expired")}, ["copy_without_licence"]),
        (Purpose.DEFENCE, {"licence": None}, ["copy_without_licence"]),
        (Purpose.DEFENCE, {"licence": _licence("licensed"), "decision": _decision("confirmed_copy")}, ["decided_copy"]),
        (Purpose.DEFENCE, {"licence": _licence("licensed"), "verdict": "no_match"}, []),
    ],
)
def test_facts_of_a_finding_speak_against_the_one_side_or_the_other(
    purpose: Purpose, changes: dict[str, Any], expected: list[str]
) -> None:
    assert codes(purpose=purpose, findings=(finding_contents(**changes),))[1] == expected


def _with_exif(value: str, **more: Any) -> dict[str, Any]:
    times = [{"source": "exif:DateTimeOriginal", "value": value, "offset": None}]
    return {"times": times, "camera": None, "software": None, "content_credentials": None} | more


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2026-02-27T09:00:00", []), ("2026:02:27 09:00:00", []), ("2026-02-28T09:00:00", ["metadata_disagrees"])],
)
def test_a_stated_date_that_is_not_in_the_file_speaks_against_it(value: str, expected: list[str]) -> None:
    one = reference_contents(1, count=1, metadata=_with_exif(value))
    assert codes(references=(one,), findings=())[1] == expected


def test_withdrawn_earlier_elsewhere_and_wrong_credentials_speak_against_it() -> None:
    credentials = {"state": "invalid", "signer": None, "device": None, "actions": []}
    one = reference_contents(
        1,
        count=1,
        status="withdrawn",
        earlier_elsewhere=True,
        metadata=_with_exif("2026-02-27T09:00:00", content_credentials=credentials),
    )
    assert codes(references=(one,), findings=())[1] == ["earlier_elsewhere", "withdrawn", "credentials_invalid"]


def test_many_names_are_counted_not_listed() -> None:
    many = tuple(finding_contents(number) for number in range(1, 15))
    packet, _ = assemble(contents(findings=many))
    (remark,) = [one for one in packet.missing if one.code == "finding_not_logged"]
    assert remark.en.endswith("fnd_10 (+4).")
    assert "(+4)" in remark.zh


def test_attached_files_are_enclosed_under_names_of_ours_and_verified() -> None:
    data = b"%PDF-1.4 a contract"
    proof = {"kind": "other", "name": "../c.pdf", "sha256": digest(data), "bytes": len(data), "path": None}
    one = reference_contents(1, count=1, proofs=[proof], attached={proof["sha256"]: data})
    packet, files = assemble(contents(references=(one,), findings=()))
    assert files["references/1/attached-1.pdf"] == data
    assert packet.references[0].proofs[0].path == "references/1/attached-1.pdf"
    assert parse_opening(files[f"references/1/{OPENING}"]).record == files["references/1/record.json"]


def test_an_edit_of_any_enclosed_file_is_noticed(built: bytes) -> None:
    """A seeded sample over the whole of a full packet; the small one is tried byte by byte."""
    chosen, by = random.Random(3), trust()
    for at in chosen.sample(range(len(built)), 60):
        data = bytearray(built)
        data[at] ^= 1 << chosen.randrange(8)
        assert refusal(bytes(data), by=by) is not None, at


def test_times_with_fractions_are_cut_so_that_the_zip_can_have_them() -> None:
    made = contents(created_at=MADE_AT + timedelta(seconds=1, microseconds=999_999), findings=())
    packet, _ = assemble(made)
    assert json.loads(packets.to_json({"at": packet.created_at}))["at"] == "2026-11-22T10:00:01Z"
    assert isinstance(made, PacketContents)
    assert verify_packet(build_packet(made, seal=SEAL), trust=trust(), level=Level.WITNESSED).holds


def _logged_finding(**changes: Any) -> PacketContents:
    """With a finding that the log has, later than the references, so that there are two checkpoints."""
    document = b'{"verdict":"copy"}'
    fields: dict[str, Any] = {"subject": "fnd_1", "query": digest(LISTING), "verdict": "copy", "document": document}
    fields |= changes
    record = event_record(
        Kind.FINDING,
        subject=fields["subject"],
        occurred_at="2026-04-01T00:00:00Z",
        digests={"document": digest(document), "query": fields["query"]},
        facts={"verdict": fields["verdict"]},
    )
    opened = Opening(salt=bytes(32), record=record.to_bytes())
    entries = [*leaves(2), leaf_of(opened, received_at="2026-04-01T00:00:01Z")]
    note = note_of(entries, ONE, TWO, seconds=1_780_000_000)
    proof = proof_of(entries, len(entries) - 1, note)
    logged = LogEvidence(opening=opened.to_bytes(), leaf=entries[-1], proof=proof)
    one = finding_contents(evidence=logged, document=fields["document"])
    return contents(findings=(one,), checkpoint=note)


def test_a_finding_in_the_log_has_its_record_and_its_document() -> None:
    data = build_packet(_logged_finding(), seal=SEAL)
    report = verify_packet(data, trust=trust(), level=Level.WITNESSED)
    assert report.holds, report.to_text()
    assert not any("Only the seal speaks" in one for one in report.not_proven)
    assert any("The record of finding fnd_1 existed no later than 2026-05-28" in one for one in report.proven)
    assert "findings/1/finding.json" in members_of(data)


@pytest.mark.parametrize(
    ("changes", "file"),
    [
        ({"subject": "fnd_2"}, "record.json"),
        ({"query": "00" * 32}, "record.json"),
        ({"verdict": "no_match"}, "record.json"),
        ({"document": b"{}"}, "finding.json"),
    ],
)
def test_a_finding_whose_record_says_something_else_is_refused(changes: dict[str, Any], file: str) -> None:
    found = refusal(build_packet(_logged_finding(**changes), seal=SEAL))
    assert found is not None
    assert (found[0], found[2]) == (4, f"findings/1/{file}")


def _captured() -> PacketContents:
    """With a finding and a capture that the log has."""
    packet = captured_packet()

    def logged(folder: str) -> LogEvidence:
        opening, leaf, proof = (packet.files[folder + name] for name in NAMES[1:])
        return LogEvidence(
            opening=opening, leaf=leaf, proof=proof, timestamps=(packet.files[f"{folder}timestamp-1.tsr"],)
        )

    sent = finding_contents(evidence=logged("findings/1/"), capture=logged("findings/1/capture/"))
    listing = sent.stated.listing.model_copy(
        update={"url": URL, "fetched_at": datetime.fromisoformat(FETCHED_AT), "sha256": digest(FETCHED)}
    )
    one = replace(sent, stated=sent.stated.model_copy(update={"listing": listing}), listing=FETCHED)
    return contents(
        references=(reference_contents(1, count=1),), findings=(one,), checkpoint=packet.files["log/checkpoint"]
    )


def test_a_listing_that_was_fetched_has_the_record_of_that() -> None:
    data = build_packet(_captured(), seal=SEAL)
    report = verify_packet(data, trust=trust(), level=Level.WITNESSED)
    assert report.holds, report.to_text()
    assert any("record of the capture of finding fnd_1 existed no later than" in one for one in report.proven)
    assert any("what the installation says" in one for one in report.not_proven)
    packet = Packet.model_validate_json(members_of(data)["packet.json"])
    assert {"findings/1/capture/record.json", "findings/1/capture/timestamp-1.tsr"} <= set(packet.findings[0].proofs)
    codes = [one.code for one in packet.missing]
    assert "captured_by_installation" in codes
    assert "not_captured" not in codes


def test_what_is_built_about_another_address_than_was_logged_is_refused() -> None:
    made = _captured()
    (one,) = made.findings
    listing = one.stated.listing.model_copy(update={"url": "https://other.example/"})
    other = replace(one, stated=one.stated.model_copy(update={"listing": listing}))
    found = refusal(build_packet(replace(made, findings=(other,)), seal=SEAL))
    assert found == (4, "other_capture", "findings/1/capture/record.json")
    assert refusal(build_packet(replace(made, findings=(replace(one, capture=None),)), seal=SEAL)) == (
        4,
        "not_captured",
        "packet.json",
    )
