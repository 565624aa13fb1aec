"""Killed at any moment, a witness signs nothing afterwards that contradicts what it signed before."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from growing_log import GrowingLog
from small_log import LOG, ORIGIN
from witnesses import witness_in

from imgguard.errors import LogForked, WitnessSizeDiffers
from imgguard.provenance.checkpoints import open_checkpoint, verify_cosignatures

DYING = Path(__file__).with_name("dying.py")
SUPPORT = Path(__file__).parents[2] / "support"
COMMON, LARGEST = 3, 400
FORKS = (GrowingLog(LARGEST), GrowingLog(LARGEST, others=LARGEST - COMMON))
KILLS = 6


def dying(folder: Path, way: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(SUPPORT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, DYING, folder, way], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )


def test_what_was_stored_and_not_answered_counts(tmp_path: Path) -> None:
    with dying(tmp_path, "stored") as process:
        assert process.wait(60) == -signal.SIGKILL
        assert process.stdout is not None
        assert process.stdout.read() == ""
    witness = witness_in(tmp_path)
    size = witness.logs()[ORIGIN].size
    assert size == COMMON + 2
    with pytest.raises(LogForked):
        witness.add_checkpoint(FORKS[1].submission(size, size))
    with pytest.raises(WitnessSizeDiffers) as caught:
        witness.add_checkpoint(FORKS[0].submission(0, size))
    assert caught.value.size == size
    assert witness.add_checkpoint(FORKS[0].submission(size, size))


def test_what_was_answered_stays_whenever_it_is_killed(tmp_path: Path) -> None:
    signed: dict[int, bytes] = {}
    moment = random.Random(0)
    for _ in range(KILLS):
        with dying(tmp_path, "forever") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(moment.uniform(0.0, 0.4))
            process.kill()
            text = process.stdout.read()
        witness = witness_in(tmp_path)
        for line in text.splitlines(keepends=True):
            if not line.endswith("\n"):
                continue
            opened = open_checkpoint(bytes.fromhex(line), [LOG.key])
            assert verify_cosignatures(opened.note, [witness.key])
            assert signed.setdefault(opened.checkpoint.size, opened.checkpoint.root) == opened.checkpoint.root
        assert witness.logs()[ORIGIN].size >= max(signed, default=0)
    assert max(signed) > COMMON
    assert any(all(log.root(size) == root for size, root in signed.items()) for log in FORKS)
