"""``/v1/keys``: API keys, made by people for programs."""

from collections.abc import Mapping
from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, page_of
from imgguard.api.routes import Route
from imgguard.api.schemas import IssuedKey, Key, NewKey
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.v1 import shown
from imgguard.api.v1.members import OrganisationId
from imgguard.bootstrap import Services
from imgguard.errors import InputError, InvalidCursor, InvalidTransition, NotFound, PermissionDenied
from imgguard.registry.access import Actor

router = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=Route)
_LIST = "keys"


class KeyPage(PageOf[Key]):
    """Oldest first; revoked and expired ones too."""


@router.get(
    "",
    operation_id="list_keys",
    summary="API keys",
    responses=errors(NotFound, InvalidCursor),
)
def list_keys(page: PageDep, actor: ActorDep, services: ServicesDep, organisation_id: OrganisationId = None) -> KeyPage:
    """Those of the organisation for its admins, for others their own."""
    found = services.keys.keys(actor, organisation_id=organisation_id)
    records, cursor = page_of(found, page, _LIST, key=lambda record: record.key_id, organisation_id=organisation_id)
    return KeyPage(items=[shown.key(record) for record in records], next_cursor=cursor)


def _key(services: Services, actor: Actor, key_id: str, organisation_id: str | None = None) -> Key:
    for record in services.keys.keys(actor, organisation_id=organisation_id):
        if record.key_id == key_id:
            return shown.key(record)
    raise NotFound(f"no key {key_id}", hint="Look at the keys you have.")


def _again(services: Services, actor: Actor, ids: Mapping[str, str]) -> IssuedKey:
    return IssuedKey(key=_key(services, actor, ids["key_id"]), secret=None)


@router.post(
    "",
    operation_id="create_key",
    summary="Make an API key",
    status_code=201,
    response_model=IssuedKey,
    responses=errors(PermissionDenied, InputError, InvalidTransition),
)
@idempotent(replay=_again)
def create_key(request: Request, body: NewKey, actor: ActorDep, services: ServicesDep) -> Response:
    """For who is signed in. `secret` is shown this once; send it as `Authorization: Bearer`."""
    lifetime = None if body.expires_in_days is None else timedelta(days=body.expires_in_days)
    issued = services.keys.issue(actor, body.name, scopes=body.scopes, lifetime=lifetime)
    remember(request, key_id=issued.key.key_id)
    made = IssuedKey(key=shown.key(issued.key), secret=issued.secret)
    place = f"/v1/keys/{issued.key.key_id}"
    return JSONResponse(made.model_dump(mode="json"), status_code=201, headers={"Location": place})


@router.get("/{key_id}", operation_id="get_key", summary="One API key", responses=errors(NotFound))
def get_key(key_id: str, actor: ActorDep, services: ServicesDep, organisation_id: OrganisationId = None) -> Key:
    """One of the own, or for admins of the organisation's; never its secret."""
    return _key(services, actor, key_id, organisation_id)


@router.delete("/{key_id}", operation_id="revoke_key", summary="Revoke an API key", responses=errors(NotFound))
def revoke_key(key_id: str, actor: ActorDep, services: ServicesDep) -> Key:
    """From now on it opens nothing; once more changes nothing. A key may revoke itself."""
    return shown.key(services.keys.revoke(actor, key_id))
