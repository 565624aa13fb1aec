"""Everything the client raises on purpose. No message holds the API key, and no error leads to a request that does.

ClientError
|- BadAddress            also a ValueError: nothing was sent
|- BadKey                also a ValueError: nothing was sent
|- ConnectionFailed      no answer came, though it was tried again
|- UnexpectedAnswer      an answer that imgguard does not give
|- NotDone               the job is not over in the time that was given to it
|- BadMessage            what a webhook received is not genuine
|- ItemFailed            the job is over, and has no result for this picture
`- ProblemError          the server said why not (RFC 9457)
   |- AccessProblem      401 403
   |- NotFoundProblem    404
   |- ConflictProblem    409 412
   |- TooLargeProblem    413
   |- InvalidProblem     422
   `- BusyProblem        429 503, with ``retry_after``
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from imgguard.client.models import Job


class ClientError(Exception):
    """Root of the tree."""


class BadAddress(ClientError, ValueError):
    """The address cannot be that of a server, or the key would travel to it unencrypted."""


class BadKey(ClientError, ValueError):
    """The key has a form that no API key has."""


class BadMessage(ClientError):
    """Not from who has the secret, not of now, or altered on the way: answer 400, and do nothing of what it says."""


class ConnectionFailed(ClientError):
    """No answer came. What was asked for may have been done nevertheless, unless ``was_sent`` is False. ``is_final``:
    it would fail in the same way again."""

    def __init__(self, detail: str, *, was_sent: bool, is_final: bool = False) -> None:
        super().__init__(detail)
        self.was_sent = was_sent
        self.is_final = is_final


class UnexpectedAnswer(ClientError):
    """There is something else at the address, or something between that answers in its place."""

    def __init__(self, detail: str, *, status: int | None) -> None:
        super().__init__(detail)
        self.status = status


class NotDone(ClientError):
    """``job`` as it was last seen. It goes on: wait for it again, or cancel it."""

    def __init__(self, job: "Job") -> None:
        super().__init__(f"{job.job_id} is not over yet: {job.done_count} of {job.item_count} done")
        self.job = job


class ItemFailed(ClientError):
    """Why a picture of a job has no result. ``code`` is stable, ``detail`` is for people."""

    def __init__(self, *, code: str, detail: str, job_id: str) -> None:
        super().__init__(f"{detail} [{code}]")
        self.code = code
        self.detail = detail
        self.job_id = job_id


class FieldProblem(BaseModel):
    """``pointer`` (RFC 6901) leads into the request: ``/body/title``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pointer: str = ""
    detail: str = ""


class ProblemError(ClientError):
    """The server said no. ``code`` is stable (docs/errors.md), or ``unknown`` when something between answered; the
    operator finds the request in the log by ``request_id``."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        title: str,
        detail: str,
        hint: str | None = None,
        request_id: str | None = None,
        fields: Sequence[FieldProblem] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{detail} [{code}]")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.hint = hint
        self.request_id = request_id
        self.fields = tuple(fields)
        self.retry_after = retry_after


class AccessProblem(ProblemError):
    """The key is wrong, expired or revoked (401), or does not allow this (403)."""


class NotFoundProblem(ProblemError):
    """There is no such object, or it is not this organisation's to see."""


class ConflictProblem(ProblemError):
    """The object is in a state that does not allow this (409), or was changed since it was read (412)."""


class TooLargeProblem(ProblemError):
    """The server does not take so many bytes at once."""


class InvalidProblem(ProblemError):
    """What was sent cannot be used; ``fields`` may say which part of it. The same fails again."""


class BusyProblem(ProblemError):
    """Too much at once (503), or too often by this key (429), also when tried again; ``retry_after`` is in seconds."""


BY_STATUS: dict[int, type[ProblemError]] = {
    401: AccessProblem,
    403: AccessProblem,
    404: NotFoundProblem,
    409: ConflictProblem,
    412: ConflictProblem,
    413: TooLargeProblem,
    422: InvalidProblem,
    429: BusyProblem,
    503: BusyProblem,
}
