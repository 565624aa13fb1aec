"""The development images as a benchmark: what is registered, what is asked, and which half may be fitted on.

    from imgguard.bench import dataset

    dataset.references()                       # every Item to register: both splits share one index
    dataset.negatives("fit")                   # Items whose photograph is not registered, hardest cases included
    specs = dataset.positives("test", tuple(EDITS), per_edit=40, seed=1)
    specs = dataset.random_positives("fit", count=3000, seed=1)
    query = specs[0].render()                  # Query(edited, data), or None where the edit does not apply

References are the clothing originals and every second photograph of each grocery class and same-object set. The others
of those classes (often shot seconds apart) and unregistered clothing are negatives. Sellers and product classes, never
single pictures, are divided into ``fit`` and ``test``. A spec draws from a seed made of its item, edit and number, so
queries can be rendered in any order, in any process, with the same bytes. ``Item.path`` is absolute and exists;
``Item.name`` is the path in the manifest, stable across machines.

No negative is left out. All pairs were compared by PDQ in eight orientations, clothing also by SSCD of the whole
picture, and the nearest looked at: a cap photographed twice (clothing 5e944547 registered, 79307c6e asked), a jacket
(2edb1db6, 74f16421: both asked), bursts among the groceries (Floury-Potato 006 and 016: 10 of 256 bits apart, yet the
background moved against the hand). Each is another photograph; no clothing original is within 50 bits of a negative.
"""

import csv
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from imgguard.bench.edits import EDITS, EditedPicture, EditNotApplicable, Pixels, encode, random_edit
from imgguard.bench.edits.picture import decoded
from imgguard.errors import ConfigurationError

type Split = Literal["fit", "test"]
type Role = Literal["reference", "negative"]

SPLITS: tuple[Split, Split] = ("fit", "test")
RANDOM = "random"
"""Edit name of a spec that draws `random_edit` instead of a named edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One development image. ``set``: clothing, grocery or same_object; ``group``: seller or product class."""

    path: Path
    name: str
    set: str
    role: Role
    group: str
    split: Split

    def pixels(self) -> Pixels:
        """Decoded, uint8 RGB (h, w, 3)."""
        return decoded(self.path.read_bytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A rendered positive: the picture with its truth, and the JPEG file a thief would upload."""

    edited: EditedPicture
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySpec:
    """A positive query that can be rendered at any time: ``item`` (the reference) through the edit named ``edit``."""

    item: Item
    edit: str
    number: int
    seed: int

    def generator(self) -> np.random.Generator:
        """The generator that belongs to this spec alone."""
        text = f"{self.seed}|{self.item.name}|{self.edit}|{self.number}"
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))

    def render(self) -> Query | None:
        """The query, or None where the edit does not apply to the picture."""
        rng = self.generator()
        edit = random_edit(rng) if self.edit == RANDOM else EDITS[self.edit]
        try:
            edited = edit(self.item.pixels(), rng, DonorPool(self.item))
        except EditNotApplicable:
            return None
        return Query(edited=edited, data=encode(edited))


@dataclass(frozen=True, slots=True)
class DonorPool:
    """Pictures of other sellers in the same split that are not registered: scenery and neighbours of edits."""

    item: Item

    def __call__(self, rng: np.random.Generator) -> Pixels:
        """One of them, drawn."""
        pool = _donors(self.item.split)
        while True:
            drawn = pool[int(rng.integers(len(pool)))]
            if drawn.group != self.item.group:
                return drawn.pixels()


def data_root() -> Path:
    """Folder of the development images: IMGGUARD_DATA, or ``../shared/data`` beside the checkout.

    Raises ConfigurationError where there is none.
    """
    named = os.environ.get("IMGGUARD_DATA")
    root = Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not (root / "manifest.csv").is_file():
        raise ConfigurationError(
            f"the development images are not at {root}: no manifest.csv",
            hint="Name their folder with IMGGUARD_DATA; the benchmark and its tests need it, the product does not.",
        )
    return root


def references() -> tuple[Item, ...]:
    """Everything that is registered, both splits."""
    return tuple(item for item in _items(data_root()) if item.role == "reference")


def negatives(split: Split) -> tuple[Item, ...]:
    """Queries of ``split`` whose photograph is not registered."""
    return tuple(item for item in _items(data_root()) if item.role == "negative" and item.split == split)


def positives(split: Split, edits: Iterable[str], *, per_edit: int, seed: int) -> tuple[QuerySpec, ...]:
    """Up to ``per_edit`` specs for each named edit, references drawn without repetition. Raises KeyError for a name."""
    pool = [item for item in references() if item.split == split]
    specs = []
    for edit in edits:
        chosen = _shuffled(pool, f"{seed}|{EDITS[edit].name}")[:per_edit]
        specs += [QuerySpec(item=item, edit=edit, number=number, seed=seed) for number, item in enumerate(chosen)]
    return tuple(specs)


def random_positives(split: Split, *, count: int, seed: int) -> tuple[QuerySpec, ...]:
    """``count`` specs of `random_edit`, references taken in turn: what models are fitted on."""
    pool = _shuffled([item for item in references() if item.split == split], f"{seed}|{RANDOM}")
    return tuple(
        QuerySpec(item=pool[number % len(pool)], edit=RANDOM, number=number, seed=seed) for number in range(count)
    )


def _shuffled(items: Sequence[Item], salt: str) -> list[Item]:
    return sorted(items, key=lambda item: hashlib.sha256(f"{salt}|{item.name}".encode()).digest())


@lru_cache(maxsize=2)
def _donors(split: Split) -> tuple[Item, ...]:
    return tuple(item for item in negatives(split) if item.set == "clothing")


@cache
def _items(root: Path) -> tuple[Item, ...]:
    """The manifest with roles and splits."""
    with (root / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    splits = {name: _divided([row for row in rows if row["set"] == name]) for name in {row["set"] for row in rows}}
    seen: dict[str, int] = defaultdict(int)
    items = []
    for row in rows:
        group = row["group"]
        place, seen[group] = seen[group], seen[group] + 1
        registered = row["role"] == "original" or (row["role"] == "same_product" and place % 2 == 0)
        item = Item(
            path=root / row["file"],
            name=row["file"],
            set=row["set"],
            role="reference" if registered else "negative",
            group=group,
            split=splits[row["set"]][group],
        )
        items.append(item)
    return tuple(items)


def _divided(rows: Sequence[dict[str, str]]) -> dict[str, Split]:
    """Groups to splits: largest first, each to the lighter side, so that uneven sellers still balance."""
    sizes = Counter(row["group"] for row in rows)
    ordered = sorted(sizes, key=lambda group: (-sizes[group], hashlib.sha256(group.encode()).digest()))
    weight: dict[Split, int] = {"fit": 0, "test": 0}
    result: dict[str, Split] = {}
    for group in ordered:
        lighter = min(SPLITS, key=lambda split: weight[split])
        result[group] = lighter
        weight[lighter] += sizes[group]
    return result
