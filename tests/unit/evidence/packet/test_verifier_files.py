"""The verifier that goes with a packet runs alone: in a Python that has the four packages, and nothing of imgguard."""

import ast
import json
import re
import subprocess
import sys
import tomllib
import venv
from importlib import metadata
from pathlib import Path

import pytest
from hostile_packets import back_dated_token, members_of
from packet_contents import contents
from small_packet import SEAL, trust_text

from imgguard.evidence.packet.building import build_packet
from imgguard.evidence.packet.verifier_files import ENTRY, REQUIREMENTS, modules, verifier_files
from imgguard.evidence.packet.verifying import verify
from imgguard.evidence.packet.verifying.verify import main

ROOT = Path(__file__).parents[4]
PACKAGES = ("asn1crypto", "cryptography", "rfc3161_client", "rfc8785", "cffi", "_cffi_backend", "pycparser")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own, into whose packages only those four are linked, with what they need."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python3.12/site-packages")
    source = Path(str(metadata.distribution("cryptography").locate_file("")))
    for found in source.iterdir():
        if found.name.split(".")[0].split("-")[0] in PACKAGES:
            (packages / found.name).symlink_to(found)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packet")
    data = build_packet(contents(), seal=SEAL)
    (folder / "packet.asice").write_bytes(data)
    for name, part in members_of(data).items():
        target = folder / "unpacked" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(part)
    (folder / "trust.toml").write_text(trust_text())
    (folder / "hostile.asice").write_bytes(back_dated_token())
    (folder / "socket.py").write_text("import socket\nsocket.socket()\n")
    return folder


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-I", str(folder / "unpacked/verifier/verify.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env={}, timeout=60, check=False)


def test_the_enclosed_verifier_runs_without_imgguard(alone: Path, unpacked: Path) -> None:
    absent = subprocess.run([str(alone), "-I", "-c", "import imgguard"], capture_output=True, check=False, env={})
    assert absent.returncode != 0, "imgguard can be imported here, so that this test would show nothing"
    done = run(alone, unpacked, "packet.asice", "--level", "witnessed", "--trust", "trust.toml", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["level_reached"] == "witnessed"


def test_the_enclosed_verifier_says_that_the_origin_is_not_verified(alone: Path, unpacked: Path) -> None:
    done = run(alone, unpacked, "packet.asice")
    assert done.returncode == 0, done.stderr
    assert "ORIGIN NOT VERIFIED" in done.stdout


_WITHOUT_NETWORK = """
import runpy, sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise SystemExit(f"{event} was asked for")
sys.addaudithook(refuse)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_enclosed_verifier_opens_no_socket(alone: Path, unpacked: Path) -> None:
    verifier = str(unpacked / "unpacked/verifier/verify.py")
    done = [
        subprocess.run(
            [str(alone), "-I", "-c", _WITHOUT_NETWORK, *arguments],
            capture_output=True, text=True, cwd=unpacked, env={}, timeout=60, check=False,
        )
        for arguments in ([verifier, "packet.asice", "--level", "witnessed", "--trust", "trust.toml"], ["socket.py"])
    ]  # fmt: skip
    assert (done[0].returncode, done[0].stderr) == (0, "")
    assert "socket.__new__ was asked for" in done[1].stderr  # the hook hears of sockets


def test_what_is_missing_is_named(unpacked: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "empty", with_pip=False)
    done = run(tmp_path / "empty/bin/python", unpacked, "packet.asice")
    assert done.returncode == 2
    assert "is missing: python -m pip install -r requirements.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_older_python_is_told_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ast.parse(Path(verify.__file__).read_bytes(), feature_version=(3, 7))
    monkeypatch.setattr(verify, "PYTHON", (9, 0))
    assert main(["packet.asice"]) == 2
    assert "needs Python 3.12 or newer, and this is 3." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["packet.asice", "--level", "logged"], 4),
        (["hostile.asice", "--trust", "trust.toml"], 4),
        (["trust.toml"], 4),
        (["missing.asice"], 2),
        (["."], 2),
        (["packet.asice", "--trust", "packet.asice"], 2),
        (["packet.asice", "--level", "none"], 2),
    ],
)
def test_exit_codes(
    arguments: list[str], code: int, unpacked: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(unpacked)
    try:
        found: object = main(arguments)
    except SystemExit as error:  # of argparse
        found = error.code
    assert found == code
    assert "Traceback" not in capsys.readouterr().err


def test_an_empty_file_is_no_packet(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert main([str(tmp_path / "empty")]) == 4


def test_the_copies_are_the_very_modules() -> None:
    for name, data in verifier_files().items():
        inner = name.removeprefix("verifier/")
        if inner.startswith("imgguard/"):
            assert data == (ROOT / inner).read_bytes()
    assert modules() >= {ENTRY, "imgguard", "imgguard.errors", "imgguard.provenance.timestamps"}


def test_the_verifier_imports_nothing_but_the_standard_library_and_four_packages() -> None:
    allowed = {"imgguard", "asn1crypto", "cryptography", "rfc3161_client", "rfc8785"} | set(sys.stdlib_module_names)
    for name, data in verifier_files().items():
        if name.endswith(".py"):
            found = re.findall(r"^\s*(?:from|import) ([a-z0-9_]+)", data.decode(), flags=re.MULTILINE)
            prose = {"one", "a", "the", "what", "whoever", "it", "that", "its"}
            assert set(found) - prose <= allowed, name


def test_requirements_are_those_of_imgguard() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(REQUIREMENTS.splitlines()) <= set(project["dependencies"])
