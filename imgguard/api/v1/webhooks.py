"""``/v1/webhooks``: whom the organisation has told what happens, and the messages to them."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from imgguard.api import work
from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, cut, page_of
from imgguard.api.revisions import IfMatch, IfNoneMatch, changing, require_match, tagged
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep, services_of
from imgguard.api.webhook_schemas import (
    Delivery,
    IssuedWebhook,
    NewWebhook,
    ReplayAsked,
    Replayed,
    Webhook,
    WebhookChange,
    WholeDelivery,
)
from imgguard.bootstrap import Services
from imgguard.errors import (
    Conflict,
    InputError,
    InvalidCursor,
    InvalidTransition,
    NotFound,
    Overloaded,
    PermissionDenied,
    StaleRevision,
)
from imgguard.ports import CheckedUrl
from imgguard.registry import webhooks
from imgguard.registry.access import Actor
from imgguard.registry.webhooks import DeliveryState
from imgguard.services.webhook_objects import delivery_object, webhook_object

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=Route)
_LIST, _DELIVERIES = "webhooks", "webhook-deliveries"


class WebhookPage(PageOf[Webhook]):
    """Oldest first."""


class DeliveryPage(PageOf[Delivery]):
    """Newest first. Without what was sent."""


def _shown(record: webhooks.Webhook) -> Webhook:
    return Webhook.model_validate(webhook_object(record))


def _delivery(record: webhooks.Delivery) -> Delivery:
    return Delivery.model_validate(delivery_object(record))


@router.get("", operation_id="list_webhooks", summary="Webhooks", responses=errors(PermissionDenied, InvalidCursor))
def list_webhooks(page: PageDep, actor: ActorDep, services: ServicesDep) -> WebhookPage:
    """Those of the organisation. All operations on webhooks need `webhooks:write` and `audit:read`, since what they are
    told is the audit trail."""
    found = services.webhooks.webhooks(actor)
    records, cursor = page_of(found, page, _LIST, key=lambda record: record.webhook_id)
    return WebhookPage(items=[_shown(record) for record in records], next_cursor=cursor)


async def _checked(request: Request, actor: Actor, url: str, *, webhook_id: str | None = None) -> CheckedUrl:
    """Before anything is held that others wait for. Raises as `Webhooks.checked_url` does, and Overloaded."""
    checked_url = partial(services_of(request).webhooks.checked_url, actor, url, webhook_id=webhook_id)
    return await work.resolved(request, actor, checked_url)


def _again(services: Services, actor: Actor, ids: Mapping[str, str]) -> IssuedWebhook:
    return IssuedWebhook(webhook=_shown(services.webhooks.webhook(actor, ids["webhook_id"])), secret=None)


@router.post(
    "",
    operation_id="create_webhook",
    summary="Have a URL told what happens",
    status_code=201,
    response_model=IssuedWebhook,
    responses=errors(PermissionDenied, InputError, *work.FETCH_ERRORS, Conflict, Overloaded),
)
@idempotent(replay=_again)
async def create_webhook(request: Request, body: NewWebhook, actor: ActorDep, services: ServicesDep) -> Response:
    """From now on. `secret` is shown this once; messages are signed with it. At most 20 for an organisation."""
    url = await _checked(request, actor, body.url)
    create = partial(services.webhooks.create, actor, url, events=body.events, note=body.note)
    issued = await run_in_threadpool(create)
    webhook_id = issued.webhook.webhook_id
    remember(request, webhook_id=webhook_id)
    made = IssuedWebhook(webhook=_shown(issued.webhook), secret=issued.secret)
    place = f"/v1/webhooks/{webhook_id}"
    return JSONResponse(made.model_dump(mode="json"), status_code=201, headers={"Location": place})


@router.get(
    "/{webhook_id}",
    operation_id="get_webhook",
    summary="One webhook",
    response_model=Webhook,
    responses=errors(PermissionDenied, NotFound),
)
def get_webhook(webhook_id: str, actor: ActorDep, services: ServicesDep, known: IfNoneMatch = None) -> Response:
    """Never its secret."""
    return tagged(_shown(services.webhooks.webhook(actor, webhook_id)), known=known)


@router.patch(
    "/{webhook_id}",
    operation_id="change_webhook",
    summary="Change a webhook, or turn it off or on",
    response_model=Webhook,
    responses=errors(PermissionDenied, NotFound, InputError, *work.FETCH_ERRORS, StaleRevision, Overloaded),
)
async def change_webhook(
    request: Request,
    webhook_id: str,
    body: WebhookChange,
    actor: ActorDep,
    services: ServicesDep,
    match: IfMatch = None,
) -> Response:
    """Messages that wait go to the new address. One that is turned on again is told what happened meanwhile."""
    url = None if body.url is None else await _checked(request, actor, body.url, webhook_id=webhook_id)

    def change() -> Response:
        with changing(request, webhook_id):
            if match is not None:
                require_match(match, _shown(services.webhooks.webhook(actor, webhook_id)))
            changed = services.webhooks.change(
                actor, webhook_id, url=url, events=body.events, note=body.note, is_enabled=body.is_enabled
            )
            return tagged(_shown(changed))

    return await run_in_threadpool(change)


@router.delete(
    "/{webhook_id}",
    operation_id="delete_webhook",
    summary="Delete a webhook, with its messages",
    status_code=204,
    responses=errors(PermissionDenied, NotFound),
)
def delete_webhook(webhook_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """What waits is not sent any more."""
    services.webhooks.delete(actor, webhook_id)
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/secret",
    operation_id="rotate_webhook_secret",
    summary="Have messages signed with a new secret",
    status_code=201,
    response_model=IssuedWebhook,
    responses=errors(PermissionDenied, NotFound),
)
@idempotent(replay=_again)
def rotate_webhook_secret(request: Request, webhook_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """`secret` is shown this once. For 24 hours messages are signed with the one before, too; with none older."""
    issued = services.webhooks.rotate_secret(actor, webhook_id)
    remember(request, webhook_id=webhook_id)
    made = IssuedWebhook(webhook=_shown(issued.webhook), secret=issued.secret)
    return JSONResponse(made.model_dump(mode="json"), status_code=201)


# messages


@router.post(
    "/{webhook_id}/test",
    operation_id="test_webhook",
    summary="Send a message that tells of nothing",
    status_code=202,
    response_model=Delivery,
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
@idempotent()
def test_webhook(webhook_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """`webhook.test`, within seconds. What came of it is in the delivery."""
    delivery = _delivery(services.webhooks.send_test(actor, webhook_id))
    place = f"/v1/webhooks/{webhook_id}/deliveries/{delivery.delivery_id}"
    return JSONResponse(delivery.model_dump(mode="json"), status_code=202, headers={"Location": place})


@router.post(
    "/{webhook_id}/replay",
    operation_id="replay_webhook",
    summary="Send again what was sent since a time",
    status_code=202,
    response_model=Replayed,
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
@idempotent()
def replay_webhook(webhook_id: str, body: ReplayAsked, actor: ActorDep, services: ServicesDep) -> Response:
    """Those that were given up, or all of them, with the ids that they had; as long as they are kept. At most 10,000,
    the oldest first: `more_since` says from when on to ask again for the rest."""
    found = services.webhooks.replay_since(actor, webhook_id, body.since, only_failed=body.only_failed)
    shown = Replayed(count=found.count, more_since=found.more_since)
    return JSONResponse(shown.model_dump(mode="json"), status_code=202)


@router.get(
    "/{webhook_id}/deliveries",
    operation_id="list_webhook_deliveries",
    summary="Messages to a webhook",
    responses=errors(PermissionDenied, NotFound, InvalidCursor),
)
def list_webhook_deliveries(
    webhook_id: str,
    page: PageDep,
    actor: ActorDep,
    services: ServicesDep,
    state: Annotated[DeliveryState | None, Query(description="Only those in this state.")] = None,
) -> DeliveryPage:
    """Newest first: whether they have arrived, what the receiver answered, and when they are tried again."""
    filters = {"webhook_id": webhook_id, "state": state}
    before = page.after(_DELIVERIES, **filters)
    found = services.webhooks.deliveries(actor, webhook_id, state=state, before=before, limit=page.limit + 1)
    records, cursor = cut(list(found), page, _DELIVERIES, key=lambda record: record.delivery_id, **filters)
    return DeliveryPage(items=[_delivery(record) for record in records], next_cursor=cursor)


@router.get(
    "/{webhook_id}/deliveries/{delivery_id}",
    operation_id="get_webhook_delivery",
    summary="One message, with what is sent",
    responses=errors(PermissionDenied, NotFound),
)
def get_webhook_delivery(webhook_id: str, delivery_id: str, actor: ActorDep, services: ServicesDep) -> WholeDelivery:
    found = services.webhooks.delivery(actor, webhook_id, delivery_id)
    return WholeDelivery.model_validate({**delivery_object(found), "payload": found.payload})


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/replay",
    operation_id="replay_webhook_delivery",
    summary="Send one message again",
    status_code=202,
    response_model=Delivery,
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
@idempotent()
def replay_webhook_delivery(webhook_id: str, delivery_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """Under the same id, as if it was new. One that is being sent at this moment stays as it is."""
    delivery = _delivery(services.webhooks.replay(actor, webhook_id, delivery_id))
    return JSONResponse(delivery.model_dump(mode="json"), status_code=202)
