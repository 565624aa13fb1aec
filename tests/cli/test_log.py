"""`imgguard log`: what a shell sees of it."""

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from ots_files import CALENDAR, HEIGHT, FakeCalendar

from imgguard.provenance.keys import new_key, to_pem
from imgguard.provenance.leaves import open_leaf, parse_opening
from imgguard.provenance.opentimestamps import parse_file
from imgguard.provenance.policy import parse_policy
from imgguard.provenance.proofs import parse_proof, verify_proof
from imgguard.provenance.timestamp_renewal import verify_chain
from imgguard.provenance.trust import Trust

Run = Callable[..., Any]


def references(cli: Run) -> dict[str, str]:
    return {Path(line["file"]).name: line["reference_id"] for line in cli("list", "--json").lines}


def shown(cli: Run) -> dict[str, Any]:
    line: dict[str, Any] = cli("log", "show", "--json").line
    return line


def test_what_was_registered_is_proven_to_strangers(store: Path, cli: Run, samples: Path, tmp_path: Path) -> None:
    reference_id = references(cli)["mug.jpg"]
    leaf, opening = tmp_path / "leaf.json", tmp_path / "opening.json"
    done = cli("log", "proof", reference_id, "--leaf", str(leaf), "--opening", str(opening))
    assert done.code == 0
    policy = parse_policy(f"log {shown(cli)['vkey']}\nquorum none\n".encode())
    assert verify_proof(parse_proof(done.out.encode()), leaf.read_bytes(), policy).checkpoint.size == 5
    record = open_leaf(leaf.read_bytes(), parse_opening(opening.read_bytes()))
    digest = hashlib.sha256((samples / "originals" / "mug.jpg").read_bytes()).hexdigest()
    assert (record.body["reference_id"], record.body["file"]["sha256"]) == (reference_id, digest)


def test_commands_that_change_something_publish_it(store: Path, cli: Run) -> None:
    ids = references(cli)
    assert (shown(cli)["checkpoint"]["size"], shown(cli)["leaves"]) == (5, {"registration": 5})
    assert cli("remove", ids["mug.jpg"]).code == 0
    assert cli("remove", "--erase", "--yes", ids["scissors.jpg"]).code == 0
    assert shown(cli)["leaves"] == {"registration": 5, "withdrawal": 2}
    assert (shown(cli)["unpublished"], shown(cli)["checkpoint"]["size"]) == (0, 7)
    assert cli("log", "proof", ids["mug.jpg"], "--kind", "withdrawal").code == 0
    assert cli("log", "proof", ids["scissors.jpg"]).code == 0
    gone = cli("log", "proof", ids["scissors.jpg"], "--opening", str(store / "opening"))
    assert (gone.code, "erased" in gone.err) == (4, True)
    examined = cli("log", "fsck", "--json").line
    assert (examined["leaves"], examined["erased"], examined["problems"]) == (7, 1, [])


def test_an_unknown_object_or_kind(store: Path, cli: Run) -> None:
    assert cli("log", "proof", "ref_nobody").code == 4
    assert cli("log", "proof", references(cli)["mug.jpg"], "--kind", "packet").code == 4
    assert cli("log", "proof", references(cli)["mug.jpg"], "--kind", "nonsense").code == 2


def test_fsck_tells_every_problem(store: Path, cli: Run) -> None:
    assert cli("log", "fsck").code == 0
    (tile,) = (store / "log").glob("tile/0/000.p/*")
    tile.write_bytes(bytes(32))
    (store / "log" / "checkpoint").unlink()
    done = cli("log", "fsck")
    assert done.code == 4
    assert [line.split()[0] for line in done.out.splitlines()] == ["PROBLEM", "PROBLEM"]


def test_a_log_that_contradicts_the_database_stops_publishing(store: Path, cli: Run) -> None:
    checkpoint = store / "log" / "checkpoint"
    checkpoint.write_text(checkpoint.read_text().replace("\n5\n", "\n9\n"))
    done = cli("log", "publish")
    assert (done.code, "log_inconsistent" in done.err) == (4, True)


