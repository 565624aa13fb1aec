"""Names to addresses, within a time: the system's resolver knows none, and a stranger's name server can be slow."""

import socket
import threading
import time
from collections.abc import Sequence
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import Protocol

from imgguard.errors import FetchFailed
from imgguard.net.addresses import Address, canonical

type _Answer = list[Address] | OSError | ValueError

_LOOK_UPS = 32
"""At the same time. A look-up that is given up goes on in its thread until the system gives up too, some 30 s."""
_NO_SUCH_NAME = frozenset(
    number for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if (number := getattr(socket, name, None))
)


class Resolver(Protocol):
    """All addresses of a name, none when there is no such name. Raises FetchFailed, also when time is up."""

    def __call__(self, name: str, *, seconds: float) -> Sequence[Address]: ...


class SystemResolver:
    """A `Resolver` that asks the system, for at most ``look_ups`` names at the same time."""

    def __init__(self, *, look_ups: int = _LOOK_UPS) -> None:
        self._slots = threading.BoundedSemaphore(look_ups)

    def __call__(self, name: str, *, seconds: float) -> Sequence[Address]:
        end = time.monotonic() + seconds
        if not self._slots.acquire(timeout=seconds):
            raise FetchFailed("too many slow host names are being looked up", hint="Try again shortly.")
        answers: SimpleQueue[_Answer] = SimpleQueue()
        try:
            threading.Thread(target=self._run, args=(name, answers), name="imgguard-resolver", daemon=True).start()
        except RuntimeError:
            self._slots.release()
            raise
        try:
            answer = answers.get(timeout=max(0.0, end - time.monotonic()))
        except Empty:
            raise FetchFailed("the host name was not resolved in time") from None
        if isinstance(answer, socket.gaierror) and answer.errno in _NO_SUCH_NAME:
            return ()
        if isinstance(answer, Exception):
            raise FetchFailed("the host name cannot be looked up at present") from answer
        return answer

    def _run(self, name: str, answers: SimpleQueue[_Answer]) -> None:
        try:
            answers.put(_look_up(name))
        except (OSError, ValueError) as error:
            answers.put(error)
        finally:
            self._slots.release()


def _look_up(name: str) -> list[Address]:
    # As bytes, since Python would put a string through the IDNA of 2003.
    found = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(canonical(ip_address(entry[4][0])) for entry in found))
