"""Runs a child of the benchmark and watches the memory of its whole family."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EVERY = 0.05  # seconds between two looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the child reported, and the most memory it and its children had together.

    ``peak_bytes`` is the sum of resident sets: pages that processes share count in each, so it is an upper bound.
    """

    report: dict[str, Any]
    peak_bytes: int


def watched(
    module: str, arguments: Sequence[str], lines: Sequence[Path], *, environment: Mapping[str, str] | None = None
) -> Watched:
    """``python -m module arguments`` with ``lines`` on its stdin, and ``environment`` besides what this process has.

    Raises CalledProcessError.
    """
    command, variables = [sys.executable, "-m", module, *arguments], os.environ | dict(environment or {})
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables
    ) as child:
        peak = [0]
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(child.pid, peak, done))
        watcher.start()
        try:
            output, _ = child.communicate("".join(f"{line}\n" for line in lines))
        finally:
            done.set()
            watcher.join()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Watched(report=json.loads(output.splitlines()[-1]), peak_bytes=peak[0])


def _watch(pid: int, peak: list[int], done: threading.Event) -> None:
    while not done.wait(_EVERY):
        peak[0] = max(peak[0], resident_bytes(pid))


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and its descendants; 0 when it is gone."""
    import psutil

    total = 0
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.Error:  # ended since we looked
            continue
    return int(total)
