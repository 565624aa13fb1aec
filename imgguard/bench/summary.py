"""From trials to the figures of the report: plain numbers, lists and dictionaries, ready for JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgguard.bench import metrics
from imgguard.bench.baselines import BASELINES
from imgguard.bench.trial import NEVER, Trial
from imgguard.verdict.calibration import Calibration
from imgguard.verdict.finding import Verdict

PRODUCT = "imgguard"
METHODS = {PRODUCT: "imgguard", **BASELINES}
_CANDIDATES = (1, 10, 50)
_LISTED = 25  # hardest negatives and missed copies that the report names


def scores_of(trial: Trial, method: str) -> tuple[float, float]:
    """(score of the true reference, highest of another one); for a negative query the former is minus infinity."""
    if method == PRODUCT:
        true = trial.score if trial.positive and trial.examined else -np.inf
        return true, trial.other_score if trial.other is not None else -np.inf
    found = trial.baselines[method]
    return -np.inf if found.true is None else found.true, found.other


def summarise(trials: Sequence[Trial], calibration: Calibration) -> dict[str, Any]:
    """Everything about one profile's trials."""
    copies = [trial for trial in trials if trial.positive]
    honest = [trial for trial in trials if not trial.positive]
    methods = [name for name in METHODS if name == PRODUCT or all(name in trial.baselines for trial in trials)]
    ranked = {name: method_figures(copies, honest, name) for name in methods}
    ratios, against = _ratios(copies), _ratios(honest)
    return {
        "copies": len(copies),
        "negatives": len(honest),
        "groups": len({trial.group for trial in trials}),
        "methods": ranked,
        "shipped": at_shipped_threshold(copies, honest, calibration),
        "candidate_recall": {str(k): asdict(metrics.share(_candidate(copies, k))) for k in _CANDIDATES},
        "cllr": metrics.cllr(ratios, against),
        "cllr_interval": asdict(_cllr_interval(trials)),
        "cllr_min": metrics.cllr_min(ratios, against),
        "iou": mean_of([trial.iou for trial in copies]),
        "edits": [edit_figures(name, copies, ranked) for name in dict.fromkeys(t.edit for t in copies)],
        "copy_sets": _by_set(copies, ranked),
        "negative_sets": [_negative_set(name, honest) for name in sorted({t.set for t in honest})],
        "worst_negatives": _worst(honest),
        "missed": _missed(copies),
        "wrongly_attributed": _attributed(copies, calibration),
        "tippett": {"copies": asdict(metrics.tippett(ratios)), "negatives": asdict(metrics.tippett(against))},
    }


def _ratios(trials: Sequence[Trial]) -> metrics.Scores:
    return np.array([trial.ratio for trial in trials], dtype=np.float64)


def _candidate(copies: Sequence[Trial], most: int) -> NDArray[np.bool_]:
    return np.array([trial.rank is not None and trial.rank < most for trial in copies], dtype=bool)


