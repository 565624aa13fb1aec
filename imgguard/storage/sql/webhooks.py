"""The WebhookStore port on a database: one method, one transaction, its event in it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched

from sqlalchemy import Connection, delete, select

from imgguard.errors import Conflict
from imgguard.ports import Attempt, ClaimedDelivery, Pace, Replayed, Slots
from imgguard.ports.webhooks import Compose
from imgguard.registry.accounts import AuditEvent
from imgguard.registry.webhooks import Delivery, DeliveryState, Webhook
from imgguard.storage.sql import audit
from imgguard.storage.sql import webhook_rows as rows
from imgguard.storage.sql.contents import STATEMENT_NUMBERS
from imgguard.storage.sql.engine import BREATH, Database
from imgguard.storage.sql.schema import webhook_deliveries
from imgguard.storage.sql.webhook_turns import Due, chosen

_AT_ONCE = 20
"""Webhooks that one transaction fans out to: others wait for the lock meanwhile."""
_REPLAYED_AT_ONCE = 250
"""Messages that one transaction has sent again."""
_CLEARED_AT_ONCE = 500
_PARTS = 20
"""Messages that one transaction deletes with their webhook, and how many such transactions there are in one go."""


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
            rows.mark_deleted(connection, webhook_id, at=event.at)
            audit.record(connection, event)

    def sweep(self) -> int:
        count = 0
        for part in range(_PARTS):
            if part:
                time.sleep(BREATH)
            with self._database.read() as connection:  # as below: without work no lock
                if rows.one_deleted(connection) is None:
                    return count
            with self._database.write() as connection:
                webhook_id = rows.one_deleted(connection)
                if webhook_id is None:
                    return count
                cleared = rows.clear(connection, webhook_id, most=_CLEARED_AT_ONCE)
                if cleared < _CLEARED_AT_ONCE:
                    rows.remove(connection, webhook_id)
            count += cleared
        return count

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
            rows.wait_again(connection, [delivery_id], at=at)
            return rows.delivery(connection, webhook_id, delivery_id)

    def replay_since(self, webhook_id: str, since: datetime, *, only_failed: bool, at: datetime, most: int) -> Replayed:
        with self._database.read() as connection:
            rows.get(connection, webhook_id)
            found = rows.ended(connection, webhook_id, since, only_failed=only_failed, limit=most + 1)
        count = 0
        for some in batched([delivery_id for delivery_id, _ in found[:most]], _REPLAYED_AT_ONCE):
            if count:
                time.sleep(BREATH)
            with self._database.write() as connection:
                count += rows.wait_again(connection, some, at=at)
        return Replayed(count=count, more_since=found[most][1] if len(found) > most else None)

    # for senders

    def has_any(self) -> bool:
        with self._database.read() as connection:
            return rows.any_at_all(connection)

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

    def claim(self, *, at: datetime, until: datetime, slots: Slots, pace: Pace) -> Sequence[ClaimedDelivery]:
        def picked(connection: Connection) -> Sequence[Due]:
            return chosen(rows.due(connection, at, pace), rows.under_way(connection, at), slots)

        with self._database.read() as connection:
            if not picked(connection):
                return []
        with self._database.write() as connection:
            return [rows.take(connection, one, at=at, until=until, pace=pace) for one in picked(connection)]

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
            before = rows.find(connection, claimed.webhook.webhook_id)
            if before is None or not rows.change_held(connection, claimed, values):
                return False
            failing_since = None if attempt.error is None else before.failing_since or attempt.at
            after = replace(before, failing_since=failing_since, is_slow=attempt.is_slow)
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
