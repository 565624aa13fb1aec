"""Asks every query of a sample and sums up the answers."""

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from imgguard.bench.cache import world_for
from imgguard.bench.runner import Task, World, run
from imgguard.bench.sampling import Sample, registered_for, tasks_of
from imgguard.bench.summary import summarise
from imgguard.bench.trial import Trial, ask
from imgguard.verdict.calibration import Calibration

CACHE = Path("var/bench/worlds")


def measure_accuracy(
    sample: Sample, quick: Sample | None, *, calibration: Calibration, workers: int
) -> tuple[dict[str, Any], list[Trial]]:
    """Figures per profile, and the trials behind them. ``quick`` is the (smaller) sample of the quick profile."""
    tasks = tasks_of(sample)
    items = registered_for([*tasks, *(tasks_of(quick) if quick else ())], sample)
    say(f"registering {len(items)} references")
    world = world_for(items, folder=CACHE, workers=workers)
    profiles = {"thorough": tasks} | ({"quick": tasks_of(quick)} if quick else {})
    figures: dict[str, Any] = {}
    trials: list[Trial] = []
    for profile, asked in profiles.items():
        answers = ask_all(world, asked, profile=profile, calibration=calibration, workers=workers)
        figures[profile] = summarise(answers, calibration)
        figures[profile]["not_applicable"] = len(asked) - len(answers)
        trials += answers
    return {"references": len(items), "sample": sample.text, "profiles": figures}, trials


def ask_all(
    world: World, tasks: Sequence[Task], *, profile: str, calibration: Calibration, workers: int
) -> list[Trial]:
    """The answers to ``tasks``, in order, less those whose edit does not apply. Baselines go with ``thorough``."""
    work: Callable[[World, Task], Trial | None]
    work = partial(ask, profile=profile, calibration=calibration, baselines=profile == "thorough")
    answers: list[Trial] = []
    start = time.monotonic()
    for done, trial in enumerate(run(world, tasks, workers=workers, work=work), 1):
        if trial is not None:
            answers.append(trial)
        if done % 50 == 0 or done == len(tasks):
            say(f"{profile}: {done} of {len(tasks)} queries in {time.monotonic() - start:.0f} s")
    return answers


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)
