"""Looking after a store: list, show, remove, index, stats, doctor, config, demo."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imgguard import __version__

Run = Callable[..., Any]
OWNER = "Sample Studio"
REGISTERED = ["denim-jacket.jpg", "mug.jpg", "pinstripe-cap.jpg", "scissors.jpg", "blue-dress.jpg"]


def reference_of(cli: Run, name: str) -> str:
    (found,) = [line["reference_id"] for line in cli("list", "--json").lines if line["file"].endswith(name)]
    return str(found)


def test_list_and_show(store: Path, cli: Run, samples: Path) -> None:
    lines = cli("list", "--json", "--owner", OWNER).lines
    assert {Path(line["file"]).name for line in lines} == set(REGISTERED)
    assert all(line["registered_at"].endswith("Z") for line in lines)
    assert OWNER in cli("list").out
    shown = cli("show", reference_of(cli, "mug.jpg"), "--json").line
    assert (shown["width"], shown["height"], shown["status"]) == (700, 700, "active")
    assert sum(shown["descriptor_bytes"].values()) <= 100_000
    assert "700 x 700" in cli("show", shown["reference_id"]).out
    assert cli("list", "--owner", "Nobody").code == 4
    assert cli("list", "--status", "erased", "--json").out == ""


@pytest.mark.parametrize("identifier", ["ref_0", "fnd_0", "nonsense"])
def test_show_what_is_not_there(store: Path, cli: Run, identifier: str) -> None:
    done = cli("show", identifier)
    assert (done.code, done.out) == (4, "")
    assert "[not_found]" in done.err


def test_list_findings(store: Path, cli: Run, samples: Path) -> None:
    assert "Nothing was checked yet" in cli("list", "--findings").err
    picture = samples / "originals" / "mug.jpg"
    done = cli("check", picture, samples / "originals" / "scissors.jpg", "--json")
    listed = cli("list", "--findings", "--json").lines
    assert {line["finding_id"] for line in listed} == {line["finding_id"] for line in done.lines}
    assert [line["verdict"] for line in listed] == ["copy", "copy"]
    of_mug = next(line for line in listed if line["file"] == str(picture))
    assert of_mug["reference_ids"] == [done.lines[0]["matches"][0]["reference_id"]]
    table = cli("list", "--findings")
    assert listed[0]["finding_id"] in table.out
    assert cli("list", "--findings", "--status", "active").code == 2


def test_a_finding_without_a_match_says_that_there_is_nothing_to_draw(
    store: Path, cli: Run, samples: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.png"
    Image.new("RGB", (300, 200), "white").save(plain)
    finding = cli("check", plain, "--json").line
    assert finding["matches"] == []
    shown = cli("show", finding["finding_id"], "--evidence", tmp_path / "pictures")
    assert "nothing to draw" in shown.err


def test_withdrawn_is_not_matched_and_history_stays(store: Path, cli: Run, samples: Path) -> None:
    listing = samples / "listings" / "copy-mirrored-mug.jpg"
    before = cli("check", listing, "--json").line
    identifier = reference_of(cli, "mug.jpg")
    done = cli("remove", identifier, "--json")
    assert (done.code, done.line) == (0, {"reference_id": identifier, "status": "withdrawn", "error": None})
    after = cli("check", listing, "--json").line
    assert identifier not in {match["reference_id"] for match in after["matches"]}
    assert cli("show", identifier, "--json").line["status"] == "withdrawn"
    assert cli("show", before["finding_id"], "--json").line["matches"][0]["file"].endswith("mug.jpg")
    again = cli("remove", identifier, "--json")
    assert (again.code, again.line["error"]["code"]) == (4, "invalid_transition")
    back = cli("register", samples / "originals" / "mug.jpg", "--owner", OWNER, "--json").line
    assert back["status"] == "registered"
    assert back["reference_id"] != identifier
    assert cli("check", listing, "--json").line["matches"][0]["reference_id"] == back["reference_id"]


def traces(home: Path, needle: bytes) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and needle in path.read_bytes()]


def test_erased_leaves_a_tombstone_and_no_byte(home: Path, cli: Run, samples: Path, tmp_path: Path) -> None:
    secret = tmp_path / "Secret-Name-Of-A-File.jpg"
    marker = hashlib.sha256(b"marker").digest()
    # Behind the end of the JPEG, where it survives: a unique string of bytes to look for.
    secret.write_bytes((samples / "originals" / "mug.jpg").read_bytes() + marker)
    identifier = cli("register", secret, "--owner", OWNER, "--json").line["reference_id"]
    cli("register", samples / "originals" / "scissors.jpg", "--owner", OWNER)
    finding = cli("check", samples / "listings" / "copy-mirrored-mug.jpg", "--json").line
    assert finding["verdict"] == "copy"
    digest = hashlib.sha256(secret.read_bytes()).hexdigest().encode()
    assert traces(home, marker)
    assert traces(home, b"Secret-Name-Of-A-File")
    assert cli("remove", identifier, "--erase", "--yes", "--json").line["status"] == "erased"
    for needle in (marker, b"Secret-Name-Of-A-File", digest):
        assert traces(home, needle) == []
    tombstone = cli("show", identifier, "--json").line
    assert (tombstone["status"], tombstone["file"], tombstone["sha256"]) == ("erased", None, None)
    assert cli("show", identifier).code == 0
    assert cli("check", samples / "listings" / "copy-mirrored-mug.jpg", "--json").line["verdict"] != "copy"
    shown = cli("show", finding["finding_id"], "--json", "--evidence", tmp_path / "e").line
    assert (shown["matches"][0]["file"], shown["matches"][0]["evidence"]) == (None, {})
    assert cli("show", finding["finding_id"]).code == 0
    assert cli("doctor", "--deep").code == 0


def test_erasing_one_owner_keeps_the_other(store: Path, cli: Run, samples: Path) -> None:
    file = samples / "originals" / "mug.jpg"
    other = cli("register", file, "--owner", "Other", "--json").line["reference_id"]
    (mine,) = [line["reference_id"] for line in cli("list", "--json", "--owner", OWNER).lines if "mug" in line["file"]]
    assert cli("remove", mine, "--erase", "--yes").code == 0
    found = cli("check", file, "--json").line["matches"][0]
    assert (found["reference_id"], found["relation"]) == (other, "identical")


def test_erasing_asks_first(process: Run, store: Path, samples: Path) -> None:
    listed = process("list", "--json", home=store).lines
    done = process("remove", listed[0]["reference_id"], "--erase", home=store)
    assert done.code == 2
    assert "--yes" in done.err
    assert process("list", "--json", home=store).lines == listed


def test_index_rebuild(store: Path, cli: Run, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    same = cli("index", "rebuild", "--json").line
    assert (same["contents"], same["embedded"]) == (len(REGISTERED), 0)
    monkeypatch.setenv("IMGGUARD_WEIGHTS", "sscd_distilled")
    # Until the rebuild the old generation serves, whatever the settings say.
    assert cli("check", samples / "originals" / "mug.jpg", "--json").line["weights"] == same["weights"]
    other = cli("index", "rebuild", "--json").line
    assert (other["contents"], other["embedded"]) == (len(REGISTERED), len(REGISTERED))
    assert other["weights"] != same["weights"]
    line = cli("check", samples / "originals" / "mug.jpg", "--json").line
    assert (line["verdict"], line["weights"]) == ("copy", other["weights"])
    assert (
        cli("register", samples / "originals" / "fork.jpg", "--owner", OWNER, "--json").line["status"] == "registered"
    )
    monkeypatch.delenv("IMGGUARD_WEIGHTS")
    assert cli("index", "rebuild", "--json").line["embedded"] == 1  # the others have theirs still
    assert cli("doctor", "--deep").code == 0


def test_a_rebuild_with_a_lost_original_keeps_the_old_index(
    store: Path, cli: Run, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256((samples / "originals" / "mug.jpg").read_bytes()).hexdigest()
    next(store.rglob(digest)).unlink()
    monkeypatch.setenv("IMGGUARD_WEIGHTS", "sscd_distilled")
    done = cli("index", "rebuild")
    assert done.code == 4
    assert digest[:12] in done.err
    assert cli("check", samples / "listings" / "copy-mirrored-mug.jpg", "--json").line["verdict"] == "copy"


def test_stats(store: Path, cli: Run) -> None:
    line = cli("stats", "--json").line
    assert line["references_active"] == len(REGISTERED)
    assert line["within_budget"]
    assert 0 < line["bytes_per_reference"] <= line["budget_bytes"] == 100_000
    assert abs(sum(line["bytes_per_reference_by_kind"].values()) - line["bytes_per_reference"]) < 1
    assert "100.0 kB budget" in cli("stats").out


def test_a_healthy_doctor(store: Path, cli: Run) -> None:
    done = cli("doctor", "--deep", "--json")
    assert done.code == 0, done.out
    assert [line["number"] for line in done.lines] == list(range(1, 14))
    assert {line["status"] for line in done.lines} == {"ok"}
    assert cli("doctor").out.count("\nok ") == 13


def problems(cli: Run, *arguments: str) -> tuple[int, list[str]]:
    done = cli("doctor", "--json", *arguments)
    assert all(line["hint"] for line in done.lines if line["status"] != "ok")
    return done.code, [line["title"] for line in done.lines if line["status"] != "ok"]


def test_the_doctor_finds_lost_and_damaged_originals(store: Path, cli: Run) -> None:
    blobs = sorted(path for path in (store / "originals").rglob("*") if path.is_file())
    blobs[0].chmod(0o600)
    blobs[0].write_bytes(blobs[0].read_bytes()[:-1] + b"x")
    assert problems(cli) == (0, [])
    assert problems(cli, "--deep") == (4, ["Originals"])
    blobs[1].unlink()
    assert problems(cli) == (4, ["Originals"])


def test_the_doctor_finds_damaged_checked_images(store: Path, cli: Run, samples: Path) -> None:
    listing = samples / "listings" / "copy-mirrored-mug.jpg"
    assert cli("check", listing).code == 0
    blob = next(store.rglob(hashlib.sha256(listing.read_bytes()).hexdigest()))
    blob.chmod(0o600)
    blob.write_bytes(b"damaged")
    assert problems(cli, "--deep") == (4, ["Kept files"])
    blob.unlink()
    assert problems(cli) == (4, ["Kept files"])


def test_the_doctor_finds_orphans(store: Path, cli: Run) -> None:
    digest = hashlib.sha256(b"orphan").hexdigest()
    place = store / "originals" / digest[:2] / digest[2:4]
    place.mkdir(parents=True)
    (place / digest).write_bytes(b"orphan")
    assert problems(cli) == (4, ["Orphan files"])


def test_the_doctor_misses_weights(store: Path, cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGGUARD_WEIGHTS", "custom")
    monkeypatch.setenv("IMGGUARD_WEIGHTS_PATH", str(store / "none.onnx"))
    monkeypatch.setenv("IMGGUARD_WEIGHTS_SHA256", "0" * 64)
    assert problems(cli) == (3, ["Weights"])


def test_config_show(cli: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGGUARD_JOBS", "3")
    line = cli("config", "show", "--json").line
    assert (line["jobs"], line["home"]) == (3, str(home))
    assert "IMGGUARD_JOBS" in cli("config", "show").out


@pytest.mark.parametrize(
    ("name", "value"), [("JOBS", "many"), ("JOBS", "-1"), ("PROFILE", "slow"), ("WEIGHTS", "nothing")]
)
def test_a_wrong_setting_is_named(
    cli: Run, samples: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"IMGGUARD_{name}", value)
    done = cli("register", samples / "originals" / "mug.jpg", "--owner", OWNER)
    assert done.code == 2
    assert "[configuration]" in done.err


def test_home_before_and_behind_the_command(cli: Run, tmp_path: Path) -> None:
    assert cli("config", "show", "--json", "--home", tmp_path / "other").line["home"] == str(tmp_path / "other")


def test_a_home_that_cannot_be_made(process: Run, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = process("list", home=tmp_path / "file" / "home")
    assert done.code == 3
    assert "[store_unavailable]" in done.err


def test_usage(cli: Run) -> None:
    assert cli("--version").out == f"imgguard {__version__}\n"
    assert cli("nonsense").code == 2
    assert cli("register").code == 2
    assert cli("check", "x", "--profile", "slow").code == 2


@pytest.mark.parametrize(
    "command",
    [
        *("", "register", "check", "compare", "list", "show", "remove", "stats", "doctor", "demo"),
        *("index", "index rebuild", "config", "config show"),
    ],
)
def test_help(cli: Run, command: str) -> None:
    done = cli(*command.split(), "--help")
    assert done.code == 0
    assert f"imgguard {command}".strip() in done.out


def test_a_bug_is_told_in_a_line(cli: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from imgguard.services.inspection import Inspection

    def broken(self: Inspection, **_: object) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(Inspection, "figures", broken)
    done = cli("stats")
    assert done.code == 70
    assert "boom" in done.err
    assert "Traceback" not in done.err
    monkeypatch.setenv("IMGGUARD_DEBUG", "1")
    assert "Traceback" in cli("stats").err


def test_a_bug_with_one_picture_spares_the_others(
    store: Path, cli: Run, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imgguard.services import checking

    real = checking.examine

    def sometimes(data: bytes, *rest: object) -> object:
        if len(data) == (samples / "originals" / "mug.jpg").stat().st_size:
            raise ZeroDivisionError("boom")
        return real(data, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(checking, "examine", sometimes)
    done = cli("check", samples / "originals" / "mug.jpg", samples / "originals" / "scissors.jpg", "--json")
    assert done.code == 70
    assert [line["verdict"] for line in done.lines] == ["error", "copy"]
    assert done.lines[0]["error"] == {"code": "internal", "detail": "ZeroDivisionError: boom"}


def test_demo(process: Run, tmp_path: Path, samples: Path) -> None:
    done = process("demo", "--output", tmp_path / "out", "--profile", "quick", home=tmp_path / "home")
    assert done.code == 0, done.err
    assert "copies found" in done.out
    assert (tmp_path / "out" / "report.html").stat().st_size > 100_000
    expected = json.loads((samples / "expected.json").read_text())
    assert all(name[:20] in done.out for name in expected)


def test_the_demo_never_replaces_a_real_store(store: Path, cli: Run) -> None:
    done = cli("demo", "--home", store)
    assert done.code == 2
    assert (store / "imgguard.sqlite3").exists()
