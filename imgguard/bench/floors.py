"""Figures that must not be missed, even by the small sample that runs with every change.

They are no targets: each lies below what a full run shows by more than the sample's chance, so that a floor that
is missed means something broke. Accuracy on about 140 copies and 80 negatives; cost on a shared, noisy machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imgguard.bench.targets import TARGETS, Target

SAMPLE_PER_EDIT = 3
SAMPLE_NEGATIVES = 80
SAMPLE_THIN = 3

# One sample of 140 has a standard error of .02 at a recall of .95.
RECALL_SHIPPED = 0.90
# A share of 2 in 300 negatives, and never none: of 80 negatives one may be accused.
FALSE_ACCUSATIONS = 2 / 300
# Full runs are above .99; a view that is lost, or weights that are not a pair, cost far more than this.
CANDIDATES_AT_10 = 0.97
# Costs in units of an inference, measured in turns with it: twice the target, since a CI machine has neighbours.
COST_FACTOR = 2.0
REGISTRATION = 0.2

_COSTS = ("quick_no_match", "thorough_no_match", "quick_copy", "thorough_copy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """One floor and what was measured. ``value`` None, not measured, does not count as missed."""

    text: str
    limit: float
    value: float | None
    held: bool


def floors(results: Mapping[str, Any]) -> list[Floor]:
    """Every floor whose figure was measured."""
    found = [*_accuracy(results), *_speed(results)]
    return [floor for floor in found if floor.value is not None]


def _accuracy(results: Mapping[str, Any]) -> list[Floor]:
    figures = results.get("accuracy", {}).get("profiles", {}).get("thorough")
    if figures is None:
        return []
    shipped, candidates = figures["shipped"], figures["candidate_recall"]["10"]["value"]
    recall, accused = shipped["recall"]["value"], shipped["accused"]
    allowed = max(1, round(FALSE_ACCUSATIONS * accused["count"]))
    return [
        _at_least("recall at the shipped threshold", RECALL_SHIPPED, recall),
        _at_most(f"false accusations in {accused['count']} at the shipped threshold", allowed, accused["hits"]),
        _at_least("candidate recall at 10", CANDIDATES_AT_10, candidates),
    ]


def _speed(results: Mapping[str, Any]) -> list[Floor]:
    targets: dict[str, Target] = {target.key: target for target in TARGETS}
    costs = [
        _at_most(targets[key].text, COST_FACTOR * targets[key].limit, targets[key].read(results)) for key in _COSTS
    ]
    return [
        *costs,
        _at_least(targets["registration"].text, REGISTRATION, targets["registration"].read(results)),
    ]


def _at_least(text: str, limit: float, value: float | None) -> Floor:
    return Floor(text=f"{text} >= {limit:g}", limit=limit, value=value, held=value is None or value >= limit)


def _at_most(text: str, limit: float, value: float | None) -> Floor:
    return Floor(text=f"{text} <= {limit:g}", limit=limit, value=value, held=value is None or value <= limit)
