"""The transparency log: how fast leaves are appended, published and proven, and what they add to a registration."""

import statistics
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imgguard.bench.accuracy import say
from imgguard.bench.sampling import SEED
from imgguard.bench.tables import Table
from imgguard.bootstrap import Services
from imgguard.provenance.records import Kind, event_record
from imgguard.settings import Settings
from imgguard.storage.sql import claimants, log, references

LEAVES = 100_000
_A_TRANSACTION = 100
_PROOFS = 300
_PICTURES = 20


def measure_log(leaves: int = LEAVES) -> dict[str, Any]:
    """What appending, publishing and proving take, and a registration and its leaf."""
    with tempfile.TemporaryDirectory(prefix="imgguard-log-") as name:
        home = Path(name)
        with Services(Settings(home=home)) as services:
            append = _both(lambda: _append(services, leaves))
            say(f"log: {leaves} leaves appended in {append['seconds']:.1f} s")
            publish = _both(services.transparency.publish)
            say(f"log: published in {publish['seconds']:.1f} s")
            proofs = _both(lambda: _prove(services, leaves))
            _append(services, 1)
            again = _both(services.transparency.publish)
            registration = _registrations(services)
    return {
        "leaves": leaves,
        "append": append,
        "publish": publish,
        "publish_one": again,
        "proof": {name: value / _PROOFS for name, value in proofs.items()},
        "registration_ms": registration,
    }


def table(found: dict[str, Any]) -> Table:
    """Of what `measure_log` gives."""
    registration = found["registration_ms"]
    share = registration["leaf"] / registration["whole"]
    rows = (
        (f"{found['leaves']:,} leaves appended, {_A_TRANSACTION} a transaction", *_seconds(found["append"])),
        ("all of them published", *_seconds(found["publish"])),
        ("one more, published", *_milliseconds(found["publish_one"])),
        ("a proof, mean", *_milliseconds(found["proof"])),
        ("a registration, median", f"{registration['whole']:.0f} ms", ""),
        ("of which its leaf", f"{registration['leaf']:.2f} ms", f"{100 * share:.1f} % of it"),
    )
    return Table(title="Appending, publishing, proving", header=("", "by the clock", "of one core"), rows=rows)


def _seconds(one: dict[str, float]) -> tuple[str, str]:
    return f"{one['seconds']:.1f} s", f"{one['cpu_seconds']:.1f} s"


def _milliseconds(one: dict[str, float]) -> tuple[str, str]:
    return f"{1000 * one['seconds']:.1f} ms", f"{1000 * one['cpu_seconds']:.1f} ms"


def _both(work: Callable[[], object]) -> dict[str, float]:
    """By the clock, which on a shared machine says much of others, and of the time on a core."""
    cpu = time.process_time()
    seconds = _timed(work)
    return {"seconds": seconds, "cpu_seconds": time.process_time() - cpu}


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _append(services: Services, leaves: int) -> None:
    """Signed claims of one owner."""
    at = services.clock.now()
    for start in range(0, leaves, _A_TRANSACTION):
        with services.database.write() as connection:
            owner = references.ensure_owner(connection, "Benchmark", at)
            claimant = claimants.ensure(connection, owner.owner_id, at=at)
            for number in range(start, min(leaves, start + _A_TRANSACTION)):
                subject = f"clm_{number}"
                record = event_record(Kind.CLAIM, subject=subject, occurred_at=log.second(at))
                log.append(connection, record, object_id=subject, owner_id=owner.owner_id, at=at, claimant=claimant)


def _prove(services: Services, leaves: int) -> None:
    """Leaves all over the log."""
    for number in np.random.default_rng(SEED).integers(0, leaves, _PROOFS):
        services.transparency.proof_of(f"clm_{number}")


def _registrations(services: Services) -> dict[str, float]:
    """Medians, in milliseconds: of whole registrations, and of what the leaf adds inside the transaction."""
    whole, leaf = [], []
    for number in range(_PICTURES):
        data = _picture(number)
        whole.append(1000 * _timed(lambda: services.registration.register(data, owner="Benchmark", file="a.jpg")))  # noqa: B023
        leaf.append(1000 * _one_more_leaf(services))
    return {"whole": statistics.median(whole), "leaf": statistics.median(leaf)}


def _one_more_leaf(services: Services) -> float:
    """Seconds that the leaf of the last registration takes when it is appended once more."""
    at = services.clock.now()
    last = services.log_store.leaves(services.log_store.size() - 1, limit=1)[0]
    content = services.catalogue.content(services.catalogue.reference(last.object_id).sha256 or "")
    handed = log.Handed(
        reference_id=last.object_id,
        owner_id=last.owner_id or "",
        owner="Benchmark",
        number=content.number,
        file="a.jpg",
    )
    with services.database.write() as connection:
        seconds = _timed(lambda: log.register(connection, handed, at=at))
        connection.rollback()
    return seconds


def _picture(number: int) -> bytes:
    """400 x 533 pixels of smooth noise."""
    noise = np.random.default_rng([SEED, number]).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    data = BytesIO()
    Image.fromarray(noise).resize((400, 533), Image.Resampling.BICUBIC).save(data, "JPEG", quality=90)
    return data.getvalue()