def test_the_exported_folder_is_the_whole_log(store: Path, cli: Run, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    for _ in range(2):
        assert cli("log", "export", str(folder)).code == 0
        names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        assert names == {"checkpoint", "tile/0/000.p/5", "tile/entries/000.p/5"}
    for name in names:
        assert (folder / name).read_bytes() == (store / "log" / name).read_bytes()


def test_the_key_can_be_kept_in_a_file(store: Path, cli: Run, tmp_path: Path, monkeypatch: Any) -> None:
    before = shown(cli)["vkey"]
    path = tmp_path / "key.pem"
    path.write_bytes(to_pem(new_key()))
    assert cli("log", "rotate-key", "--to", str(path)).code == 0
    assert shown(cli)["earlier_vkeys"] == [before]
    assert cli("remove", references(cli)["mug.jpg"]).code == 0  # it is removed, and told that it was not published
    assert shown(cli)["unpublished"] == 1
    assert cli("log", "publish").code == 2
    monkeypatch.setenv("IMGGUARD_LOG_KEY", str(path))
    assert json.loads(cli("log", "publish", "--json").out)["size"] == 7
    monkeypatch.setenv("IMGGUARD_LOG_KEY", str(tmp_path / "missing.pem"))
    assert cli("log", "publish").code == 2


def test_a_lost_folder_is_made_again(store: Path, cli: Run) -> None:
    before = (store / "log" / "checkpoint").read_bytes()
    shutil.rmtree(store / "log")
    assert cli("log", "publish").code == 0
    assert (store / "log" / "checkpoint").read_bytes() == before
    assert cli("log", "fsck").code == 0


class TestTimestamps:
    def test_publishing_by_hand_stamps_and_says_who_did(
        self, store: Path, cli: Run, monkeypatch: Any, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("IMGGUARD_TIMESTAMP_AUTHORITIES", "embedded")
        done = cli("log", "publish")
        assert (done.code, "SELF-ISSUED, NOT INDEPENDENT" in done.out) == (0, True)
        assert "SELF-ISSUED, NOT INDEPENDENT" in cli("log", "show").out
        (token,) = shown(cli)["timestamps"]
        assert (token["size"], token["state"], token["self_issued"]) == (5, "stamped", True)
        assert shown(cli)["timestamps_waiting"] == 0
        folder = tmp_path / "tokens"
        proof = cli("log", "proof", references(cli)["mug.jpg"], "--tokens", str(folder)).out
        assert sorted(path.name for path in folder.iterdir()) == ["checkpoint.1.1.self-issued.tst", "checkpoint.txt"]
        body = (folder / "checkpoint.txt").read_bytes()
        assert body in proof.encode()
        tokens = [(folder / "checkpoint.1.1.self-issued.tst").read_bytes()]
        assert len(verify_chain(body, tokens, trust=Trust()).timestamps) == 1

    def test_one_that_is_down_is_a_warning_and_what_waits_is_shown(
        self, store: Path, cli: Run, monkeypatch: Any
    ) -> None:
        monkeypatch.setenv("IMGGUARD_TIMESTAMP_AUTHORITIES", "http://127.0.0.1:9/tsr,embedded")
        for _ in range(2):
            done = cli("log", "publish")
            assert (done.code, "WARNING: 127.0.0.1" in done.err) == (0, True)
        down, ours = shown(cli)["timestamps"]
        assert (down["state"], down["tries"], ours["state"]) == ("waiting", 2, "stamped")
        assert shown(cli)["timestamps_waiting"] == 1
        assert "waiting, 127.0.0.1: " in cli("log", "show").out
        assert cli("log", "proof", references(cli)["mug.jpg"]).code == 0

    def test_the_doctor_tells_of_what_waits_for_more_than_a_day(self, store: Path, cli: Run, monkeypatch: Any) -> None:
        monkeypatch.setenv("IMGGUARD_TIMESTAMP_AUTHORITIES", "http://127.0.0.1:9/tsr")
        cli("log", "publish")
        assert cli("doctor").code == 0
        later = datetime.now(UTC) + timedelta(hours=25)
        monkeypatch.setattr("imgguard.bootstrap.SystemClock.now", lambda _: later)
        done = cli("doctor", "--json")
        assert done.code == 3
        (problem,) = [line for line in done.lines if line["status"] == "problem"]
        assert (problem["number"], problem["title"]) == (12, "Timestamps")
        assert problem["detail"].startswith("1 waited for")

    def test_calendars_are_asked_and_what_they_promise_is_no_time(
        self, store: Path, cli: Run, monkeypatch: Any, tmp_path: Path
    ) -> None:
        calendar = FakeCalendar("https://127.0.0.1:9", "127.0.0.1")
        monkeypatch.setenv("IMGGUARD_OPENTIMESTAMPS_CALENDARS", calendar.url)
        done = cli("log", "publish")
        assert (done.code, "WARNING: 127.0.0.1 has not anchored the checkpoint" in done.err) == (0, True)
        assert "waiting since" in cli("log", "show").out
        monkeypatch.setattr("imgguard.bootstrap.Services.calendars", (calendar,))
        assert cli("log", "publish").err == ""
        assert "promised since" in cli("log", "show").out
        assert "no time yet" in cli("log", "show").out
        calendar.has_block = True
        cli("log", "publish")
        assert f"attested by block {HEIGHT} of Bitcoin" in cli("log", "show").out
        (anchor,) = shown(cli)["opentimestamps"]
        assert (anchor["size"], anchor["state"], anchor["blocks"]) == (5, "attested", [HEIGHT])
        folder = tmp_path / "tokens"
        cli("log", "proof", references(cli)["mug.jpg"], "--tokens", str(folder))
        file = parse_file((folder / "anchored.txt.ots").read_bytes())
        assert file.digest == sha256((folder / "anchored.txt").read_bytes()).digest()
        assert (folder / "anchored.txt").read_bytes() in (folder / "anchored.tlog-proof").read_bytes()

    def test_the_doctor_tells_of_promises_of_more_than_three_days(
        self, store: Path, cli: Run, monkeypatch: Any
    ) -> None:
        assert "no calendar is asked" in cli("doctor").out
        monkeypatch.setenv("IMGGUARD_OPENTIMESTAMPS_CALENDARS", CALENDAR)
        monkeypatch.setattr("imgguard.bootstrap.Services.calendars", (FakeCalendar(),))
        cli("log", "publish")
        assert cli("doctor").code == 0
        later = datetime.now(UTC) + timedelta(days=3, hours=1)
        monkeypatch.setattr("imgguard.bootstrap.SystemClock.now", lambda _: later)
        (problem,) = [line for line in cli("doctor", "--json").lines if line["status"] == "problem"]
        assert (problem["number"], problem["title"]) == (13, "OpenTimestamps")
        assert problem["detail"].startswith("1 waited for")

    def test_a_trust_file_that_cannot_be_read_is_named(self, store: Path, cli: Run, monkeypatch: Any) -> None:
        monkeypatch.setenv("IMGGUARD_TRUST_FILE", str(store / "nothing.toml"))
        done = cli("log", "publish")
        assert (done.code, "nothing.toml" in done.err) == (2, True)
        (store / "nothing.toml").write_bytes(b"\xff")
        assert "not UTF-8" in cli("log", "publish").err
