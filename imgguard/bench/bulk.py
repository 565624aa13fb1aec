"""A process that registers or checks a list of files with all workers, as the command line does, and times it.

    python -m imgguard.bench.bulk register|check --home FOLDER [--calibration FILE] < paths

Its own process, so that its memory is the product's and not the benchmark's. The clock starts when the models are
loaded, the decoder's processes run and the first pictures are through; the last line on stdout is one JSON object.
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from imgguard.bootstrap import Services
from imgguard.services.bulk import in_order
from imgguard.services.checking import Request
from imgguard.services.sources import Source, source_of
from imgguard.settings import Settings
from imgguard.verdict.calibration import parse

OWNER = "Benchmark"
WARM_UP = 4
"""Inputs that are not timed."""


def open_services(home: Path, *, several: bool, calibration: Path | None) -> Services:
    """Services on ``home``, with the shipped model unless another file is named."""
    services = Services(Settings(home=home), several=several)
    if calibration is not None:
        services.calibration = parse(calibration.read_bytes())
    return services


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=("register", "check"))
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--calibration", type=Path)
    parser.add_argument("--profile", default="thorough")
    options = parser.parse_args()
    inputs = [source_of(Path(line)) for line in sys.stdin.read().splitlines()]
    with open_services(options.home, several=True, calibration=options.calibration) as services:

        def work(source: Source) -> str:
            if options.work == "register":
                return services.registration.line(source, owner=OWNER).line.status
            return services.checking.line(source, Request(profile=options.profile)).line.verdict.value

        workers, stop = services.settings.worker_count, threading.Event()
        outcomes = list(in_order(work, inputs[:WARM_UP], workers=workers, stop=stop))
        start = time.perf_counter()
        outcomes += in_order(work, inputs[WARM_UP:], workers=workers, stop=stop)
        seconds = time.perf_counter() - start
    print(json.dumps({"count": len(inputs) - WARM_UP, "seconds": seconds, "outcomes": Counter(outcomes)}))


if __name__ == "__main__":
    main()
