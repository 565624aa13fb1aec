"""A kill -9 at any moment loses nothing that was acknowledged. scripts/kill_test.py does more of this."""

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def kill_test() -> ModuleType:
    path = Path(__file__).parents[2] / "scripts" / "kill_test.py"
    spec = importlib.util.spec_from_file_location("kill_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kill_test"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_killed_at_random_moments(kill_test: ModuleType, tmp_path: Path) -> None:
    summary = kill_test.run(tmp_path / "kill", kills=8, seed=8, images=6)
    assert summary.problems == []
    assert summary.kills == 8
    assert summary.registered >= 6


@pytest.mark.parametrize(
    ("place", "used", "problems"),
    [("{digest}", False, 1), ("{digest}", True, 0), (".tmp/left", False, 1), ("other", False, 0)],
)
def test_bytes_that_were_erased_and_are_still_there_would_be_noticed(
    kill_test: ModuleType, tmp_path: Path, place: str, used: bool, problems: int
) -> None:
    test: Any = kill_test.KillTest(tmp_path / "kill", seed=1, images=1)
    digest = hashlib.sha256(b"erased").hexdigest()
    path = test.home / "originals" / place.replace("{digest}", f"{digest[:2]}/{digest[2:4]}/{digest}")
    for folder in (path.parent, test.home / "originals" / ".tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"erased")
    test.erased.add(digest)
    listed = [{"reference_id": "ref_1", "status": "withdrawn", "sha256": digest}] if used else []
    test._run = lambda *_: listed
    test._verify()
    assert len(test.summary.problems) == problems
