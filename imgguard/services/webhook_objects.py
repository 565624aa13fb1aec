"""Webhooks and messages to them as plain JSON. Secrets are in none of it."""

from imgguard.registry.webhooks import Delivery, Webhook
from imgguard.services.account_objects import iso


def webhook_object(webhook: Webhook) -> dict[str, object]:
    return {
        "webhook_id": webhook.webhook_id,
        "organisation_id": webhook.organisation_id,
        "member_id": webhook.member_id,
        "url": webhook.url,
        "note": webhook.note,
        "events": sorted(webhook.events),
        "is_enabled": webhook.is_enabled,
        "created_at": iso(webhook.created_at),
        "previous_secret_until": iso(webhook.previous_until),
        "failing_since": iso(webhook.failing_since),
        "disabled_at": iso(webhook.disabled_at),
        "disabled_because": webhook.disabled_because,
        "revision": webhook.revision,
    }


def delivery_object(delivery: Delivery) -> dict[str, object]:
    """Without its payload."""
    return {
        "delivery_id": delivery.delivery_id,
        "webhook_id": delivery.webhook_id,
        "event_id": delivery.event_id,
        "event": delivery.event,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "next_at": iso(delivery.next_at),
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "last_tried_at": iso(delivery.last_tried_at),
        "created_at": iso(delivery.created_at),
        "finished_at": iso(delivery.finished_at),
    }
