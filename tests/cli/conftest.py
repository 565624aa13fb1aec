"""Commands run in this process, on copies of one small store."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imgguard.cli import app

SAMPLES = Path(__file__).parents[2] / "sample_images"
OWNER = "Sample Studio"
REGISTERED = ["denim-jacket.jpg", "mug.jpg", "pinstripe-cap.jpg", "scissors.jpg", "blue-dress.jpg"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def line(self) -> dict[str, Any]:
        (only,) = self.lines
        return only


Cli = Callable[..., Outcome]


@pytest.fixture(scope="session")
def samples() -> Path:
    return SAMPLES


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("IMGGUARD_") and name != "IMGGUARD_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home."""
    return tmp_path / "home"


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command on ``home``."""

    def run(*arguments: object, at: Path | None = None) -> Outcome:
        capsys.readouterr()
        code = app.run(["--home", str(at or home), *map(str, arguments)])
        captured = capsys.readouterr()
        return Outcome(code=code, out=captured.out, err=captured.err)

    return run


def run_process(*arguments: object, home: Path, stdin: bytes = b"", **environment: str) -> Outcome:
    """Run a command as its own process."""
    done = subprocess.run(
        [Path(sys.executable).with_name("imgguard"), "--home", home, *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )
    return Outcome(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())


@pytest.fixture(scope="session")
def process() -> Callable[..., Outcome]:
    """Run a command as its own process: ``process(*arguments, home=..., stdin=b"", **environment)``."""
    return run_process


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with five originals; do not change it."""
    home = tmp_path_factory.mktemp("store") / "home"
    paths = [str(SAMPLES / "originals" / name) for name in REGISTERED]
    done = run_process("register", *paths, "--owner", OWNER, "--json", home=home)
    assert done.code == 0, done.err
    return home


@pytest.fixture
def store(made_store: Path, home: Path) -> Path:
    """A copy of that store, at ``home``."""
    shutil.copytree(made_store, home)
    return home
