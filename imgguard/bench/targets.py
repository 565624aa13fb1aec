"""What was promised, held against what was measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

type Results = Mapping[str, Any]
"""The document that the benchmark writes as results.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One promise. ``read`` finds the figure in the results, None where it was not measured.

    ``at_least``: the figure must reach ``limit``; otherwise it must not exceed it.
    """

    key: str
    text: str
    limit: float
    at_least: bool
    read: Callable[[Results], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``reached`` None: not measured in this run."""

    target: Target
    value: float | None
    reached: bool | None


def _thorough(results: Results, *path: str) -> Any:
    found: Any = results.get("accuracy", {}).get("profiles", {}).get("thorough")
    for name in path:
        found = None if found is None else found.get(name)
    return found


def _lowest_edit(results: Results) -> float | None:
    edits = _thorough(results, "edits")
    return min((row["imgguard"] for row in edits), default=None) if edits else None


def _cost(profile: str, verdict: str) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        rows = results.get("speed", {}).get("single", {}).get("rows", ())
        return next((row["cost"] for row in rows if (row["profile"], row["verdict"]) == (profile, verdict)), None)

    return read


def _million(*path: str) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        rows = results.get("scale", {}).get("rows", ())
        found: Any = next((row for row in rows if row["references"] == 1_000_000), None)
        for name in path:
            found = None if found is None else found[name]
        return None if found is None else float(found)

    return read


def _clients(count: int, name: str) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        rows = results.get("service", {}).get("checks", ())
        return next((float(row[name]) for row in rows if row["clients"] == count), None)

    return read


def _lowest_rate(results: Results) -> float | None:
    rows = results.get("service", {}).get("checks", ())
    return min((float(row["ratio"]) for row in rows if row["clients"] > 1), default=None)


def _two_against_one(results: Results) -> float | None:
    one, two = _clients(1, "p50_ms")(results), _clients(2, "p95_ms")(results)
    return None if one is None or two is None else two / one


def _hundred_thousand(name: str) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        many = results.get("service", {}).get("many", {})
        return float(many[name]) if many.get("references") == 100_000 else None

    return read


def _gigabytes(results: Results) -> float | None:
    found = _hundred_thousand("shared_once_bytes")(results)
    return None if found is None else found / 1e9


def _log(figure: Callable[[Mapping[str, Any]], float]) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        found = results.get("log", {})
        return float(figure(found)) if found.get("leaves") == 100_000 else None

    return read


def _packet(about: str, name: str) -> Callable[[Results], float | None]:
    def read(results: Results) -> float | None:
        rows = results.get("packets", {}).get("rows", ())
        return next((float(row[name]) for row in rows if row["about"] == about), None)

    return read


def _of(key: str, text: str, limit: float, read: Callable[[Results], float | None], *, least: bool = True) -> Target:
    return Target(key=key, text=text, limit=limit, at_least=least, read=read)


TARGETS = (
    _of(
        "recall_zero", "recall at zero false accusations", 0.97,
        lambda r: _thorough(r, "methods", "imgguard", "recall_zero", "value"),
    ),
    _of("recall_zero_edit", "the same on the worst edit", 0.85, _lowest_edit),
    _of("candidate_10", "candidate recall at 10", 0.99, lambda r: _thorough(r, "candidate_recall", "10", "value")),
    _of("cllr", "Cllr", 0.05, lambda r: _thorough(r, "cllr"), least=False),
    _of("iou", "mean IoU of the outlined region", 0.8, lambda r: _thorough(r, "iou", "mean")),
    _of("quick_no_match", "cost of `no_match`, quick (inferences)", 3, _cost("quick", "no_match"), least=False),
    _of("thorough_no_match", "cost of `no_match`, thorough", 8, _cost("thorough", "no_match"), least=False),
    _of("quick_copy", "cost of `copy`, quick", 8, _cost("quick", "copy"), least=False),
    _of("thorough_copy", "cost of `copy`, thorough", 15, _cost("thorough", "copy"), least=False),
    _of(
        "registration", "registration rate / bare SSCD inference rate", 0.4,
        lambda r: r.get("speed", {}).get("registration", {}).get("ratio"),
    ),
    _of("million_ms", "search of 1M, p50 ms a vector", 5, _million("one_vector_ms", "p50"), least=False),
    _of("million_bytes", "bytes a stored vector at 1M", 700, _million("bytes_per_vector"), least=False),
    _of("million_recall", "recall of the exact top 10 at 1M", 0.99, _million("recall_top10_fetched")),
    _of("log_append", "100k leaves appended, s", 60, _log(lambda log: log["append"]["seconds"]), least=False),
    _of("log_proof", "a proof out of 100k, ms", 5, _log(lambda log: 1000 * log["proof"]["seconds"]), least=False),
    _of(
        "log_share", "the leaf's part of a registration, %", 10,
        _log(lambda log: 100 * log["registration_ms"]["leaf"] / log["registration_ms"]["whole"]), least=False,
    ),
    _of("packet_build", "a packet of 5 originals built, s", 3, _packet("references", "build_command"), least=False),
    _of("packet_drawn", "a packet of 5 checks built, s", 3, _packet("findings", "build_command"), least=False),
    _of("packet_verify", "a packet of 5 checks verified, s", 2, _packet("findings", "verify_command"), least=False),
    _of("service_rate", "throughput of the service / pipeline alone, by 2, 8, 32 clients, lowest", 0.8, _lowest_rate),
    _of("service_p95", "p95 by 2 clients / p50 by one", 3, _two_against_one, least=False),
    _of("service_start", "start with 100k references, s", 10, _hundred_thousand("start_seconds"), least=False),
    _of("service_bytes", "memory with 100k, GB", 1, _gigabytes, least=False),
    _of("service_found", "checks that find what was just registered, 100k", 1, _hundred_thousand("found_at_once")),
)  # fmt: skip


def outcomes(results: Results) -> list[Outcome]:
    """Every target, in the order of the report."""
    found = []
    for target in TARGETS:
        value = target.read(results)
        reached = None
        if value is not None:
            reached = value >= target.limit if target.at_least else value <= target.limit
        found.append(Outcome(target=target, value=value, reached=reached))
    return found
