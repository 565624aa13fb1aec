"""`imgguard packet verify`: needs no store, and its exit code is about the level that was asked for."""

import json
from pathlib import Path

import pytest
from small_packet import small_packet, trust_text

from imgguard.cli.app import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMGGUARD_HOME", str(tmp_path / "no-store"))
    data = small_packet().to_bytes()
    (tmp_path / "packet.asice").write_bytes(data)
    (tmp_path / "altered.asice").write_bytes(data.replace(b"original 1", b"original 2"))
    (tmp_path / "trust.toml").write_text(trust_text())
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["packet.asice"], 0),
        (["packet.asice", "--level", "logged"], 4),
        (["packet.asice", "--level", "witnessed", "--trust", "trust.toml"], 0),
        (["altered.asice"], 4),
        (["altered.asice", "--trust", "trust.toml", "--json"], 4),
        (["trust.toml"], 4),
        (["missing.asice"], 2),
        (["."], 2),
        (["packet.asice", "--trust", "packet.asice"], 2),
        (["packet.asice", "--level", "none"], 2),
        (["packet.asice", "--level", "everything"], 2),
    ],
)
def test_the_exit_code_says_whether_the_level_holds(folder: Path, arguments: list[str], code: int) -> None:
    assert run(["packet", "verify", *arguments]) == code
    assert not (folder / "no-store").exists()


def test_without_a_trust_file_the_origin_is_not_verified(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["packet", "verify", "packet.asice"])
    assert "ORIGIN NOT VERIFIED" in capsys.readouterr().out
    run(["packet", "verify", "packet.asice", "--trust", "trust.toml"])
    assert "ORIGIN NOT VERIFIED" not in capsys.readouterr().out


def test_json_names_the_file_and_the_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["packet", "verify", "altered.asice", "--json"])
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    (failed,) = [step for step in found["steps"] if step["result"] == "failed"]
    assert (failed["number"], failed["reason"], failed["file"]) == (1, "damaged", "references/1/original.jpg")
    assert (found["holds"], found["level_reached"], found["proven"]) == (False, "none", [])
