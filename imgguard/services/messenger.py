"""Threads that send messages to webhooks, in the process that serves; never in one that works on pictures."""

import logging
import threading
import time
from typing import Self

from imgguard.errors import ImgguardError
from imgguard.ports import ClaimedDelivery, Slots
from imgguard.services.webhook_sending import Sender

AT_ONCE = 4
TROUBLED_AT_ONCE = 2
"""Of those, to webhooks whose latest attempt failed or was slow: who times out must not hold up who answers."""
OF_EACH_AT_ONCE = 2
"""Of those, of one organisation: what it has sent to the slow must not hold up others."""
_PAUSE = 1.0
"""Seconds between two looks into the database, when nothing was to be done."""

_log = logging.getLogger(__name__)


class Messenger:
    """Sends while it is entered. ``grace``: seconds that messages on their way are given at the end; those that take
    longer are sent again by the next process."""

    def __init__(self, sender: Sender, *, pause: float = _PAUSE, grace: float = 5.0) -> None:
        self._sender = sender
        self._pause = pause
        self._grace = grace
        self._ending = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._sending: dict[threading.Thread, bool] = {}
        self._thread = threading.Thread(target=self._run, name="imgguard-messenger", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Begin nothing any more; wait for what is on its way, as long as the grace lasts."""
        self._ending.set()
        self._wake.set()
        deadline = time.monotonic() + self._grace
        self._thread.join(self._grace)
        with self._lock:
            sending = list(self._sending)
        for thread in sending:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.clear()
            try:
                is_idle = self._turn()
            except ImgguardError as error:
                _log.warning("webhooks were not told: %s", error)
                is_idle = True
            except Exception:
                _log.exception("webhooks were not told")
                is_idle = True
            if is_idle:
                self._wake.wait(self._pause)

    def _turn(self) -> bool:
        """Whether nothing is left to be done at this moment."""
        if not self._sender.has_work():
            return True
        taken = self._sender.fan_out()
        with self._lock:
            busy, troubled = len(self._sending), sum(self._sending.values())
        if busy >= AT_ONCE:
            return True
        slots = Slots(limit=AT_ONCE - busy, troubled=TROUBLED_AT_ONCE - troubled, of_each=OF_EACH_AT_ONCE)
        claimed = self._sender.claim(slots)
        for one in claimed:
            self._begin(one)
        return not taken and not claimed

    def _begin(self, claimed: ClaimedDelivery) -> None:
        thread = threading.Thread(target=self._send, args=(claimed,), name="imgguard-message", daemon=True)
        with self._lock:
            self._sending[thread] = claimed.webhook.is_troubled
        thread.start()

    def _send(self, claimed: ClaimedDelivery) -> None:
        try:
            self._sender.send(claimed)
        except ImgguardError as error:  # it is sent again when its lease is over
            _log.warning("how message %s ended was not stored: %s", claimed.delivery.delivery_id, error)
        except Exception:
            _log.exception("how message %s ended was not stored", claimed.delivery.delivery_id)
        finally:
            with self._lock:
                self._sending.pop(threading.current_thread(), None)
            self._wake.set()
