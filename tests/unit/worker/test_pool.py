"""Worker processes: what ends them, and that nothing is lost by it."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imgguard.ports import WORKER_CRASHED
from imgguard.settings import Settings
from imgguard.worker.pool import Pool

from .conftest import HERE, PATIENCE, until

Desk = Any
StartPool = Callable[..., Pool]


def test_items_are_done_on_behalf_of_the_member_and_the_waiting_are_told(desk: Desk, pool: StartPool) -> None:
    running = pool(2)
    assert running.wait_ready(PATIENCE)
    assert (running.alive(), running.workers) == (2, 2)
    items = desk.ended(desk.submit("one", "corrupt", "print", "two", interactive=True))
    assert [item.state.value for item in items] == ["done", "failed", "done", "done"]
    assert items[0].result["saw"] == "one"
    assert items[0].result["member_id"] == desk.actor.member_id
    assert items[1].error.code == "corrupt_image"
    assert running.restarts == 0


def test_what_libraries_print_is_no_report(desk: Desk, pool: StartPool, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(desk.services.jobs, "changed", told.append)
    pool(1)
    job = desk.submit("print", "two")
    desk.ended(job)
    until(lambda: len(told) >= 2)
    assert told == [job.job_id] * 2


def test_an_item_that_kills_its_worker_is_tried_once_more_and_costs_the_others_nothing(
    desk: Desk, pool: StartPool
) -> None:
    job = desk.submit("one", "kill", "two", "three")
    running = pool(1)
    one, killer, *others = desk.ended(job)
    assert killer.error.code == WORKER_CRASHED
    assert killer.attempts == 2
    assert [item.state.value for item in (one, *others)] == ["done"] * 3
    assert [item.attempts for item in (one, *others)] == [1, 1, 1]
    assert running.wait_ready(PATIENCE)
    assert running.restarts == 2
    assert Counter(desk.noted()) == {"1.jpg begun": 1, "2.jpg begun": 2, "3.jpg begun": 1, "4.jpg begun": 1}


def test_a_pool_that_stops_halfway_leaves_the_rest_to_the_next(desk: Desk, pool: StartPool) -> None:
    job = desk.submit(*(f"picture {number}" for number in range(60)))
    first = pool(2)
    until(lambda: desk.states(job).count("done") >= 5)
    first.stop(seconds=PATIENCE)
    states = Counter(desk.states(job))
    assert states["running"] == 0
    assert states["queued"] > 0
    assert states["done"] + states["queued"] == 60
    pool(2)
    items = desk.ended(job)
    assert [item.result["saw"] for item in items] == [f"picture {number}" for number in range(60)]
    assert len(desk.noted()) == 60  # each was begun once: what was in hand had been finished
    found = desk.services.jobs.job(desk.actor, job.job_id)
    assert (found.done_count, found.failed_count) == (60, 0)


def test_stopping_lets_the_item_in_hand_come_to_its_end(desk: Desk, pool: StartPool, tmp_path: Path) -> None:
    job = desk.submit(f"await {tmp_path / 'go'}", "never begun")
    running = pool(1)
    until(lambda: "waiting" in desk.noted())
    os.kill(running._children[0]._process.pid, signal.SIGTERM)
    (tmp_path / "go").touch()
    running._is_stopping = True
    running.stop(seconds=PATIENCE)
    assert desk.states(job) == ["done", "queued"]


def test_what_takes_too_long_to_stop_is_given_back_and_was_not_begun(
    desk: Desk, pool: StartPool, tmp_path: Path
) -> None:
    job = desk.submit(f"await {tmp_path / 'go'}")
    running = pool(1)
    until(lambda: "waiting" in desk.noted())
    running.stop(seconds=0.2)
    (item,) = desk.items(job)
    assert (item.state.value, item.attempts) == ("queued", 0)
    (tmp_path / "go").touch()
    pool(1)
    assert desk.ended(job)[0].state.value == "done"


def test_a_worker_that_holds_too_much_makes_room_for_another(desk: Desk, pool: StartPool) -> None:
    running = pool(1, worker_memory_bytes=300_000_000)
    words = ("one", "two", "grow 300000000", "three")
    pids = [desk.ended(desk.submit(word))[0].result["pid"] for word in words]
    assert pids[0] == pids[1] == pids[2]
    assert pids[3] != pids[2]
    assert running.restarts == 0  # it was asked for


def test_a_pool_whose_workers_cannot_begin_has_none(pool: StartPool) -> None:
    running = pool(1, handlers="light_handlers:broken")
    until(lambda: running.restarts >= 1)
    assert running.alive() == 0
    assert not running.wait_ready(0)


def test_workers_end_with_whoever_started_them(settings: Settings, desk: Desk, tmp_path: Path) -> None:
    text = (
        "import time; from imgguard.bootstrap import Services; from imgguard.settings import Settings\n"
        "from imgguard.worker.pool import Pool\n"
        f"services = Services(Settings(home={str(settings.home)!r}))\n"
        "pool = Pool(services, 1, handlers='light_handlers:make'); pool.start()\n"
        "assert pool.wait_ready(60); print(pool._children[0]._process.pid, flush=True); time.sleep(600)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    job = desk.submit(f"await {tmp_path / 'go'}", "never begun")
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, env=environment) as service:
        assert service.stdout is not None
        worker = int(service.stdout.readline())
        until(lambda: "waiting" in desk.noted())
        service.kill()
    assert Path(f"/proc/{worker}").exists()  # it has something in hand
    (tmp_path / "go").touch()
    until(lambda: not Path(f"/proc/{worker}").exists())
    assert desk.states(job) == ["done", "queued"]


def test_a_worker_can_be_started_by_hand(settings: Settings, desk: Desk) -> None:
    job = desk.submit("one")
    environment = os.environ | {"PYTHONPATH": str(HERE), "IMGGUARD_HOME": str(settings.home)}
    command = [sys.executable, "-m", "imgguard.worker", "--handlers", "light_handlers:make"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as worker:
        assert desk.ended(job)[0].state.value == "done"
        worker.terminate()
        assert worker.wait(PATIENCE) == 0


@pytest.mark.parametrize("handlers", ["light_handlers:none", "nowhere:make"])
def test_handlers_that_are_not_there_are_told(settings: Settings, handlers: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(HERE), "IMGGUARD_HOME": str(settings.home)}
    command = [sys.executable, "-m", "imgguard.worker", "--handlers", handlers]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert f"there are no handlers at {handlers}" in done.stderr
