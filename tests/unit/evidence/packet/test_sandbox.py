"""Whatever a packet does to the process that verifies it, there is a report or a typed error, in time."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO, cast

import psutil
import pytest
from hostile_packets import HOSTILE
from small_packet import small_packet, trust_text

from imgguard.errors import DependencyError, InputError, VerifierCrash
from imgguard.evidence.packet import verifier_wire as wire
from imgguard.evidence.packet.sandbox import SandboxedVerifier
from imgguard.evidence.packet.verifying.packets import verify_packet
from imgguard.evidence.packet.verifying.reading import LONGEST_TRUST
from imgguard.evidence.packet.verifying.steps import Level
from imgguard.provenance.trust import read_trust

HERE = Path(__file__).parent


@contextmanager
def in_memory(data: bytes) -> Iterator[IO[bytes]]:
    """As forms have it: a file that is not on the disk yet, and has not been flushed."""
    with SpooledTemporaryFile[bytes](max_size=10_000_000) as file:
        file.write(data)
        yield cast(IO[bytes], file)


def verified(data: bytes, *, trust: bytes | None = None, level: Level = Level.INTEGRITY) -> wire.PacketReport:
    with in_memory(data) as packet, nullcontext() if trust is None else in_memory(trust) as given:
        return SandboxedVerifier().verify(packet, trust=given, level=level)


@pytest.fixture
def obedient(monkeypatch: pytest.MonkeyPatch) -> SandboxedVerifier:
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
    return SandboxedVerifier(module="obedient_verifier", seconds=20, cpu_seconds=1)


def ask(verifier: SandboxedVerifier, word: str) -> wire.PacketReport:
    with in_memory(word.encode()) as packet:
        return verifier.verify(packet, trust=None, level=Level.INTEGRITY)


def test_the_report_is_that_of_the_command() -> None:
    data, text = small_packet().to_bytes(), trust_text()
    told = verified(data, trust=text.encode(), level=Level.WITNESSED)
    assert told.model_dump() == verify_packet(data, trust=read_trust(text), level=Level.WITNESSED).to_dict()
    assert (told.holds, told.level_reached, told.origin_verified) == (True, "witnessed", True)


def test_without_a_trust_file_the_origin_is_not_verified() -> None:
    told = verified(small_packet().to_bytes(), level=Level.LOGGED)
    assert (told.holds, told.level_reached, told.origin_verified) == (False, "integrity", False)


@pytest.mark.parametrize("data", [b"", b"no packet", b"PK\x05\x06" + bytes(18)], ids=["empty", "nonsense", "empty ZIP"])
def test_nonsense_is_reported_as_what_it_is(data: bytes) -> None:
    told = verified(data)
    assert (told.holds, told.level_reached, told.steps[0].result, told.proven) == (False, "none", "failed", [])


def test_tampered_packets_are_reported_at_the_same_step() -> None:
    for made in list(HOSTILE)[::12]:
        data = made()
        assert verified(data).model_dump() == verify_packet(data).to_dict()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"no = [ TOML", "TOML"),
        (b"\xff\xfe", "cannot read the trust file"),
        (b'[log]\npolicy = "nonsense"', "the trust file, log"),
        (b"#" * (LONGEST_TRUST + 1), "too long"),
        (b"a = " + b"[" * 100_000, "TOML"),
    ],
    ids=["no TOML", "no text", "no policy", "too long", "deep"],
)
def test_a_trust_file_that_is_none(text: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why) as raised:
        verified(small_packet().to_bytes(), trust=text)
    assert type(raised.value) is InputError


@pytest.mark.parametrize("word", ["kill", "spin", "grow 2000000000", "boast 4000001", "babble", "bug", "open"])
def test_a_process_that_dies_of_a_packet_is_told_and_gone(obedient: SandboxedVerifier, word: str) -> None:
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(VerifierCrash, match="died of it") as raised:
        ask(obedient, word)
    assert "secret" not in raised.value.detail
    assert set(psutil.Process().children(recursive=True)) <= before


def test_one_that_takes_too_long_is_ended(obedient: SandboxedVerifier) -> None:
    obedient._seconds = 1.5
    before = set(psutil.Process().children(recursive=True))
    began = time.monotonic()
    with pytest.raises(VerifierCrash, match=r"within 1\.5 s"):
        ask(obedient, "sleep")
    assert time.monotonic() - began < 15
    assert set(psutil.Process().children(recursive=True)) <= before


def test_one_that_does_not_start_is_no_packets_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
    with pytest.raises(DependencyError, match="does not start"):
        ask(SandboxedVerifier(module="silent_verifier"), "word")


def test_it_ends_with_the_service_however_that_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
    service = (
        "import sys\n"
        "from imgguard.evidence.packet.sandbox import SandboxedVerifier as Verifier\n"
        "from imgguard.evidence.packet.verifying.steps import Level\n"
        "Verifier(module='obedient_verifier').verify(open(sys.argv[1], 'rb'), trust=None, level=Level.INTEGRITY)\n"
    )
    packet = tmp_path / "packet"
    packet.write_bytes(b"sleep")
    with subprocess.Popen([sys.executable, "-c", service, packet]) as parent:
        children = wait_for(lambda: psutil.Process(parent.pid).children())
        time.sleep(0.5)  # it has said that it dies with its parent
        parent.kill()
    assert psutil.wait_procs(children, timeout=20)[1] == []


def wait_for[Found](look: Callable[[], Found]) -> Found:
    until = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.01)
    return found


def test_it_is_not_told_the_secrets_of_the_service(
    obedient: SandboxedVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMGGUARD_OIDC_CLIENT_SECRET", "secret")
    with pytest.raises(InputError, match="PYTHONPATH") as raised:
        ask(obedient, "environment")
    assert "IMGGUARD" not in raised.value.detail


def test_nothing_stays_open(tmp_path: Path) -> None:
    process, data = psutil.Process(), small_packet().to_bytes()
    with TemporaryFile(dir=tmp_path) as file:
        file.write(data)
        verifier, before = SandboxedVerifier(), process.num_fds()
        for _ in range(3):
            assert verifier.verify(file, trust=None, level=Level.INTEGRITY).holds
        assert process.num_fds() == before
        file.seek(0)
        assert file.read() == data


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"null", b"[]", b'{"report": null, "problem": null}', b'{"problem": "a", "more": 1}', b"\xff"]
)
def test_an_answer_of_another_form_is_none(data: bytes) -> None:
    with pytest.raises(wire.BadReply):
        wire.parse(data)


def test_an_answer_is_a_report_or_a_problem_and_not_both() -> None:
    told = wire.reply(verify_packet(b"")).decode()
    assert isinstance(wire.parse(told.encode()), wire.PacketReport)
    assert wire.parse(wire.reply("why")) == "why"
    with pytest.raises(wire.BadReply):
        wire.parse(told.replace('"problem":null', '"problem":"both"').encode())
