"""What happens is told to webhooks: out of the audit trail into messages, and out of the house. Asked by the service
itself, for no actor.

1. Fanning out: events behind those a webhook was told of become messages, and it moves on, in one transaction.
2. A message whose time has come is claimed for a while in which nobody else sends it.
3. It is posted, and how that ended is stored. Who dies in between leaves a lease that ends: then it is sent once more,
   so a receiver may get a message twice, under the same id, and never not at all.
"""

import logging
import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from imgguard.errors import FetchFailed, FetchRefused
from imgguard.ports import Attempt, ClaimedDelivery, Clock, Pace, Posted, Poster, Slots, WebhookStore
from imgguard.registry.accounts import Action, AuditEvent
from imgguard.registry.webhooks import Delivery, Webhook
from imgguard.services.audit import service_event
from imgguard.services.webhook_attempts import attempt_of
from imgguard.services.webhook_messages import headers_of, message_of

EVENTS_AT_ONCE = 100
"""Of each webhook, in one transaction: some 100 kB."""

PACE = Pace(interval=timedelta(seconds=0.1), burst=10)
"""Of one webhook: its URL may be that of somebody who never asked for messages."""

_MARGIN = timedelta(seconds=30)
"""For storing how it ended, when the database is busy."""

_log = logging.getLogger(__name__)


class Sender:
    """Thread safe. ``kept``: events older than that are not told any more. ``longest``: how long a post takes at most.
    ``lot`` draws from 0 to 1."""

    def __init__(
        self,
        *,
        store: WebhookStore,
        poster: Poster,
        clock: Clock,
        kept: timedelta,
        longest: timedelta,
        lot: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._poster = poster
        self._clock = clock
        self._kept = kept
        self._lease = longest + _MARGIN
        self._lot = lot

    def has_work(self) -> bool:
        """Whether there is anybody to be told anything. Raises StoreUnavailable."""
        return self._store.has_any()

    def fan_out(self) -> int:
        """Make messages of what happened; how many events were taken. Raises StoreUnavailable."""
        now = self._clock.now()

        def compose(webhook: Webhook, event: AuditEvent) -> Delivery:
            return message_of(webhook, event, at=now)

        return self._store.fan_out(compose, since=now - self._kept, most=EVENTS_AT_ONCE)

    def claim(self, slots: Slots) -> Sequence[ClaimedDelivery]:
        """Messages that are to be sent now, each to another webhook. Raises StoreUnavailable."""
        now = self._clock.now()
        return self._store.claim(at=now, until=now + self._lease, slots=slots, pace=PACE)

    def send(self, claimed: ClaimedDelivery) -> Attempt:
        """Once, and store how it ended. Raises StoreUnavailable."""
        began = self._clock.now()
        outcome = self._posted(claimed)
        attempt = attempt_of(claimed, outcome, began=began, at=self._clock.now(), lot=self._lot)
        event = None if attempt.disable_because is None else _disabled(claimed.webhook, attempt)
        if not self._store.settle(claimed, attempt, event=event):
            _log.warning("message %s was given to another sender, or deleted", claimed.delivery.delivery_id)
        return attempt

    def sweep(self) -> None:
        """Delete what is left of webhooks that were deleted, some of it each time. Raises StoreUnavailable."""
        self._store.sweep()

    def _posted(self, claimed: ClaimedDelivery) -> Posted | FetchRefused | FetchFailed:
        delivery, at = claimed.delivery, self._clock.now()
        headers = headers_of(delivery, claimed.webhook.secrets(at), at=at)
        try:
            return self._poster.post(claimed.webhook.url, delivery.payload.encode(), headers)
        except (FetchRefused, FetchFailed) as error:
            return error
        except Exception:  # a bug must not have the same message sent again every minute, for ever
            _log.exception("message %s could not be sent", delivery.delivery_id)
            return FetchFailed("imgguard failed to send it; the operator's log says why")


def _disabled(webhook: Webhook, attempt: Attempt) -> AuditEvent:
    return service_event(
        Action.WEBHOOK_DISABLED,
        webhook.webhook_id,
        at=attempt.at,
        organisation_id=webhook.organisation_id,
        detail={"status": attempt.status},
    )
