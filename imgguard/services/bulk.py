"""Many inputs on several threads, results in input order."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

_LOOK_AHEAD = 4
"""Inputs in work or finished and waiting, per worker: one slow picture must not stop the others, nor fill memory."""


def in_order[In, Out](
    work: Callable[[In], Out], inputs: Iterable[In], *, workers: int, stop: threading.Event
) -> Iterator[Out]:
    """``work`` of each input, in order. Once ``stop`` is set nothing new is begun; what is in work is finished and
    still yielded, so that everything done was also reported. An exception of ``work`` ends it the same way."""

    def unless_stopped(item: In) -> list[Out]:
        return [] if stop.is_set() else [work(item)]

    pending: deque[Future[list[Out]]] = deque()
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="imgguard") as executor:
        try:
            for item in inputs:
                if stop.is_set():
                    break
                pending.append(executor.submit(unless_stopped, item))
                while pending and (pending[0].done() or len(pending) >= workers * _LOOK_AHEAD):
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
