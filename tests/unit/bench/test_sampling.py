"""Which queries are asked and what is registered for them, on a made-up list of pictures."""

from pathlib import Path

import pytest

from imgguard.bench import dataset, sampling
from imgguard.bench.dataset import Item
from imgguard.bench.sampling import Sample, registered_for, tasks_of


def item(number: int, *, kind: str, role: str) -> Item:
    name = f"{kind}/{number:03}.jpg"
    return Item(path=Path(name), name=name, set=kind, role=role, group=f"{kind}-{number // 20}", split="test")  # type: ignore[arg-type]


REFERENCES = tuple(item(n, kind=kind, role="reference") for kind in ("clothing", "grocery") for n in range(0, 200, 2))
NEGATIVES = tuple(
    item(n, kind=kind, role="negative")
    for kind, count in (("clothing", 200), ("grocery", 200), ("same_object", 24))
    for n in range(1, count, 2)
)


@pytest.fixture(autouse=True)
def _images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "references", lambda: REFERENCES)
    monkeypatch.setattr(dataset, "negatives", lambda split: NEGATIVES if split == "test" else ())


def test_the_same_sample_every_time_with_every_edit() -> None:
    tasks = tasks_of(Sample(per_edit=2, negatives=40))
    assert tasks == tasks_of(Sample(per_edit=2, negatives=40))
    edits = [task.edit for task in tasks]
    assert {edits.count(name) for name in dataset.EDITS} == {2}
    assert edits.count("negative") == 40


def test_a_small_set_of_negatives_is_not_lost() -> None:
    sets = [task.item.set for task in tasks_of(Sample(per_edit=1, negatives=40)) if task.spec is None]
    assert sets.count("same_object") >= 10


@pytest.mark.parametrize(("count", "expected"), [(None, 212), (1000, 212), (5, 5)])
def test_any_number_of_negatives(count: int | None, expected: int) -> None:
    tasks = [task for task in tasks_of(Sample(per_edit=1, negatives=count)) if task.spec is None]
    assert len({task.item.name for task in tasks}) == len(tasks) == expected


def test_everything_is_registered_unless_thinned() -> None:
    sample = Sample(per_edit=1, negatives=10)
    assert registered_for(tasks_of(sample), sample) == list(REFERENCES)


def test_a_thinned_index_keeps_what_the_queries_need() -> None:
    sample = Sample(per_edit=1, negatives=60, thin=10)
    tasks = tasks_of(sample)
    names = {found.name for found in registered_for(tasks, sample)}
    assert len(names) < len(REFERENCES)
    assert {task.item.name for task in tasks if task.spec is not None} <= names
    for task in tasks:
        if task.spec is None and task.item.set == "grocery":
            number = int(task.item.path.stem)
            neighbours = {f"grocery/{n:03}.jpg" for n in (number - 1, number + 1) if n // 20 == number // 20}
            assert neighbours <= names


def test_the_seed_is_not_that_of_the_fit() -> None:
    assert sampling.SEED not in (20261122, 0, 1)
