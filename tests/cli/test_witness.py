"""`imgguard witness`, as its own process over a real socket, and what it shows."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Network
from pathlib import Path

import httpx
import pytest
from growing_log import GrowingLog
from small_log import LOG, ONE, ORIGIN

from imgguard.cli import app
from imgguard.net.policy import FetchPolicy
from imgguard.net.witnessing import RemoteWitness
from imgguard.provenance.checkpoints import verify_cosignatures
from imgguard.provenance.notes import COSIGNATURE, VerifierKey, parse_note
from imgguard.services.cosigning import collect_cosignatures

from .conftest import Cli

COMMAND = [Path(sys.executable).with_name("imgguard"), "witness", "serve", "--port", "0"]
NAME = "witness.example.org"
GROWING = GrowingLog(20)
FORK = GrowingLog(20, others=4)


@contextmanager
def served(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, VerifierKey]]:
    """The process, where it listens and its key, once it says so."""
    process = subprocess.Popen(
        [*COMMAND, "--home", home, "--log", LOG.key.text, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        found = re.fullmatch(r"imgguard: listening on (http://\S+)\n", line := process.stderr.readline())
        assert found is not None, line + (process.stderr.read() if process.poll() is not None else "")
        yield process, found[1], VerifierKey.parse(process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def witness_at(place: str, vkey: VerifierKey) -> RemoteWitness:
    return RemoteWitness("w", place, vkey, FetchPolicy(seconds=20, allowed_networks=(IPv4Network("127.0.0.0/8"),)))


def test_a_log_is_witnessed_over_restarts_and_kills(tmp_path: Path, cli: Cli) -> None:
    keys = set()
    for size, stop in ((3, signal.SIGKILL), (9, signal.SIGTERM), (18, signal.SIGINT)):
        with served(tmp_path, "--name", NAME) as (process, place, vkey):
            assert (vkey.name, vkey.key_type) == (NAME, COSIGNATURE)
            keys.add(vkey)
            one = witness_at(place, vkey)
            outcome = collect_cosignatures(GROWING.note(size), [LOG.key], [one], GROWING.proof, seconds=30)
            assert outcome.failures == ()
            assert verify_cosignatures(parse_note(outcome.note), [vkey])
            process.send_signal(stop)
            assert process.wait(30) == {signal.SIGTERM: 0, signal.SIGINT: 130}.get(stop, -signal.SIGKILL)
    assert len(keys) == 1
    with served(tmp_path) as (process, place, _):
        assert httpx.post(f"{place}/add-checkpoint", content=FORK.submission(18, 20)).status_code == 422
        assert "18  " + ORIGIN in httpx.get(place).text
        assert "server" not in httpx.get(f"{place}/healthz").headers
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert re.search(rf"warning: {ORIGIN} was sent with a proof .*unproven-\w+\.json", process.stderr.read())
    shown = cli("witness", "show", "--home", str(tmp_path), "--json")
    assert shown.code == 0
    assert shown.line["name"] == NAME
    (log,) = shown.line["logs"]
    assert (log["origin"], log["size"], log["root"]) == (ORIGIN, 18, GROWING.root(18).hex())
    assert shown.line["evidence"] == {"fork": 0, "unproven": 1}
    people = cli("witness", "show", "--home", str(tmp_path))
    assert people.out.splitlines()[0] == shown.line["vkey"]
    assert f"{ORIGIN}: 18 leaves, cosigned 20" in people.out


def test_bodies_that_never_end_and_connections_that_say_nothing_hold_up_nobody(tmp_path: Path) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"A" * 65_536

    with served(tmp_path, "--name", NAME) as (_, place, vkey):
        host, port = place.removeprefix("http://").split(":")
        silent = [socket.create_connection((host, int(port))) for _ in range(50)]
        for one in silent[:25]:
            one.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nold")
        with suppress(httpx.TransportError):  # closed before we had stopped sending
            assert httpx.post(f"{place}/add-checkpoint", content=endless(), timeout=20).status_code == 413
        assert httpx.post(f"{place}/add-checkpoint", content=bytes(1_000_000)).status_code == 413
        assert witness_at(place, vkey).cosign(parse_note(GROWING.note(3)), old_size=0, proof=())
        silent[0].settimeout(30)
        started = time.monotonic()
        assert b" 408 " in silent[0].recv(1000)
        assert time.monotonic() - started < 25
        for one in silent:
            one.close()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--name", NAME, "--log", ONE.key.text], "not the key of a log"),
        (["--name", NAME, "--log", "nonsense"], "--log: this is not the text of a key"),
        (["--name", "two words", "--log", LOG.key.text], "cannot be the name"),
        (["--log", LOG.key.text], "needs a name"),
        (["--name", NAME], "log"),
    ],
)
def test_what_it_cannot_start_with(tmp_path: Path, cli: Cli, arguments: list[str], reason: str) -> None:
    outcome = cli("witness", "serve", "--port", "0", "--home", str(tmp_path / "w"), *arguments)
    assert outcome.code == 2
    assert reason in outcome.err


def test_it_takes_no_folder_that_was_not_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IMGGUARD_HOME", str(tmp_path))
    for arguments in (["serve", "--name", NAME, "--log", LOG.key.text, "--port", "0"], ["show"]):
        assert app.run(["witness", *arguments]) == 2
        assert "--home" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_there_is_nothing_to_show_before_the_first_start(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("witness", "show", "--home", str(tmp_path))
    assert (outcome.code, list(tmp_path.iterdir())) == (2, [])
