"""Verifying a packet that somebody has brought along, over the API."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from small_packet import small_packet, trust_text

from imgguard import client as public
from imgguard.api import work
from imgguard.bootstrap import Services
from imgguard.evidence.packet.model import Purpose
from imgguard.evidence.packet.sandbox import SandboxedVerifier

from .client import Client, assert_problem
from .conftest import World, signed_in
from .test_client import BASE, Wire

PACKET = small_packet().to_bytes()
OBEDIENT = Path(__file__).parents[1] / "unit" / "evidence" / "packet"

type WithKey = Callable[[str], Client]


def verified(asking: Client, packet: bytes = PACKET, *, trust: bytes | None = None, **fields: str) -> httpx.Response:
    files: dict[str, Any] = {"packet": ("../../complaint.asice", packet)}
    if trust is not None:
        files["trust"] = ("trust.toml", trust)
    return asking.post("/v1/packets/verify", files=files, data=fields)


def test_the_answer_is_what_the_command_prints(with_key: WithKey, tmp_path: Path) -> None:
    packet, trust = tmp_path / "a.asice", tmp_path / "trust.toml"
    packet.write_bytes(PACKET)
    trust.write_text(trust_text())
    command = [sys.executable, "-m", "imgguard.evidence.packet.verifying.verify", packet, "--trust", trust, "--json"]
    printed = subprocess.run([*command, "--level", "witnessed"], capture_output=True, check=True)
    answer = verified(with_key("shop.seller"), trust=trust.read_bytes(), level="witnessed")
    assert answer.status_code == 200, answer.text
    assert answer.json() == json.loads(printed.stdout)
    assert answer.json()["holds"] is True
    assert answer.headers["cache-control"] == "no-store"


def test_without_a_trust_file_the_origin_is_not_verified(with_key: WithKey, services: Services, world: World) -> None:
    found = verified(with_key("shop.seller"), level="logged").json()
    assert (found["holds"], found["level_reached"], found["origin_verified"]) == (False, "integrity", False)
    # The installation's own keys are no reason to believe its own packet.
    vars(services).pop("packets")  # the light ones
    own = services.packets.build([world.reference_id], purpose=Purpose.RECORD, on_behalf_of=None, with_originals=True)
    found = verified(with_key("studio.seller"), own, level="logged").json()
    assert (found["holds"], found["level_reached"], found["origin_verified"]) == (False, "integrity", False)
    by = services.packets.trust_file().encode()
    found = verified(with_key("studio.seller"), own, trust=by, level="logged").json()
    assert (found["holds"], found["level_reached"], found["origin_verified"]) == (True, "logged", True)


def test_integrity_is_what_is_asked_for_by_default(with_key: WithKey) -> None:
    found = verified(with_key("shop.seller")).json()
    assert (found["level_asked"], found["holds"]) == ("integrity", True)


@pytest.mark.parametrize("at", [100, len(PACKET) // 2, len(PACKET) - 60], ids=["early", "middle", "late"])
def test_a_packet_that_was_changed_is_an_answer(with_key: WithKey, at: int) -> None:
    changed = PACKET[:at] + bytes([PACKET[at] ^ 1]) + PACKET[at + 1 :]
    answer = verified(with_key("shop.seller"), changed)
    assert answer.status_code == 200
    found = answer.json()
    assert (found["holds"], found["level_reached"], found["proven"]) == (False, "none", [])
    assert [step["result"] for step in found["steps"]].count("failed") == 1


@pytest.mark.parametrize("packet", [b"", b"nonsense", PACKET[:-1], PACKET + b" "], ids=["empty", "none", "cut", "more"])
def test_what_is_no_packet_is_an_answer(with_key: WithKey, packet: bytes) -> None:
    found = verified(with_key("shop.seller"), packet).json()
    assert (found["holds"], found["steps"][0]["result"]) == (False, "failed")


def test_fields_that_are_wrong(with_key: WithKey) -> None:
    seller = with_key("shop.seller")
    assert_problem(verified(seller, level="certain"), 422, "invalid_request")
    assert_problem(verified(seller, level="none"), 422, "invalid_request")
    assert_problem(seller.post("/v1/packets/verify", files={"other": ("a", b"a")}), 422, "invalid_request")
    assert_problem(seller.post("/v1/packets/verify", json={"packet": "a"}), 415, "unsupported_media_type")
    assert_problem(verified(seller, trust=b"nonsense"), 422, "invalid_input")
    assert_problem(verified(seller, trust=b"#" * 1_048_577), 413, "body_too_large")


def test_a_packet_may_be_larger_than_a_picture_and_not_larger_than_its_limit(start: Callable[..., Client]) -> None:
    other = signed_in(start(max_request_bytes=10_000, max_packet_bytes=100_000), "shop.seller")
    assert verified(other).status_code == 200
    assert verified(other, bytes(100_000)).json()["steps"][0]["reason"] == "not_a_packet"
    problem = assert_problem(verified(other, bytes(100_001)), 413, "body_too_large")
    assert "IMGGUARD_MAX_PACKET_BYTES" in problem["hint"]
    assert_problem(verified(other, bytes(1_400_000)), 413, "body_too_large")  # before it is read


def test_a_process_that_dies_is_told_and_the_next_one_serves(
    with_key: WithKey, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(OBEDIENT), prepend=os.pathsep)
    services.packet_verification._verifier = SandboxedVerifier(module="obedient_verifier", seconds=2)
    seller = with_key("shop.seller")
    assert_problem(verified(seller, b"kill"), 422, "verifier_crash")
    assert "2 s" in assert_problem(verified(seller, b"sleep"), 422, "verifier_crash")["detail"]
    assert verified(seller, b"nothing").status_code == 200


def test_nothing_is_left_in_the_folder_of_temporary_files(
    with_key: WithKey, monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    with TemporaryDirectory() as folder:
        monkeypatch.setattr("tempfile.tempdir", folder)
        monkeypatch.setenv("PYTHONPATH", str(OBEDIENT), prepend=os.pathsep)
        services.packet_verification._verifier = SandboxedVerifier(module="obedient_verifier")
        seller = with_key("shop.seller")
        assert verified(seller, b"fine" + bytes(3_000_000)).status_code == 200
        assert_problem(verified(seller, b"kill " + bytes(3_000_000)), 422, "verifier_crash")
        assert list(Path(folder).iterdir()) == []


def test_one_of_an_organisation_at_a_time(
    with_key: WithKey, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(OBEDIENT), prepend=os.pathsep)
    services.packet_verification._verifier = SandboxedVerifier(module="obedient_verifier", seconds=3)
    monkeypatch.setattr(work, "DRAW_PATIENCE", 0.2)
    seller = with_key("shop.seller")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(verified, seller, b"sleep")
        time.sleep(1)
        assert_problem(verified(with_key("shop.reviewer")), 503, "overloaded")
        assert verified(with_key("studio.seller"), b"nothing").status_code == 200
        assert_problem(first.result(), 422, "verifier_crash")


def test_by_the_typed_client(with_key: WithKey, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "complaint.asice"
    file.write_bytes(PACKET)
    secret = with_key("shop.seller").headers["Authorization"].removeprefix("Bearer ")
    with public.Client(BASE, secret, transport=Wire(client.another())) as asking:
        found = asking.verify_packet(file, trust=trust_text().encode(), level="timestamped")
        assert (found.holds, found.level_reached, found.steps[9].result) == (True, "witnessed", "passed")
        assert not asking.verify_packet(b"nonsense").holds
