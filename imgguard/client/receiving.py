"""For whoever receives messages of webhooks: is it from imgguard, is it new, what does it say?

The form is that of Standard Webhooks 1.0.0 (https://www.standardwebhooks.com); any library for it does as well.
"""

import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from imgguard.client.errors import BadMessage
from imgguard.client.told import Told

TOLERANCE = 300.0
"""Seconds that the sender's clock may differ, and a message may have been on its way."""

_PREFIX = "whsec_"
_VERSION = "v1"


class WebhookMessage(Told):
    """``message_id`` is the same whenever this message is sent again: what was done for it once needs no more doing.
    ``data`` is the event, as the audit trail shows it."""

    message_id: str
    type: str
    timestamp: datetime
    data: dict[str, Any]


def verify_webhook(
    payload: bytes | str,
    headers: Mapping[str, str],
    secret: str,
    tolerance: float = TOLERANCE,
    *,
    now: float | None = None,
) -> WebhookMessage:
    """What the message says, if it is genuine. ``payload`` is the body as it came, before anything read it as JSON;
    ``now`` is in seconds since 1970. Raises BadMessage; ValueError for what is no secret.

    1  the headers are there
    2  it was sent within ``tolerance`` seconds of now, before or after: an old one could be somebody's copy
    3  one of its signatures was made with the secret: there are two while a new one replaces the old
    4  only then is it read
    """
    body = payload.encode() if isinstance(payload, str) else payload
    # 1
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, signatures = (_header(given, name) for name in ("id", "timestamp", "signature"))
    # 2
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadMessage("webhook-timestamp is not a time")
    if abs((time.time() if now is None else now) - int(timestamp)) > tolerance:
        raise BadMessage("the message is too old, or from the future")
    # 3
    wanted = hmac.digest(_key(secret), f"{message_id}.{timestamp}.".encode() + body, "sha256")
    if not any([hmac.compare_digest(wanted, one) for one in _signatures(signatures)]):  # noqa: C419 - all, always
        raise BadMessage("no signature was made with this secret")
    # 4
    try:
        found = json.loads(body)
        return WebhookMessage.model_validate({**found, "message_id": message_id})
    except (ValueError, TypeError, ValidationError):
        raise BadMessage("this is not a message of imgguard") from None


def _header(headers: Mapping[str, str], name: str) -> str:
    found = headers.get(f"webhook-{name}", "")
    if not found:
        raise BadMessage(f"webhook-{name} is missing")
    return found


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("the secret has the form whsec_ and base64") from None
    if not key:
        raise ValueError("the secret is empty")
    return key


def _signatures(field: str) -> list[bytes]:
    """Those of our version; others are of ways to sign that are not ours."""
    found = []
    for one in field.split():
        version, _, text = one.partition(",")
        if version == _VERSION:
            try:
                found.append(base64.b64decode(text, validate=True))
            except (ValueError, binascii.Error):
                continue
    return found
