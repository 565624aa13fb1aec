"""What the soak makes of what it saw."""

from collections.abc import Sequence

import pytest

from imgguard.bench.soak import requests_table
from imgguard.bench.soak_deeds import Asked, Deeds, Pictures
from imgguard.bench.soak_watch import GROWTH, SPARE_DESCRIPTORS, Look, complaints, fifths

SECONDS = range(0, 100, 2)


def looks(
    api: Sequence[float],
    workers: Sequence[float] = (500,) * 5,
    descriptors: Sequence[int] = (50,) * 5,
    comparer: Sequence[float] = (0,) * 5,
) -> list[Look]:
    """A run whose fifths have these figures, memory in MB."""
    return [
        Look(
            at=float(at),
            api_bytes=int(api[at // 20] * 1e6),
            workers_bytes=int(workers[at // 20] * 1e6),
            comparer_bytes=int(comparer[at // 20] * 1e6),
            decoders_bytes=0,
            workers=2,
            descriptors=descriptors[at // 20],
            database_bytes=at,
            wal_bytes=0,
            waiting=0,
        )
        for at in SECONDS
    ]


def test_the_first_fifth_is_warming_up() -> None:
    steady = looks((100, 300, 300, 300, 300 * (1 + GROWTH)))
    assert complaints(steady) == []
    assert fifths(steady)["api_bytes"] == (300e6, 315e6)


@pytest.mark.parametrize(
    ("run", "what"),
    [
        (looks((300, 300, 300, 300, 317)), "API process"),
        (looks((300,) * 5, workers=(400, 500, 500, 500, 530)), "workers"),
        (looks((300,) * 5, comparer=(0, 400, 400, 400, 430)), "compares"),
        (looks((300,) * 5, descriptors=(50, 50, 50, 50, 51 + SPARE_DESCRIPTORS)), "descriptors"),
        (looks((300,) * 5)[:9], "too short"),
        ([], "too short"),
    ],
)
def test_growth_is_told(run: list[Look], what: str) -> None:
    (complaint,) = complaints(run)
    assert what in complaint


def test_a_comparer_that_was_not_there_before_is_no_growth() -> None:
    assert complaints(looks((300,) * 5, comparer=(0, 0, 0, 0, 400))) == []


def test_a_worker_that_was_replaced_does_not_hide_growth() -> None:
    assert complaints(looks((300,) * 5, workers=(500, 500, 250, 500, 600)))


def test_requests_are_counted_by_kind_and_status() -> None:
    asked = [Asked(kind="check", status=status, seconds=0.1, complaint=None) for status in (200, 200, 429)]
    (row,) = requests_table(asked).rows
    assert row[:3] == ("check", "3", "200: 2, 429: 1")


def test_fresh_pictures_are_other_files_of_the_same_picture() -> None:
    pictures = Pictures(originals=[b"\xff\xd8\xff\xdb rest"], queries=[], hostile=[], too_large=b"")
    with Deeds("http://localhost", "key", pictures, seed=3) as deeds:
        first, second = deeds.fresh(), deeds.fresh()
    assert first != second
    assert first.startswith(b"\xff\xd8\xff\xfe")
    assert first.endswith(b"\xff\xdb rest")
    length = int.from_bytes(first[4:6])
    assert first[4 + length :] == b"\xff\xdb rest"
