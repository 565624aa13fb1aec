"""The published benchmark.

    python -m imgguard.bench                        # a fixed sample, minutes
    python -m imgguard.bench --full --write docs    # everything; writes docs/benchmarks.md and docs/benchmarks/
    python -m imgguard.bench --floors               # a small sample; exit status 1 when a floor is missed
    python -m imgguard.bench --render docs          # the page again, from docs/benchmarks/results.json

The development images are found as `imgguard.bench.dataset.data_root` says. Nothing is fitted: thresholds come from
the model that ships.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imgguard.bench import floors, report, report_tables
from imgguard.bench.accuracy import measure_accuracy, say
from imgguard.bench.log import measure_log
from imgguard.bench.machine import made
from imgguard.bench.packets import measure_packets
from imgguard.bench.sampling import Sample
from imgguard.bench.scale import FULL_SIZES, SIZES, measure_scale
from imgguard.bench.service import ServiceSample, measure_service
from imgguard.bench.speed import SpeedSample, cores, measure_speed
from imgguard.bench.tables import console
from imgguard.bench.trial import Trial
from imgguard.errors import ConfigurationError
from imgguard.verdict.calibration import Calibration, parse, shipped

_ORDER = ("accuracy", "scale", "speed", "log", "packets", "service")
"""Of measuring: what forks comes first, before inference and picture operations start threads in this process."""
_TRIALS = Path("var/bench/trials.jsonl")


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line; counts that are not named follow from --full or --floors."""
    parser = argparse.ArgumentParser(
        prog="python -m imgguard.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="60 copies an edit, all negatives, a million references")
    parser.add_argument("--floors", action="store_true", help="small sample; exit with 1 when a floor is missed")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write the page and its files here")
    parser.add_argument("--render", type=Path, metavar="DIR", help="measure nothing; write the page of DIR again")
    parser.add_argument("--only", default="", metavar="PARTS", help="of accuracy,speed,scale,log,packets,service")
    parser.add_argument("--per-edit", type=int, metavar="N", help="copies an edit")
    parser.add_argument("--negatives", type=int, metavar="N")
    parser.add_argument("--thin", type=int, metavar="K", help="register every K-th reference and those that are needed")
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--references", type=int, metavar="N", help="registered for the speed part")
    parser.add_argument("--calibration", type=Path, metavar="FILE", help="another model: for development only")
    options = parser.parse_args(arguments)
    options.parts = options.only.split(",") if options.only else _parts(options)
    if unknown := set(options.parts) - set(report.SECTIONS):
        parser.error(f"--only takes {', '.join(report.SECTIONS)}, not {', '.join(sorted(unknown))}")
    return options


def _parts(options: argparse.Namespace) -> list[str]:
    return ["accuracy", "speed"] if options.floors else list(report.SECTIONS)


def samples_of(options: argparse.Namespace) -> tuple[Sample, Sample | None]:
    """The samples of the thorough and of the quick profile."""
    if options.floors:
        sample = Sample(
            per_edit=options.per_edit or floors.SAMPLE_PER_EDIT,
            negatives=options.negatives or floors.SAMPLE_NEGATIVES,
            thin=options.thin or floors.SAMPLE_THIN,
        )
        return sample, None
    per_edit, negatives = options.per_edit or (60 if options.full else 10), options.negatives
    negatives = negatives if options.full or negatives else 300
    thin = options.thin or 1
    quick = Sample(
        per_edit=max(1, per_edit // 4), negatives=None if negatives is None else max(1, negatives // 3), thin=thin
    )
    return Sample(per_edit=per_edit, negatives=negatives, thin=thin), quick


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 done, 1 a floor was missed, 2 the images or the model are not there."""
    options = options_of(arguments)
    if options.render is not None:
        _wrote(report.write(report.load(options.render), options.render))
        return 0
    try:
        results = _measured(options, arguments)
    except ConfigurationError as error:
        say(f"{error} {error.hint or ''}")
        return 2
    print(report.printed(results))
    if options.write is not None:
        _wrote(report.write(report.load(options.write) | results, options.write))
    if not options.floors:
        return 0
    found = floors.floors(results)
    print("\n" + console(report_tables.floors(found)))
    return 0 if all(floor.held for floor in found) else 1


def _measured(options: argparse.Namespace, arguments: Sequence[str]) -> dict[str, Any]:
    calibration = _model(options.calibration)
    command = " ".join(["python -m imgguard.bench", *arguments])
    results: dict[str, Any] = {}
    for part in (name for name in _ORDER if name in options.parts):
        about = made(command=command, calibration=calibration)
        if part == "accuracy":
            sample, quick = samples_of(options)
            found, trials = measure_accuracy(sample, quick, calibration=calibration, workers=options.workers)
            _keep(trials)
        elif part == "speed":
            found = measure_speed(_speed_sample(options), calibration=options.calibration)
        elif part == "log":
            found = measure_log()
        elif part == "packets":
            found = measure_packets()
        elif part == "service":
            found = measure_service(ServiceSample() if options.full else ServiceSample(references=10_000))
        else:
            sizes = FULL_SIZES if options.full else SIZES
            found = measure_scale(sizes, workers=options.workers, thin=options.thin or 1)
        results[part] = found | {"made": about}
    return results


def _model(path: Path | None) -> Calibration:
    if path is not None:
        return parse(path.read_bytes())
    try:
        return shipped()
    except FileNotFoundError as error:
        raise ConfigurationError("imgguard/verdict/calibration.json is missing", hint="Fit it first.") from error


def _speed_sample(options: argparse.Namespace) -> SpeedSample:
    if options.floors:
        return SpeedSample(references=options.references or 60, copies=20, others=20)
    if options.full:
        return SpeedSample(references=options.references or 1000, copies=147, others=150)
    return SpeedSample(references=options.references or 300)


def _keep(trials: Sequence[Trial]) -> None:
    """Every answer as a line of JSON, for a closer look; replaced by the next run."""
    _TRIALS.parent.mkdir(parents=True, exist_ok=True)
    with _TRIALS.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(trial)) + "\n" for trial in trials)
    say(f"every answer: {_TRIALS}")


def _wrote(paths: Sequence[Path]) -> None:
    for path in paths:
        say(f"wrote {path}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
