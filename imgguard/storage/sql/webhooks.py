"""The WebhookStore port on a database: one method, one transaction, its event in it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched

from sqlalchemy import and_, delete, select

from imgguard.errors import Conflict
from imgguard.ports import Attempt, ClaimedDelivery
from imgguard.ports.webhooks import Compose
from imgguard.registry.accounts import AuditEvent
from imgguard.registry.webhooks import Delivery, DeliveryState, Webhook
from imgguard.storage.sql import audit
from imgguard.storage.sql import webhook_rows as rows
from imgguard.storage.sql.contents import STATEMENT_NUMBERS
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import webhook_deliveries, webhooks

_any = select(webhooks.c.webhook_id).limit(1)
_AT_ONCE = 20
"""Webhooks that one transaction fans out to: others wait for the lock meanwhile."""


class SqlWebhooks:
    """See `imgguard.ports.WebhookStore` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # for people

    def add(self, webhook: Webhook, *, most: int, event: AuditEvent) -> None:
        with self._database.write() as connection:
            if rows.count(connection, webhook.organisation_id) >= most:
                raise Conflict(f"there are {most} webhooks already", hint="Delete one that is not needed any more.")
            audit.record(connection, event)
            rows.add(connection, webhook)

    def webhook(self, webhook_id: str) -> Webhook:
        with self._database.read() as connection:
            return rows.get(connection, webhook_id)

    def webhooks(self, organisation_id: str) -> Sequence[Webhook]:
        with self._database.read() as connection:
            return rows.of_organisation(connection, organisation_id)

    def change(
        self, webhook_id: str, change: Callable[[Webhook], Webhook], *, event: Callable[[Webhook], AuditEvent]
    ) -> Webhook:
        with self._database.write() as connection:
            before = rows.get(connection, webhook_id)
            after = change(before)
            if after == before:
                return before
            after = replace(after, revision=before.revision + 1)
            rows.write(connection, after)
            audit.record(connection, event(after))
            return after

    def delete(self, webhook_id: str, *, event: AuditEvent) -> None:
        with self._database.write() as connection:
            rows.get(connection, webhook_id)
            rows.remove(connection, webhook_id)
            audit.record(connection, event)

    def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None = None, before: str = "", limit: int = 100
    ) -> Sequence[Delivery]:
        with self._database.read() as connection:
            return rows.page(connection, webhook_id, state=state, before=before, limit=limit)

    def delivery(self, webhook_id: str, delivery_id: str) -> Delivery:
        with self._database.read() as connection:
            return rows.delivery(connection, webhook_id, delivery_id)

    def add_delivery(self, delivery: Delivery) -> None:
        with self._database.write() as connection:
            rows.get(connection, delivery.webhook_id)
            rows.add_deliveries(connection, [delivery])

    def replay(self, webhook_id: str, delivery_id: str, *, at: datetime) -> Delivery:
        with self._database.write() as connection:
            rows.delivery(connection, webhook_id, delivery_id)
            rows.wait_again(connection, webhook_deliveries.c.delivery_id == delivery_id, at=at)
            return rows.delivery(connection, webhook_id, delivery_id)

    def replay_since(self, webhook_id: str, since: datetime, *, only_failed: bool, at: datetime) -> int:
        ended = [DeliveryState.FAILED] if only_failed else [DeliveryState.FAILED, DeliveryState.DELIVERED]
        mine = and_(
            webhook_deliveries.c.webhook_id == webhook_id,
            webhook_deliveries.c.state.in_(ended),
            webhook_deliveries.c.created_at >= since,
        )
        with self._database.write() as connection:
            rows.get(connection, webhook_id)
            return rows.wait_again(connection, mine, at=at)

    # for senders

    def has_any(self) -> bool:
        with self._database.read() as connection:
            return connection.execute(_any).first() is not None

    def fan_out(self, compose: Compose, *, since: datetime, most: int) -> int:
        with self._database.read() as connection:  # those who have nothing to do must not queue for the write lock
            if not rows.behind(connection, 1):
                return 0
        taken = 0
        with self._database.write() as connection:
            for webhook, sequence in rows.behind(connection, _AT_ONCE):
                found = audit.behind(connection, sequence, party=webhook.organisation_id, limit=most)
                told = [event for _, event in found if event.at >= since and webhook.wants(event.action)]
                rows.add_deliveries(connection, [compose(webhook, event) for event in told])
                rows.move_on(connection, webhook.webhook_id, found[-1][0])
                taken += len(found)
        return taken

    def claim(self, *, at: datetime, until: datetime, limit: int, failing: int) -> Sequence[ClaimedDelivery]:
        with self._database.read() as connection:
            if not rows.chosen(rows.due(connection, at), limit=limit, failing=failing):
                return []
        with self._database.write() as connection:
            picked = rows.chosen(rows.due(connection, at), limit=limit, failing=failing)
            return [rows.take(connection, webhook_id, delivery_id, until=until) for webhook_id, delivery_id in picked]

    def settle(self, claimed: ClaimedDelivery, attempt: Attempt, *, event: AuditEvent | None = None) -> bool:
        values = {
            "state": attempt.state,
            "attempts": claimed.delivery.attempts + 1,
            "next_at": attempt.next_at,
            "last_status": attempt.status,
            "last_error": attempt.error,
            "last_tried_at": attempt.at,
            "finished_at": None if attempt.state is DeliveryState.WAITING else attempt.at,
        }
        with self._database.write() as connection:
            if not rows.change_held(connection, claimed, values):
                return False
            before = rows.get(connection, claimed.webhook.webhook_id)
            failing_since = None if attempt.error is None else before.failing_since or attempt.at
            after = replace(before, failing_since=failing_since)
            if attempt.disable_because is not None and before.is_enabled:
                after = replace(after, disabled_at=attempt.at, disabled_because=attempt.disable_because)
                if event is not None:
                    audit.record(connection, event)
            if after != before:
                rows.write(connection, after)
            return True

    def forget(self, before: datetime) -> int:
        old = select(webhook_deliveries.c.delivery_id).where(rows.forgettable(before))
        with self._database.read() as connection:
            found = list(connection.execute(old).scalars())
        for some in batched(found, STATEMENT_NUMBERS):
            chosen = webhook_deliveries.c.delivery_id.in_(some), rows.forgettable(before)
            with self._database.write() as connection:
                connection.execute(delete(webhook_deliveries).where(*chosen))
        return len(found)
