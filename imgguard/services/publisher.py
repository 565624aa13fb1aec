"""A thread that signs what is new in the log, in the process that serves."""

import logging
import threading
from typing import Self

from imgguard.errors import ImgguardError
from imgguard.services.transparency import Transparency

_log = logging.getLogger(__name__)


class Publisher:
    """At once and then each ``seconds``, while it is entered; once more when it is left."""

    def __init__(self, transparency: Transparency, *, seconds: float) -> None:
        self._transparency = transparency
        self._seconds = seconds
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="imgguard-publisher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        is_ending = False
        while True:
            try:
                self._transparency.publish()
            except ImgguardError as error:  # nothing is lost: the leaves are in the database
                _log.error("the log was not published: %s %s", error.detail, error.advice)
            except Exception:
                _log.exception("the log was not published")
            if is_ending:
                return
            is_ending = self._ending.wait(self._seconds)
