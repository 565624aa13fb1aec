"""Measurements -> likelihood ratio "same photograph : another photograph of the same product".

The model is a committed JSON file (trees whose every feature has a declared direction, then a line that maps their
sum to a log likelihood ratio), fitted by ``scripts/fit_calibration.py`` on the development images and never on what
the benchmark reports. Nothing is unpickled.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from imgguard.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tree:
    """One regression tree as flat arrays; node 0 is the root, ``left`` < 0 marks a leaf.

    A value goes left when it is <= ``threshold``. Shapes (nodes,).
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]

    def predict(self, row: NDArray[np.float64]) -> float:
        node = 0
        while self.left[node] >= 0:
            node = self.left[node] if row[self.feature[node]] <= self.threshold[node] else self.right[node]
        return float(self.value[node])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """A fitted model. ``cap`` bounds the absolute log10 likelihood ratio: a model cannot claim more than the number of
    independent negatives it has seen. ``copy_threshold`` and ``reject_threshold`` (log10) were fixed before testing.
    ``unaligned`` is the log10 ratio of a pair, not too plain, for which no alignment was found."""

    sha256: str
    features: tuple[str, ...]
    trees: tuple[Tree, ...]
    baseline: float
    slope: float
    intercept: float
    cap: float
    copy_threshold: float
    reject_threshold: float
    unaligned: float

    def raw(self, features: Mapping[str, float]) -> float:
        """The trees' sum: a log odds under the fitting sample, before calibration."""
        row = np.array([features.get(name, 0.0) for name in self.features], dtype=np.float64)
        return self.baseline + sum(tree.predict(row) for tree in self.trees)

    def log10_likelihood_ratio(self, features: Mapping[str, float]) -> float:
        """log10 of P(measurements | same photograph) / P(measurements | another photograph), within the cap."""
        value = self.slope * self.raw(features) + self.intercept
        return float(np.clip(value, -self.cap, self.cap))


def parse(data: bytes) -> Calibration:
    """A model from its JSON text. Raises ConfigurationError when it is not one."""
    try:
        document = json.loads(data)
        trees = tuple(
            Tree(
                feature=np.array(tree["feature"], np.int32),
                threshold=np.array(tree["threshold"], np.float64),
                left=np.array(tree["left"], np.int32),
                right=np.array(tree["right"], np.int32),
                value=np.array(tree["value"], np.float64),
            )
            for tree in document["trees"]
        )
        return Calibration(
            sha256=hashlib.sha256(data).hexdigest(),
            features=tuple(document["features"]),
            trees=trees,
            baseline=float(document["baseline"]),
            slope=float(document["slope"]),
            intercept=float(document["intercept"]),
            cap=float(document["cap"]),
            copy_threshold=float(document["copy_threshold"]),
            reject_threshold=float(document["reject_threshold"]),
            unaligned=float(document["unaligned"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"the calibration model cannot be read: {error}") from error


@cache
def shipped() -> Calibration:
    """The model that comes with this version."""
    return parse(files("imgguard.verdict").joinpath("calibration.json").read_bytes())
