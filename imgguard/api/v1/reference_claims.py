"""``/v1/references/{reference_id}/claims`` and ``.../proofs``: what a claimant states, and the files behind it.

Only the owner and reviewers of the operator see either.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from imgguard.api import uploads, work
from imgguard.api.claim_schemas import ClaimsGiven, Proof, ProofDigest, StatedClaims
from imgguard.api.downloads import Download
from imgguard.api.idempotency import idempotent, remember
from imgguard.api.openapi import errors
from imgguard.api.pagination import PageDep, PageOf, page_answer, page_of
from imgguard.api.problems import Refused
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
)
from imgguard.provenance.records import ProofKind
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Scope
from imgguard.services.claim_views import ProofView
from imgguard.services.file_names import file_name

router = APIRouter(prefix="/v1/references/{reference_id}", tags=["references"], route_class=Route)
_CHANGE_ERRORS = (PermissionDenied, NotFound, InputError, InvalidTransition)
_KINDS = ", ".join(f"`{kind}`" for kind in ProofKind)


def _require(actor: Actor) -> None:
    """Who may not read the answer gets none, not even again. Raises PermissionDenied."""
    actor.require(Scope.REFERENCES_WRITE)
    actor.require(Scope.REFERENCES_READ)


class StatementPage(PageOf[StatedClaims]):
    """Oldest first."""


class ProofPage(PageOf[Proof]):
    """Oldest first; removed ones too."""


def _claims_again(services: Services, actor: Actor, ids: Mapping[str, str]) -> BaseModel:
    return services.reference_claims.statement(actor, ids["reference_id"], ids["claim_id"])


def _proof_again(services: Services, actor: Actor, ids: Mapping[str, str]) -> BaseModel:
    return services.reference_claims.proof(actor, ids["reference_id"], ids["proof_id"])


@router.post(
    "/claims",
    operation_id="state_claims",
    summary="State something about an original",
    status_code=201,
    response_model=StatedClaims,
    responses=errors(*_CHANGE_ERRORS),
)
@idempotent(replay=_claims_again)
def state_claims(
    request: Request, reference_id: str, body: ClaimsGiven, actor: ActorDep, services: ServicesDep
) -> Response:
    """When and where it was taken or published, in the claimant's words. It is not verified, and cannot be taken back:
    the log has that it was stated, and no later than when. At most 50 for one original."""
    _require(actor)
    made = services.reference_claims.state(actor, reference_id, body.plain())
    remember(request, reference_id=reference_id, claim_id=made.claim_id)
    place = {"Location": f"/v1/references/{reference_id}/claims"}
    return JSONResponse(made.model_dump(mode="json"), status_code=201, headers=place)


@router.get(
    "/claims",
    operation_id="list_claims",
    summary="What is stated about an original",
    response_model=StatementPage,
    responses=errors(PermissionDenied, NotFound, InvalidCursor),
)
def list_claims(reference_id: str, page: PageDep, actor: ActorDep, services: ServicesDep) -> Response:
    """The claimant states it; it is not verified."""
    found = services.reference_claims.statements(actor, reference_id)
    views, cursor = page_of(found, page, "claims", key=lambda view: view.claim_id, reference_id=reference_id)
    return page_answer(views, cursor)


def _attached(request: Request, made: ProofView) -> Response:
    remember(request, reference_id=made.reference_id, proof_id=made.proof_id)
    place = {"Location": f"/v1/references/{made.reference_id}/proofs/{made.proof_id}"}
    return JSONResponse(made.model_dump(mode="json"), status_code=201, headers=place)


@router.post(
    "/proofs",
    operation_id="attach_proof",
    summary="Attach a file to an original",
    status_code=201,
    response_model=Proof,
    responses=errors(*_CHANGE_ERRORS),
    openapi_extra=uploads.form_example(file="(a RAW file)", kind="raw", name="DSC_0412.NEF"),
)
@idempotent(replay=_proof_again)
def attach_proof(
    request: Request,
    reference_id: str,
    actor: ActorDep,
    services: ServicesDep,
    file: Annotated[UploadFile, File(description="Any file, up to `IMGGUARD_MAX_PROOF_BYTES`. It is never decoded.")],
    kind: Annotated[str, Form(min_length=1, max_length=40, description=f"One of {_KINDS}.")],
    name: Annotated[str | None, Form(max_length=300, description="Default: as the file is called.")] = None,
) -> Response:
    """It is kept as it is, and its digest is in the log: the file existed no later than that. At most 50 for one
    original."""
    _require(actor)
    most = services.reference_claims.max_bytes
    if file.size is None or file.size > most:
        raise Refused(
            413,
            f"a proof has at most {most} bytes",
            hint="Attach its digest only, or have the operator raise IMGGUARD_MAX_PROOF_BYTES.",
        )
    called = file_name(file.filename, unnamed="file") if name is None else name
    return _attached(request, services.reference_claims.attach(actor, reference_id, file.file, kind=kind, name=called))


@router.post(
    "/proofs/by-digest",
    operation_id="attach_proof_by_digest",
    summary="Commit to a file that stays at home",
    status_code=201,
    response_model=Proof,
    responses=errors(*_CHANGE_ERRORS),
)
@idempotent(replay=_proof_again)
def attach_proof_by_digest(
    request: Request, reference_id: str, body: ProofDigest, actor: ActorDep, services: ServicesDep
) -> Response:
    """Only its SHA-256 and length are kept, and in the log. Whoever shows the file later shows that it is this one."""
    _require(actor)
    made = services.reference_claims.attach_digest(
        actor, reference_id, kind=body.kind, name=body.name, sha256=body.sha256, byte_length=body.byte_length
    )
    return _attached(request, made)


@router.get(
    "/proofs",
    operation_id="list_proofs",
    summary="The files attached to an original",
    response_model=ProofPage,
    responses=errors(PermissionDenied, NotFound, InvalidCursor),
)
def list_proofs(reference_id: str, page: PageDep, actor: ActorDep, services: ServicesDep) -> Response:
    found = services.reference_claims.proofs(actor, reference_id)
    views, cursor = page_of(found, page, "proofs", key=lambda view: view.proof_id, reference_id=reference_id)
    return page_answer(views, cursor)


_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}, "example": "(any bytes)"}


@router.get(
    "/proofs/{proof_id}",
    operation_id="get_proof",
    summary="The bytes of an attached file",
    response_class=Response,
    responses=errors(PermissionDenied, NotFound, DigestMismatch, Overloaded)
    | {
        200: {
            "description": "As they were attached; to be saved, not shown. 404 when no file of it is kept.",
            "content": {"application/octet-stream": _BYTES},
        }
    },
)
async def get_proof(
    request: Request, reference_id: str, proof_id: str, actor: ActorDep, services: ServicesDep
) -> Response:
    """For the owner, and for reviewers of the operator."""
    proof = await run_in_threadpool(services.reference_claims.proof, actor, reference_id, proof_id)

    async def opened() -> IO[bytes]:
        return await run_in_threadpool(partial(services.reference_claims.opened, actor, reference_id, proof_id))

    return Download(
        opened,
        turn=work.result_turn(request, actor),
        media_type="application/octet-stream",
        name=proof.proof_id + _suffix(proof.name),
    )


def _suffix(name: str) -> str:
    """What kind of file the name says it is, as far as it can stand in a header."""
    suffix = PurePosixPath(name).suffix[:20]
    return suffix if suffix.isascii() and suffix[1:].isalnum() else ""


@router.delete(
    "/proofs/{proof_id}",
    operation_id="remove_proof",
    summary="Delete an attached file",
    response_model=Proof,
    responses=errors(PermissionDenied, NotFound, InvalidTransition),
)
def remove_proof(reference_id: str, proof_id: str, actor: ActorDep, services: ServicesDep) -> Proof:
    """Its bytes are destroyed; its digest stays, here and in the log, which has the removal too."""
    removed = services.reference_claims.remove(actor, reference_id, proof_id)
    return Proof.model_validate(removed.model_dump())
