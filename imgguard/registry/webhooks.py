"""Webhooks: whom an organisation has told what happens, and the messages that tell it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

TEST = "webhook.test"
"""What a message is called that tells of nothing. It is in no trail, and nobody subscribes to it."""


class DeliveryState(StrEnum):
    """A message waits for its first or next attempt, has arrived, or was given up."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """``url`` is told of ``events``, the names of actions in the audit trail; none means all.

    ``previous_secret`` signs beside ``secret`` until ``previous_until``. ``failing_since``: of the first attempt that
    failed and was followed by no other that did not. ``is_slow``: the latest attempt took long, however it ended.
    ``revision`` counts changes by people.
    """

    webhook_id: str
    organisation_id: str
    member_id: str
    url: str
    note: str
    events: frozenset[str]
    secret: str = field(repr=False)
    previous_secret: str | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    created_at: datetime
    failing_since: datetime | None = None
    is_slow: bool = False
    disabled_at: datetime | None = None
    disabled_because: str | None = None
    revision: int = 1

    @property
    def is_enabled(self) -> bool:
        """Whether it is sent anything."""
        return self.disabled_at is None

    @property
    def is_troubled(self) -> bool:
        """Whether its latest attempt failed or was slow: what is sent to it next may hold up others."""
        return self.failing_since is not None or self.is_slow

    def wants(self, event: str) -> bool:
        """Whether it is told of such events."""
        return not self.events or event in self.events

    def secrets(self, at: datetime) -> Sequence[str]:
        """With which a message of that moment is signed, the newest first."""
        if self.previous_secret is None or self.previous_until is None or self.previous_until <= at:
            return (self.secret,)
        return (self.secret, self.previous_secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one webhook, however often it is tried. ``payload`` is the text that is signed and sent.

    ``event_id`` is the event of the trail that it tells of; None for a test. ``attempts`` are those since it began to
    wait. ``next_at`` is None unless it waits. ``last_error`` says why the latest attempt did not count.
    """

    delivery_id: str
    webhook_id: str
    event_id: str | None
    event: str
    payload: str = field(repr=False)
    state: DeliveryState
    attempts: int = 0
    next_at: datetime | None
    last_status: int | None = None
    last_error: str | None = None
    last_tried_at: datetime | None = None
    created_at: datetime
    finished_at: datetime | None = None
