"""What a check and a registration cost, in units of one SSCD inference on the same cores in the same minutes.

Wall-clock times of a shared machine wander by tens of per cent; a ratio to work of the same kind, measured in turns
with it, does not. Everything runs through the services as the product makes them: sandboxed decoder, database, blobs
on disk, index on disk.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgguard.bench import dataset
from imgguard.bench.accuracy import say
from imgguard.bench.bulk import open_services
from imgguard.bench.edits import EDITS
from imgguard.bench.edits.picture import decoded, jpeg, resized_pixels
from imgguard.bench.runner import Task
from imgguard.bench.sampling import SEED
from imgguard.bench.watching import Watched, watched
from imgguard.bootstrap import Services
from imgguard.fingerprint.embedding import REFERENCE_SIDE, Embedder
from imgguard.fingerprint.weights import packaged_weights
from imgguard.imaging.image import Pixels
from imgguard.services.checking import Request
from imgguard.services.sources import source_of
from imgguard.verdict.finding import Verdict

SIZE = (400, 533)
"""Width and height of the registered pictures, as the issue of the targets names them."""
STAGES = ("decode", "fingerprint", "search", "verify", "total")
_CHUNKS = 3  # registration is timed in this many runs, bare inference before and after each
_BARE_SECONDS = 3.0
_BATCH = 8
_WARM_UP = 3
_STRIDE = 5  # no divisor of the number of edits: few copies, too, are made by edits of all kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedSample:
    """How many pictures are registered, and how many of either kind of query are checked one by one."""

    references: int = 300
    copies: int = 30
    others: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """One timed check; ``times`` in milliseconds, ``wall`` includes keeping the finding."""

    profile: str
    verdict: str
    times: dict[str, float]


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def measure_speed(sample: SpeedSample, *, calibration: Path | None) -> dict[str, Any]:
    """Registration, single checks and a bulk check, in a temporary home."""
    references = [item for item in dataset.references() if item.set == "clothing"]
    chosen = references[:: max(1, len(references) // sample.references)][: sample.references]
    with tempfile.TemporaryDirectory(prefix="imgguard-bench-") as name:
        folder = Path(name)
        home = folder / "home"
        say(f"speed: registering {len(chosen)} pictures")
        files = [resized(item, folder / f"{number:05}.jpg") for number, item in enumerate(chosen)]
        registration = _registration(files, home, calibration)
        queries = queries_of(chosen, sample, folder)
        with open_services(home, several=False, calibration=calibration) as services:
            single = _single(services, queries)
        say(f"speed: checking {len(queries)} pictures with all workers")
        bulk = {profile: _bulk(queries, home, calibration, profile) for profile in ("quick", "thorough")}
    return {"cores": cores(), "references": len(chosen), "registration": registration, "single": single, "bulk": bulk}


def resized(item: dataset.Item, path: Path) -> Path:
    path.write_bytes(jpeg(resized_pixels(item.pixels(), *SIZE), 90))
    return path


def queries_of(chosen: Sequence[dataset.Item], sample: SpeedSample, folder: Path) -> list[Path]:
    """Copies by every edit in turn, and photographs that are not registered, as files, alternating."""
    names = list(EDITS)
    specs = [
        dataset.QuerySpec(item=chosen[n % len(chosen)], edit=names[n * _STRIDE % len(names)], number=n, seed=SEED)
        for n in range(sample.copies)
    ]
    negatives = dataset.negatives("test")
    others = negatives[:: max(1, len(negatives) // sample.others)][: sample.others]
    tasks = [Task(spec=spec, item=spec.item) for spec in specs] + [Task(spec=None, item=item) for item in others]
    order = np.random.default_rng(SEED).permutation(len(tasks))
    paths = []
    for number in order:
        if (data := tasks[number].data()) is not None:
            paths.append(folder / f"query-{number:05}.jpg")
            paths[-1].write_bytes(data)
    return paths


def _bare_rate(pictures: Sequence[Pixels]) -> dict[str, float]:
    """Pictures a second of SSCD at 288x288 and nothing else, all cores busy, in both ways to arrange it."""
    weights = packaged_weights("sscd")
    batch = [pictures[n % len(pictures)] for n in range(_BATCH)]
    single = Embedder(weights, threads=1)
    with ThreadPoolExecutor(cores()) as executor:
        return {
            "one_batch_on_all_cores": _rate_of(Embedder(weights, threads=cores()), batch, None),
            "a_batch_on_each_core": _rate_of(single, batch, executor),
        }


def _rate_of(embedder: Embedder, batch: Sequence[Pixels], executor: ThreadPoolExecutor | None) -> float:
    embedder.embed(batch)
    start, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < _BARE_SECONDS:
        if executor is None:
            embedder.embed(batch)
            done += len(batch)
        else:
            list(executor.map(embedder.embed, [batch] * cores()))
            done += len(batch) * cores()
    return done / spent


def _registration(files: Sequence[Path], home: Path, calibration: Path | None) -> dict[str, Any]:
    """Rate with all workers, in turns with bare inference; the faster arrangement of the latter counts."""
    pictures = [decoded(path.read_bytes()) for path in files[:_BATCH]]
    bare, runs = [_bare_rate(pictures)], []
    size = -(-len(files) // _CHUNKS)
    for start in range(0, len(files), size):
        part = files[start : start + size]
        runs.append(watched("imgguard.bench.bulk", _arguments("register", home, calibration), part))
        bare.append(_bare_rate(pictures))
    rates = [run.report["count"] / run.report["seconds"] for run in runs]
    best = float(np.median([max(found.values()) for found in bare]))
    return {
        "size": list(SIZE),
        "pictures": len(files),
        "rates": rates,
        "rate": float(np.median(rates)),
        "bare": bare,
        "bare_rate": best,
        "ratio": float(np.median(rates)) / best,
        "outcomes": _outcomes(runs),
        "peak_bytes": max(run.peak_bytes for run in runs),
    }


def _arguments(work: str, home: Path, calibration: Path | None) -> list[str]:
    named = ["--calibration", str(calibration)] if calibration else []
    return [work, "--home", str(home), *named]


def _outcomes(runs: Sequence[Watched]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for run in runs:
        for name, count in run.report["outcomes"].items():
            totals[name] = totals.get(name, 0) + count
    return totals


def _bulk(queries: Sequence[Path], home: Path, calibration: Path | None, profile: str) -> dict[str, Any]:
    run = watched("imgguard.bench.bulk", [*_arguments("check", home, calibration), "--profile", profile], queries)
    report = run.report
    return {
        "pictures": report["count"],
        "rate": report["count"] / report["seconds"],
        "outcomes": report["outcomes"],
        "peak_bytes": run.peak_bytes,
    }


def _single(services: Services, queries: Sequence[Path]) -> dict[str, Any]:
    """Checks one by one, both profiles of each query and one bare inference in turns."""
    say(f"speed: checking {len(queries)} pictures one by one")
    embedder = Embedder(packaged_weights("sscd"), threads=cores())
    checks: list[_Check] = []
    units: list[float] = []
    for number, path in enumerate((*queries[:_WARM_UP], *queries)):
        picture = [decoded(path.read_bytes())]
        start = time.perf_counter()
        embedder.embed(picture, side=REFERENCE_SIDE)
        unit = (time.perf_counter() - start) * 1000
        timed = [_timed(services, path, profile) for profile in ("quick", "thorough")]
        if number >= _WARM_UP:
            units.append(unit)
            checks += [check for check in timed if check is not None]
    return {"unit_ms": _percentiles(units), "unit": float(np.median(units)), "rows": _rows(checks, units)}


def _timed(services: Services, path: Path, profile: str) -> _Check | None:
    start = time.perf_counter()
    line = services.checking.line(source_of(path), Request(profile=profile)).line
    wall = (time.perf_counter() - start) * 1000
    if line.timings_ms is None:
        return None
    return _Check(profile=profile, verdict=line.verdict.value, times=line.timings_ms.model_dump() | {"wall": wall})


def _rows(checks: Sequence[_Check], units: Sequence[float]) -> list[dict[str, Any]]:
    unit = float(np.median(units))
    rows = []
    for profile in ("quick", "thorough"):
        for verdict in (Verdict.NO_MATCH, Verdict.COPY, Verdict.SAME_PRODUCT, Verdict.INCONCLUSIVE):
            found = [c.times for c in checks if c.profile == profile and c.verdict == verdict]
            if not found:
                continue
            times = {stage: _percentiles([times[stage] for times in found]) for stage in (*STAGES, "wall")}
            ratios = {stage: times[stage]["p50"] / unit for stage in ("total", "wall")}
            row = {"profile": profile, "verdict": verdict.value, "n": len(found), "times": times}
            rows.append(row | {"cost": ratios["total"], "cost_wall": ratios["wall"]})
    return rows


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values, (50, 95))
    return {"p50": float(p50), "p95": float(p95)}
