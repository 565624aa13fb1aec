"""The real service as a child of the benchmark: `imgguard serve` on a home of its own, with an account."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from imgguard.errors import DependencyError

EMAIL, PASSWORD = "bench@example.org", "correct horse battery staple"
ORGANISATION = "Benchmark"
_COMMAND = (sys.executable, "-c", "import sys; from imgguard.cli.app import main; sys.exit(main())")
_START_SECONDS, _STOP_SECONDS = 120.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A service that listens at ``place``; ``ready_seconds`` from the start of the command until /readyz said so."""

    place: str
    pid: int
    ready_seconds: float


def make_account(home: Path) -> str:
    """The key of a member who may do everything a key may, of the organisation that operates ``home``."""
    roles = [word for role in ("admin", "rights_holder", "seller", "reviewer") for word in ("--role", role)]
    person = ("--email", EMAIL, "--home", str(home), "--json")
    _run("admin", "create", "--organisation", ORGANISATION, *person, *roles, "--password-stdin", given=PASSWORD + "\n")
    return str(json.loads(_run("admin", "key", "create", *person))["key"])


def _run(*arguments: str, given: str = "") -> str:
    """Raises DependencyError."""
    done = subprocess.run(  # noqa: S603
        [*_COMMAND, *arguments], input=given, capture_output=True, text=True, env=_environment({}), check=False
    )
    if done.returncode:
        raise DependencyError(f"imgguard {arguments[0]} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _environment(settings: Mapping[str, object]) -> dict[str, str]:
    """That of this process, with these settings and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IMGGUARD_")}
    return kept | {f"IMGGUARD_{name.upper()}": str(value) for name, value in settings.items()}


@contextmanager
def serving(home: Path, *, log: Path, **settings: object) -> Iterator[Serving]:
    """Ready to be asked; ended when the context is left, however it is left. What it logs is appended to ``log``.

    Raises DependencyError when it does not become ready.
    """
    with log.open("a", encoding="utf-8") as stream:
        before = stream.tell()
        began = time.perf_counter()
        child = subprocess.Popen(  # noqa: S603
            [*_COMMAND, "serve", "--port", "0", "--home", str(home)], stderr=stream, env=_environment(settings)
        )
        try:
            place = _place(child, log, before)
            _until_ready(child, place)
            yield Serving(place=place, pid=child.pid, ready_seconds=time.perf_counter() - began)
        finally:
            _end(child)


def _place(child: "subprocess.Popen[bytes]", log: Path, before: int) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        found = re.search(rb"listening on (http://\S+)", log.read_bytes()[before:])
        if found is not None:
            return found[1].decode()
        time.sleep(0.02)
    raise DependencyError(f"the service did not begin to listen; see {log}")


def _until_ready(child: "subprocess.Popen[bytes]", place: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with httpx.Client(base_url=place, timeout=5.0) as client:
        while child.poll() is None and time.monotonic() < deadline:
            if client.get("/readyz").status_code == 200:
                return
            time.sleep(0.02)
    raise DependencyError(f"the service at {place} did not become ready")


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()  # its workers notice, and end
        child.wait()
