"""docs/benchmarks.md, from the results alone: what was not measured is left out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgguard.bench import log, packets, plots, report_tables, service_tables
from imgguard.bench.summary import METHODS
from imgguard.bench.tables import Table, console, markdown
from imgguard.bench.targets import outcomes
from imgguard.verdict.calibration import shipped

SECTIONS = ("accuracy", "speed", "scale", "log", "packets", "service")
RESULTS = Path("benchmarks/results.json")
REASONS = Path("benchmarks/reasons.json")

_INTRODUCTION = """# Benchmark

Made by `python -m imgguard.bench`; do not edit. Why a target was missed is written by hand in
[benchmarks/reasons.json](benchmarks/reasons.json), the figures behind the tables are in
[benchmarks/results.json](benchmarks/results.json); `python -m imgguard.bench --render docs` puts both together again.

## What is measured

References are the clothing originals and every second photograph of each grocery class and same-object set, of both
splits, in one index. Copies are made of references of the `test` split by named edits (`imgguard/bench/edits`);
negatives are the `test` split's photographs that are not registered, four in ten of them **of products whose other
photographs are**, often taken seconds apart. Sellers and product classes are divided between `fit` and `test`: the
model and its thresholds come from the former, are part of the product, and nothing is fitted here. Every query is a
JPEG file that goes through `imgguard.pipeline.examine`, as in the product; its index is replaced by exact search.

- **Recall**: share of copies whose true reference scores above a threshold; one that was no candidate is missed.
  *At 0 FA*: above the highest score of any negative, a threshold swept on the negatives reported here. *Shipped*: the
  product's verdict on the true reference is `copy`, at its own threshold, fixed before; `inconclusive` is a miss.
- **FA, false accusation**: a negative query with the verdict `copy`. A copy attributed to a *wrong* photograph accuses
  falsely too; it is counted on its own.
- **Scores** are log10 likelihood ratios before the cap where they only rank (recall at 0 FA, uAP, DET), and the capped
  ratios that the product shows everywhere else (shipped threshold, Cllr, Tippett plot).
- **uAP**: area under precision and recall over the pairs of all queries in one ranking (DISC21), the best true and the
  best wrong pair of each query taking part.
- **Candidate recall at k**: share of copies whose reference is among the k best by cosine similarity over all views.
- **Cllr**: log-likelihood-ratio cost; a reference that was not examined counts with the lowest ratio there is.
  *Cllr min*: after the best monotone recalibration on these data.
- **IoU**: overlap of the outlined region with the generator's truth, on copies that were found.
- **Intervals** are 95 %: Wilson's for shares, and a bootstrap that draws whole sellers and product classes where it
  says *by group*.
