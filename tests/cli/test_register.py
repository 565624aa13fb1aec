"""Registration: statuses, idempotence, two owners, similar ones, order, interruption."""

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from PIL import Image

Run = Callable[..., Any]
OWNER = "Sample Studio"
REGISTERED = ["denim-jacket.jpg", "mug.jpg", "pinstripe-cap.jpg", "scissors.jpg", "blue-dress.jpg"]
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schema" / "register.schema.json").read_text())


def test_register_then_register_again(cli: Run, samples: Path) -> None:
    files = [samples / "originals" / name for name in ("mug.jpg", "scissors.jpg")]
    first = cli("register", *files, "--owner", OWNER, "--json")
    assert first.code == 0
    assert [line["status"] for line in first.lines] == ["registered", "registered"]
    assert [line["file"] for line in first.lines] == [str(file) for file in files]
    assert [line["sha256"] for line in first.lines] == [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    again = cli("register", *files, "--owner", OWNER, "--json")
    assert again.code == 0
    assert [line["status"] for line in again.lines] == ["duplicate", "duplicate"]
    assert [line["reference_id"] for line in again.lines] == [line["reference_id"] for line in first.lines]
    for line in first.lines + again.lines:
        Draft202012Validator(SCHEMA).validate(line)
    assert len(cli("list", "--json").lines) == 2


def test_the_same_file_twice_in_one_run_is_stored_once(cli: Run, samples: Path) -> None:
    file = samples / "originals" / "mug.jpg"
    done = cli("register", *[file] * 6, "--owner", OWNER, "--json")
    assert sorted(line["status"] for line in done.lines) == ["duplicate"] * 5 + ["registered"]
    assert len({line["reference_id"] for line in done.lines}) == 1


def test_two_owners_may_register_the_same_bytes(store: Path, cli: Run, samples: Path) -> None:
    file = samples / "originals" / "mug.jpg"
    line = cli("register", file, "--owner", "Somebody Else", "--json").line
    assert line["status"] == "registered"
    (match,) = [match for match in line["similar"] if match["verdict"] == "copy"]
    assert (match["owner"], match["relation"], match["reasons"][0]) == (OWNER, "identical", "identical_bytes")
    assert match["reference_id"] != line["reference_id"]
    found = cli("check", file, "--json").line["matches"]
    copies = {match["owner"] for match in found if match["verdict"] == "copy"}
    assert copies == {OWNER, "Somebody Else"}


def test_a_copy_is_registered_and_reported_with_its_match(store: Path, cli: Run, samples: Path) -> None:
    line = cli("register", samples / "listings" / "copy-mirrored-mug.jpg", "--owner", "Copyist", "--json").line
    Draft202012Validator(SCHEMA).validate(line)
    assert line["status"] == "registered"
    assert line["similar"][0]["verdict"] == "copy"
    assert line["similar"][0]["file"].endswith("mug.jpg")
    assert "mirrored" in line["similar"][0]["edits"]


def test_of_two_copies_registered_at_once_one_is_reported_with_the_other(cli: Run, samples: Path) -> None:
    files = [samples / "originals" / "mug.jpg", samples / "listings" / "copy-mirrored-mug.jpg"]
    lines = cli("register", *files, "--owner", OWNER, "--json").lines
    assert sorted(len(line["similar"]) for line in lines) == [0, 1]


def test_what_cannot_be_registered_is_rejected_with_a_code(cli: Run, samples: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes((samples / "originals" / "mug.jpg").read_bytes()[:900])
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    good = samples / "originals" / "mug.jpg"
    done = cli("register", tmp_path / "missing.jpg", broken, text, pipe, good, "--owner", OWNER, "--json")
    assert done.code == 4
    assert [line["status"] for line in done.lines] == ["rejected"] * 4 + ["registered"]
    assert [line["error"] and line["error"]["code"] for line in done.lines] == [
        "invalid_input",
        "corrupt_image",
        "unsupported_format",
        "invalid_input",
        None,
    ]
    assert [line["sha256"] is None for line in done.lines] == [True, False, False, True, False]
    for line in done.lines:
        Draft202012Validator(SCHEMA).validate(line)
        assert list(line) == list(SCHEMA["properties"])


def test_folders_are_searched_in_order(cli: Run, samples: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    for place, name in zip(("b.jpg", "a/z.JPEG", "a/.hidden.jpg", "notes.txt", "c.webp"), REGISTERED, strict=True):
        (pictures / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(samples / "originals" / name, pictures / place)
    done = cli("register", pictures, "--owner", OWNER, "--json")
    assert [line["file"] for line in done.lines] == [str(pictures / name) for name in ("b.jpg", "c.webp", "a/z.JPEG")]


@pytest.mark.parametrize("null", [False, True])
def test_a_list_on_stdin(process: Run, home: Path, samples: Path, null: bool) -> None:
    names = [str(samples / "originals" / name) for name in REGISTERED[:2]]
    stdin = ("\0" if null else "\n").join(names).encode()
    done = process("register", "-", *(["-0"] if null else []), "--owner", OWNER, "--json", home=home, stdin=stdin)
    assert done.code == 0
    assert [line["file"] for line in done.lines] == names


def test_names_that_are_not_text(process: Run, home: Path, samples: Path, tmp_path: Path) -> None:
    strange = os.fsencode(tmp_path) + b"/\xff\xe9\x1b[31m.jpg"
    shutil.copy(os.fsencode(samples / "originals" / "mug.jpg"), strange)
    done = process("register", strange, "--owner", OWNER, "--json", home=home)
    assert done.line["file"].endswith("\\xff\\xe9\x1b[31m.jpg")
    shown = process("list", home=home)
    assert "\x1b" not in shown.out


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 300])
def test_an_owner_has_a_name(cli: Run, samples: Path, name: str) -> None:
    done = cli("register", samples / "originals" / "mug.jpg", "--owner", name, "--json")
    assert (done.code, done.out) == (2, "")
    assert "owner" in done.err


def test_human_output(cli: Run, samples: Path) -> None:
    done = cli("register", samples / "originals" / "mug.jpg", samples / "nothing.jpg", "--owner", OWNER)
    header, first, second = done.out.splitlines()
    assert header.split() == ["Status", "File", "Reference", "Similar", "to"]
    assert first.startswith("registered  ")
    assert "  ref_" in first
    assert second.startswith("rejected")
    assert second.endswith("[invalid_input]")
    assert "1 registered, 1 rejected in" in done.err


def _picture(seed: int) -> bytes:
    """A picture of smooth blobs, different for each seed."""
    noise = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((480, 360), Image.Resampling.BICUBIC).save(buffer, "JPEG")
    return buffer.getvalue()


def test_interrupted_then_resumed(home: Path, cli: Run, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:03}.jpg").write_bytes(_picture(number))
    command = [Path(sys.executable).with_name("imgguard"), "--home", home, "register", folder, "--owner", "A", "--json"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    first = running.stdout.readline()
    running.send_signal(signal.SIGINT)
    with running:  # not communicate(): it knows nothing of lines that readline() has buffered
        assert running.stderr is not None
        rest, err = running.stdout.read(), running.stderr.read()
    assert running.returncode == 130
    assert b"Traceback" not in err
    reported = [json.loads(line) for line in [first, *rest.splitlines()]]
    assert 1 <= len(reported) < 40
    # What was reported is stored, and nothing else is: what was in work was finished and reported.
    listed = {line["reference_id"] for line in cli("list", "--json").lines}
    assert listed == {line["reference_id"] for line in reported}
    resumed = cli("register", folder, "--owner", "A", "--json")
    assert resumed.code == 0
    statuses = [line["status"] for line in resumed.lines]
    assert statuses == ["duplicate"] * len(reported) + ["registered"] * (40 - len(reported))
    assert cli("doctor", "--deep").code == 0
