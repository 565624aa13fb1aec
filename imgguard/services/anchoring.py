"""Checkpoints are anchored by calendars of OpenTimestamps: now and then one is handed in, and what a calendar promises
is asked for until a block of Bitcoin attests it.

A calendar may be down for days. Then only the newest checkpoint waits for it, and no other calendar waits at all.
"""

import logging
import random
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from imgguard.errors import CalendarUnavailable, ImgguardError, OpenTimestampsInvalid
from imgguard.ports import Anchor, AnchorState, AnchorStore, Calendar, Clock, LogStore, StampedBy
from imgguard.provenance.anchors import NONCE_BYTES, Question, promises, upgraded
from imgguard.provenance.opentimestamps import OpenTimestamp, parse_file
from imgguard.provenance.timestamp_renewal import stamped_body

FIRST_PAUSE = timedelta(minutes=1)
FIRST_BLOCK = timedelta(hours=1)
"""When a promise is asked for first. A calendar pays for a transaction once in some hours, and waits for six blocks."""
LONGEST_PAUSE = timedelta(hours=6)
AT_ONCE = 10
"""Of one calendar and one run."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A calendar was asked about the checkpoint of ``size`` leaves; ``state`` is how it stands now, and ``error`` why
    nothing has come of it. Neither error nor change: the promise stands, and there is no block yet."""

    calendar: str
    size: int
    state: AnchorState
    error: ImgguardError | None = None


class Anchoring:
    """Thread safe, and several processes may do it. ``every`` so often a checkpoint is handed in; ``lease``: longer
    than a calendar is waited for."""

    def __init__(
        self,
        *,
        log: LogStore,
        anchors: AnchorStore,
        calendars: Sequence[Calendar],
        clock: Clock,
        every: timedelta,
        lease: timedelta,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._log = log
        self._anchors = anchors
        self._calendars = tuple(calendars)
        self._clock = clock
        self._every = every
        self._lease = lease
        self._chance = chance

    def run(self, *, at_once: bool = False) -> list[Asked]:
        """Ask for what is due; returns what came of it. Waits for the slowest calendar.

        1  the newest checkpoint waits for each calendar, once in a while
        2  each calendar is told what waits for it, and asked for what it has promised, all at the same time
        3  an answer is stored when it can be read and is about what was asked; else it is asked for again later

        ``at_once``: whether due or not. Raises StoreUnavailable.
        """
        # 1
        now = self._clock.now()
        stamped_by = [StampedBy(one.url, one.name) for one in self._calendars]
        self._anchors.prepare(stamped_by, at=now, since=now - self._every)
        # 2
        if not self._calendars:
            return []
        with ThreadPoolExecutor(len(self._calendars), thread_name_prefix="imgguard-anchoring") as threads:
            found = threads.map(lambda one: self._run(one, at_once=at_once), self._calendars)
            return [outcome for each in found for outcome in each]

    def _run(self, calendar: Calendar, *, at_once: bool) -> list[Asked]:
        """Until it is found to be down: it would be so for the others, too."""
        found: list[Asked] = []
        due = None if at_once else self._clock.now()
        for anchor in self._anchors.due(calendar.url, at=due, limit=AT_ONCE):
            if self._anchors.claim(anchor.anchor_id, due=due, until=self._clock.now() + self._lease):
                # 3
                found.append(self._ended(anchor, self._answer(calendar, anchor)))
                if isinstance(found[-1].error, CalendarUnavailable):
                    break
        return found

    def _answer(self, calendar: Calendar, anchor: Anchor) -> OpenTimestamp | ImgguardError | None:
        """The file as it is now; None when the calendar has nothing new; or why there is none."""
        try:
            if anchor.file is None:
                return self._submitted(calendar, anchor.size)
            return self._upgraded(calendar, parse_file(anchor.file))
        except ImgguardError as error:
            return error
        except Exception as error:
            _log.exception("the calendar %s cannot be asked", calendar.name)
            return CalendarUnavailable(f"{calendar.name} cannot be asked: unexpected {type(error).__name__}")

    def _submitted(self, calendar: Calendar, size: int) -> OpenTimestamp:
        body = stamped_body(self._log.checkpoint(size).note)
        question = Question.about(body, nonce=secrets.token_bytes(NONCE_BYTES))
        return question.answered(calendar.submit(question.commitment), by=calendar.url)

    def _upgraded(self, calendar: Calendar, file: OpenTimestamp) -> OpenTimestamp | None:
        promise = next(iter(promises(file, by=calendar.url)), None)
        if promise is None:
            raise OpenTimestampsInvalid(f"what is stored holds no promise of {calendar.name}")
        answer = calendar.upgrade(promise.message)
        return None if answer is None else upgraded(file, promise, answer)

    def _ended(self, anchor: Anchor, answer: OpenTimestamp | ImgguardError | None) -> Asked:
        now = self._clock.now()
        if isinstance(answer, OpenTimestamp):
            state = AnchorState.ATTESTED if answer.heights else AnchorState.PROMISED
            self._anchors.keep(anchor.anchor_id, answer.to_bytes(), state=state, next_at=now + self._pause(FIRST_BLOCK))
            return Asked(calendar=anchor.calendar, size=anchor.size, state=state)
        told = None if answer is None else answer.detail
        if told is not None:
            _log.warning("%s, asked about the checkpoint of %d leaves: %s", anchor.calendar, anchor.size, told)
        self._anchors.put_off(anchor.anchor_id, next_at=self._later(anchor, answer, now), error=told)
        return Asked(calendar=anchor.calendar, size=anchor.size, state=anchor.state, error=answer)

    def _later(self, anchor: Anchor, error: ImgguardError | None, now: datetime) -> datetime:
        first = FIRST_PAUSE if anchor.state is AnchorState.WAITING else FIRST_BLOCK
        pause = self._pause(min(first * 2 ** min(anchor.tries, 16), LONGEST_PAUSE))
        if isinstance(error, CalendarUnavailable) and error.retry_after is not None:
            pause = max(pause, timedelta(seconds=error.retry_after))
        return now + pause

    def _pause(self, longest: timedelta) -> timedelta:
        """Up to a quarter less, by chance: installations that have begun together should not ask together."""
        part: float = 0.75 + self._chance() / 4
        return longest * part
