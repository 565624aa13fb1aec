"""One query against a tiny World of sample pictures: what is overheard agrees with what the product says."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgguard.bench import cache
from imgguard.bench.dataset import Item, QuerySpec
from imgguard.bench.runner import Task, World, build_world
from imgguard.bench.sampling import SEED
from imgguard.bench.trial import CERTAIN, NEVER, ask
from imgguard.fingerprint.fingerprint import DescriptorKind
from imgguard.verdict.calibration import Calibration, parse

SAMPLES = Path(__file__).parents[3] / "sample_images"
# One tree: a median correlation above .7 speaks for a copy, far beyond the cap.
MODEL = {
    "features": ["correlation_median"],
    "trees": [{"feature": [0, 0, 0], "threshold": [0.7, 0, 0], "left": [1, -1, -1], "right": [2, -1, -1],
               "value": [0, -8, 8]}],
    "baseline": 0.0, "slope": 1.0, "intercept": 0.0, "cap": 3.0, "copy_threshold": 2.0, "reject_threshold": 0.0,
    "unaligned": -2.0,
}  # fmt: skip


def item(path: Path, *, name: str | None = None, role: str = "reference") -> Item:
    return Item(path=path, name=name or path.name, set="clothing", role=role, group="g", split="test")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return parse(json.dumps(MODEL).encode())


@pytest.fixture(scope="module")
def items() -> list[Item]:
    paths = sorted(path for path in (SAMPLES / "originals").rglob("*") if path.suffix in (".jpg", ".png", ".webp"))
    return [item(path) for path in paths[:5]]


@pytest.fixture(scope="module")
def world(items: list[Item]) -> World:
    return build_world(items, workers=1)


def copy_of(items: list[Item], edit: str) -> Task:
    spec = QuerySpec(item=items[1], edit=edit, number=0, seed=SEED)
    return Task(spec=spec, item=spec.item)


@pytest.mark.parametrize("profile", ["quick", "thorough"])
def test_a_copy(world: World, items: list[Item], calibration: Calibration, profile: str) -> None:
    trial = ask(world, copy_of(items, "jpeg_50"), profile=profile, calibration=calibration, baselines=True)
    assert trial is not None
    assert trial.positive
    assert (trial.verdict, trial.true_verdict, trial.rank, trial.examined) == ("copy", "copy", 0, True)
    assert (trial.ratio, trial.score) == (3.0, 8.0)  # the cap binds what is shown, not what ranks
    assert trial.iou is not None
    assert trial.iou > 0.9
    assert set(trial.baselines) == {"sscd", "pdq", "phash"}
    for found in trial.baselines.values():
        assert found.true is not None
        assert found.true > found.other


def test_the_registered_file_itself_is_certain(world: World, items: list[Item], calibration: Calibration) -> None:
    asked = Task(spec=None, item=items[0])
    trial = ask(world, asked, profile="quick", calibration=calibration, baselines=False)
    assert trial is not None
    assert (trial.score, trial.ratio, trial.nearest, trial.verdict) == (CERTAIN, 3.0, items[0].name, "copy")
    assert trial.baselines == {}


def test_noise_resembles_nothing(world: World, calibration: Calibration, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (300, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    (tmp_path / "noise.png").write_bytes(buffer.getvalue())
    asked = Task(spec=None, item=item(tmp_path / "noise.png", role="negative"))
    trial = ask(world, asked, profile="thorough", calibration=calibration, baselines=True)
    assert trial is not None
    assert (trial.positive, trial.rank, trial.true_verdict, trial.iou) == (False, None, None, None)
    assert trial.verdict == "no_match"
    assert trial.score in (-8.0, NEVER)
    assert trial.baselines["pdq"].true is None


def test_a_kept_world_is_the_same(world: World, items: list[Item], tmp_path: Path) -> None:
    cache._save(world, tmp_path / cache.key_of(items))
    again = cache.world_for(items, folder=tmp_path, workers=1)
    assert (again.vectors == world.vectors).all()
    assert again.numbers == world.numbers
    kinds = list(DescriptorKind)
    assert all(again.descriptor(2, kind) == world.descriptor(2, kind) for kind in kinds)
    assert again.load(3).pixel_digest == world.load(3).pixel_digest


def test_other_pictures_are_another_world(items: list[Item]) -> None:
    assert cache.key_of(items) != cache.key_of(items[1:])


def test_twins_are_the_same_pixels(items: list[Item]) -> None:
    twice = build_world([items[0], item(items[0].path, name="again.jpg"), items[1]], workers=1)
    assert twice.twins(0) == {0, 1}
    assert twice.twins(2) == {2}