def method_figures(copies: Sequence[Trial], honest: Sequence[Trial], method: str) -> dict[str, Any]:
    """What one method's scores can do, the threshold swept over the negatives."""
    true = np.array([scores_of(trial, method)[0] for trial in copies])
    other = np.array([scores_of(trial, method)[1] for trial in copies])
    negative = np.array([scores_of(trial, method)[1] for trial in honest])
    allowed = metrics.accused_at_a_thousandth(len(negative))
    zero = metrics.threshold_for(negative, accused=0)
    strict = max(zero, float(other.max(initial=-np.inf)))
    groups = [trial.group for trial in (*copies, *honest)]
    joined = np.r_[true, negative]

    def recall(chosen: NDArray[np.int64]) -> float:
        drawn, limit = joined[chosen], len(true)
        mine, theirs = drawn[chosen < limit], drawn[chosen >= limit]
        return float((mine > theirs.max()).mean()) if len(mine) and len(theirs) else float("nan")

    return {
        "threshold_zero": _finite(zero),
        "recall_zero": asdict(metrics.recall_above(true, zero)),
        "recall_zero_interval": asdict(metrics.grouped_bootstrap(groups, recall)),
        "allowed": allowed,
        "recall_thousandth": asdict(metrics.recall_above(true, metrics.threshold_for(negative, accused=allowed))),
        "recall_no_wrong_reference": asdict(metrics.recall_above(true, strict)),
        "uap": metrics.micro_average_precision(true, np.r_[other, negative], copies=len(copies)),
        "det": asdict(metrics.detection_error_tradeoff(true, negative)),
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def at_shipped_threshold(copies: Sequence[Trial], honest: Sequence[Trial], calibration: Calibration) -> dict[str, Any]:
    """What an operator gets: verdicts as the product gives them, the threshold fixed before testing."""
    limit = calibration.copy_threshold
    found = np.array([trial.true_verdict == Verdict.COPY for trial in copies], dtype=bool)
    accused = np.array([trial.verdict == Verdict.COPY for trial in honest], dtype=bool)
    wrong = np.array([trial.other is not None and trial.other_ratio >= limit for trial in copies], dtype=bool)
    unsure = np.array([trial.true_verdict == Verdict.INCONCLUSIVE for trial in copies], dtype=bool)
    doubted = np.array([trial.verdict == Verdict.INCONCLUSIVE for trial in honest], dtype=bool)
    return {
        "threshold": limit,
        "recall": asdict(metrics.share(found)),
        "recall_interval": asdict(_mean_interval(copies, found)),
        "accused": asdict(metrics.share(accused)),
        "accused_interval": asdict(_mean_interval(honest, accused)),
        "wrong_reference": asdict(metrics.share(wrong)),
        "inconclusive_copies": asdict(metrics.share(unsure)),
        "inconclusive_negatives": asdict(metrics.share(doubted)),
    }


def _mean_interval(trials: Sequence[Trial], mask: NDArray[np.bool_]) -> metrics.Interval:
    return metrics.grouped_bootstrap([trial.group for trial in trials], lambda chosen: float(mask[chosen].mean()))


def _cllr_interval(trials: Sequence[Trial]) -> metrics.Interval:
    ratios, positive = _ratios(trials), np.array([trial.positive for trial in trials])

    def statistic(chosen: NDArray[np.int64]) -> float:
        drawn, mine = ratios[chosen], positive[chosen]
        return metrics.cllr(drawn[mine], drawn[~mine]) if mine.any() and not mine.all() else float("nan")

    return metrics.grouped_bootstrap([trial.group for trial in trials], statistic)


def edit_figures(name: str, copies: Sequence[Trial], ranked: Mapping[str, Any]) -> dict[str, Any]:
    """One row of the table per edit; thresholds are those of all negatives."""
    chosen = [trial for trial in copies if trial.edit == name]
    named = Counter(edit for trial in chosen for edit in trial.named)
    return {
        "edit": name,
        **_recalls(chosen, ranked),
        "iou": mean_of([trial.iou for trial in chosen]),
        "inconclusive": float(np.mean([trial.true_verdict == Verdict.INCONCLUSIVE for trial in chosen])),
        "candidate_10": float(_candidate(chosen, 10).mean()),
        "ratio_median": float(np.median(_ratios(chosen))),
        "named": [edit for edit, count in named.most_common(3) if 2 * count >= len(chosen)],
    }


def _recalls(chosen: Sequence[Trial], ranked: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"n": len(chosen)}
    for method, figures in ranked.items():
        limit = figures["threshold_zero"]
        true = np.array([scores_of(trial, method)[0] for trial in chosen])
        result[method] = float((true > (-np.inf if limit is None else limit)).mean())
    found = np.array([trial.true_verdict == Verdict.COPY for trial in chosen], dtype=bool)
    return result | {"shipped": asdict(metrics.share(found))}


def _by_set(copies: Sequence[Trial], ranked: Mapping[str, Any]) -> list[dict[str, Any]]:
    sets = sorted({trial.set for trial in copies})
    return [{"set": s} | _recalls([t for t in copies if t.set == s], ranked) for s in sets]


def _negative_set(name: str, honest: Sequence[Trial]) -> dict[str, Any]:
    chosen = [trial for trial in honest if trial.set == name]
    ratios = _ratios(chosen)
    verdicts = Counter(trial.verdict for trial in chosen)
    return {
        "set": name,
        "n": len(chosen),
        "verdicts": {verdict.value: verdicts[verdict.value] for verdict in Verdict if verdict is not Verdict.ERROR},
        "highest": float(ratios.max()),
        "p99": float(np.percentile(ratios, 99)),
        "median": float(np.median(ratios)),
    }


def mean_of(values: Sequence[float | None]) -> dict[str, Any]:
    """Mean of those that are known, and how many they are."""
    known = [value for value in values if value is not None]
    return {"n": len(known), "mean": float(np.mean(known)) if known else None}


def _worst(honest: Sequence[Trial]) -> list[dict[str, Any]]:
    ordered = sorted(honest, key=lambda trial: -trial.score)[:_LISTED]
    return [
        {"query": t.query, "reference": t.nearest, "ratio": t.ratio, "score": t.score, "verdict": t.verdict}
        for t in ordered
        if t.score > NEVER
    ]


def _missed(copies: Sequence[Trial]) -> list[dict[str, Any]]:
    missed = sorted((t for t in copies if t.true_verdict != Verdict.COPY), key=lambda trial: trial.score)
    return [{"query": t.query, "ratio": t.ratio, "rank": t.rank, "verdict": t.true_verdict} for t in missed[:_LISTED]]


def _attributed(copies: Sequence[Trial], calibration: Calibration) -> list[dict[str, Any]]:
    limit = calibration.copy_threshold
    wrong = [t for t in copies if t.other is not None and t.other_ratio >= limit]
    return [{"query": t.query, "reference": t.other, "ratio": t.other_ratio} for t in wrong[:_LISTED]]
