"""`packet.json`: read strictly, written the same way each time, consistent in itself."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import packets
import pytest
from pydantic import ValidationError

from imgguard.evidence.packet.model import Packet, packet_json


def changed(path: str, value: object) -> bytes:
    """A good packet's JSON with one place changed; ``path`` has dots."""
    content = json.loads(packet_json(packets.packet()[0]))
    place: Any = content
    *way, last = path.split(".")
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value
    return json.dumps(content).encode()


def test_what_was_written_reads_back_as_the_same_packet_and_writes_as_the_same_bytes() -> None:
    packet, _ = packets.packet(references=2, findings=2)
    written = packet_json(packet)
    assert Packet.model_validate_json(written) == packet
    assert packet_json(Packet.model_validate_json(written)) == written


def test_times_are_written_with_z() -> None:
    assert json.loads(packet_json(packets.packet()[0]))["created_at"] == "2026-11-22T10:00:00Z"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", 2),
        ("surplus", 1),
        ("created_at", "2026-11-22T10:00:00"),
        ("created_at", "2026-11-22T18:00:00+08:00"),
        ("created_at", 1_700_000_000),
        ("references.0.file.sha256", "AB" * 32),
        ("references.0.file.bytes", -1),
        ("references.0.file.bytes", 2**53),
        ("references.0.file.bytes", "12"),
        ("references.0.existed_no_later_than.0.trust", "certain"),
        ("references.0.pixels.width", 0),
        ("findings.0.figures.agreement", "0.9"),
        ("findings.0.verdict", "stolen"),
        ("not_proven", []),
    ],
)
def test_what_the_format_does_not_allow_is_refused(path: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Packet.model_validate_json(changed(path, value))


@pytest.mark.parametrize(
    "path",
    ["../secret", "/etc/passwd", "a/../b", "a//b", "a\\b", ".hidden", "a/.b", "", "a/", "C:/x", "名.png", "a\n", "-rf"],
)
def test_a_path_that_could_lead_out_of_the_packet_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="not a relative path"):
        Packet.model_validate_json(changed("files.0.path", path))


def test_a_path_that_is_named_but_not_enclosed_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"references/1/other\.json is named but is not among the files"):
        Packet.model_validate_json(changed("references.0.leaf", "references/1/other.json"))


def test_a_finding_of_a_reference_that_is_not_in_the_packet_is_refused() -> None:
    with pytest.raises(ValidationError, match="fnd_1 names ref_9, which is not in the packet"):
        Packet.model_validate_json(changed("findings.0.reference_id", "ref_9"))


def test_the_same_reference_twice_is_refused() -> None:
    twice = json.loads(packet_json(packets.packet(references=2)[0]))
    twice["references"][1]["reference_id"] = "ref_1"
    with pytest.raises(ValidationError, match="reference ref_1 is named twice"):
        Packet.model_validate_json(json.dumps(twice))


def test_a_time_of_another_offset_is_refused_in_python_too() -> None:
    fields = packets.packet()[0].model_dump()
    fields["created_at"] = datetime(2026, 11, 22, 18, tzinfo=timezone(timedelta(hours=8)))
    with pytest.raises(ValidationError, match="not in UTC"):
        Packet.model_validate(fields)


def test_only_the_word_of_others_counts() -> None:
    bounds = [packets.bound(trust=trust) for trust in ("qualified", "independent", "self_issued", "unknown")]
    packet, _ = packets.packet_of([packets.reference(existed_no_later_than=bounds)], [])
    assert [bound.trust.counts for bound in packet.references[0].existed_no_later_than] == [True, True, False, False]
