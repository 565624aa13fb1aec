"""Comparing in a process of its own: what ends it, and that nothing but one comparison is lost by it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from imgguard.bootstrap import Services
from imgguard.errors import (
    CorruptImage,
    DependencyError,
    ImageTooLarge,
    ImgguardError,
    Overloaded,
    WeightsUnavailable,
    WorkerCrashed,
)
from imgguard.settings import Settings
from imgguard.worker import comparer_wire as wire
from imgguard.worker.comparer import ComparerProcess

from .conftest import HERE, PATIENCE, until

Start = Callable[..., ComparerProcess]
SAMPLES = Path(__file__).parents[3] / "sample_images"


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Makes comparers with a light child."""
    monkeypatch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
    made: list[ComparerProcess] = []

    def started(*, make: str = "light_comparers:make", seconds: float = PATIENCE, **more: Any) -> ComparerProcess:
        idle = more.pop("idle_seconds", PATIENCE)
        settings = Settings(home=tmp_path / "home", **more)
        made.append(ComparerProcess(settings, make=make, seconds=seconds, idle_seconds=idle))
        return made[-1]

    yield started
    for one in made:
        one.close()


def ask(comparer: ComparerProcess, word: str = "", reference: bytes = b"r", file: str = "a.jpg") -> list[str]:
    """What the child says: its number, the profile, how many bytes it was given, and what it should not have made."""
    compared = comparer.compare(word.encode(), reference, file=file, reference_file="b.jpg", profile="quick")
    assert (compared.line.file, compared.line.reference_file, compared.undrawn) == (file, "b.jpg", None)
    return compared.line.reasons


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_it_is_started_when_it_is_needed_and_kept(start: Start, tmp_path: Path) -> None:
    comparer = start()
    assert comparer._child is None
    pid, *said = ask(comparer, "x" * 3_000_000, b"y" * 2_000_000, file='Foto \N{SNOWMAN} \n".jpg')
    assert said == ["quick", "3000000", "2000000"]  # and neither database nor index
    assert ask(comparer, "print")[0] == pid
    assert int(pid) != os.getpid()
    assert not (tmp_path / "home").exists()


def test_errors_are_as_they_were_raised(start: Start) -> None:
    comparer = start()
    with pytest.raises(CorruptImage, match="cut short") as raised:
        ask(comparer, "corrupt")
    assert raised.value.advice == "another one"
    pid = comparer._child.pid if comparer._child else 0
    assert ask(comparer)[0] == str(pid)


def test_what_nobody_foresaw_tells_no_secrets_and_costs_the_child(start: Start) -> None:
    comparer = start()
    pid = ask(comparer)[0]
    with pytest.raises(ImgguardError) as raised:
        ask(comparer, "bug")
    assert (type(raised.value), raised.value.detail) == (ImgguardError, "unexpected error: ValueError")
    assert ask(comparer)[0] != pid


@pytest.mark.parametrize(("word", "why"), [("kill", "signal 9"), ("babble", "form|bytes"), ("boast", "bytes")])
def test_a_child_that_dies_or_babbles_fails_one_comparison(start: Start, word: str, why: str) -> None:
    comparer = start()
    pid = int(ask(comparer)[0])
    with pytest.raises(WorkerCrashed, match=why):
        ask(comparer, word)
    assert not is_there(pid)
    assert int(ask(comparer)[0]) != pid


def test_a_comparison_that_takes_too_long_is_ended(start: Start, tmp_path: Path) -> None:
    comparer = start(seconds=0.3)
    pid = int(ask(comparer)[0])
    with pytest.raises(WorkerCrashed, match=r"within 0\.3 s"):
        ask(comparer, f"await {tmp_path / 'never'}")
    assert not is_there(pid)
    ask(comparer)


def test_one_that_ended_between_two_comparisons_is_no_pictures_fault(start: Start) -> None:
    comparer = start()
    pid = int(ask(comparer)[0])
    os.kill(pid, signal.SIGKILL)
    for word in ("", "x" * 3_000_000):
        assert int(ask(comparer, word)[0]) != pid


def test_one_that_ends_with_the_request_half_read_is_no_pictures_fault(start: Start) -> None:
    comparer = start()
    pid = int(ask(comparer)[0])
    os.kill(pid, signal.SIGSTOP)  # so that the request is sent, and lies there unread
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask, comparer, "word")
        time.sleep(0.3)
        os.kill(pid, signal.SIGKILL)
        assert int(asked.result(PATIENCE)[0]) != pid


def test_it_ends_when_nobody_compares(start: Start) -> None:
    comparer = start(idle_seconds=0.5)
    pid = int(ask(comparer)[0])
    assert int(ask(comparer)[0]) == pid
    until(lambda: not is_there(pid))
    assert comparer._child is None
    assert int(ask(comparer)[0]) != pid


def test_a_comparison_is_not_idleness(start: Start, tmp_path: Path) -> None:
    comparer = start(idle_seconds=0.2)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask, comparer, f"await {tmp_path / 'go'}")
        until((tmp_path / "go.begun").exists)
        time.sleep(0.5)
        (tmp_path / "go").touch()
        asked.result(PATIENCE)


