"""What the calls of all nouns share: the session, and waiting for jobs."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import NoReturn

from pydantic import BaseModel

from imgguard.client.errors import ItemFailed, NotDone
from imgguard.client.models import Job, JobItem
from imgguard.client.retrying import retry_after_of
from imgguard.client.session import Answer, Part, Session, path_of
from imgguard.client.uploads import Source, opened

PATIENCE = 600.0
"""Seconds that `check` and `register` wait for a job, when the server is too busy to answer at once."""

_FIRST_LOOK, _LONGEST_PAUSE, _GROWTH = 0.2, 5.0, 1.5
ACCEPTED = 202


class Calls:
    """``_session`` is that of the client."""

    _session: Session

    def _list[Model: BaseModel](
        self, model: type[Model], path: str, params: Mapping[str, object] | None = None
    ) -> Iterator[Model]:
        for answer, item in self._session.pages(path, params):
            yield answer.valid(model, item)

    def _upload(
        self,
        path: str,
        sources: Sequence[tuple[str, Source, str | None]],
        fields: Mapping[str, object] | None = None,
    ) -> Answer:
        """A form with ``sources``: each the field's name, what is sent, and how it is to be called.

        Raises ValueError when there are none, OSError.
        """
        if not sources:
            raise ValueError("there is nothing to send")
        with ExitStack() as stack:
            parts: list[Part] = [
                (name, stack.enter_context(opened(source, file=file))) for name, source, file in sources
            ]
            return self._session.ask("POST", path, fields=fields or {}, parts=parts)

    def wait(self, job: Job | str, *, seconds: float | None = None, told: Callable[[Job], object] | None = None) -> Job:
        """The job when it is over. Asks after 0.2 seconds, then ever less often, up to every 5 seconds, or as the
        server says; ``told`` is called with each answer. Raises NotDone when it is not over after so many
        ``seconds``."""
        job_id = job if isinstance(job, str) else job.job_id
        deadline = None if seconds is None else time.monotonic() + seconds
        pause = _FIRST_LOOK
        while True:
            answer = self._session.get(path_of("jobs", job_id))
            found = answer.read(Job)
            if told is not None:
                told(found)
            if found.is_over:
                return found
            if deadline is not None and time.monotonic() >= deadline:
                raise NotDone(found)
            asked = retry_after_of(answer.headers.get("retry-after")) or 0.0
            left = max(pause, asked) if deadline is None else min(max(pause, asked), deadline - time.monotonic())
            self._session.sleep(max(0.0, left))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)

    def job_items(self, job: Job | str) -> Iterator[JobItem]:
        """The pictures of a job, in order, each with its result or its error."""
        return self._list(JobItem, path_of("jobs", job if isinstance(job, str) else job.job_id, "items"))

    def _only_item(self, answer: Answer, *, patience: float) -> JobItem:
        """Of the job in ``answer``, once it is done. Raises NotDone, ItemFailed."""
        job = self.wait(answer.read(Job), seconds=patience)
        for item in self.job_items(job):
            if item.result is not None:
                return item
            _fail(item, job)
        raise ItemFailed(code="cancelled", detail="the job has no picture", job_id=job.job_id)


def _fail(item: JobItem, job: Job) -> NoReturn:
    code, detail = "cancelled", f"the picture was not worked on: {item.state}"
    if item.error is not None:
        code, detail = item.error.code, item.error.detail
    raise ItemFailed(code=code, detail=detail, job_id=job.job_id)
