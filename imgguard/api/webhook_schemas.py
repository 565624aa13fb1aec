"""The JSON of webhooks, beside `imgguard.api.schemas`."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from imgguard.api import examples
from imgguard.api.examples import Example
from imgguard.api.rights_schemas import Note, Time
from imgguard.registry.accounts import Action
from imgguard.registry.webhooks import DeliveryState

_AT = "2026-03-01T12:00:00Z"
_WEBHOOK: Example = {
    "webhook_id": "whk_01jnv7w1b3d5f7h9k1n3q5s7v9",
    "organisation_id": examples.ORGANISATION["organisation_id"],
    "member_id": examples.MEMBER["member_id"],
    "url": "https://hooks.example.org/imgguard",
    "note": "Licences desk",
    "events": ["job.finished", "licence.ending"],
    "is_enabled": True,
    "created_at": _AT,
    "previous_secret_until": None,
    "failing_since": None,
    "disabled_at": None,
    "disabled_because": None,
    "revision": 1,
}
_SECRET = "whsec_" + "A" * 43 + "="
_PAYLOAD = '{"data":{...},"timestamp":"2026-03-01T12:00:00Z","type":"job.finished"}'
_DELIVERY: Example = {
    "delivery_id": "msg_01jnv7w3d5f7h9k1n3q5s7v9x1",
    "webhook_id": _WEBHOOK["webhook_id"],
    "event_id": examples.EVENT["event_id"],
    "event": "job.finished",
    "state": "waiting",
    "attempts": 1,
    "next_at": "2026-03-01T12:00:06Z",
    "last_status": 500,
    "last_error": "the receiver answered 500",
    "last_tried_at": "2026-03-01T12:00:01Z",
    "created_at": _AT,
    "finished_at": None,
}
_CHOSEN = "Of what is told: actions of the audit trail. Empty: all."

Url = Annotated[
    str,
    Field(
        max_length=8_000,
        description="https, without credentials; http only to networks that the operator allows.",
    ),
]
Events = Annotated[list[Action], Field(max_length=len(Action), description=_CHOSEN)]


def _with(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [example]})


class Webhook(BaseModel):
    model_config = _with(_WEBHOOK)

    webhook_id: str
    organisation_id: str
    member_id: str = Field(description="Who made it.")
    url: str = Field(description="In its normal form.")
    note: str
    events: list[str] = Field(description=_CHOSEN)
    is_enabled: bool
    created_at: datetime
    previous_secret_until: datetime | None = Field(description="Until when the secret before signs, too.")
    failing_since: datetime | None = Field(description="Of the first attempt since which none was taken.")
    disabled_at: datetime | None
    disabled_because: str | None
    revision: int = Field(description="Counts changes by people.")


class IssuedWebhook(BaseModel):
    """``secret`` is what messages are signed with. It is shown this once."""

    model_config = _with({"webhook": _WEBHOOK, "secret": _SECRET})

    webhook: Webhook
    secret: str | None


class NewWebhook(BaseModel):
    model_config = _with({name: _WEBHOOK[name] for name in ("url", "events", "note")})

    url: Url
    events: Events = []
    note: Note = ""


class WebhookChange(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"is_enabled": True}], "minProperties": 1}
    )

    url: Url | None = None
    events: Events | None = None
    note: Note | None = None
    is_enabled: bool | None = Field(
        default=None, strict=True, description="True: it is told what happened meanwhile, too."
    )

    @model_validator(mode="after")
    def _is_something(self) -> "WebhookChange":
        if not self.model_fields_set:
            raise ValueError("url, events, note or is_enabled is needed")
        return self


class Delivery(BaseModel):
    """One message to one webhook, however often it is tried. Its id is sent as `webhook-id`."""

    model_config = _with(_DELIVERY)

    delivery_id: str
    webhook_id: str
    event_id: str | None = Field(description="Of the audit trail; null for a test.")
    event: str
    state: DeliveryState
    attempts: int = Field(description="Since it was made, or was sent again on demand.")
    next_at: datetime | None = Field(description="When it is tried next; null when that is over.")
    last_status: int | None = Field(description="That the receiver answered; null without an answer.")
    last_error: str | None
    last_tried_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


class WholeDelivery(Delivery):
    model_config = _with({**_DELIVERY, "payload": _PAYLOAD})

    payload: str = Field(description="The body, as it is signed and sent.")


class ReplayAsked(BaseModel):
    model_config = _with({"since": _AT, "only_failed": True})

    since: Time = Field(description="Messages that were made from then on.")
    only_failed: bool = Field(default=True, description="False: also those that have arrived.")


class Replayed(BaseModel):
    model_config = _with({"count": 12, "more_since": None})

    count: int = Field(description="How many messages are sent again.")
    more_since: datetime | None = Field(description="When the first was made that was too many; null when none was.")
