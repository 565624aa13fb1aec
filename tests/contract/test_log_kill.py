"""Killed at any step of appending and publishing, the log goes on from there and never contradicts itself."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_the_log_goes_on_after_a_death_at_every_step(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(HERE / "log_writer.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    found = re.fullmatch(r"deaths: (\d+) leaves: (\d+) checkpoints: (\d+)\n", done.stdout)
    assert found is not None, done.stdout
    deaths, leaves, checkpoints = map(int, found.groups())
    assert deaths > 40
    assert leaves > 1000  # tiles became full on the way, on two levels
    assert checkpoints >= deaths / 2
