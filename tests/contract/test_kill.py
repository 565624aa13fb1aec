"""Killed at any moment, a store keeps what it acknowledged, and nothing by halves."""

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

from imgguard.fingerprint.fingerprint import DescriptorKind
from imgguard.registry.records import ReferenceStatus
from imgguard.storage.blobs import LocalBlobStore
from imgguard.storage.live_index import LiveIndex
from imgguard.storage.sql.catalogue import SqlCatalogue

from . import stores

KILLS, MOST_KILLS = 30, 120
HERE = Path(__file__).parent


def run_and_kill(home: Path, seed: int, seconds: float) -> list[list[str]]:
    """Lines that the registrar acknowledged before it died."""
    command = [sys.executable, str(HERE / "registrar.py"), str(home), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.kill()
        text = process.stdout.read()
    return [line.split() for line in text.splitlines(keepends=True) if line.endswith("\n")]


def test_every_acknowledged_step_survives_being_killed(tmp_path: Path) -> None:
    catalogue = SqlCatalogue.open(tmp_path / "imgguard.db")
    begun = catalogue.begin_generation(stores.WEIGHTS, at=stores.NOON)
    catalogue.activate_generation(begun.generation_id, at=stores.NOON)
    registered: dict[str, str] = {}
    erasing: set[str] = set()
    erased: set[str] = set()
    moment = random.Random(0)
    for seed in range(MOST_KILLS):  # on a busy machine a process that is killed early has done little
        for word, reference_id, *digest in run_and_kill(tmp_path, seed, moment.uniform(0.0, 0.25)):
            if word == "registered":
                (registered[reference_id],) = digest
            else:
                {"erasing": erasing, "erased": erased}[word].add(reference_id)
        if seed % 10 == 9:
            check(tmp_path, catalogue, registered, erasing, erased)
            if seed + 1 >= KILLS and len(registered) > KILLS and erased:
                break
    assert len(registered) > KILLS
    assert erased
    catalogue.close()


def check(home: Path, catalogue: SqlCatalogue, registered: dict[str, str], erasing: set[str], erased: set[str]) -> None:
    blobs = LocalBlobStore(home / "originals")
    catalogue.delete_blobs(blobs.delete)  # finishes what was decided
    index = LiveIndex(catalogue, home / "index")
    for reference_id, digest in registered.items():
        reference = catalogue.reference(reference_id)
        if reference_id in erased:
            assert reference.status is ReferenceStatus.ERASED
        elif reference_id not in erasing:  # unanswered erasures may have happened or not
            assert reference.status is ReferenceStatus.ACTIVE
            assert reference.sha256 == digest
    active = catalogue.references(status=ReferenceStatus.ACTIVE, limit=100_000)
    for reference in active:  # those that were never acknowledged too: they are whole, or not there
        assert reference.sha256 is not None
        data = blobs.get(reference.sha256)
        assert hashlib.sha256(data).hexdigest() == reference.sha256
        kinds = [DescriptorKind.EMBEDDING, DescriptorKind.PDQ]
        assert {descriptor.kind for descriptor in catalogue.descriptors(reference.sha256, kinds)} == set(kinds)
        (hit,) = index.search(stores.vector(data + stores.WEIGHTS.encode())[None], 1)
        assert hit.number == catalogue.content(reference.sha256).number
    assert len(index) == len(active)
    stored = set(blobs.digests())
    needed = {reference.sha256 for reference in active}
    assert needed <= stored
    assert not list((home / "originals" / ".tmp").iterdir())
    for reference_id in erased:
        assert registered[reference_id] not in stored
