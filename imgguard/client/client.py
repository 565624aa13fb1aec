"""The client: one object with a method for each thing the server does."""

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import httpx

from imgguard.client.accounts import AccountCalls
from imgguard.client.checks import CheckCalls
from imgguard.client.claims import ClaimCalls
from imgguard.client.feeds import FeedCalls
from imgguard.client.models import Job
from imgguard.client.packets import PacketCalls
from imgguard.client.references import ReferenceCalls
from imgguard.client.retrying import Retries
from imgguard.client.rights import RightsCalls
from imgguard.client.session import Session, path_of
from imgguard.client.verification import VerificationCalls
from imgguard.client.webhooks import WebhookCalls

TIMEOUT = 60.0


class Client(
    ReferenceCalls,
    ClaimCalls,
    CheckCalls,
    FeedCalls,
    PacketCalls,
    VerificationCalls,
    RightsCalls,
    AccountCalls,
    WebhookCalls,
):
    """A server, with an API key. Thread safe.

        with Client("https://imgguard.example.org", key) as client:
            print(client.check("listing.jpg").conclusion)

    ``timeout``: seconds for one answer. Raises BadAddress unless ``base_url`` is https or this machine itself, BadKey.

    Every method raises ProblemError when the server says no, ConnectionFailed when there is no answer, and
    UnexpectedAnswer when the answer is none of imgguard's. Before, it is asked again as ``retries`` says, where that
    cannot do the same thing twice; waiting is done with ``sleep``.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        retries: Retries | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._session = Session(
            base_url, key, timeout=timeout, transport=transport, retries=retries or Retries(), sleep=sleep
        )

    def __repr__(self) -> str:
        return f"<Client {self._session.address}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections."""
        self._session.close()

    # jobs; `wait` and `job_items` are in `Calls`

    def jobs(self) -> Iterator[Job]:
        """Those of the organisation, the latest first."""
        return self._list(Job, path_of("jobs"))

    def job(self, job_id: str) -> Job:
        """As it is now. Raises NotFoundProblem."""
        return self._session.get(path_of("jobs", job_id)).read(Job)

    def cancel(self, job_id: str) -> Job:
        """What waits is not done any more, what runs goes on to its end. Raises NotFoundProblem, ConflictProblem."""
        return self._session.post(path_of("jobs", job_id, "cancel")).read(Job)
