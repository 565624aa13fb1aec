"""Rows of webhooks and of messages to them. Each function runs inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from imgguard.errors import NotFound
from imgguard.ports import ClaimedDelivery, Pace
from imgguard.registry.webhooks import Delivery, DeliveryState, Webhook
from imgguard.storage.sql.schema import audit_parties, counters, organisations, webhook_deliveries, webhooks
from imgguard.storage.sql.webhook_turns import Due

_FIELDS = tuple(one.name for one in fields(Webhook))
_DELIVERY_FIELDS = tuple(one.name for one in fields(Delivery))

_is_there = webhooks.c.deleted_at.is_(None)

_is_open = and_(
    _is_there,
    webhooks.c.disabled_at.is_(None),
    exists().where(
        organisations.c.organisation_id == webhooks.c.organisation_id,
        organisations.c.disabled_at.is_(None),
        organisations.c.erased_at.is_(None),
    ),
)
"""That a webhook is there, and neither it nor its organisation is disabled."""


def webhook_of(row: Row[Any]) -> Webhook:
    values = {name: getattr(row, name) for name in _FIELDS}
    return Webhook(**{**values, "events": frozenset(row.events.split())})


def delivery_of(row: Row[Any]) -> Delivery:
    values = {name: getattr(row, name) for name in _DELIVERY_FIELDS}
    return Delivery(**{**values, "state": DeliveryState(row.state)})


def _values(webhook: Webhook) -> dict[str, Any]:
    values = {name: getattr(webhook, name) for name in _FIELDS}
    return {**values, "events": " ".join(sorted(webhook.events))}


# webhooks


def add(connection: Connection, webhook: Webhook) -> None:
    """From the present end of the trail on."""
    end = select(counters.c.value).where(counters.c.name == "audit_events").scalar_subquery()
    connection.execute(insert(webhooks).values({**_values(webhook), "after_sequence": end}))


def get(connection: Connection, webhook_id: str) -> Webhook:
    """Raises NotFound."""
    found = find(connection, webhook_id)
    if found is None:
        raise NotFound(f"no webhook {webhook_id}", hint="Look at the webhooks of your organisation.")
    return found


def find(connection: Connection, webhook_id: str) -> Webhook | None:
    mine = select(webhooks).where(webhooks.c.webhook_id == webhook_id, _is_there)
    row = connection.execute(mine).one_or_none()
    return None if row is None else webhook_of(row)


def any_at_all(connection: Connection) -> bool:
    return connection.execute(select(webhooks.c.webhook_id).where(_is_there).limit(1)).first() is not None


def of_organisation(connection: Connection, organisation_id: str) -> list[Webhook]:
    mine = select(webhooks).where(webhooks.c.organisation_id == organisation_id, _is_there)
    return [webhook_of(row) for row in connection.execute(mine.order_by(webhooks.c.webhook_id))]


def write(connection: Connection, webhook: Webhook) -> None:
    connection.execute(update(webhooks).where(webhooks.c.webhook_id == webhook.webhook_id).values(_values(webhook)))


# deleting


def mark_deleted(connection: Connection, webhook_id: str, *, at: datetime) -> None:
    """It is there for nobody any more, and neither are its messages. What could be used at once is destroyed."""
    secrets = {"url": "", "note": "", "secret": "", "previous_secret": None}
    mine = update(webhooks).where(webhooks.c.webhook_id == webhook_id)
    connection.execute(mine.values({**secrets, "deleted_at": at}))


def one_deleted(connection: Connection) -> str | None:
    """The id of a webhook whose messages are still to be deleted."""
    found = select(webhooks.c.webhook_id).where(webhooks.c.deleted_at.is_not(None))
    return connection.execute(found.limit(1)).scalar_one_or_none()


def clear(connection: Connection, webhook_id: str, *, most: int) -> int:
    """Delete ``most`` of its messages; how many there were."""
    mine = select(webhook_deliveries.c.delivery_id).where(webhook_deliveries.c.webhook_id == webhook_id)
    some = delete(webhook_deliveries).where(webhook_deliveries.c.delivery_id.in_(mine.limit(most)))
    return connection.execute(some).rowcount


def remove(connection: Connection, webhook_id: str) -> None:
    """One that has no messages any more."""
    connection.execute(delete(webhooks).where(webhooks.c.webhook_id == webhook_id))


# fanning out


def behind(connection: Connection, limit: int) -> list[tuple[Webhook, int]]:
    """Webhooks that there are events for which they were not told of, and up to which event they were."""
    untold = exists().where(
        audit_parties.c.organisation_id == webhooks.c.organisation_id,
        audit_parties.c.sequence > webhooks.c.after_sequence,
    )
    found = connection.execute(select(webhooks).where(_is_open, untold).order_by(webhooks.c.webhook_id).limit(limit))
    return [(webhook_of(row), row.after_sequence) for row in found]


def move_on(connection: Connection, webhook_id: str, sequence: int) -> None:
    mine = update(webhooks).where(webhooks.c.webhook_id == webhook_id)
    connection.execute(mine.values(after_sequence=sequence))


def add_deliveries(connection: Connection, made: Sequence[Delivery]) -> None:
    if made:
        rows = [{name: getattr(one, name) for name in _DELIVERY_FIELDS} for one in made]
        connection.execute(insert(webhook_deliveries), rows)


# sending


def due(connection: Connection, at: datetime, pace: Pace) -> list[Due]:
    """Of each webhook that nothing is being sent to, and that may be sent to by its ``pace``, the message whose turn it
    is. Each is found in an index, however many wait."""
    busy = select(webhook_deliveries.c.webhook_id).where(webhook_deliveries.c.lease_until > at)
    first = (
        select(webhook_deliveries.c.delivery_id)
        .where(
            webhook_deliveries.c.webhook_id == webhooks.c.webhook_id,
            webhook_deliveries.c.state == DeliveryState.WAITING,
            webhook_deliveries.c.next_at <= at,
        )
        .order_by(webhook_deliveries.c.next_at, webhook_deliveries.c.delivery_id)
        .limit(1)
        .scalar_subquery()
    )
    in_time = at + pace.interval * (pace.burst - 1)
    is_rested = or_(webhooks.c.paced_until.is_(None), webhooks.c.paced_until <= in_time)
    asked: Subquery = (
        select(
            webhooks.c.webhook_id,
            webhooks.c.organisation_id,
            first.label("delivery_id"),
            or_(webhooks.c.failing_since.is_not(None), webhooks.c.is_slow).label("is_troubled"),
        )
        .where(_is_open, is_rested, webhooks.c.webhook_id.not_in(busy))
        .subquery()
    )
    found = connection.execute(select(asked).where(asked.c.delivery_id.is_not(None)))
    return [
        Due(
            delivery_id=row.delivery_id,
            webhook_id=row.webhook_id,
            organisation_id=row.organisation_id,
            is_troubled=bool(row.is_troubled),
        )
        for row in found
    ]


def under_way(connection: Connection, at: datetime) -> dict[str, int]:
    """How many messages of each organisation are being sent."""
    statement = (
        select(webhooks.c.organisation_id, func.count().label("messages"))
        .select_from(webhook_deliveries)
        .join(webhooks, webhooks.c.webhook_id == webhook_deliveries.c.webhook_id)
        .where(webhook_deliveries.c.lease_until > at)
        .group_by(webhooks.c.organisation_id)
    )
    return {row.organisation_id: row.messages for row in connection.execute(statement)}


def take(connection: Connection, one: Due, *, at: datetime, until: datetime, pace: Pace) -> ClaimedDelivery:
    """The message, held until then; its webhook has to wait for its next turn."""
    mine = webhook_deliveries.c.delivery_id == one.delivery_id
    connection.execute(update(webhook_deliveries).where(mine).values(lease_until=until))
    row = connection.execute(select(webhook_deliveries).where(mine)).one()
    its_webhook = webhooks.c.webhook_id == one.webhook_id
    paced_until = connection.execute(select(webhooks.c.paced_until).where(its_webhook)).scalar_one()
    following = max(paced_until or at, at) + pace.interval
    connection.execute(update(webhooks).where(its_webhook).values(paced_until=following))
    return ClaimedDelivery(webhook=get(connection, one.webhook_id), delivery=delivery_of(row), lease_until=until)


def change_held(connection: Connection, claimed: ClaimedDelivery, values: Mapping[str, object]) -> bool:
    """Whether it is still held by who claimed it; then it is changed, and free."""
    held = (
        webhook_deliveries.c.delivery_id == claimed.delivery.delivery_id,
        webhook_deliveries.c.lease_until == claimed.lease_until,
    )
    changing = update(webhook_deliveries).where(*held).values({**values, "lease_until": None})
    return connection.execute(changing).rowcount > 0


# looking, and sending again


def _is_message_of(webhook_id: str) -> ColumnElement[bool]:
    its_webhook = exists().where(webhooks.c.webhook_id == webhook_id, _is_there)
    return and_(webhook_deliveries.c.webhook_id == webhook_id, its_webhook)


def page(
    connection: Connection, webhook_id: str, *, state: DeliveryState | None, before: str, limit: int
) -> list[Delivery]:
    order = webhook_deliveries.c.delivery_id
    statement: Select[Any] = select(webhook_deliveries).where(_is_message_of(webhook_id))
    if state is not None:
        statement = statement.where(webhook_deliveries.c.state == state)
    if before:
        statement = statement.where(order < before)
    return [delivery_of(row) for row in connection.execute(statement.order_by(order.desc()).limit(limit))]


def delivery(connection: Connection, webhook_id: str, delivery_id: str) -> Delivery:
    """Raises NotFound."""
    mine = _is_message_of(webhook_id), webhook_deliveries.c.delivery_id == delivery_id
    row = connection.execute(select(webhook_deliveries).where(*mine)).one_or_none()
    if row is None:
        raise NotFound(
            f"no delivery {delivery_id}", hint="Look at the deliveries of the webhook; old ones are forgotten."
        )
    return delivery_of(row)


def ended(
    connection: Connection, webhook_id: str, since: datetime, *, only_failed: bool, limit: int
) -> list[tuple[str, datetime]]:
    """Messages that were made since then and have ended: their ids, and when they were made. The oldest first."""
    states = [DeliveryState.FAILED] if only_failed else [DeliveryState.FAILED, DeliveryState.DELIVERED]
    statement = select(webhook_deliveries.c.delivery_id, webhook_deliveries.c.created_at).where(
        webhook_deliveries.c.webhook_id == webhook_id,
        webhook_deliveries.c.state.in_(states),
        webhook_deliveries.c.created_at >= since,
    )
    order = webhook_deliveries.c.created_at, webhook_deliveries.c.delivery_id
    return [(row.delivery_id, row.created_at) for row in connection.execute(statement.order_by(*order).limit(limit))]


def wait_again(connection: Connection, delivery_ids: Sequence[str], *, at: datetime) -> int:
    """Those that nobody is sending; how many they are."""
    free = or_(webhook_deliveries.c.lease_until.is_(None), webhook_deliveries.c.lease_until <= at)
    anew = {"state": DeliveryState.WAITING, "attempts": 0, "next_at": at, "finished_at": None}
    these = webhook_deliveries.c.delivery_id.in_(delivery_ids)
    return connection.execute(update(webhook_deliveries).where(these, free).values(anew)).rowcount


def forgettable(before: datetime) -> ColumnElement[bool]:
    """That a message ended before then, or waits at a webhook that was disabled before."""
    silent = select(webhooks.c.webhook_id).where(webhooks.c.disabled_at < before)
    waiting = webhook_deliveries.c.webhook_id.in_(silent), webhook_deliveries.c.state == DeliveryState.WAITING
    return or_(webhook_deliveries.c.finished_at < before, and_(*waiting))


def count(connection: Connection, organisation_id: str) -> int:
    mine = select(func.count()).where(webhooks.c.organisation_id == organisation_id, _is_there)
    return int(connection.execute(mine).scalar_one())