"""


def load(folder: Path) -> dict[str, Any]:
    """The results written before; empty where there are none."""
    path = folder / RESULTS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def write(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """The page, its pictures and the results, below ``folder``; the files written."""
    page, data, reasons = folder / "benchmarks.md", folder / RESULTS, folder / REASONS
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_text(json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    known = json.loads(reasons.read_text(encoding="utf-8")) if reasons.is_file() else {}
    drawn = plots.draw(results["accuracy"], METHODS, data.parent) if "accuracy" in results else []
    if not reasons.is_file():
        missed = {outcome.target.key: "" for outcome in outcomes(results) if outcome.reached is False}
        reasons.write_text(json.dumps(missed, indent=1) + "\n", encoding="utf-8")
    page.write_text(page_of(results, known), encoding="utf-8")
    return [page, data, reasons, *drawn]


def page_of(results: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    """The whole page as Markdown."""
    parts = [_INTRODUCTION.rstrip(), _titled(report_tables.targets(results, reasons), level=2)]
    sections = {"accuracy": _accuracy, "speed": _speed, "scale": _scale, "log": _transparency}
    sections |= {"packets": _packets, "service": _service}
    for name, section in sections.items():
        if name in results:
            parts += section(results[name])
    return "\n\n".join(part for part in parts if part) + "\n"


def _titled(table: Table, *, level: int = 3) -> str:
    return f"{'#' * level} {table.title}\n\n{markdown(table)}"


def _accuracy(found: Mapping[str, Any]) -> list[str]:
    figures = found["profiles"]["thorough"]
    sample = (
        f"{found['sample']}; {found['references']} references; {figures['copies']} copies and {figures['negatives']} "
        f"negatives of {figures['groups']} sellers and product classes, profile `thorough` unless said otherwise."
    )
    return [
        "## Accuracy",
        sample,
        _made(found["made"]),
        _titled(report_tables.methods(figures)),
        "![Misses against false accusations](benchmarks/det.svg)",
        _titled(report_tables.shipped(figures)),
        "![Tippett plot](benchmarks/tippett.svg)",
        _titled(report_tables.profiles(found)),
        _titled(report_tables.edits(figures)),
        "![Recall per edit](benchmarks/edits.svg)",
        _titled(report_tables.copy_sets(figures)),
        _titled(report_tables.negative_sets(figures)),
        *(_titled(table) for table in report_tables.hardest(figures) if table.rows),
    ]


def _speed(found: Mapping[str, Any]) -> list[str]:
    return [
        "## Speed and memory",
        _made(found["made"]),
        _titled(report_tables.latency(found)),
        _titled(report_tables.bulk(found)),
    ]


def _scale(found: Mapping[str, Any]) -> list[str]:
    real, drawn = found["resemblance"]["real"], found["resemblance"]["synthetic"]
    return [
        "## Scale",
        f"{found['real']} real embeddings, then synthetic ones: three of four from a normal distribution with the mean "
        "and covariance of the real ones, scaled to unit length, and every fourth a sister of one of these at a cosine "
        "drawn from the real references' cosines with their nearest neighbours (`imgguard/bench/synthetic.py`). "
        f"Cosines of random pairs: real {real['random_pair_mean']:.3f} ± {real['random_pair_sd']:.3f}, synthetic "
        f"{drawn['random_pair_mean']:.3f} ± {drawn['random_pair_sd']:.3f}; variance in half of the directions: "
        f"{real['variance_in_half_the_directions']:.2f} and {drawn['variance_in_half_the_directions']:.2f}.",
        _made(found["made"]),
        _titled(report_tables.scale(found)),
    ]


def _transparency(found: Mapping[str, Any]) -> list[str]:
    return ["## Transparency log", _made(found["made"]), _titled(log.table(dict(found)))]


def _packets(found: Mapping[str, Any]) -> list[str]:
    return [
        "## Evidence packets",
        "Clothing originals in their own size, and checks of copies of them, each made by another edit; medians of "
        "three. The first and the third time are of whole commands, with the start of Python and the loading of the "
        "fonts; the others of the work alone, in a process that has built one before. Nobody stamps or witnesses here.",
        _made(found["made"]),
        _titled(packets.table(dict(found))),
    ]


def _service(found: Mapping[str, Any]) -> list[str]:
    return [
        "## The service",
        "`imgguard serve` as a child on this machine, asked over loopback, with as many workers as there are cores. "
        "The pipeline alone is the same checks of the same files through the services, by as many processes of one "
        "core each, before, between and after.",
        _made(found["made"]),
        _titled(service_tables.checks(found)),
        _titled(service_tables.many(found)),
    ]


def _made(made: Mapping[str, Any]) -> str:
    machine, model = made["machine"], made["calibration"]
    versions = ", ".join(f"{name} {number}" for name, number in made["versions"].items())
    weights = ", ".join(f"{name} `{digest[:12]}`" for name, digest in made["weights"].items())
    current = model["sha256"] == shipped().sha256
    warning = "" if current else " **Not the model that ships today: these figures are not the present product's.**"
    return (
        f"Made {made['at']} by `{made['command']}`, revision {made['revision'] or 'unknown'}, "
        f"on {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:g} GB, {machine['system']} "
        f"(load before: {machine['load_before']:g}). {versions}. Weights: {weights}. "
        f"Calibration `{model['sha256'][:12]}`, copy from {model['copy_threshold']:g}, cap {model['cap']:.2f}.{warning}"
    )


def printed(results: Mapping[str, Any]) -> str:
    """The same on a terminal, shorter."""
    tables: list[Table] = []
    if "accuracy" in results:
        figures = results["accuracy"]["profiles"]["thorough"]
        tables += [report_tables.methods(figures), report_tables.shipped(figures), report_tables.edits(figures)]
        tables += [report_tables.profiles(results["accuracy"]), report_tables.copy_sets(figures)]
        tables += [report_tables.negative_sets(figures), *report_tables.hardest(figures)]
    if "speed" in results:
        tables += [report_tables.latency(results["speed"]), report_tables.bulk(results["speed"])]
    if "scale" in results:
        tables.append(report_tables.scale(results["scale"]))
    if "log" in results:
        tables.append(log.table(dict(results["log"])))
    if "packets" in results:
        tables.append(packets.table(dict(results["packets"])))
    if "service" in results:
        tables += [service_tables.checks(results["service"]), service_tables.many(results["service"])]
    tables.append(report_tables.targets(results, {}))
    return "\n\n".join(console(table) for table in tables if table.rows)
