"""The end of an organisation, for a time or for ever. Each function runs inside the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from imgguard.errors import InvalidTransition
from imgguard.registry.accounts import Organisation
from imgguard.registry.records import ReferenceStatus
from imgguard.storage.sql import members as member_rows
from imgguard.storage.sql import packets, queries, references
from imgguard.storage.sql.schema import (
    collection_works,
    collections,
    decisions,
    feeds,
    idempotency_keys,
    job_items,
    jobs,
    members,
    organisations,
    refs,
    sessions,
    webhook_deliveries,
    webhooks,
)


def disable(connection: Connection, organisation_id: str, *, at: datetime) -> Organisation:
    """Raises NotFound, InvalidTransition for the operator and for one that is erased."""
    before = _changeable(connection, organisation_id)
    if before.disabled_at is not None:
        return before
    its_members = select(members.c.member_id).where(members.c.organisation_id == organisation_id)
    connection.execute(delete(sessions).where(sessions.c.member_id.in_(its_members)))
    return _written(connection, organisation_id, disabled_at=at)


def enable(connection: Connection, organisation_id: str) -> Organisation:
    """Raises NotFound, InvalidTransition as `disable` does."""
    _changeable(connection, organisation_id)
    return _written(connection, organisation_id, disabled_at=None)


def erase(connection: Connection, organisation_id: str, *, at: datetime, forget: Sequence[str]) -> Organisation:
    """Raises NotFound, InvalidTransition as `disable` does, and while it is not disabled or has references."""
    before = _erasable(connection, organisation_id)
    _erase_members(connection, organisation_id, at=at, forget=forget)
    _erase_belongings(connection, before, at=at)
    references.forget_name(connection, before.owner_id)
    return _written(connection, organisation_id, erased_at=at)


def clear_messages(connection: Connection, organisation_id: str, *, most: int) -> int:
    """Delete ``most`` messages to its webhooks, which are sent nothing any more; how many there were. Raises as `erase`
    does."""
    _erasable(connection, organisation_id)
    its_webhooks = select(webhooks.c.webhook_id).where(webhooks.c.organisation_id == organisation_id)
    its_own = select(webhook_deliveries.c.delivery_id).where(webhook_deliveries.c.webhook_id.in_(its_webhooks))
    some = delete(webhook_deliveries).where(webhook_deliveries.c.delivery_id.in_(its_own.limit(most)))
    return connection.execute(some).rowcount


def _erasable(connection: Connection, organisation_id: str) -> Organisation:
    found = _changeable(connection, organisation_id)
    if found.disabled_at is None:
        raise InvalidTransition(f"{organisation_id} is not disabled", hint="Disable it first.")
    left = refs.c.owner_id == found.owner_id, refs.c.status != ReferenceStatus.ERASED
    if connection.execute(select(refs.c.reference_id).where(*left).limit(1)).first() is not None:
        raise InvalidTransition(f"{organisation_id} has references that are not erased", hint="Erase it once more.")
    return found


def _changeable(connection: Connection, organisation_id: str) -> Organisation:
    found = member_rows.organisation(connection, organisation_id)
    if found.is_operator:
        raise InvalidTransition(f"{organisation_id} operates this imgguard", hint="It cannot be ended.")
    if found.erased_at is not None:
        raise InvalidTransition(f"{organisation_id} is erased")
    return found


def _written(connection: Connection, organisation_id: str, **values: datetime | None) -> Organisation:
    chosen = organisations.c.organisation_id == organisation_id
    connection.execute(update(organisations).where(chosen).values(values))
    return member_rows.organisation(connection, organisation_id)


def _erase_members(connection: Connection, organisation_id: str, *, at: datetime, forget: Sequence[str]) -> None:
    mine = members.c.organisation_id == organisation_id, members.c.erased_at.is_(None)
    for member_id in list(connection.execute(select(members.c.member_id).where(*mine)).scalars()):
        member_rows.erase(connection, member_id, at=at, forget=forget, last_too=True)


def _erase_belongings(connection: Connection, organisation: Organisation, *, at: datetime) -> None:
    """What it made for itself. Licences stay: they are the other side's too."""
    organisation_id = organisation.organisation_id
    its_webhooks = select(webhooks.c.webhook_id).where(webhooks.c.organisation_id == organisation_id)
    its_collections = select(collections.c.collection_id).where(collections.c.owner_id == organisation.owner_id)
    its_jobs = select(jobs.c.job_id).where(jobs.c.organisation_id == organisation_id)
    its_feeds = select(feeds.c.sha256).where(feeds.c.organisation_id == organisation_id)
    digests = list(connection.execute(its_feeds.distinct()).scalars())
    for statement in (
        delete(webhook_deliveries).where(webhook_deliveries.c.webhook_id.in_(its_webhooks)),
        delete(webhooks).where(webhooks.c.organisation_id == organisation_id),
        delete(collection_works).where(collection_works.c.collection_id.in_(its_collections)),
        delete(collections).where(collections.c.owner_id == organisation.owner_id),
        delete(idempotency_keys).where(idempotency_keys.c.organisation_id == organisation_id),
        delete(feeds).where(feeds.c.organisation_id == organisation_id),
        update(job_items).where(job_items.c.job_id.in_(its_jobs)).values(file="", url=None, result=None),
        update(jobs).where(jobs.c.organisation_id == organisation_id).values(options="{}"),
        update(decisions).where(decisions.c.organisation_id == organisation_id).values(note=""),
    ):
        connection.execute(statement)
    queries.queue_deletions(connection, digests, at=at)
    packets.erase_of(connection, organisation_id, at=at)
