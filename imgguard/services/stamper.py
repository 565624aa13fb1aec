"""A thread that has checkpoints stamped, in the process that serves."""

import logging
import threading
from typing import Self

from imgguard.errors import ImgguardError
from imgguard.services.stamping import Stamping

_PAUSE = 5.0
"""Seconds between two looks into the database: what was signed is stamped soon after."""

_log = logging.getLogger(__name__)


class Stamper:
    """While it is entered. What is asked for at the end is given ``grace`` seconds; else it is asked for again by the
    next process."""

    def __init__(self, stamping: Stamping, *, pause: float = _PAUSE, grace: float = 5.0) -> None:
        self._stamping = stamping
        self._pause = pause
        self._grace = grace
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="imgguard-stamper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending.set()
        self._thread.join(self._grace)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._stamping.run()
            except ImgguardError as error:  # nothing is lost: what waits is in the database
                _log.warning("checkpoints were not stamped: %s", error)
            except Exception:
                _log.exception("checkpoints were not stamped")
            self._ending.wait(self._pause)
