"""``/v1/licences/{licence_id}/documents``: the chain of authorisation, from whoever made the picture down."""

from pathlib import PureWindowsPath
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from starlette.responses import JSONResponse, Response

from imgguard.api.idempotency import idempotent
from imgguard.api.openapi import errors
from imgguard.api.problems import Refused
from imgguard.api.rights_schemas import LicenceDocument
from imgguard.api.routes import Route
from imgguard.api.schemas import Text
from imgguard.api.security import ActorDep, ServicesDep
from imgguard.api.v1.licences import require_writing
from imgguard.errors import (
    DigestMismatch,
    InputError,
    InvalidTransition,
    NotFound,
    PermissionDenied,
    UnsupportedFormat,
)
from imgguard.registry.names import LONGEST_NAME
from imgguard.services.rights_inputs import LONGEST_DOCUMENT
from imgguard.services.rights_objects import document_object

router = APIRouter(prefix="/v1/licences/{licence_id}/documents", tags=["licences"], route_class=Route)

_FORM = {
    "requestBody": {"content": {"multipart/form-data": {"example": {"file": "contract.pdf", "title": "Contract"}}}}
}
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7 ..."}


@router.post(
    "",
    operation_id="add_licence_document",
    summary="Add a document to the chain of authorisation",
    status_code=201,
    response_model=LicenceDocument,
    responses=errors(PermissionDenied, NotFound, InputError, UnsupportedFormat, InvalidTransition),
    openapi_extra=_FORM,
)
@idempotent()
def add_licence_document(
    licence_id: str,
    actor: ActorDep,
    services: ServicesDep,
    file: Annotated[UploadFile, File(description=f"A PDF, a picture or plain text of up to {LONGEST_DOCUMENT} bytes.")],
    title: Annotated[Text | None, Form(description="Default: the name of the file.")] = None,
) -> Response:
    """At its end. Licensor and licensees can read it, and nobody can take it out again."""
    require_writing(actor)
    if file.size is None or file.size > LONGEST_DOCUMENT:
        raise Refused(
            413, f"a document has at most {LONGEST_DOCUMENT} bytes", hint="Reduce it, or split it into several."
        )
    name = PureWindowsPath(file.filename or "").name[:LONGEST_NAME]  # knows the folders of either kind of system
    added = services.licences.add_document(actor, licence_id, file.file.read(), title=name if title is None else title)
    shown = LicenceDocument.model_validate(document_object(added))
    place = f"/v1/licences/{licence_id}/documents/{added.document_id}"
    return JSONResponse(shown.model_dump(mode="json"), status_code=201, headers={"Location": place})


@router.get(
    "/{document_id}",
    operation_id="get_licence_document",
    summary="The bytes of a document",
    response_class=Response,
    responses=errors(PermissionDenied, NotFound, DigestMismatch)
    | {
        200: {
            "description": "As it was handed in, of the `media_type` that the licence shows; to be saved, not shown.",
            "content": dict.fromkeys(("application/pdf", "image/*", "text/plain"), _BYTES),
        }
    },
)
def get_licence_document(licence_id: str, document_id: str, actor: ActorDep, services: ServicesDep) -> Response:
    """For licensor and licensees."""
    data, media_type = services.licences.document(actor, licence_id, document_id)
    kind = media_type.rpartition("/")[2].replace("plain", "txt")
    disposition = f'attachment; filename="{document_id}.{kind}"'
    return Response(data, media_type=media_type, headers={"Content-Disposition": disposition})
