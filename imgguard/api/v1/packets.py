"""``/v1/packets``: evidence packets of what is one's own, as files to hand on."""

from collections.abc import Mapping
from functools import partial
from typing import IO, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from imgguard.api import work
from imgguard.api.downloads import Download
from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.packet_schemas import Packet, PacketAsked
from imgguard.api.pagination import PageDep, PageOf, cut
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.bootstrap import Services
from imgguard.errors import (
    DigestMismatch,
    InputError,
    InvalidCursor,
    InvalidTransition,
    NotFound,
    Overloaded,
    PermissionDenied,
    WorkerCrashed,
)
from imgguard.evidence.packet.verifying import layout
from imgguard.ports import PacketState
from imgguard.registry.access import Actor
from imgguard.services.packet_views import PacketView

router = APIRouter(prefix="/v1/packets", tags=["packets"], route_class=Route)
_LIST = "packets"
_SUFFIX, _MEDIA_TYPE = "asice", layout.MEDIA_TYPE.decode()
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}, "example": "(a packet)"}
_TRUST = '[log]\npolicy = ...\n\n[[seal]]\nname = "log.example.org"\ncertificate = ...\n'


class PacketPage(PageOf[Packet]):
    """Latest first; also those whose file is not kept any more."""


def _shown(view: PacketView) -> Packet:
    file = f"/v1/packets/{view.packet_id}/file" if view.state is PacketState.KEPT else None
    return Packet.model_validate({**view.model_dump(), "file": file})


def _again(services: Services, actor: Actor, ids: Mapping[str, str]) -> BaseModel:
    return _shown(services.member_packets.packet(actor, ids["packet_id"]))


@router.post(
    "",
    operation_id="create_packet",
    summary="Build an evidence packet",
    status_code=201,
    response_model=Packet,
    responses=errors(
        PermissionDenied, NotFound, InputError, InvalidTransition, DigestMismatch, Overloaded, WorkerCrashed
    ),
)
@idempotent(replay=_again)
async def create_packet(request: Request, body: PacketAsked, actor: ActorDep, services: ServicesDep) -> Response:
    """One sealed file about own originals and own checks, which others verify offline. It takes some seconds; packets
    are built one after the other. Of a check it has the match with an own original, and nothing of others'."""
    made = await work.built(request, actor, partial(services.member_packets.build, actor, body.order))
    remember(request, packet_id=made.packet_id)
    place = {"Location": f"/v1/packets/{made.packet_id}"}
    return JSONResponse(_shown(made).model_dump(mode="json"), status_code=201, headers=place)


@router.get("", operation_id="list_packets", summary="Packets", responses=errors(PermissionDenied, InvalidCursor))
def list_packets(page: PageDep, actor: ActorDep, services: ServicesDep) -> PacketPage:
    """Those of the organisation, the latest first; without those that contain what the asker may not read."""
    found = services.member_packets.packets(actor, after=page.after(_LIST), limit=page.limit + 1)
    views, cursor = cut(list(found), page, _LIST, key=lambda view: view.packet_id)
    return PacketPage(items=[_shown(view) for view in views], next_cursor=cursor)


@router.get(
    "/trust",
    operation_id="get_packet_trust",
    summary="What others need to verify packets",
    response_class=PlainTextResponse,
    responses=errors(PermissionDenied, NotFound)
    | {
        200: {
            "description": "A trust file, in TOML: the keys of this installation's log, and its seal.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": _TRUST}},
        }
    },
)
def get_packet_trust(actor: ActorDep, services: ServicesDep) -> Response:
    """To be handed to whoever verifies, on another way than the packets. With it a packet is verified as `logged`:
    whoever uses it believes this installation for what it says of itself, and no time becomes independent."""
    return PlainTextResponse(services.member_packets.trust_file(actor))


@router.get(
    "/{packet_id}",
    operation_id="get_packet",
    summary="One packet",
    responses=errors(PermissionDenied, NotFound),
)
def get_packet(packet_id: str, actor: ActorDep, services: ServicesDep) -> Packet:
    """What it states, and whether its file is kept."""
    return _shown(services.member_packets.packet(actor, packet_id))


@router.get(
    "/{packet_id}/file",
    operation_id="get_packet_file",
    summary="The file of a packet",
    response_class=StreamingResponse,
    responses=errors(PermissionDenied, NotFound, DigestMismatch, Overloaded)
    | {
        200: {
            "description": "A ZIP in the shape of ASiC-E, to be saved and verified. 404 when it is not kept any more.",
            "content": {_MEDIA_TYPE: _BYTES},
        }
    },
)
async def get_packet_file(request: Request, packet_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """Until `expires_at`, unless it is deleted before, or something that it contains is erased."""
    await run_in_threadpool(services.member_packets.packet, actor, packet_id)  # before a name is made of the id

    async def opened() -> IO[bytes]:
        return await run_in_threadpool(services.member_packets.opened, actor, packet_id)

    return Download(
        opened, turn=work.result_turn(request, actor), media_type=_MEDIA_TYPE, name=f"{packet_id}.{_SUFFIX}"
    )


@router.delete(
    "/{packet_id}",
    operation_id="delete_packet",
    summary="Forget the file of a packet",
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
def delete_packet(packet_id: str, actor: ActorDep, services: ServicesDep) -> Packet:
    """Before its time. What it stated stays in the list; copies that were handed on stay where they are."""
    return _shown(services.member_packets.delete(actor, packet_id))
