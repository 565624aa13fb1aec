"""Evidence packets: how long building and verifying one takes, as somebody at a terminal waits for it, and without the
start of Python."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from imgguard.bench import dataset
from imgguard.bench.accuracy import say
from imgguard.bench.bulk import OWNER
from imgguard.bench.sampling import SEED
from imgguard.bench.tables import Table
from imgguard.bootstrap import Services
from imgguard.evidence.packet.model import Purpose
from imgguard.evidence.packet.verifying.reading import read_and_verify
from imgguard.evidence.packet.verifying.steps import Level
from imgguard.services.checking import Request
from imgguard.services.sources import source_of
from imgguard.settings import Settings
from imgguard.verdict.finding import Verdict

PICTURES = 5
_EDITS = ("crop_70", "mirror", "jpeg_50", "hue_shift", "watermark")
_TIMES = 3


def measure_packets() -> dict[str, Any]:
    """Of five registered photographs, and of five checks that found them. Seconds, the median of three."""
    with tempfile.TemporaryDirectory(prefix="imgguard-packets-") as name:
        folder = Path(name)
        home = folder / "home"
        with Services(Settings(home=home), several=True) as services:
            subjects = {"references": _registered(services), "findings": _found(services, folder)}
            services.transparency.publish()
            rows = [_built(services, what, ids, folder) for what, ids in subjects.items()]
        for row in rows:
            row |= _commands(home, subjects[row["about"]], folder)
            say(f"packet of {PICTURES} {row['about']}: {row['build_command']:.2f} s, {row['verify_command']:.2f} s")
    return {"pictures": PICTURES, "rows": rows}


def table(found: dict[str, Any]) -> Table:
    """Of what `measure_packets` gives."""
    rows = tuple(
        (
            f"{found['pictures']} {row['about']}",
            f"{row['bytes'] / 1e6:.1f} MB",
            *(f"{row[name]:.2f} s" for name in ("build_command", "build", "verify_command", "verify")),
        )
        for row in found["rows"]
    )
    header = ("a packet of", "size", "`packet build`", "of that building", "`packet verify`", "of that verifying")
    return Table(title="Building and verifying a packet", header=header, rows=rows)


def _items() -> Sequence[dataset.Item]:
    return [item for item in dataset.references() if item.set == "clothing"][:PICTURES]


def _registered(services: Services) -> list[str]:
    lines = [
        services.registration.register(item.path.read_bytes(), owner=OWNER, file=item.path.name) for item in _items()
    ]
    return [line.reference_id or "" for line in lines]


def _found(services: Services, folder: Path) -> list[str]:
    """Of copies of all of them, each by another edit."""
    ids = []
    for number, (item, edit) in enumerate(zip(_items(), _EDITS, strict=True)):
        query = dataset.QuerySpec(item=item, edit=edit, number=number, seed=SEED).render()
        if query is None:
            raise RuntimeError(f"{edit} does not apply to {item.name}")
        path = folder / f"{number}-{edit}.jpg"
        path.write_bytes(query.data)
        line = services.checking.line(source_of(path), Request(profile="thorough")).line
        if line.verdict is not Verdict.COPY or line.finding_id is None:
            raise RuntimeError(f"{edit} of {item.name} was not found: {line.verdict}")
        ids.append(line.finding_id)
    return ids


def _built(services: Services, what: str, ids: Sequence[str], folder: Path) -> dict[str, Any]:
    """In this process, which has the fonts and the report's typesetter loaded after the first."""
    path = folder / f"{what}.asice"

    def build() -> None:
        path.write_bytes(services.packets.build(ids, purpose=Purpose.COMPLAINT))

    building = _median(build)
    verifying = _median(lambda: read_and_verify(path, trust=None, level=Level.INTEGRITY))
    return {"about": what, "build": building, "verify": verifying, "bytes": path.stat().st_size}


def _commands(home: Path, ids: Sequence[str], folder: Path) -> dict[str, float]:
    """Whole commands, from the start of Python to its end."""
    path = folder / "packet.asice"
    build = ["--home", str(home), "packet", "build", *ids, "--output", str(path), "--force", "--json"]
    return {
        "build_command": _median(lambda: _run(build)),
        "verify_command": _median(lambda: _run(["packet", "verify", str(path), "--json"])),
    }


def _run(arguments: Sequence[str]) -> None:
    """Raises CalledProcessError."""
    command = [str(Path(sys.executable).with_name("imgguard")), *arguments]
    done = subprocess.run(command, capture_output=True, check=True, env=os.environ)  # noqa: S603
    json.loads(done.stdout)


def _median(work: Callable[[], object]) -> float:
    """Seconds."""
    taken = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)
