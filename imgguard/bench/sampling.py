"""Which queries a run asks, and what it registers: fixed by a seed, so that everybody asks the same."""

import hashlib
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from imgguard.bench import dataset
from imgguard.bench.dataset import Item
from imgguard.bench.edits import EDITS
from imgguard.bench.runner import Task

SEED = 2026
"""Not the seed of the fit: other random draws, on other sellers and product classes."""
_EACH_SET = 10  # negatives of every set, however small its share


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """``per_edit`` copies of each edit, ``negatives`` photographs that are not registered, every ``thin``-th reference
    registered (beside those that the queries need). None: all there are."""

    per_edit: int
    negatives: int | None = None
    thin: int = 1

    @property
    def text(self) -> str:
        """In words, for the report."""
        negatives = "all negatives" if self.negatives is None else f"{self.negatives} negatives"
        thin = "" if self.thin == 1 else f", every {self.thin}th reference and those that the queries need"
        return f"{self.per_edit} copies of each of {len(EDITS)} edits, {negatives}{thin}"


def tasks_of(sample: Sample) -> list[Task]:
    """The queries of ``sample``, all from the ``test`` split."""
    specs = dataset.positives("test", tuple(EDITS), per_edit=sample.per_edit, seed=SEED)
    tasks = [Task(spec=spec, item=spec.item) for spec in specs]
    return tasks + [Task(spec=None, item=item) for item in _negatives(sample.negatives)]


def _negatives(count: int | None) -> list[Item]:
    shuffled = sorted(dataset.negatives("test"), key=lambda item: _draw(item.name))
    if count is None or count >= len(shuffled):
        return shuffled
    sets = sorted({item.set for item in shuffled})
    first = list(chain.from_iterable([i for i in shuffled if i.set == name][:_EACH_SET] for name in sets))
    chosen = first[:count] if count >= len(first) else shuffled[:count]
    chosen += [item for item in shuffled if item not in first][: max(0, count - len(chosen))]
    return chosen[:count]


def _draw(name: str) -> bytes:
    return hashlib.sha256(f"{SEED}|{name}".encode()).digest()


def registered_for(tasks: Sequence[Task], sample: Sample) -> list[Item]:
    """The references of both splits that a run registers.

    A thinned set keeps the references that copies were made from and, for the photographs of a product that is
    registered, their neighbours in the series: without them the hardest negatives would be easy.
    """
    every = dataset.references()
    if sample.thin == 1:
        return list(every)
    wanted = {item.name for item in every[:: sample.thin]}
    wanted |= {task.item.name for task in tasks if task.spec is not None}
    names = [item.name for item in every]
    groups = {item.name: item.group for item in every}
    for task in tasks:
        if task.spec is None:
            place = bisect(names, task.item.name)
            wanted |= {name for name in names[max(0, place - 1) : place + 1] if groups[name] == task.item.group}
    return [item for item in every if item.name in wanted]
