"""What happens at the terminal: readers that go away, Ctrl-C, and names that would write on it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgguard.cli.output import emit, say
from imgguard.evidence.statements import visible

Run = Callable[..., Any]
PROGRAM = Path(sys.executable).with_name("imgguard")
HOSTILE = "\x1b]0;owned\x07\u202e\u3164.jpg"
CONTROLS = ("\x1b", "\x07", "\u202e", "\u3164")


def without_reader(*arguments: object, home: Path, stream: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a command with ``stream`` (stdout or stderr) going to a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    streams: dict[str, int] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: writer}
    done = subprocess.run([PROGRAM, "--home", home, *arguments], check=False, timeout=120, **streams)  # type: ignore[call-overload]
    os.close(writer)
    return done


@pytest.mark.parametrize(
    "command",
    [
        ["show", "ref_0"],  # an error of the product
        ["nonsense"],  # an error of usage
        ["check", "none.jpg"],  # the summary
        ["remove", "ref_0", "--erase"],
    ],
)
def test_without_a_reader_of_stderr_the_exit_code_does_not_say_copy_found(home: Path, command: list[str]) -> None:
    assert without_reader(*command, home=home, stream="stderr").returncode == 141


def test_what_stdout_had_is_still_delivered(store: Path, samples: Path) -> None:
    done = without_reader("check", samples / "listings" / "unrelated-watch.jpg", "--json", home=store, stream="stderr")
    assert done.returncode == 141
    assert b'"verdict": "no_match"' in done.stdout


def test_streams_that_are_closed_from_the_start(store: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{PROGRAM}" --home "{store}" show ref_0 2>&-'], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (4, b"")  # and not a message for people among the data
    done = subprocess.run(
        ["sh", "-c", f'"{PROGRAM}" --home "{store}" list --json >&-'], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


SLOW = """
import time
from imgguard.cli.running import Tally, run_all
def work(number):
    print("begun", flush=True)
    time.sleep(60)
run_all(work, [1, 2, 3], print, workers=1, tally=Tally())
"""


def test_a_second_interrupt_stops_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == b"begun\n"
        running.send_signal(signal.SIGINT)
        assert running.stderr.readline() == b"\n"
        assert b"again to stop at once" in running.stderr.readline()
        assert running.poll() is None
        running.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert running.wait(timeout=20) == 130
        assert time.monotonic() - began < 10
        assert b"Traceback" not in running.stderr.read()


def test_messages_do_not_write_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"one {HOSTILE}", "two\r\n")
    assert capsys.readouterr().err == "one \\u{1b}]0;owned\\u{7}\\u{202e}\\u{3164}.jpg\ntwo\\u{d}\\u{a}\n"


@pytest.mark.parametrize(
    "command",
    [
        ["show", HOSTILE],
        ["remove", HOSTILE],
        ["list", "--owner", HOSTILE],
        ["list", HOSTILE],
        [HOSTILE],
        ["check", HOSTILE],
        ["compare", HOSTILE, HOSTILE],
        ["check", "x.jpg", "--profile", HOSTILE],
        ["check", "x.jpg", "--evidence", f"/dev/null/{HOSTILE}"],
        ["list", "--home", f"/dev/null/{HOSTILE}"],
        ["config", "show", "--home", HOSTILE],
    ],
)
def test_no_command_lets_a_name_write_on_the_terminal(cli: Run, command: list[str]) -> None:
    done = cli(*command)
    shown = done.out + done.err
    assert "owned" in shown
    assert not [character for character in CONTROLS if character in shown]


def test_pictures_in_a_folder_with_a_hostile_name(store: Path, cli: Run, samples: Path, tmp_path: Path) -> None:
    original = samples / "originals" / "mug.jpg"
    done = cli("compare", original, original, "--profile", "quick", "--evidence", tmp_path / HOSTILE.replace("/", ""))
    assert done.code == 0
    assert "owned" in done.out
    assert not [character for character in CONTROLS if character in done.out]


@pytest.mark.parametrize(
    "character",
    [
        *"\u3164\u115f\u1160\uffa0\u2800",  # fillers and blanks that count as letters or symbols
        *"\u034f\u17b4\u17b5\u180b\u180f\ufe0f\U000e0100",  # marks without a shape
        *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",  # controls of direction
        *"\u00ad\u200b\u2060\ufeff\x7f\x9b\u2028\ud800",
    ],
)
def test_what_cannot_be_seen_is_written_out(character: str) -> None:
    assert visible(f"a{character}b") == f"a\\u{{{ord(character):x}}}b"


def test_what_can_be_seen_stays() -> None:
    for text in ("Größe 照片 ไทย हिन्दी 한국어 ☀ ５", "a\u3000b c\u00a0d", "\\u{1b}"):
        assert visible(text) == text


def test_a_line_of_json_has_one_end_and_no_control(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\x85b\x9bc\x7fd\u2028e\u2029f\n\x1b.jpg"
    emit({"file": name})
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"file": name}
    assert line.isascii()
    assert line.isprintable()


def test_an_empty_store_says_so(cli: Run, samples: Path, home: Path) -> None:
    assert "Nothing is registered in" in cli("list").err
    assert cli("list", "--json").err == ""
    done = cli("check", samples / "listings" / "unrelated-watch.jpg", "--json")
    assert "Nothing is registered" in done.err
    assert done.line["verdict"] == "no_match"


def test_what_a_check_kept_is_pointed_to(store: Path, cli: Run, samples: Path, tmp_path: Path) -> None:
    listing = samples / "listings" / "unrelated-watch.jpg"
    done = cli("check", listing, "--profile", "quick", "--evidence", tmp_path / "e")
    (identifier,) = re.findall(r"imgguard show (fnd_\w+)", done.err)
    assert cli("show", identifier, "--json").line["file"] == str(listing)
    assert f"Pictures: {tmp_path / 'e'}" in done.err
    assert "Nothing is registered" not in done.err
    several = cli("check", listing, listing, "--profile", "quick")
    assert "imgguard list --findings" in several.err
    assert "fnd_" not in several.err
    assert cli("check", listing, "--profile", "quick", "--quiet").err == ""


def test_why_a_file_was_not_checked_stands_beside_it(store: Path, cli: Run) -> None:
    _, row = cli("check", "none.jpg").out.splitlines()
    assert re.split(r" {2,}", row) == [
        "Not checked",
        "none.jpg",
        "cannot read the file: No such file or directory [invalid_input]",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full here")
@pytest.mark.parametrize("arguments", [["config", "show"], ["stats"], ["list", "--json"]])
def test_a_full_disk_behind_stdout_is_no_bug(store: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [Path(sys.executable).with_name("imgguard"), "--home", store, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
        )
    assert done.returncode == 3
    assert "the output cannot be written" in done.stderr
    assert "bug" not in done.stderr
