"""What the service adds to a check: throughput and latency over HTTP beside the pipeline alone, on the same pictures in
the same minutes; and what a service with many references takes to start, and to run."""

import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from imgguard.bench import dataset
from imgguard.bench.accuracy import say
from imgguard.bench.filled import fill
from imgguard.bench.serving import Serving, make_account, serving
from imgguard.bench.speed import SpeedSample, cores, queries_of, resized
from imgguard.bench.watching import resident_bytes, watched
from imgguard.errors import DependencyError

CLIENTS = (1, 2, 8, 32)
_WARM_UP = 6  # checks a client count before any is timed, at least one each
_FRESH = 4  # references that are registered and then looked for
_PATIENCE = 120.0  # seconds for an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSample:
    """``registered`` pictures, of which copies are checked, with ``checks`` at each number of clients; ``references``
    is how many there are when start and memory are measured."""

    registered: int = 100
    copies: int = 49
    others: int = 49
    checks: int = 96
    references: int = 100_000


def measure_service(sample: ServiceSample) -> dict[str, Any]:
    """In temporary homes. Raises DependencyError when a request fails."""
    items = [item for item in dataset.references() if item.set == "clothing"]
    chosen = items[:: max(1, len(items) // sample.registered)][: sample.registered]
    with tempfile.TemporaryDirectory(prefix="imgguard-bench-") as name:
        folder = Path(name)
        home, log = folder / "home", folder / "service.log"
        say(f"service: registering {len(chosen)} pictures")
        files = [resized(item, folder / f"{number:05}.jpg") for number, item in enumerate(chosen)]
        watched("imgguard.bench.bulk", ["register", "--home", str(home)], files)
        queries = queries_of(chosen, SpeedSample(copies=sample.copies, others=sample.others), folder)
        key = make_account(home)
        pipeline = [_pipeline(queries, home)]
        pictures = [path.read_bytes() for path in queries]
        rows = []
        for clients in CLIENTS:
            with serving(home, log=log, rate_per_minute=1_000_000, sync_seconds=_PATIENCE) as service:
                rows.append(_checked(service, key, pictures, clients=clients, count=sample.checks))
            pipeline.append(_pipeline(queries, home))
        many = _many(home, key, files, pictures, log=log, sample=sample)
    around = [float(np.mean(pair)) for pair in pairwise(pipeline)]  # cores of a shared machine change by the minute
    return {
        "cores": cores(),
        "registered": len(chosen),
        "pipeline": {"rates": pipeline},
        "checks": [row | {"ratio": row["rate"] / rate} for row, rate in zip(rows, around, strict=True)],
        "many": many,
    }


def _pipeline(queries: Sequence[Path], home: Path) -> float:
    """Checks a second through the services, by as many processes of one core each as the service has workers."""
    say(f"service: checking {len(queries)} pictures without it")
    shares = [queries[number :: cores()] for number in range(cores())]
    one_core = {"IMGGUARD_JOBS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def work(share: Sequence[Path]) -> float:
        run = watched("imgguard.bench.bulk", ["check", "--home", str(home)], share, environment=one_core)
        return float(run.report["count"] / run.report["seconds"])

    with ThreadPoolExecutor(cores()) as executor:
        return sum(executor.map(work, shares))


def _checked(service: Serving, key: str, pictures: Sequence[bytes], *, clients: int, count: int) -> dict[str, Any]:
    """``count`` checks by so many clients at a time, each asking again as soon as it is answered."""
    say(f"service: {count} checks by {clients} clients")
    _answered(service, key, pictures[: max(_WARM_UP, clients)], clients=clients)
    wanted = [pictures[number % len(pictures)] for number in range(count)]
    began = time.perf_counter()
    seconds = _answered(service, key, wanted, clients=clients)
    spent = time.perf_counter() - began
    p50, p95 = np.percentile(seconds, (50, 95)) * 1000
    return {"clients": clients, "checks": count, "rate": count / spent, "p50_ms": float(p50), "p95_ms": float(p95)}


def _answered(service: Serving, key: str, pictures: Sequence[bytes], *, clients: int) -> list[float]:
    """Seconds each answer took."""
    waiting, lock, times = iter(pictures), threading.Lock(), list[float]()

    def work(_: int) -> None:
        with _client(service, key) as client:
            while True:
                with lock:
                    data = next(waiting, None)
                if data is None:
                    return
                began = time.perf_counter()
                _check(client, data)
                times.append(time.perf_counter() - began)

    with ThreadPoolExecutor(clients) as executor:
        list(executor.map(work, range(clients)))
    return times


def _client(service: Serving, key: str) -> httpx.Client:
    return httpx.Client(base_url=service.place, headers={"Authorization": f"Bearer {key}"}, timeout=_PATIENCE + 10)


def _check(client: httpx.Client, data: bytes) -> dict[str, Any]:
    answer = client.post("/v1/checks", files={"file": ("listing.jpg", data)})
    if answer.status_code != 200:
        raise DependencyError(f"a check was answered with {answer.status_code}: {answer.text[:200]}")
    return dict(answer.json())


def _many(
    home: Path, key: str, files: Sequence[Path], pictures: Sequence[bytes], *, log: Path, sample: ServiceSample
) -> dict[str, Any]:
    """With so many references: the first start, which builds the index, and the second, which reads its files."""
    fill(home, files[0].read_bytes(), count=sample.references - len(files))
    starts = []
    for _ in range(2):
        with serving(home, log=log, rate_per_minute=1_000_000, sync_seconds=_PATIENCE) as service:
            starts.append(service.ready_seconds)
            _answered(service, key, pictures[:16], clients=4)  # so that every worker has searched
            found = _found_at_once(service, key, files)
            memory = _memory(service.pid)
    return {
        "references": sample.references,
        "first_start_seconds": starts[0],
        "start_seconds": starts[-1],
        "found_at_once": found,
        **memory,
    }


def _found_at_once(service: Serving, key: str, files: Sequence[Path]) -> float:
    """The share of checks that find a reference which was registered just before: several at a time, so that every
    worker has some."""
    hits: list[bool] = []
    with _client(service, key) as client, ThreadPoolExecutor(2 * cores()) as executor:
        for path in files[:_FRESH]:
            data = _commented(path.read_bytes(), f"{time.time_ns()}".encode())
            made = client.post("/v1/references", files={"file": ("new.jpg", data)})
            if made.status_code != 201:
                raise DependencyError(f"a registration was answered with {made.status_code}: {made.text[:200]}")
            wanted = made.json()["reference"]["reference_id"]
            answers = executor.map(lambda _: _check(client, data), range(2 * cores()))  # noqa: B023 - used up here
            hits += [wanted in {match["reference_id"] for match in answer["matches"]} for answer in answers]
    return float(np.mean(hits))


def _commented(data: bytes, comment: bytes) -> bytes:
    """Another file of the same JPEG picture."""
    return data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + data[2:]


def _memory(pid: int) -> dict[str, int]:
    """Of the whole service. ``shared_once_bytes`` (PSS) counts pages that processes share once."""
    service = psutil.Process(pid)
    family = [service, *service.children(recursive=True)]
    return {
        "processes": len(family),
        "resident_bytes": resident_bytes(pid),
        "shared_once_bytes": sum(member.memory_full_info().pss for member in family),
        "api_bytes": service.memory_full_info().pss,
    }
