"""The database of webhooks, and of the messages that are on their way to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from imgguard.registry.accounts import AuditEvent
from imgguard.registry.webhooks import Delivery, DeliveryState, Webhook

type Compose = Callable[[Webhook, AuditEvent], Delivery]
"""The message that tells a webhook of an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedDelivery:
    """A message in the hands of one sender, who holds it until ``lease_until``."""

    webhook: Webhook
    delivery: Delivery
    lease_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How many messages may be claimed: ``limit``, of which ``troubled`` to webhooks in trouble, and no more than bring
    an organisation to ``of_each`` under way."""

    limit: int
    troubled: int
    of_each: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often one webhook is sent to: ``burst`` messages at once, after that one in each ``interval``."""

    interval: timedelta
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """``count`` messages wait again. ``more_since``: when the first that was left was made; None when none was."""

    count: int
    more_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an attempt at ``at`` ended. ``status`` is None without an answer, ``error`` None when it arrived.

    ``is_slow``: it took so long that it counts as one that failed for whose turn it is next. ``next_at`` is
    when it is tried again; None when that is over. ``disable_because``: the webhook is sent nothing any more.
    """

    at: datetime
    status: int | None
    error: str | None
    is_slow: bool = False
    next_at: datetime | None = None
    disable_because: str | None = None

    @property
    def state(self) -> DeliveryState:
        """Of the message from now on."""
        if self.error is None:
            return DeliveryState.DELIVERED
        return DeliveryState.FAILED if self.next_at is None else DeliveryState.WAITING


class WebhookStore(Protocol):
    """Thread safe. Each method is one transaction, in which ``event`` is written too, but for `replay_since`, `sweep`
    and `forget`.

    Every method raises StoreUnavailable when the database cannot be used. What is not there raises NotFound. Webhooks
    that are disabled, or whose organisation is, are sent nothing; what they wait for goes on waiting.
    """

    # for people
    def add(self, webhook: Webhook, *, most: int, event: AuditEvent) -> None:
        """It is told of what is done after ``event``. Raises Conflict when the organisation has ``most`` already."""
        ...

    def webhook(self, webhook_id: str) -> Webhook: ...
    def webhooks(self, organisation_id: str) -> Sequence[Webhook]:
        """In order of ``webhook_id``."""
        ...

    def change(
        self, webhook_id: str, change: Callable[[Webhook], Webhook], *, event: Callable[[Webhook], AuditEvent]
    ) -> Webhook:
        """``change`` is given it as it is; what it gives is stored, under the next revision, and told of by ``event``.
        A change that changes nothing stores and tells nothing."""
        ...

    def delete(self, webhook_id: str, *, event: AuditEvent) -> None:
        """From now on neither it nor its messages are there, for anybody; `sweep` deletes what is left of them."""
        ...

    def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None = None, before: str = "", limit: int = 100
    ) -> Sequence[Delivery]:
        """The newest first, those older than the delivery ``before``; none when there is no such webhook."""
        ...

    def delivery(self, webhook_id: str, delivery_id: str) -> Delivery: ...
    def add_delivery(self, delivery: Delivery) -> None: ...
    def replay(self, webhook_id: str, delivery_id: str, *, at: datetime) -> Delivery:
        """It waits to be sent as if it was new. One that is being sent stays as it is."""
        ...

    def replay_since(self, webhook_id: str, since: datetime, *, only_failed: bool, at: datetime, most: int) -> Replayed:
        """The same for those that were made since then and have ended, or of these have failed: the ``most`` oldest.

        In several transactions, between which others can write.
        """
        ...

    # for senders
    def has_any(self) -> bool:
        """Whether there are any webhooks at all. Cheap: it is asked every second."""
        ...

    def fan_out(self, compose: Compose, *, since: datetime, most: int) -> int:
        """Take events of the trail that webhooks have not been told of, at most ``most`` for each, and store the
        messages that ``compose`` makes of those that each wants and that are not older than ``since``.

        Returns how many events were taken; 0 when no webhook is behind, which takes no lock for writing.
        """
        ...

    def claim(self, *, at: datetime, until: datetime, slots: Slots, pace: Pace) -> Sequence[ClaimedDelivery]:
        """Messages whose time has come, each of another webhook, none of a webhook that one is being sent to already or
        that was sent to more often than the ``pace`` allows.

        As many as there are ``slots`` for: of organisations by lot, those with the fewest under way first, and of their
        webhooks by lot. Nobody else is given them, nor others of these webhooks, until then. None take no lock for
        writing.
        """
        ...

    def settle(self, claimed: ClaimedDelivery, attempt: Attempt, *, event: AuditEvent | None = None) -> bool:
        """How it ended, for the message and its webhook; ``event`` tells that it was disabled, if it was not before.

        False, and nothing is stored, when it is not in this sender's hands any more.
        """
        ...

    def sweep(self) -> int:
        """Delete messages of webhooks that were deleted, and these once they have none left; how many messages.

        In several transactions, between which others can write, and no more than take a second or so: 0 when nothing
        is left, which takes no lock for writing.
        """
        ...

    def forget(self, before: datetime) -> int:
        """Delete messages that ended before then, and those that wait at webhooks disabled before; how many. In several
        transactions."""
        ...
