"""A kill -9 at any moment loses nothing that was acknowledged. scripts/kill_test.py does more of this."""

import importlib.util
import sys
from pathlib import Path


def test_killed_at_random_moments(tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "scripts" / "kill_test.py"
    spec = importlib.util.spec_from_file_location("kill_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kill_test"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    summary = module.run(tmp_path / "kill", kills=8, seed=8, images=6)
    assert summary.problems == []
    assert summary.kills == 8
    assert summary.registered >= 6
