"""A small made-up run, for tests of what is made of it."""

from typing import Any

import pytest

from imgguard.bench.baselines import Baseline
from imgguard.bench.summary import summarise
from imgguard.bench.trial import NEVER, Trial
from imgguard.verdict.calibration import Calibration, shipped

CALIBRATION = Calibration(
    sha256="c" * 64,
    features=(),
    trees=(),
    baseline=0.0,
    slope=1.0,
    intercept=0.0,
    cap=3.0,
    copy_threshold=1.5,
    reject_threshold=0.0,
    unaligned=-2.0,
)


def trial(**changed: Any) -> Trial:
    """A copy that is found, unless said otherwise."""
    found: dict[str, Any] = {
        "query": "clothing/a.jpg|crop_40|0",
        "edit": "crop_40",
        "set": "clothing",
        "group": "seller-1",
        "profile": "thorough",
        "verdict": "copy",
        "true_verdict": "copy",
        "rank": 0,
        "examined": True,
        "ratio": 3.0,
        "score": 4.5,
        "nearest": None,
        "other_ratio": -3.0,
        "other_score": NEVER,
        "other": None,
        "iou": 0.9,
        "named": ("cropped",),
        "baselines": {name: Baseline(true=0.8, other=0.3) for name in ("sscd", "pdq", "phash")},
        "seconds": 0.5,
    }
    return Trial(**(found | changed))


def negative(score: float, **changed: Any) -> Trial:
    """A photograph that is not registered, whose highest score is ``score``."""
    ratio = max(-3.0, min(3.0, score))
    found: dict[str, Any] = {
        "query": "grocery/b.jpg",
        "edit": "negative",
        "set": "grocery",
        "group": "Leek",
        "verdict": "copy" if ratio >= 1.5 else "inconclusive" if ratio > 0 else "same_product",
        "true_verdict": None,
        "rank": None,
        "examined": False,
        "ratio": ratio,
        "score": score,
        "other_ratio": ratio,
        "other_score": score,
        "other": "grocery/c.jpg",
        "nearest": "grocery/c.jpg",
        "iou": None,
        "named": (),
        "baselines": {name: Baseline(true=None, other=0.85) for name in ("sscd", "pdq", "phash")},
    }
    return trial(**(found | changed))


MISSED = trial(
    edit="paste_10", rank=12, examined=False, true_verdict=None, verdict="no_match", ratio=-3.0, score=NEVER, iou=None,
    named=(),
)  # fmt: skip
DOUBTED = trial(edit="paste_10", rank=3, true_verdict="inconclusive", verdict="inconclusive", ratio=1.0, score=1.0,
                iou=None, named=())  # fmt: skip
WRONG = trial(edit="blur", set="grocery", group="Leek", other="grocery/d.jpg", other_ratio=2.0, other_score=2.0)
TRIALS = [trial(), WRONG, MISSED, DOUBTED, negative(0.5), negative(-2.0, group="Mango")]


@pytest.fixture(scope="session")
def trials() -> list[Trial]:
    """Four copies (found; found with a wrong one beside it; no candidate; inconclusive) and two negatives."""
    return TRIALS


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    """Only its thresholds matter here."""
    return CALIBRATION


@pytest.fixture
def results() -> dict[str, Any]:
    """As the benchmark writes them."""
    made = {
        "at": "2026-11-22 10:00 UTC",
        "command": "python -m imgguard.bench",
        "revision": None,
        "machine": {"processor": "P", "cores": 2, "memory_gb": 8.0, "system": "Linux", "load_before": 0.1},
        "versions": {"imgguard": "0.1.0"},
        "weights": {"sscd": "a" * 64},
        "calibration": {"sha256": shipped().sha256, "copy_threshold": 1.5, "cap": 3.0},
    }
    thorough = summarise(TRIALS, CALIBRATION)
    times = {s: {"p50": 10.0, "p95": 20.0} for s in ("decode", "fingerprint", "search", "verify", "total", "wall")}
    row = {"profile": "quick", "verdict": "no_match", "n": 4, "times": times, "cost": 3.5, "cost_wall": 4.0}
    bulk = {"pictures": 8, "rate": 1.5, "outcomes": {"copy": 8}, "peak_bytes": 5e8}
    registration = {
        "size": [400, 533],
        "pictures": 20,
        "rate": 12.0,
        "bare_rate": 24.0,
        "ratio": 0.5,
        "peak_bytes": 6e8,
    }
    million = {
        "references": 1_000_000,
        "build_seconds": 60.0,
        "one_vector_ms": {"p50": 4.0, "p95": 6.0},
        "all_views_ms": {"p50": 90.0, "p95": 99.0},
        "views": 51.0,
        "bytes_per_vector": 590.0,
        "recall_top10": 0.98,
        "recall_top10_fetched": 0.995,
        "resident_growth_bytes": 6e8,
    }
    like = {"random_pair_mean": 0.1, "random_pair_sd": 0.05, "random_pair_p99": 0.3}
    like["variance_in_half_the_directions"] = 0.85
    scale = {"rows": [million], "queries": 60, "real": 1904, "fetched": 15}
    return {
        "accuracy": {"references": 5, "sample": "a few", "profiles": {"thorough": thorough}, "made": made},
        "speed": {
            "cores": 2,
            "references": 20,
            "registration": registration,
            "single": {"unit_ms": {"p50": 23.0, "p95": 30.0}, "unit": 23.0, "rows": [row]},
            "bulk": {"quick": bulk},
            "made": made,
        },
        "log": {
            "leaves": 100_000,
            "append": {"seconds": 0.2, "cpu_seconds": 0.1},
            "publish": {"seconds": 0.2, "cpu_seconds": 0.1},
            "publish_one": {"seconds": 0.02, "cpu_seconds": 0.01},
            "proof": {"seconds": 0.006, "cpu_seconds": 0.001},
            "registration_ms": {"whole": 300.0, "leaf": 1.5},
            "made": made,
        },
        "packets": {
            "pictures": 5,
            "rows": [
                {
                    "about": about,
                    "bytes": 3_000_000,
                    "build": 1.0,
                    "build_command": build_command,
                    "verify": 0.1,
                    "verify_command": 0.6,
                }
                for about, build_command in (("references", 2.0), ("findings", 3.5))
            ],
            "made": made,
        },
        "service": {
            "cores": 2,
            "registered": 20,
            "pipeline": {"rates": [2.0, 2.2], "rate": 2.1},
            "checks": [
                {"clients": 1, "checks": 9, "rate": 1.2, "ratio": 0.57, "p50_ms": 500.0, "p95_ms": 700.0},
                {"clients": 2, "checks": 9, "rate": 2.0, "ratio": 0.95, "p50_ms": 600.0, "p95_ms": 1400.0},
                {"clients": 8, "checks": 9, "rate": 1.6, "ratio": 0.76, "p50_ms": 3000.0, "p95_ms": 4000.0},
            ],
            "many": {
                "references": 100_000,
                "first_start_seconds": 20.0,
                "start_seconds": 4.0,
                "found_at_once": 1.0,
                "processes": 6,
                "resident_bytes": 2_000_000_000,
                "shared_once_bytes": 1_100_000_000,
                "api_bytes": 300_000_000,
            },
            "made": made,
        },
        "scale": scale | {"resemblance": {"real": like, "synthetic": like}, "made": made},
    }
