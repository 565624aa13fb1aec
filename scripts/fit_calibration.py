"""Fit the likelihood-ratio model that ships as imgguard/verdict/calibration.json.

    .venv/bin/python scripts/fit_calibration.py            # measures (half an hour on 2 cores), fits, writes
    .venv/bin/python scripts/fit_calibration.py --rows F   # fits on rows measured before

Only the ``fit`` half of the development images is used: other sellers and other product classes than those the
benchmark reports on, and edits with strengths drawn from a continuum. Everything is seeded. Steps:

1. Measure pairs: edited originals with their true reference and with the nearest others; unregistered photographs with
   the nearest references (photographs of the same product among them).
2. Fit boosted trees whose every feature has a declared direction, since more agreement can never speak against a copy.
   Pairs that could not be aligned teach the trees as well; their own likelihood ratio is simply counted.
3. Cross-validate by seller and product class; map the held-out sums to log10 likelihood ratios by logistic regression,
   taking for each photograph that is not registered the candidate that looks most like a copy.
4. Fix both thresholds on the held-out values and write the model as JSON.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from imgguard.bench import dataset
from imgguard.bench.accuracy import CACHE
from imgguard.bench.cache import world_for
from imgguard.bench.edits import EDITS
from imgguard.bench.runner import Task, measure, run

SEED = 20261122
ALIGNED = "correlation_median"  # a measurement that only pairs with an alignment have
TARGET = Path(__file__).resolve().parents[1] / "imgguard" / "verdict" / "calibration.json"

# Feature -> direction in which it can only speak for a copy (+1), only against (-1), or depends on the others (0).
DIRECTIONS = {
    "cosine_similarity": 1,
    "hamming_distance": -1,
    "match_count": 0,
    "inlier_count": 1,
    "similarity_inlier_count": 1,
    "consistent_count": 1,
    "keypoints_query": 0,
    "keypoints_reference": 0,
    "correlation_median": 1,
    "correlation_mean": 1,
    "correlation_p25": 1,
    "correlation_p75": 1,
    "correlation_core": 1,
    "share_above_50": 1,
    "share_above_80": 1,
    "share_above_95": 1,
    "agreeing_share": 1,
    "agreeing_largest": 1,
    "agreeing_centre": 1,
    "agreeing_rim": 0,
    "agreeing_of_query": 0,
    "agreeing_of_reference": 0,
    "overlap_of_query": 0,
    "overlap_of_reference": 0,
    "textured_share": 0,
    "textured_pixels": 1,
    "flow_median": -1,
    "flow_high": -1,
    "flow_rough": -1,
    "grey_median": -1,
    "grey_mean": -1,
    "gain": 0,
    "detail": 1,
    "blur": 0,
    "bend": 0,
    "continuation": -1,
    "anisotropy": 0,
    "shear": -1,
    "perspective": -1,
    "rotation": 0,
    "scale": 0,
    "patch_side": 0,
    "hash_quality": 0,
}


def measured(path: Path, *, workers: int) -> None:
    """Step 1: one JSON line a pair into ``path``."""
    world = world_for(dataset.references(), folder=CACHE, workers=workers)
    specs = (
        *dataset.random_positives("fit", count=1400, seed=SEED),
        *dataset.positives("fit", tuple(EDITS), per_edit=5, seed=SEED),
    )
    tasks = [Task(spec=spec, item=spec.item) for spec in specs]
    tasks += [Task(spec=None, item=item) for item in dataset.negatives("fit")]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for done, rows in enumerate(run(world, tasks, workers=workers, work=measure)):
            for row in rows:
                file.write(json.dumps(asdict(row)) + "\n")
            if done % 200 == 0:
                print(f"measured {done} of {len(tasks)} queries", flush=True)


def fold_group(row: dict[str, Any]) -> str:
    """What is held out together: a seller or a product class.

    The fitting half has a single flat object on a plain ground (scissors). Held out whole, nothing like it is left to
    learn from, and the worst of its ten photographs come out near 2; so each of them is held out by itself.
    """
    return str(row["query"].split("|")[0] if row["set"] == "same_object" else row["group"])


def model(seed: int) -> HistGradientBoostingClassifier:
    """Shallow and strongly regularised: the test of a model is edits and products it has never seen."""
    return HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=360,
        max_leaf_nodes=12,
        min_samples_leaf=12,
        l2_regularization=1.0,
        max_features=0.35,
        monotonic_cst=list(DIRECTIONS.values()),
        early_stopping=False,
        random_state=seed,
    )


def tree_document(nodes: NDArray[Any]) -> dict[str, list[float]]:
    """One fitted tree as flat lists."""
    leaf = nodes["is_leaf"].astype(bool)
    return {
        "feature": [int(v) for v in np.where(leaf, 0, nodes["feature_idx"])],
        "threshold": [float(v) for v in np.where(leaf, 0.0, nodes["num_threshold"])],
        "left": [int(v) for v in np.where(leaf, -1, nodes["left"].astype(np.int64))],
        "right": [int(v) for v in np.where(leaf, -1, nodes["right"].astype(np.int64))],
        "value": [round(float(v), 6) for v in nodes["value"]],
    }


def calibrated(raw: NDArray[np.float64], same: NDArray[np.bool_]) -> tuple[float, float]:
    """(slope, intercept) that map raw sums to log10 likelihood ratios, both classes weighing the same."""
    weights = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum()) * len(raw)
    line = LogisticRegression(C=1e6).fit(raw[:, None], same, sample_weight=weights)
    return float(line.coef_[0, 0] / np.log(10)), float(line.intercept_[0] / np.log(10))


def hardest(rows: list[dict[str, Any]], raw: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Raw sums of true pairs, and for each unregistered photograph that of its most copy-like candidate."""
    true = np.array([value for row, value in zip(rows, raw, strict=True) if row["same"]])
    worst: dict[str, float] = {}
    for row, value in zip(rows, raw, strict=True):
        if row["edit"] == "negative":
            worst[row["query"]] = max(worst.get(row["query"], -np.inf), float(value))
    return true, np.array(list(worst.values()))


