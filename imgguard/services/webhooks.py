"""Webhooks, for people: whom their organisation has told what happens. docs/webhooks.md tells it to people."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from imgguard.errors import InputError, InvalidTransition, NotFound, PermissionDenied
from imgguard.ports import CheckedUrl, Clock, Poster, Replayed, WebhookStore
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, AuditEvent, Scope
from imgguard.registry.ids import new_id
from imgguard.registry.webhooks import Delivery, DeliveryState, Webhook
from imgguard.services import webhook_messages as messages
from imgguard.services.audit import event_of
from imgguard.services.rights_inputs import checked_limit, checked_note, checked_time

MOST_WEBHOOKS = 20
"""Of one organisation."""
MOST_REPLAYED = 10_000
"""Messages, of one request."""
OVERLAP = timedelta(hours=24)
"""How long the secret before signs beside a new one."""

_TURNED_OFF = "turned off by a member"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedWebhook:
    """``secret`` is what messages are signed with; it is shown this once."""

    webhook: Webhook
    secret: str = field(repr=False)


class Webhooks:
    """Thread safe.

    Every method raises PermissionDenied without `webhooks:write` and `audit:read`, since what they are told is the
    trail, and NotFound for a webhook that is not of the actor's organisation.
    """

    def __init__(self, *, store: WebhookStore, poster: Poster, clock: Clock) -> None:
        self._store = store
        self._poster = poster
        self._clock = clock

    def checked_url(self, actor: Actor, url: str, *, webhook_id: str | None = None) -> CheckedUrl:
        """The URL, for a new webhook or that one. To resolve its host may take as long as a fetch, so hold nothing that
        others wait for. Raises InputError, FetchRefused and FetchFailed for one that messages cannot go to."""
        _require(actor)
        if webhook_id is not None:
            self.webhook(actor, webhook_id)
        return self._poster.check_url(url)

    def create(self, actor: Actor, url: CheckedUrl, *, events: Collection[str] = (), note: str = "") -> IssuedWebhook:
        """Told from now on of ``events``, the names of actions in the audit trail; of all, if none are given.

        Raises InputError, Conflict beyond 20, and PermissionDenied for the console.
        """
        _require(actor)
        if actor.member_id is None:
            raise PermissionDenied("a webhook is made by a member", hint="Make it over the API, as an admin.")
        now, secret = self._clock.now(), messages.new_secret()
        webhook = Webhook(
            webhook_id=new_id("whk"),
            organisation_id=actor.organisation_id,
            member_id=actor.member_id,
            url=url,
            note=checked_note(note),
            events=_checked_events(events),
            secret=secret,
            created_at=now,
        )
        detail = {"host": _host(webhook), "events": sorted(webhook.events)}
        event = event_of(actor, Action.WEBHOOK_CREATED, webhook.webhook_id, at=now, detail=detail)
        self._store.add(webhook, most=MOST_WEBHOOKS, event=event)
        return IssuedWebhook(webhook=webhook, secret=secret)

    def webhooks(self, actor: Actor) -> Sequence[Webhook]:
        """Those of the actor's organisation, oldest first."""
        _require(actor)
        return self._store.webhooks(actor.organisation_id)

    def webhook(self, actor: Actor, webhook_id: str) -> Webhook:
        _require(actor)
        webhook = self._store.webhook(webhook_id)
        if webhook.organisation_id != actor.organisation_id:
            raise NotFound(f"no webhook {webhook_id}", hint="Look at the webhooks of your organisation.")
        return webhook

    def change(
        self,
        actor: Actor,
        webhook_id: str,
        *,
        url: CheckedUrl | None = None,
        events: Collection[str] | None = None,
        note: str | None = None,
        is_enabled: bool | None = None,
    ) -> Webhook:
        """What is None stays. One that is enabled again is told what happened meanwhile. Raises InputError."""
        before = self.webhook(actor, webhook_id)
        now = self._clock.now()
        wanted: dict[str, object] = {}
        if url is not None:
            wanted["url"] = url
        if events is not None:
            wanted["events"] = _checked_events(events)
        if note is not None:
            wanted["note"] = checked_note(note)

        def changed(found: Webhook) -> Webhook:
            after = replace(found, **wanted)  # type: ignore[arg-type]
            return after if is_enabled is None else _switched(after, is_enabled=is_enabled, at=now)

        def event(after: Webhook) -> AuditEvent:
            shown = {"host": _host(after), "events": sorted(after.events), "is_enabled": after.is_enabled}
            return event_of(actor, Action.WEBHOOK_CHANGED, webhook_id, at=now, detail=shown)

        return self._store.change(before.webhook_id, changed, event=event)

    def delete(self, actor: Actor, webhook_id: str) -> None:
        """With its messages: those that wait are not sent any more."""
        webhook = self.webhook(actor, webhook_id)
        now, detail = self._clock.now(), {"host": _host(webhook)}
        self._store.delete(webhook_id, event=event_of(actor, Action.WEBHOOK_DELETED, webhook_id, at=now, detail=detail))

    def rotate_secret(self, actor: Actor, webhook_id: str) -> IssuedWebhook:
        """A new secret; the one before signs beside it for 24 hours more, those before it no longer."""
        self.webhook(actor, webhook_id)
        now, secret = self._clock.now(), messages.new_secret()

        def rotated(found: Webhook) -> Webhook:
            return replace(found, secret=secret, previous_secret=found.secret, previous_until=now + OVERLAP)

        def event(_after: Webhook) -> AuditEvent:
            return event_of(actor, Action.WEBHOOK_SECRET_ROTATED, webhook_id, at=now)

        return IssuedWebhook(webhook=self._store.change(webhook_id, rotated, event=event), secret=secret)

    # messages

    def deliveries(
        self,
        actor: Actor,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        before: str = "",
        limit: int = 100,
    ) -> Sequence[Delivery]:
        """The newest first, those older than the delivery ``before``. Raises InputError for the ``limit``."""
        self.webhook(actor, webhook_id)
        return self._store.deliveries(webhook_id, state=state, before=before, limit=checked_limit(limit))

    def delivery(self, actor: Actor, webhook_id: str, delivery_id: str) -> Delivery:
        self.webhook(actor, webhook_id)
        return self._store.delivery(webhook_id, delivery_id)

    def send_test(self, actor: Actor, webhook_id: str) -> Delivery:
        """A message that tells of nothing, to be sent soon. Raises InvalidTransition for a disabled webhook, as the
        next two do."""
        webhook = self._enabled(actor, webhook_id)
        delivery = messages.test_message(webhook, at=self._clock.now())
        self._store.add_delivery(delivery)
        return delivery

    def replay(self, actor: Actor, webhook_id: str, delivery_id: str) -> Delivery:
        """Sent again, under the same id, as if it was new."""
        self._enabled(actor, webhook_id)
        return self._store.replay(webhook_id, delivery_id, at=self._clock.now())

    def replay_since(self, actor: Actor, webhook_id: str, since: datetime, *, only_failed: bool = True) -> Replayed:
        """The same for those that were made since then and were given up, or of those that arrived too: the 10,000
        oldest.

        Raises InputError for a time without a zone.
        """
        self._enabled(actor, webhook_id)
        checked_time(since, what="the beginning")
        now = self._clock.now()
        return self._store.replay_since(webhook_id, since, only_failed=only_failed, at=now, most=MOST_REPLAYED)

    def _enabled(self, actor: Actor, webhook_id: str) -> Webhook:
        webhook = self.webhook(actor, webhook_id)
        if not webhook.is_enabled:
            raise InvalidTransition(f"{webhook_id} is disabled", hint="Enable it first; what waits is sent then.")
        return webhook


def _require(actor: Actor) -> None:
    actor.require(Scope.WEBHOOKS_WRITE)
    actor.require(Scope.AUDIT_READ)


def _checked_events(events: Collection[str]) -> frozenset[str]:
    """Raises InputError."""
    known = {action.value for action in Action}
    if unknown := sorted(set(events) - known):
        raise InputError(f"no event is called {unknown[0][:64]!r}", hint="docs/accounts.md lists those of the trail.")
    return frozenset(events)


def _switched(webhook: Webhook, *, is_enabled: bool, at: datetime) -> Webhook:
    if is_enabled == webhook.is_enabled:
        return webhook
    if is_enabled:
        return replace(webhook, disabled_at=None, disabled_because=None, failing_since=None)
    return replace(webhook, disabled_at=at, disabled_because=_TURNED_OFF)


def _host(webhook: Webhook) -> str:
    """All that the trail is told of the URL: elsewhere in it there may be what only the receiver is to know."""
    return urlsplit(webhook.url).hostname or ""
