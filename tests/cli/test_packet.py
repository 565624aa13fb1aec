"""`imgguard packet verify` needs no store, and its exit code is about the level that was asked for; `build` makes what
it verifies."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_packet import small_packet, trust_text

from imgguard.cli.app import run

Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMGGUARD_HOME", str(tmp_path / "no-store"))
    data = small_packet().to_bytes()
    (tmp_path / "packet.asice").write_bytes(data)
    (tmp_path / "altered.asice").write_bytes(data.replace(b"original 1", b"original 2"))
    (tmp_path / "trust.toml").write_text(trust_text())
    (tmp_path / "policy.toml").write_text('[log]\npolicy = "nonsense"\n')
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
        (["packet.asice", "--trust", "policy.toml"], 2),
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


class TestBuilding:
    def test_what_is_built_holds_and_is_logged_by_the_trust_file_that_is_printed(
        self, store: Path, cli: Run, tmp_path: Path
    ) -> None:
        wanted = cli("list", "--json").lines[0]["reference_id"]
        packet, trust = tmp_path / "made" / "one.asice", tmp_path / "trust.toml"
        built = cli("packet", "build", wanted, "--output", packet, "--json")
        assert built.code == 0, built.err
        assert (built.line["references"], built.line["findings"]) == ([wanted], [])
        assert built.line["on_behalf_of"] == "Sample Studio"
        assert "no_independent_time" in [one["code"] for one in built.line["missing"]]
        assert cli("packet", "verify", packet).code == 0
        assert cli("packet", "verify", packet, "--level", "logged").code == 4
        trust.write_text(cli("packet", "trust").out)
        assert cli("packet", "verify", packet, "--level", "logged", "--trust", trust).code == 0
        assert cli("packet", "verify", packet, "--level", "timestamped", "--trust", trust).code == 4
        assert cli("log", "show", "--json").line["unpublished"] == 0

    def test_people_are_told_what_is_in_it_and_what_it_lacks(self, store: Path, cli: Run, tmp_path: Path) -> None:
        wanted = cli("list", "--json").lines[0]
        told = cli("packet", "build", wanted["reference_id"], "--output", tmp_path / "one.asice", "--without-originals")
        assert told.code == 0, told.err
        assert f"Reference {wanted['reference_id']}" in told.out
        assert "[self_issued]" in told.out
        assert (
            f"Missing   The registered file itself is not enclosed, only its digest: {wanted['reference_id']}"
            in told.out
        )

    def test_times_of_the_own_authority_are_asked_for_and_labelled(
        self, store: Path, cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMGGUARD_TIMESTAMP_AUTHORITIES", "embedded")
        wanted = cli("list", "--json").lines[0]["reference_id"]
        told = cli("packet", "build", wanted, "--output", tmp_path / "one.asice")
        assert "embedded authority (SELF-ISSUED, NOT INDEPENDENT) [self_issued]" in told.out

    def test_a_file_that_is_there_is_replaced_only_when_told(self, store: Path, cli: Run, tmp_path: Path) -> None:
        wanted = cli("list", "--json").lines[0]["reference_id"]
        kept = tmp_path / "mine.jpg"
        kept.write_bytes(b"mine")
        refused = cli("packet", "build", wanted, "--output", kept)
        assert (refused.code, kept.read_bytes()) == (2, b"mine")
        assert "--force" in refused.err
        assert cli("packet", "build", wanted, "--output", kept, "--force").code == 0
        assert kept.read_bytes().startswith(b"PK")
        assert list(tmp_path.glob("*.part")) == []

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["ref_nobody"], 4),
            (["fnd_nobody"], 4),
            (["mug.jpg"], 4),
            (["ref_nobody", "--purpose", "attack"], 2),
            (["ref_nobody", "--purpose", "defence"], 2),
            (["ref_nobody", "--for", "A\u202eB"], 4),
        ],
    )
    def test_what_cannot_be_built_leaves_no_file(
        self, store: Path, cli: Run, tmp_path: Path, arguments: list[str], code: int
    ) -> None:
        packet = tmp_path / "one.asice"
        assert cli("packet", "build", *arguments, "--output", packet).code == code
        assert not packet.exists()

    def test_there_is_no_trust_file_before_there_is_a_log(self, cli: Run) -> None:
        assert cli("packet", "trust").code == 4
