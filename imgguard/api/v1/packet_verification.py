"""``/v1/packets/verify``: what holds of a packet that somebody has brought along."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from imgguard.api import uploads, work
from imgguard.api.openapi import errors
from imgguard.api.packet_verification_schemas import PacketVerification
from imgguard.api.problems import Refused
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.turns import Turns
from imgguard.errors import DependencyError, InputError, Overloaded, PermissionDenied, VerifierCrash
from imgguard.evidence.packet.verifying.reading import LONGEST_TRUST
from imgguard.evidence.packet.verifying.steps import Level

VERIFICATIONS = 2
"""Packets that are verified at the same time, one of each organisation; each has a process."""

_TOO_LARGE = "Verify it with `imgguard packet verify`, or have the operator raise IMGGUARD_MAX_PACKET_BYTES."

router = APIRouter(prefix="/v1/packets", tags=["packets"], route_class=Route)


def verifying() -> Turns:
    """For each application."""
    return Turns(VERIFICATIONS, each=1, busy="too many packets are being verified")


@router.post(
    "/verify",
    operation_id="verify_packet",
    summary="Verify an evidence packet",
    response_model=PacketVerification,
    responses=errors(PermissionDenied, InputError, VerifierCrash, Overloaded, DependencyError),
    openapi_extra=uploads.form_example(packet="(a packet)", trust="(a trust file)", level="timestamped"),
)
async def verify_packet(
    request: Request,
    packet: Annotated[UploadFile, File(description="Any file, up to `IMGGUARD_MAX_PACKET_BYTES`.")],
    actor: ActorDep,
    services: ServicesDep,
    trust: Annotated[
        UploadFile | None,
        File(description="Whom you believe: docs/timestamps.md. Without it no level above `integrity` holds."),
    ] = None,
    level: Annotated[
        Literal["integrity", "logged", "timestamped", "witnessed"],
        Form(description="What `holds` is about; each level includes those before it."),
    ] = "integrity",
) -> Response:
    """What `imgguard packet verify --json` prints, whatever comes of it: that a packet does not hold is an answer, too.
    Nothing is stored, and nothing is believed but the trust file that is sent along; the keys of this installation
    count only if that names them."""
    _check_length(packet, services.settings.max_packet_bytes, "a packet", _TOO_LARGE)
    if trust is not None:
        _check_length(trust, LONGEST_TRUST, "a trust file", "It names a few keys and certificates.")
    verify = partial(
        services.packet_verification.verify,
        actor,
        packet.file,
        trust=None if trust is None else trust.file,
        level=Level(level),
    )
    turns: Turns = request.app.state.verifying
    async with turns.turn(actor.organisation_id, patience=work.DRAW_PATIENCE):
        report = await run_in_threadpool(verify)
    return JSONResponse(report.model_dump(mode="json"))


def _check_length(upload: UploadFile, most: int, what: str, hint: str) -> None:
    """Raises Refused (413)."""
    if upload.size is None or upload.size > most:
        raise Refused(413, f"{what} has at most {most} bytes", hint=hint)
