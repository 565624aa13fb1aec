"""Webhooks: whom the organisation has told what happens. `imgguard.client.receiving` is for who is told."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pydantic import Field

from imgguard.client.calls import Calls
from imgguard.client.session import path_of
from imgguard.client.told import Told


class Webhook(Told):
    """``events`` empty: all. ``failing_since`` is of the first attempt since which none was taken."""

    webhook_id: str
    organisation_id: str
    member_id: str
    url: str
    note: str = ""
    events: tuple[str, ...] = ()
    is_enabled: bool
    created_at: datetime
    previous_secret_until: datetime | None = None
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    disabled_because: str | None = None
    revision: int = 1
    etag: str | None = None


class IssuedWebhook(Told):
    """``secret`` is what messages are signed with: see `verify_webhook`. It is shown this once, and None when the first
    answer was lost on the way: then have another made with `rotate_webhook_secret`."""

    webhook: Webhook
    secret: str | None = Field(default=None, repr=False)


class Delivery(Told):
    """One message to one webhook: ``waiting``, ``delivered`` or ``failed``. ``payload`` is None in lists."""

    delivery_id: str
    webhook_id: str
    event_id: str | None = None
    event: str
    state: str
    attempts: int = 0
    next_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None
    last_tried_at: datetime | None = None
    created_at: datetime
    finished_at: datetime | None = None
    payload: str | None = Field(default=None, repr=False)


class Replayed(Told):
    """``count`` messages are sent again. ``more_since``: when the first was made that was too many for one request."""

    count: int
    more_since: datetime | None = None


class WebhookCalls(Calls):
    def create_webhook(self, url: str, *, events: Iterable[str] = (), note: str | None = None) -> IssuedWebhook:
        """Have ``url`` told of ``events`` (none: of all) from now on. Raises InvalidProblem, ConflictProblem beyond 20,
        AccessProblem for a key without `webhooks:write` and `audit:read`, as all methods about webhooks do."""
        body = {"url": url, "events": list(events), "note": note}
        return self._session.post(path_of("webhooks"), body).read(IssuedWebhook)

    def webhooks(self) -> Iterator[Webhook]:
        """Those of the organisation, oldest first."""
        return self._list(Webhook, path_of("webhooks"))

    def webhook(self, webhook_id: str) -> Webhook:
        """Raises NotFoundProblem."""
        return self._session.get(path_of("webhooks", webhook_id)).read(Webhook)

    def change_webhook(
        self,
        webhook: Webhook | str,
        *,
        url: str | None = None,
        events: Iterable[str] | None = None,
        note: str | None = None,
        is_enabled: bool | None = None,
    ) -> Webhook:
        """What is None stays. Given a Webhook that `webhook` read, only if it still is like that, else it raises
        ConflictProblem. Raises NotFoundProblem, InvalidProblem."""
        given = {
            "url": url,
            "events": None if events is None else list(events),
            "note": note,
            "is_enabled": is_enabled,
        }
        body = {name: value for name, value in given.items() if value is not None}
        webhook_id, etag = (webhook, None) if isinstance(webhook, str) else (webhook.webhook_id, webhook.etag)
        headers = {} if etag is None else {"If-Match": etag}
        return self._session.ask("PATCH", path_of("webhooks", webhook_id), body=body, headers=headers).read(Webhook)

    def delete_webhook(self, webhook_id: str) -> None:
        """With its messages. Raises NotFoundProblem."""
        self._session.ask("DELETE", path_of("webhooks", webhook_id))

    def rotate_webhook_secret(self, webhook_id: str) -> IssuedWebhook:
        """A new secret; messages are signed with the one before, too, for 24 hours. Raises NotFoundProblem."""
        return self._session.post(path_of("webhooks", webhook_id, "secret")).read(IssuedWebhook)

    def test_webhook(self, webhook_id: str) -> Delivery:
        """Have a message sent that tells of nothing. Raises NotFoundProblem, ConflictProblem when it is disabled, as
        the replays do."""
        return self._session.post(path_of("webhooks", webhook_id, "test")).read(Delivery)

    def webhook_deliveries(self, webhook_id: str, *, state: str | None = None) -> Iterator[Delivery]:
        """Messages to a webhook, the newest first. Raises NotFoundProblem."""
        return self._list(Delivery, path_of("webhooks", webhook_id, "deliveries"), {"state": state})

    def webhook_delivery(self, webhook_id: str, delivery_id: str) -> Delivery:
        """With its payload. Raises NotFoundProblem."""
        return self._session.get(path_of("webhooks", webhook_id, "deliveries", delivery_id)).read(Delivery)

    def replay_delivery(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Have it sent again, under the same id. Raises NotFoundProblem, ConflictProblem."""
        path = path_of("webhooks", webhook_id, "deliveries", delivery_id, "replay")
        return self._session.post(path).read(Delivery)

    def replay_webhook(self, webhook_id: str, *, since: datetime, only_failed: bool = True) -> Replayed:
        """Have those that were made since then and were given up, or all of them, sent again: the 10,000 oldest.

        Raises NotFoundProblem, ConflictProblem, ValueError for a time without a zone.
        """
        if since.utcoffset() is None:
            raise ValueError("the time has no zone")
        body = {"since": since.isoformat(), "only_failed": only_failed}
        return self._session.post(path_of("webhooks", webhook_id, "replay"), body).read(Replayed)
