"""Locks between processes that die with their holder."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imgguard.errors import StoreInUse, StoreUnavailable

_LOOK_SECONDS = 0.1


@contextmanager
def file_lock(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold an advisory lock on ``path`` (created when missing, never removed: unlinking a lock file is a race).

    The kernel releases it when the process ends, however it ends. Raises StoreUnavailable.
    """
    with _opened(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


@contextmanager
def only_service(path: Path, *, seconds: float) -> Iterator[None]:
    """Hold such a lock as the one service on the store that ``path`` is in: children do not inherit it.

    Raises StoreInUse when another service keeps it for all of ``seconds``, StoreUnavailable.
    """
    deadline = time.monotonic() + seconds
    with _opened(path) as descriptor:
        while not _taken(descriptor, path):
            if time.monotonic() >= deadline:
                raise StoreInUse(f"another service runs on the store {path.parent}")
            time.sleep(_LOOK_SECONDS)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"cannot lock {path}: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StoreUnavailable(f"cannot lock {path}: {error.strerror}") from error
    return True
