"""What the soak sees of the service from outside: memory, descriptors, files, queues; and what it makes of that."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import httpx
import numpy as np
import psutil

from imgguard.bench.tables import Table, megabytes
from imgguard.bootstrap.adapters import DATABASE

GROWTH = 0.05
"""How much more memory the service may hold in the last fifth of a run than in the second: workers warm up first."""

SPARE_DESCRIPTORS = 4
"""Connections that were open at one moment and not at another."""

_EVERY = 2.0  # seconds
_MEASURED = (
    "api_bytes",
    "workers_bytes",
    "comparer_bytes",
    "decoders_bytes",
    "descriptors",
    "database_bytes",
    "wal_bytes",
    "waiting",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """At one moment, ``at`` seconds after the first. Resident memory by what a process is there for; ``waiting`` are
    the pictures that no worker has begun, or ended. There is no comparer while nobody compares."""

    at: float
    api_bytes: int
    workers_bytes: int
    comparer_bytes: int
    decoders_bytes: int
    workers: int
    descriptors: int
    database_bytes: int
    wal_bytes: int
    waiting: int


class Watch:
    """Looks every two seconds while it is entered. A look that fails is left out."""

    def __init__(self, pid: int, home: Path, place: str) -> None:
        self._service = psutil.Process(pid)
        self._database = home / DATABASE
        self._client = httpx.Client(base_url=place, timeout=30.0)
        self._began = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soak-watch")
        self.looks: list[Look] = []

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        while not self._done.wait(_EVERY):
            try:
                self.looks.append(self._look())
            except (psutil.Error, httpx.HTTPError, OSError):
                continue  # a process that ended between two lines of this

    def _look(self) -> Look:
        workers, comparers = self._running("imgguard.worker"), self._running("imgguard.worker.comparer_process")
        decoders = [child for parent in (self._service, *workers, *comparers) for child in parent.children()]
        decoders = [child for child in decoders if child not in (*workers, *comparers)]
        return Look(
            at=time.monotonic() - self._began,
            api_bytes=self._service.memory_info().rss,
            workers_bytes=_resident(workers),
            comparer_bytes=_resident(comparers),
            decoders_bytes=_resident(decoders),
            workers=len(workers),
            descriptors=sum(process.num_fds() for process in (self._service, *workers)),
            database_bytes=self._database.stat().st_size,
            wal_bytes=_size(self._database.with_name(self._database.name + "-wal")),
            waiting=self._waiting(),
        )

    def _running(self, module: str) -> list[psutil.Process]:
        return [child for child in self._service.children() if module in child.cmdline()]

    def _waiting(self) -> int:
        lines = self._client.get("/metrics").text.splitlines()
        return sum(round(float(line.split()[-1])) for line in lines if line.startswith("imgguard_queue"))


def _resident(processes: Sequence[psutil.Process]) -> int:
    return sum(process.memory_info().rss for process in processes)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def fifths(looks: Sequence[Look]) -> dict[str, tuple[float, float]]:
    """The medians of the second and of the last fifth of the run, of everything that is measured."""
    end = looks[-1].at
    second = [look for look in looks if end / 5 <= look.at < end * 2 / 5]
    last = [look for look in looks if look.at >= end * 4 / 5]
    names = [field.name for field in fields(Look) if field.name in _MEASURED]
    return {name: (_median(second, name), _median(last, name)) for name in names}


def _median(looks: Sequence[Look], name: str) -> float:
    return float(np.median([getattr(look, name) for look in looks]))


def complaints(looks: Sequence[Look]) -> list[str]:
    """What grew that is not to grow; a run too short to tell is a complaint, too."""
    if len(looks) < 10 or max(look.at for look in looks) < 20:
        return ["the run was too short to see anything grow"]
    found, medians = [], fifths(looks)
    for name, what in (
        ("api_bytes", "the API process"),
        ("workers_bytes", "the workers"),
        ("comparer_bytes", "the process that compares"),
    ):
        before, after = medians[name]
        if before and after > before * (1 + GROWTH):
            found.append(
                f"the memory of {what} grew by {after / before - 1:.1%}: {before / 1e6:.0f} to {after / 1e6:.0f} MB"
            )
    before, after = medians["descriptors"]
    if after > before + SPARE_DESCRIPTORS:
        found.append(f"open descriptors grew from {before:.0f} to {after:.0f}")
    return found


def table(looks: Sequence[Look]) -> Table:
    """A row for everything that is measured."""
    rows = []
    for name, (before, after) in fifths(looks).items():
        shown = megabytes if name.endswith("_bytes") else "{:.0f}".format
        most = max(getattr(look, name) for look in looks)
        change = f"{after / before - 1:+.1%}" if before else ""
        rows.append(
            (name.replace("_bytes", ", MB").replace("_", " "), shown(before), shown(after), change, shown(most))
        )
    header = ("", "second fifth", "last fifth", "change", "most")
    return Table(title="The service over time (medians)", header=header, rows=tuple(rows))


def as_json(looks: Sequence[Look]) -> list[Mapping[str, float]]:
    return [asdict(look) for look in looks]
