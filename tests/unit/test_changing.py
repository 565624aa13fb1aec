"""Locks of objects that are being changed."""

import threading
from concurrent.futures import ThreadPoolExecutor

from imgguard.api.revisions import Changing


def test_one_object_is_changed_by_one_at_a_time() -> None:
    locks, inside, most = Changing(), 0, 0
    counting = threading.Lock()

    def change(_: int) -> None:
        nonlocal inside, most
        with locks.of("a"):
            with counting:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.001)
            with counting:
                inside -= 1

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(change, range(50)))
    assert most == 1
    assert locks._held == {}


def test_another_object_waits_for_nobody() -> None:
    locks, done = Changing(), threading.Event()

    def change() -> None:
        with locks.of("b"):
            done.set()

    with locks.of("a"):
        thread = threading.Thread(target=change)
        thread.start()
        assert done.wait(5)
        thread.join()
