"""The service itself, ended in the middle of a bulk job and started again: nothing is lost, nothing is done twice."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from .conftest import SAMPLES, World

PATIENCE = 60.0
LISTINGS = sorted((SAMPLES / "listings").glob("unrelated-*.jpg"))


@contextmanager
def served(world: World) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    command = [Path(sys.executable).with_name("imgguard"), "serve", "--port", "0", "--home", world.home]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "IMGGUARD_JOBS": "1"})
    try:
        assert process.stderr is not None
        found = re.search(r"listening on (http://\S+)", process.stderr.readline())
        assert found is not None
        headers = {"Authorization": f"Bearer {world.keys['shop.seller']}"}
        with httpx.Client(base_url=found[1], headers=headers, timeout=PATIENCE) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def until(client: httpx.Client, path: str, what: Callable[[dict[str, int]], bool]) -> dict[str, int]:
    deadline = time.monotonic() + PATIENCE
    while not what(job := client.get(path).json()):
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
    return dict(job)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_process_that_compares_ends_with_the_service(how: signal.Signals, world: World) -> None:
    with served(world) as (process, client):
        files = {name: (name, LISTINGS[0].read_bytes()) for name in ("query", "reference")}
        answer = client.post("/v1/compare", files=files, data={"profile": "quick"})
        assert (answer.status_code, answer.json()["verdict"]) == (200, "copy")
        children = psutil.Process(process.pid).children()
        (comparer,) = [child for child in children if "imgguard.worker.comparer_process" in child.cmdline()]
        process.send_signal(how)
        process.wait(PATIENCE)
        assert psutil.wait_procs([comparer], timeout=PATIENCE)[1] == []


def test_the_service_has_packets_built_by_processes_that_end_with_them(world: World) -> None:
    with served(world) as (process, client):
        client.headers["Authorization"] = f"Bearer {world.keys['studio.rights_holder']}"
        answer = client.post("/v1/packets", json={"ids": [world.reference_id], "purpose": "record"}, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text
        assert len(client.get(answer.json()["file"]).content) == answer.json()["byte_length"]
        children = psutil.Process(process.pid).children()
        assert not [child for child in children if "imgguard.worker.packet_process" in child.cmdline()]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_bulk_job_goes_on_after_a_restart(how: signal.Signals, world: World) -> None:
    with served(world) as (process, client):
        files = [("files", (path.name, path.read_bytes())) for path in LISTINGS]
        answer = client.post("/v1/checks/bulk", files=files, data={"profile": "quick"})
        assert answer.status_code == 202, answer.text
        path = answer.headers["location"]
        until(client, path, lambda job: job["done_count"] >= 1)
        process.send_signal(how)
        process.wait(PATIENCE)
    with served(world) as (_, client):
        job = until(client, path, lambda job: bool(job["is_over"]))
        assert (job["done_count"], job["failed_count"]) == (len(LISTINGS), 0)
        items = client.get(f"{path}/items").json()["items"]
        assert [item["file"] for item in items] == [listing.name for listing in LISTINGS]
        named = [item["result"]["finding_id"] for item in items]
        assert len(set(named)) == len(LISTINGS)
        checks = client.get("/v1/checks").json()["items"]
        assert {check["finding_id"] for check in checks} == set(named)
