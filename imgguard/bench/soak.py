"""The real service under mixed load for some minutes: does anything fail, does anything grow?

    python -m imgguard.bench.soak [--minutes 10] [--clients 4] [--json FILE]

Starts `imgguard serve` on a fresh home in a temporary folder, makes an account, registers pictures, and has several
clients do what people and programs do, bad requests included. Exit status 1 when a request failed that should not have,
or when the service held more memory or descriptors at the end; 429 and 503 are answers, not failures. The images are
found as `imgguard.bench.dataset.data_root` says.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imgguard.bench import soak_watch
from imgguard.bench.accuracy import say
from imgguard.bench.dataset import data_root, references
from imgguard.bench.serving import make_account, serving
from imgguard.bench.soak_deeds import Asked, Deeds, Pictures
from imgguard.bench.soak_watch import Watch
from imgguard.bench.speed import SpeedSample, queries_of, resized
from imgguard.bench.tables import Table, console

LARGEST_IMAGE = 8_000_000
"""Bytes that this service takes of a picture, so that too large ones cost the soak little."""

_REGISTERED, _COPIES, _OTHERS = 60, 49, 40
_PAUSE = 0.05  # seconds between two deeds of a client: it bounds the rate where answers come at once
_MOST_DEEDS = 100_000  # of a client; bounds the count
_SHOWN = 20


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="imgguard-soak-") as name:
        folder = Path(name)
        home, log = folder / "home", folder / "service.log"
        pictures = _pictures(folder)
        key = make_account(home)
        settings = {"max_image_bytes": LARGEST_IMAGE, "rate_per_minute": options.rate}
        with serving(home, log=log, **settings) as service:
            say(f"soak: {service.place}, ready after {service.ready_seconds:.1f} s")
            _register(service.place, key, pictures)
            with Watch(service.pid, home, service.place) as watch:
                asked = _load(service.place, key, pictures, minutes=options.minutes, clients=options.clients)
        errors = [line for line in log.read_text("utf-8").splitlines() if "Traceback" in line or "ended with" in line]
    found = _found(asked, watch, errors)
    print(console(requests_table(asked)))
    if len(watch.looks) > 1:
        print("\n" + console(soak_watch.table(watch.looks)))
    print("\n" + "\n".join(found["complaints"] or ["Nothing failed, nothing grew."]))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 1 if found["complaints"] else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m imgguard.bench.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long; an hour at most")
    parser.add_argument("--clients", type=int, default=4, help="how many at a time; 32 at most")
    parser.add_argument("--rate", type=int, default=6_000, help="requests a minute that the service admits")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    options = parser.parse_args(arguments)
    if not (0 < options.minutes <= 60 and 0 < options.clients <= 32):
        parser.error("it takes up to 60 minutes and up to 32 clients")
    return options


def _pictures(folder: Path) -> Pictures:
    """Made before the service starts, so that they cost it nothing."""
    say("soak: making pictures")
    items = [item for item in references() if item.set == "clothing"]
    chosen = items[:: len(items) // _REGISTERED][:_REGISTERED]
    originals = [resized(item, folder / f"{number:05}.jpg").read_bytes() for number, item in enumerate(chosen)]
    queries = queries_of(chosen, SpeedSample(copies=_COPIES, others=_OTHERS), folder)
    hostile = sorted(path for path in (data_root() / "hostile").rglob("*") if path.is_file())
    return Pictures(
        originals=originals,
        queries=[path.read_bytes() for path in queries],
        hostile=[path.read_bytes() for path in hostile if path.stat().st_size <= LARGEST_IMAGE],
        too_large=b"\xff\xd8" + bytes(LARGEST_IMAGE),
    )


def _register(place: str, key: str, pictures: Pictures) -> None:
    with Deeds(place, key, pictures, seed=0) as deeds:
        deeds.register_all()
    failed = [asked for asked in deeds.asked if asked.complaint]
    if failed:
        raise SystemExit(f"soak: nothing to begin with: {failed[0].complaint}")


def _load(place: str, key: str, pictures: Pictures, *, minutes: float, clients: int) -> list[Asked]:
    say(f"soak: {clients} clients for {minutes:g} minutes")
    deadline = time.monotonic() + minutes * 60
    everyone = [Deeds(place, key, pictures, seed=number + 1) for number in range(clients)]

    def work(deeds: Deeds) -> None:
        with deeds:
            for _ in range(_MOST_DEEDS):
                if time.monotonic() >= deadline:
                    return
                deeds.do_one()
                time.sleep(_PAUSE)

    threads = [threading.Thread(target=work, args=(deeds,), name=f"soak-{n}") for n, deeds in enumerate(everyone)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [asked for deeds in everyone for asked in deeds.asked]


def _found(asked: Sequence[Asked], watch: Watch, errors: Sequence[str]) -> dict[str, Any]:
    complaints = [one.complaint for one in asked if one.complaint]
    counted = [f"{text} ({count} times)" for text, count in Counter(complaints).most_common(_SHOWN)]
    grown = soak_watch.complaints(watch.looks)
    logged = [f"in the log of the service: {line}" for line in errors[:_SHOWN]]
    return {
        "complaints": [*counted, *grown, *logged],
        "requests": [list(row) for row in requests_table(asked).rows],
        "looks": soak_watch.as_json(watch.looks),
    }


def requests_table(asked: Sequence[Asked]) -> Table:
    """A row for each kind of request: how they were answered, and how long that took."""
    rows = []
    for kind in sorted({one.kind for one in asked}):
        ours = [one for one in asked if one.kind == kind]
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(Counter(o.status for o in ours).items()))
        times = [one.seconds * 1000 for one in ours]
        p50, p95 = np.percentile(times, (50, 95))
        rows.append((kind, str(len(ours)), statuses, f"{p50:.0f}", f"{p95:.0f}", f"{max(times):.0f}"))
    header = ("request", "n", "by status", "p50, ms", "p95, ms", "most, ms")
    return Table(title="Requests", header=header, rows=tuple(rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
