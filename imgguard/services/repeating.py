"""A thread that does something again and again, in the process that serves."""

import logging
import threading
from collections.abc import Callable
from typing import Self

from imgguard.errors import ImgguardError

_PAUSE = 5.0
"""Seconds between two times: what was signed is stamped and shown to witnesses soon after."""

_log = logging.getLogger(__name__)


class Repeated:
    """``do``, while it is entered; ``name`` is that of the thread. An error is told, and changes nothing of that.

    What is in hand at the end is given ``grace`` seconds; what is not done then is for the next process.
    """

    def __init__(self, name: str, do: Callable[[], object], *, pause: float = _PAUSE, grace: float = 5.0) -> None:
        self._name = name
        self._do = do
        self._pause = pause
        self._grace = grace
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"imgguard-{name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending.set()
        self._thread.join(self._grace)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._do()
            except ImgguardError as error:  # nothing is lost: what is to be done is in the database
                _log.warning("%s failed: %s", self._name, error)
            except Exception:
                _log.exception("%s failed", self._name)
            self._ending.wait(self._pause)