def cllr(true: NDArray[np.float64], false: NDArray[np.float64]) -> float:
    """Log-likelihood-ratio cost (Brummer and du Preez 2006) of log10 ratios: 0 is perfect, 1 says nothing."""
    bits = np.log2(1 + 10.0**-true).mean() + np.log2(1 + 10.0**false).mean()
    return float(bits / 2)


def main() -> None:
    """The four steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rows", type=Path, default=Path("var/fit/rows.jsonl"), help="measured pairs; made when absent"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dry-run", action="store_true", help="report, write nothing")
    options = parser.parse_args()
    if not options.rows.exists():
        measured(options.rows, workers=options.workers)
    rows = [json.loads(line) for line in options.rows.read_text(encoding="utf-8").splitlines()]
    aligned = np.array([ALIGNED in row["features"] for row in rows])
    same = np.array([row["same"] for row in rows])
    values = np.array([[row["features"].get(name, 0.0) for name in DIRECTIONS] for row in rows])
    raw = cross_validated(values, same, np.array([fold_group(row) for row in rows]))
    true, false = hardest(rows, raw)
    labels = np.r_[np.ones(len(true), bool), np.zeros(len(false), bool)]
    slope, intercept = calibrated(np.r_[true, false], labels)
    cap = float(np.log10(len(false)))
    ratios = [np.clip(slope * part + intercept, -cap, cap) for part in (true, false)]
    copy_threshold, reject_threshold = thresholds(*ratios, cap)
    unaligned = unaligned_ratio(aligned, same, cap)
    print(f"not aligned: {unaligned:.2f}; reject threshold {reject_threshold}")
    report(rows, raw, slope, intercept, cap, ratios, copy_threshold)
    if options.dry_run:
        return
    final = model(SEED).fit(values, same)
    document = {
        "made_by": "scripts/fit_calibration.py",
        "seed": SEED,
        "true_pairs": len(true),
        "independent_negatives": len(false),
        "features": list(DIRECTIONS),
        "slope": slope,
        "intercept": intercept,
        "cap": cap,
        "copy_threshold": copy_threshold,
        "reject_threshold": reject_threshold,
        "unaligned": round(unaligned, 3),
        "baseline": float(np.ravel(final._baseline_prediction)[0]),
        "trees": [tree_document(predictor[0].nodes) for predictor in final._predictors],
    }
    TARGET.write_text(json.dumps(document, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"wrote {TARGET}")


def cross_validated(
    values: NDArray[np.float64], same: NDArray[np.bool_], groups: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Raw sums from models that have not seen the seller or product class."""
    raw = np.zeros(len(same))
    for train, test in StratifiedGroupKFold(n_splits=6, shuffle=True, random_state=SEED).split(values, same, groups):
        raw[test] = model(SEED).fit(values[train], same[train]).decision_function(values[test])
    return raw


def unaligned_ratio(aligned: NDArray[np.bool_], same: NDArray[np.bool_], cap: float) -> float:
    """log10 of how much oftener copies than other pairs cannot be aligned; negative. One is added to each count."""
    shares = [((~aligned & kind).sum() + 1) / (kind.sum() + 2) for kind in (same, ~same)]
    return float(np.clip(np.log10(shares[0] / shares[1]), -cap, cap))


def thresholds(true: NDArray[np.float64], false: NDArray[np.float64], cap: float) -> tuple[float, float]:
    """The ratios from which a copy is reported, and up to which another photograph is.

    The first lies half a unit above all held-out negatives but one in a thousand; below the second lies one in two
    hundred of the held-out copies.
    """
    allowed = len(false) // 1000 + 1
    copy = np.clip(np.sort(false)[-1 - allowed] + 0.5, 1.5, cap - 0.3)
    return round(float(copy), 2), round(float(np.clip(np.quantile(true, 0.005), -1.0, -0.3)), 2)


def report(
    rows: list[dict[str, Any]],
    raw: NDArray[np.float64],
    slope: float,
    intercept: float,
    cap: float,
    ratios: list[NDArray[np.float64]],
    threshold: float,
) -> None:
    """Held-out figures on the fitting half: for choosing, never for publishing."""
    true, false = ratios
    print(f"true pairs {len(true)}, negatives {len(false)}, cap {cap:.2f}, threshold {threshold}")
    print(
        f"held out: Cllr {cllr(true, false):.4f}; at the threshold: recall {np.mean(true >= threshold):.4f}, ", end=""
    )
    print(f"false {int((false >= threshold).sum())}; recall above the worst negative {np.mean(true > false.max()):.4f}")
    for edit in sorted({row["edit"] for row in rows if row["same"]}):
        found = [slope * v + intercept for row, v in zip(rows, raw, strict=True) if row["same"] and row["edit"] == edit]
        if (share := float(np.mean(np.array(found) >= threshold))) < 0.98:
            print(f"  {edit:22s} {share:.3f} of {len(found)}")
    worst = sorted(
        ((slope * v + intercept, row) for row, v in zip(rows, raw, strict=True) if row["edit"] == "negative"),
        key=lambda item: -item[0],
    )
    for value, row in worst[:12]:
        print(f"  {value:6.2f} {row['query']} ~ {row['reference']}")


if __name__ == "__main__":
    main()