def test_one_that_holds_too_much_makes_room_for_another(start: Start) -> None:
    comparer = start(worker_memory_bytes=300_000_000)
    first, second, third, fourth = (ask(comparer, word)[0] for word in ("", "", "grow 300000000", ""))
    assert first == second == third
    assert fourth != third
    assert not is_there(int(third))


def test_comparisons_at_the_same_time_are_made_one_after_the_other(start: Start, tmp_path: Path) -> None:
    comparer = start()
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(ask, comparer, f"await {tmp_path / 'go'}", b"1", "1.jpg")
        until((tmp_path / "go.begun").exists)
        others = [threads.submit(ask, comparer, "", b"2" * n, f"{n}.jpg") for n in (2, 3)]
        time.sleep(0.2)
        assert not any(one.done() for one in (first, *others))
        (tmp_path / "go").touch()
        said = [one.result(PATIENCE) for one in (first, *others)]
    assert [found[3] for found in said] == ["1", "2", "3"]
    assert len({found[0] for found in said}) == 1


def test_pictures_beyond_the_limit_are_not_sent(start: Start) -> None:
    comparer = start(max_image_bytes=10)
    with pytest.raises(ImageTooLarge, match=r"a\.jpg: 11 bytes"):
        ask(comparer, "x" * 11)
    with pytest.raises(ImageTooLarge, match=r"b\.jpg: 12 bytes"):
        ask(comparer, "x", b"y" * 12)
    assert comparer._child is None


def test_what_it_cannot_begin_with_is_told_each_time(start: Start) -> None:
    comparer = start(make="light_comparers:broken")
    for _ in range(2):
        with pytest.raises(WeightsUnavailable, match="there is no model"):
            ask(comparer)
        assert comparer._child is None


def test_one_that_cannot_be_started_is_not_tried_for_ever(start: Start) -> None:
    with pytest.raises(DependencyError, match="does not start: it ended with exit code 7") as raised:
        ask(start(make="light_comparers:crashing"))
    assert not isinstance(raised.value, WorkerCrashed)


def test_closing_ends_the_child_and_the_comparison_it_has_in_hand(start: Start, tmp_path: Path) -> None:
    comparer = start()
    pid = int(ask(comparer)[0])
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask, comparer, f"await {tmp_path / 'never'}")
        until((tmp_path / "never.begun").exists)
        comparer.close()
        with pytest.raises(Overloaded, match="being stopped"):
            asked.result(PATIENCE)
    assert not is_there(pid)
    comparer.close()
    with pytest.raises(Overloaded):
        ask(comparer)
    until(lambda: all(thread.name != "imgguard-comparer" for thread in threading.enumerate()))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_it_dies_with_whoever_started_it(how: signal.Signals, tmp_path: Path) -> None:
    text = (
        "from imgguard.settings import Settings; from imgguard.worker.comparer import ComparerProcess\n"
        f"comparer = ComparerProcess(Settings(home={str(tmp_path)!r}), make='light_comparers:make')\n"
        "ask = lambda word: comparer.compare(word, b'', file='a', reference_file='b', profile='quick')\n"
        "print(ask(b'').line.reasons[0], flush=True)\n"
        f"ask(b'await {tmp_path / 'never'}')\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, env=environment) as service:
        assert service.stdout is not None
        pid = int(service.stdout.readline())
        until((tmp_path / "never.begun").exists)
        service.send_signal(how)
    until(lambda: not is_there(pid))  # amid a comparison


def test_a_frame_that_is_too_long_ends_the_child(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    lifeline, held = os.pipe()
    command = [sys.executable, "-m", "imgguard.worker.comparer_process", str(lifeline)]
    settings = Settings(home=tmp_path / "home", max_image_bytes=100)
    with (
        ours,
        subprocess.Popen(command, stdin=theirs.fileno(), pass_fds=(lifeline,), stderr=subprocess.PIPE) as child,
    ):
        theirs.close()
        ours.sendall(settings.model_dump_json().encode() + b"\n" + wire.REQUEST.pack(2, 100, 101) + b"{}")
        assert child.wait(PATIENCE) == 1
        assert child.stderr is not None
        assert b"too long" in child.stderr.read()
        with suppress(ConnectionResetError):
            assert ours.recv(1) == b""  # nothing was taken
    for end in (lifeline, held):
        os.close(end)


def test_the_real_one_compares(tmp_path: Path) -> None:
    query, reference = (SAMPLES / name for name in ("listings/copy-mirrored-mug.jpg", "originals/mug.jpg"))
    with (
        Services(Settings(home=tmp_path / "home"), several=True) as services,
        ComparerProcess(services.settings) as there,
    ):
        pair = query.read_bytes(), reference.read_bytes()
        lines = [
            comparer.compare(*pair, file="q", reference_file="r", profile="quick").line
            for comparer in (there, services.comparison)
        ]
    one, other = (line.model_copy(update={"timings_ms": None}) for line in lines)
    assert one == other
    assert one.verdict == "copy"
