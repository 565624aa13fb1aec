"""``/log``: the transparency log for everybody (C2SP tlog-tiles); ``/v1/log``; what proves a registration."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from imgguard.api.log_schemas import LoggedRecord, LogHead
from imgguard.api.openapi import errors
from imgguard.api.routes import ReturnRoute, Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.errors import InclusionProofInvalid, InvalidTransition, NotFound, PermissionDenied, TileInvalid
from imgguard.provenance.records import Kind

files_router = APIRouter(prefix="/log", tags=["log"], route_class=ReturnRoute)
"""Read by programs of other sites, too: it gives the same to everybody, and takes nothing."""

open_router = APIRouter(prefix="/v1/log", tags=["log"], route_class=ReturnRoute)
router = APIRouter(prefix="/v1/references", tags=["log"], route_class=Route)

_TEXT, _BYTES = "text/plain; charset=utf-8", "application/octet-stream"
_FOR_EVER = "public, max-age=31536000, immutable"
_KIND = Query(description="Of the latest leaf of this kind; default: the registration.")


def _as(media_type: str, example: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string"}, "example": example}}}}


_NOTE = "log.example.org\n1\nK+bT…=\n\n— log.example.org 9n2…=\n"


def _public(data: bytes, media_type: str, *, kept: str) -> Response:
    fields = {"Cache-Control": kept, "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(data, media_type=media_type, headers=fields)


@files_router.get(
    "/checkpoint",
    operation_id="get_checkpoint",
    summary="The newest checkpoint of the log",
    response_class=Response,
    responses=errors(NotFound) | _as(_TEXT, _NOTE),
)
def get_checkpoint(services: ServicesDep) -> Response:
    """A signed note (C2SP tlog-checkpoint): the size of the log and the root of its Merkle tree."""
    return _public(services.transparency.file("checkpoint"), _TEXT, kept="no-cache")


@files_router.get(
    "/tile/{path:path}",
    operation_id="get_tile",
    summary="A tile of the log, or a bundle of its entries",
    response_class=Response,
    responses=errors(NotFound) | _as(_BYTES, "(digests)"),
)
def get_tile(path: str, services: ServicesDep) -> Response:
    """`<level>/<index>` or `entries/<index>`, as C2SP tlog-tiles writes them. They never change; a partial one goes
    when the full one is there."""
    return _public(services.transparency.file(f"tile/{path}"), _BYTES, kept=_FOR_EVER)


@open_router.get("", operation_id="get_log", summary="Name, keys and size of the log", response_model=LogHead)
def get_log(services: ServicesDep) -> LogHead:
    """Keys that come from the same place as what they verify prove little: compare them with another source."""
    status = services.transparency.status()
    newest = status.checkpoint
    return LogHead(
        origin=status.keys[-1].name if status.keys else None,
        vkey=status.keys[-1].text if status.keys else None,
        earlier_vkeys=[key.text for key in status.keys[:-1]],
        size=0 if newest is None else newest.size,
        root=None if newest is None else newest.root.hex(),
        signed_at=None if newest is None else newest.signed_at,
    )


@router.get(
    "/{reference_id}/proof",
    operation_id="get_reference_proof",
    summary="The proof that the log has an original's leaf",
    response_class=Response,
    responses=errors(PermissionDenied, NotFound, InvalidTransition, TileInvalid, InclusionProofInvalid)
    | _as(_TEXT, f"c2sp.org/tlog-proof@v1\nindex 0\n\n{_NOTE}"),
)
def get_reference_proof(
    reference_id: str, actor: ActorDep, services: ServicesDep, kind: Annotated[Kind | None, _KIND] = None
) -> Response:
    """A C2SP tlog-proof, to be verified without this service. For the owner and reviewers of the operator; 409 as long
    as no checkpoint has the leaf, which takes a minute at most."""
    return Response(services.references.proof(actor, reference_id, kind).proof, media_type=_TEXT)


@router.get(
    "/{reference_id}/record",
    operation_id="get_reference_record",
    summary="What an original's leaf stands for",
    response_model=LoggedRecord,
    responses=errors(PermissionDenied, NotFound),
)
def get_reference_record(
    reference_id: str, actor: ActorDep, services: ServicesDep, kind: Annotated[Kind | None, _KIND] = None
) -> LoggedRecord:
    """For the owner only: leaf and opening, as texts whose bytes must stay as they are. Whoever gets the opening can
    show what was registered, when the log received it, and who signed."""
    leaf, opening = services.references.logged(actor, reference_id, kind)
    return LoggedRecord(
        position=leaf.position, kind=leaf.kind, leaf=leaf.leaf.decode(), opening=opening.to_bytes().decode()
    )
