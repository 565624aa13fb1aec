"""Splits, roles and reproducible queries, on a made-up folder of images; the real one only where it is present."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from imgguard.bench import dataset
from imgguard.bench.edits.picture import jpeg
from imgguard.errors import ConfigurationError

GROUPS = (("clothing", "seller-1", 9), ("clothing", "seller-2", 5), ("clothing", "seller-3", 4))
CLASSES = (("grocery", "Mango", 6), ("grocery", "Leek", 6), ("same_object", "fork", 4), ("same_object", "scissors", 4))


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small folder in the form of the development images."""
    rng, rows = np.random.default_rng(0), []
    for kind, group, count in GROUPS + CLASSES:
        for number in range(count):
            role = ("original", "unregistered")[number % 2] if kind == "clothing" else "same_product"
            name = f"{kind}/{group}-{number:02}.jpg"
            (tmp_path / kind).mkdir(exist_ok=True)
            picture = np.repeat(np.repeat(rng.integers(0, 255, (12, 9, 3), dtype=np.uint8), 8, 0), 8, 1)
            (tmp_path / name).write_bytes(jpeg(picture, 90))
            rows.append((name, kind, role, group, "", "CC0-1.0"))
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "set", "role", "group", "label", "licence"), *rows])
    monkeypatch.setenv("IMGGUARD_DATA", str(tmp_path))
    return tmp_path


def everything() -> list[dataset.Item]:
    return [*dataset.references(), *dataset.negatives("fit"), *dataset.negatives("test")]


@pytest.mark.usefixtures("images")
def test_every_image_has_one_role() -> None:
    counts = Counter(item.name for item in everything())
    assert set(counts.values()) == {1}
    assert len(counts) == sum(count for *_, count in GROUPS + CLASSES)


@pytest.mark.usefixtures("images")
def test_no_group_is_on_both_sides_and_each_set_is_on_both() -> None:
    splits: dict[str, set[str]] = {}
    for item in everything():
        splits.setdefault(item.group, set()).add(item.split)
    assert all(len(found) == 1 for found in splits.values())
    for kind in ("clothing", "grocery", "same_object"):
        assert {item.split for item in everything() if item.set == kind} == {"fit", "test"}


@pytest.mark.usefixtures("images")
def test_every_second_photograph_of_a_product_is_registered() -> None:
    mangos = sorted((item.name, item.role) for item in everything() if item.group == "Mango")
    assert [role for _, role in mangos] == ["reference", "negative"] * 3


@pytest.mark.usefixtures("images")
def test_queries_are_the_same_in_any_order() -> None:
    specs = dataset.positives("fit", ("crop_70", "paste_25", "text"), per_edit=2, seed=1)
    assert Counter(spec.edit for spec in specs) == {"crop_70": 2, "paste_25": 2, "text": 2}
    forwards = [query.data for spec in specs if (query := spec.render())]
    backwards = [query.data for spec in reversed(specs) if (query := spec.render())]
    assert forwards == backwards[::-1]
    assert specs == dataset.positives("fit", ("crop_70", "paste_25", "text"), per_edit=2, seed=1)
    assert specs != dataset.positives("fit", ("crop_70", "paste_25", "text"), per_edit=2, seed=2)


@pytest.mark.usefixtures("images")
def test_random_queries_take_references_in_turn() -> None:
    pool = [item for item in dataset.references() if item.split == "fit"]
    specs = dataset.random_positives("fit", count=2 * len(pool), seed=1)
    assert set(Counter(spec.item.name for spec in specs).values()) == {2}
    assert len({spec.generator().random() for spec in specs}) == len(specs)


@pytest.mark.usefixtures("images")
def test_positives_and_donors_stay_within_their_split(monkeypatch: pytest.MonkeyPatch) -> None:
    (spec, *_) = dataset.positives("test", ("collage_4",), per_edit=1, seed=1)
    assert spec.item.split == "test"
    drawn: list[dataset.Item] = []
    original = dataset.Item.pixels

    def remembered(item: dataset.Item) -> dataset.Pixels:
        drawn.append(item)
        return original(item)

    monkeypatch.setattr(dataset.Item, "pixels", remembered)
    rng = np.random.default_rng(0)
    for _ in range(10):
        dataset.DonorPool(spec.item)(rng)
    assert {item.split for item in drawn} == {"test"}
    assert {item.role for item in drawn} == {"negative"}
    assert spec.item.group not in {item.group for item in drawn}


def test_an_absent_folder_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMGGUARD_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigurationError, match="development images") as caught:
        dataset.references()
    assert "IMGGUARD_DATA" in caught.value.advice


@pytest.mark.data
def test_the_real_images_divide_into_halves() -> None:
    try:
        items = everything()
    except ConfigurationError as error:
        pytest.skip(error.detail)
    assert all(item.path.is_file() for item in items[::97])
    for kind in ("clothing", "grocery", "same_object"):
        counts = Counter(item.split for item in items if item.set == kind)
        assert counts["fit"] == pytest.approx(counts["test"], rel=0.1)
    sides: dict[str, set[str]] = {}
    for item in items:
        sides.setdefault(item.group, set()).add(item.split)
    assert all(len(found) == 1 for found in sides.values())
