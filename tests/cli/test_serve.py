"""`imgguard serve`, as its own process."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Timer

import httpx
import pytest

from imgguard import asgi

SERVE = [Path(sys.executable).with_name("imgguard"), "serve"]


@contextmanager
def served(home: Path, *arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and where it listens, once it says so."""
    process = subprocess.Popen(
        [*SERVE, "--port", "0", "--home", home, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.fullmatch(r"imgguard: listening on (http://\S+)\n", line)
        assert found is not None, line + (process.stderr.read() if process.poll() is not None else "")
        yield process, found[1]
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def until_ready(client: httpx.Client) -> None:
    """Until the workers are ready, which other work on the machine can delay."""
    deadline = time.monotonic() + 60
    while (answer := client.get("/readyz")).status_code == 503:
        assert answer.json()["missing"] == ["workers"]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert answer.json() == {"status": "ok"}


def test_it_serves_until_it_is_told_to_stop(home: Path) -> None:
    with served(home) as (process, place):
        with httpx.Client(base_url=place) as client:
            until_ready(client)
            answer = client.get("/v1/session?note=private", headers={"X-Request-Id": "mine-1234"})
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
            assert "server" not in answer.headers
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        lines = process.stderr.read().splitlines()
        assert process.wait(20) == 0
    assert [line for line in lines if not re.search(r" (req_\w{26}|mine-1234) GET /", line)] == []
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z mine-1234 GET /v1/session 401 [\d.]+", lines[-1])


def test_a_body_that_never_ends_costs_the_connection_only(home: Path) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 65_536

    with served(home) as (_, place), httpx.Client(base_url=place, timeout=20) as client:
        try:
            answer = client.post("/v1/session", content=endless(), headers={"Content-Type": "application/json"})
            assert answer.status_code == 413
        except httpx.TransportError:  # the answer came, and the connection was closed, before we had stopped sending
            pass
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN])
def test_ctrl_c_ends_it(home: Path, inherited: signal.Handlers) -> None:
    """Also where a shell without job control started it in the background: there Ctrl-C is ignored at first."""
    before = signal.signal(signal.SIGINT, inherited)
    with ExitStack() as stack:
        try:
            process, _ = stack.enter_context(served(home))
        finally:
            signal.signal(signal.SIGINT, before)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_store_that_cannot_be_opened_is_told(home: Path, process) -> None:
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file")
    done = process("serve", "--port", "0", home=home)
    assert done.code == 3
    assert "store_unavailable" in done.err
    assert "listening" not in done.err


def test_a_port_that_is_taken_is_told(home: Path, process) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = process("serve", "--port", str(taken.getsockname()[1]), home=home)
    assert done.code == 2
    assert "cannot listen on 127.0.0.1" in done.err


def test_a_second_service_on_the_store_is_refused_and_commands_are_not(
    home: Path, cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi, "_HANDOVER_SECONDS", 0.2)
    with served(home) as (_, place):
        done = cli("serve", "--port", "0")
        assert done.code == 2
        assert "store_in_use" in done.err
        assert "Stop the other `imgguard serve`" in done.err
        assert "listening" not in done.err
        assert cli("list").code == 0
        worker = subprocess.Popen(
            [sys.executable, "-m", "imgguard.worker"], env={**os.environ, "IMGGUARD_HOME": str(home)}
        )
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(3)
        worker.terminate()
        assert worker.wait(30) == 0
        assert httpx.get(f"{place}/healthz").status_code == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_service_waits_for_the_one_before_it(home: Path, how: signal.Signals) -> None:
    with served(home) as (first, _):
        ending = Timer(3, first.send_signal, [how])
        ending.start()
        with served(home) as (_, place):
            assert not ending.is_alive()
            assert first.wait(30) is not None  # it lets go of the store before it is gone
            assert httpx.get(f"{place}/healthz").status_code == 200
        ending.join()


@pytest.mark.parametrize(
    "value",
    ["ftp://a.example", "https://", "https://a.example/path", "https://u@a.example", "a.example", "https://a:x"],
)
def test_a_public_url_that_makes_no_sense_is_told(value: str, home: Path, process) -> None:
    done = process("serve", "--port", "0", home=home, IMGGUARD_PUBLIC_URL=value)
    assert done.code == 2
    assert "IMGGUARD_PUBLIC_URL" in done.err
