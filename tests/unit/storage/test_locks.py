"""The lock of the one service on a store."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest

from imgguard.errors import StoreInUse, StoreUnavailable
from imgguard.storage.locks import only_service

HOLD = """
import sys
from pathlib import Path
from imgguard.storage.locks import only_service
with only_service(Path(sys.argv[1]), seconds=0):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_service(path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "serving.lock"


def test_a_second_service_is_refused_after_its_patience_and_told_what_to_do(path: Path) -> None:
    with another_service(path):
        began = time.monotonic()
        with pytest.raises(StoreInUse, match=str(path.parent)) as caught, only_service(path, seconds=0.3):
            pass
        assert 0.3 <= time.monotonic() - began < 5
    assert "--home" in caught.value.advice


def test_who_waits_takes_over_when_the_one_before_is_killed(path: Path) -> None:
    with another_service(path) as process:
        killing = Timer(0.3, process.kill)
        killing.start()
        with only_service(path, seconds=30):
            assert process.wait(5) != 0
        killing.join()


def test_a_child_of_the_service_does_not_keep_the_store(path: Path) -> None:
    with only_service(path, seconds=0):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with only_service(path, seconds=0):
            pass
    finally:
        child.kill()
        child.wait()


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable), only_service(tmp_path / "none" / "serving.lock", seconds=0):
        pass
