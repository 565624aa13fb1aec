"""Order, look-ahead, stopping and errors of the bulk runner."""

import threading
import time
from collections.abc import Iterator

import pytest

from imgguard.services.bulk import in_order


def test_results_come_in_input_order_whatever_each_takes() -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (7 - number % 8))
        return number

    assert list(in_order(work, range(60), workers=5, stop=threading.Event())) == list(range(60))


def test_work_runs_on_several_threads() -> None:
    together = threading.Barrier(3, timeout=5)

    def work(_: int) -> int:
        return together.wait()

    assert sorted(in_order(work, range(3), workers=3, stop=threading.Event())) == [0, 1, 2]


def test_look_ahead_is_bounded_while_the_first_is_slow() -> None:
    release = threading.Event()
    taken = []

    def inputs() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    def work(number: int) -> int:
        if number == 0:
            release.wait(5)
        return number

    results = in_order(work, inputs(), workers=2, stop=threading.Event())
    threading.Timer(0.2, release.set).start()
    assert next(results) == 0
    assert len(taken) <= 2 * 4 + 2
    assert list(results) == list(range(1, 1000))


def test_once_stopped_only_what_is_in_work_is_finished_and_reported() -> None:
    stop = threading.Event()
    begun, lock = [], threading.Lock()

    def work(number: int) -> int:
        with lock:
            begun.append(number)
        if number == 5:
            stop.set()
        time.sleep(0.01)
        return number

    done = list(in_order(work, range(1000), workers=3, stop=stop))
    assert done == sorted(begun)
    assert 5 in done
    assert len(done) < 20


def test_stopped_before_it_began() -> None:
    stop = threading.Event()
    stop.set()
    assert list(in_order(lambda number: number, range(5), workers=2, stop=stop)) == []


def test_an_exception_ends_the_run_and_nothing_more_is_begun() -> None:
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise ZeroDivisionError
        time.sleep(0.005)
        return number

    results = in_order(work, range(1000), workers=2, stop=threading.Event())
    with pytest.raises(ZeroDivisionError):
        list(results)
    assert len(begun) < 30


def test_a_consumer_that_leaves_ends_the_work() -> None:
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        return number

    results = in_order(work, range(1000), workers=2, stop=threading.Event())
    next(results)
    results.close()  # type: ignore[attr-defined]
    settled = len(begun)
    time.sleep(0.05)
    assert len(begun) == settled < 100
