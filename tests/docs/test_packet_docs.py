"""docs/evidence-packet.md names every reason that the verifier can give, every level and every kind of file."""

import re
from pathlib import Path

import pytest
from hostile_anchors import ANCHORS, anchored_packet
from hostile_packets import HOSTILE, members_of
from small_packet import small_packet

from imgguard.evidence.packet.verifying import steps

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "evidence-packet.md").read_text(encoding="utf-8")
SOURCES = sorted((ROOT / "imgguard/evidence/packet/verifying").glob("*.py"))


def reasons() -> set[str]:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    named = re.findall(r'reason="(\w+)"|_fail\("(\w+)"|Result\.\w+, "(\w+)"|_lacking\([^)]*, "(\w+)"\)', code)
    return {reason for group in named for reason in group if reason}


@pytest.mark.parametrize("reason", sorted(reasons() | {reason for _, reason, _ in (HOSTILE | ANCHORS).values()}))
def test_every_reason_is_documented(reason: str) -> None:
    assert f"`{reason}`" in TEXT


def test_the_reasons_were_found() -> None:
    assert {"directory_place", "not_covered", "seal_unknown", "no_independent_timestamp"} <= reasons()


@pytest.mark.parametrize("level", [level for level in steps.Level if level is not steps.Level.NONE])
def test_every_level_is_documented(level: steps.Level) -> None:
    assert f"| `{level.value}` |" in TEXT


def test_every_kind_of_file_is_documented() -> None:
    for name in {**members_of(small_packet().to_bytes()), **members_of(anchored_packet().to_bytes())}:
        last = name.rpartition("/")[2]
        assert last in TEXT or last.split(".")[0].rstrip("1-") in TEXT, name
