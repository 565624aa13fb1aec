"""Messages to webhooks, in the form of Standard Webhooks (https://www.standardwebhooks.com, version 1.0.0): what is in
one, and the signature that proves who sent it and when."""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from imgguard.registry.accounts import AuditEvent
from imgguard.registry.ids import new_id
from imgguard.registry.webhooks import TEST, Delivery, DeliveryState, Webhook
from imgguard.services.account_objects import event_object, iso

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """``whsec_`` and the base64 of 256 random bits."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def message_of(webhook: Webhook, event: AuditEvent, *, at: datetime) -> Delivery:
    """Tells of the event what the trail shows to whom it concerns."""
    payload = _payload(event.action, event.at, event_object(event))
    return _new(webhook, event.action, payload, event_id=event.event_id, at=at)


def test_message(webhook: Webhook, *, at: datetime) -> Delivery:
    """Tells of nothing: for whoever wants to see a message arrive."""
    payload = _payload(TEST, at, {"webhook_id": webhook.webhook_id})
    return _new(webhook, TEST, payload, event_id=None, at=at)


def _payload(kind: str, at: datetime, data: Mapping[str, object]) -> str:
    body = {"type": kind, "timestamp": iso(at), "data": data}
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def _new(webhook: Webhook, kind: str, payload: str, *, event_id: str | None, at: datetime) -> Delivery:
    return Delivery(
        delivery_id=new_id("msg"),
        webhook_id=webhook.webhook_id,
        event_id=event_id,
        event=kind,
        payload=payload,
        state=DeliveryState.WAITING,
        next_at=at,
        created_at=at,
    )


def headers_of(delivery: Delivery, given: Sequence[str], *, at: datetime) -> dict[str, str]:
    """Of an attempt at ``at``, signed with each of the secrets that are ``given``."""
    timestamp = int(at.timestamp())
    body = delivery.payload.encode()
    signatures = [signature(secret, delivery.delivery_id, timestamp, body) for secret in given]
    return {
        "Content-Type": "application/json",
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the base64 of the HMAC-SHA-256 of id, seconds since 1970 and body, with dots between."""
    key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
