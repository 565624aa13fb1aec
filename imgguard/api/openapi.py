"""The description of the API: every operation with examples and with every problem it can answer.

What all operations can answer is added here; what is special to one it declares itself, with `errors`.
"""

from typing import Any, get_args

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from imgguard import __version__
from imgguard.api.idempotency import is_idempotent, is_looked_up
from imgguard.api.methods import walk
from imgguard.api.problems import MEDIA_TYPE, STATUS, TRANSPORT, TYPES, title_of
from imgguard.api.routes import Route
from imgguard.api.schemas import Problem
from imgguard.errors import (
    AuthenticationRequired,
    Conflict,
    IdempotencyMismatch,
    ImgguardError,
    NotFound,
    PermissionDenied,
    RateLimited,
    StoreUnavailable,
)

type Object = dict[str, Any]

_DESCRIPTION = """\
Registers original product photos and says whether a picture is likely a copy of one. It says what the pixels show,
not who made a photograph or who may use it. docs/api.md has what all operations share.
"""
_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer imgguard_...`"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-imgguard",
        "description": "Of who signed in; called `imgguard_session` where the service is not reached by https. With "
        "it, all but GET needs the field `X-CSRF-Token`.",
    },
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "With the same key, the same request is answered once, for 24 hours.",
    # In double quotes or not: the draft has it as a string of structured fields, and few send it so.
    "schema": {"type": "string", "minLength": 1, "maxLength": 257, "pattern": r'^"?[!#-\[\]-~]{1,255}"?$'},
    "example": "5f0d2c1e-6a38-4b7e-9a55-0d3c8b7f1e42",
}
_REQUEST_ID = "req_01jnv7kj1v3x5z7b9d1f3h5k7n"


def errors(*kinds: type[ImgguardError] | int) -> dict[int | str, Object]:
    """``responses`` of a route: problems of these classes, and of HTTP itself by their status."""
    found: dict[int | str, Object] = {}
    for kind in kinds:
        status, code = (kind, TRANSPORT[kind][0]) if isinstance(kind, int) else (STATUS[kind], kind.code)
        content = found.setdefault(status, _problem(status))["content"][MEDIA_TYPE]
        content["examples"][code] = {"$ref": f"#/components/examples/{code}"}
    return found


def _problem(status: int) -> Object:
    titles = {400: "Bad request", 404: "Not found", 413: "Body too large", 422: "Cannot be used"}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
    return {"description": titles.get(status, "Problem"), "content": {MEDIA_TYPE: content}}


def _example(kind: type[ImgguardError] | int) -> tuple[str, Object]:
    if isinstance(kind, int):
        code, hint = TRANSPORT[kind]
        status, detail = kind, title_of(code)
    else:
        code, hint, status = kind.code, kind.hint, STATUS[kind]
        detail = (kind.__doc__ or "").split("\n")[0]
    example: Object = {
        "type": TYPES + code,
        "title": title_of(code),
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        "request_id": _REQUEST_ID,
    }
    if kind == 422:
        example["errors"] = [{"pointer": "/body/email", "detail": "Field required"}]
    if kind == 503:
        example["missing"] = ["workers"]
    return code, example


def _shared(route: APIRoute, operation: Object) -> dict[int | str, Object]:
    """What follows from how requests are handled, whatever the operation does."""
    kinds: list[type[ImgguardError] | int] = [400, 421, ImgguardError, StoreUnavailable]
    if isinstance(route, Route):
        kinds += [RateLimited]
        kinds += [] if route.is_open else [AuthenticationRequired]
        kinds += [] if route.methods == {"GET"} else [PermissionDenied]
    if "requestBody" in operation:
        kinds += [413, 415, 422]
    elif "parameters" in operation:
        kinds += [422]
    if is_idempotent(route.endpoint):
        kinds += [IdempotencyMismatch, Conflict]
    if is_looked_up(route.endpoint):
        kinds += [NotFound]
    return errors(*kinds)


def describe(app: FastAPI) -> Object:
    """The OpenAPI document. Made once; the application serves the same object from then on."""
    document: Object = get_openapi(
        title="imgguard", version=__version__, description=_DESCRIPTION, routes=app.routes, openapi_version="3.1.0"
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    template = "#/components/schemas/{model}"
    for schema in schemas.values():
        schema.pop("examples", None)  # the operations show them
    problem = Problem.model_json_schema(ref_template=template)
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    components["securitySchemes"] = _SECURITY
    for schema in schemas.values():
        if schema.get("title", "").startswith("Body_"):
            _without_null(schema)
    for route in walk(app.routes):
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                _complete(route, document["paths"][route.path_format][method.lower()])
    components["schemas"] = dict(sorted(schemas.items()))
    kinds: list[type[ImgguardError] | int] = [*TRANSPORT, *STATUS]
    examples = {code: {"value": value} for code, value in map(_example, kinds)}
    components["examples"] = dict(sorted(examples.items()))
    return document


def _without_null(form: Object) -> None:
    """A field of a form is there or it is not."""
    for name, field in form["properties"].items():
        others = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
        if len(others) == 1:
            form["properties"][name] = others[0] | {key: value for key, value in field.items() if key != "anyOf"}


def _complete(route: APIRoute, operation: Object) -> None:
    answers = operation["responses"]
    if MEDIA_TYPE not in answers.get("422", {}).get("content", {}):
        answers.pop("422", None)  # FastAPI's own shape, which is never sent
    for status, shared in _shared(route, operation).items():
        place = answers.setdefault(str(status), shared)
        place["content"][MEDIA_TYPE]["examples"] |= shared["content"][MEDIA_TYPE]["examples"]
    operation["responses"] = dict(sorted(answers.items()))
    if isinstance(route, Route):
        operation["security"] = [] if route.is_open else [{"key": []}, {"session": []}]
    if is_idempotent(route.endpoint):
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    if any(parameter["name"] == "If-None-Match" for parameter in operation.get("parameters", ())):
        answers["304"] = {"description": "Still as it is known"}
        operation["responses"] = dict(sorted(answers.items()))
    _show_example(operation.get("requestBody"), route.body_field and route.body_field.field_info.annotation)
    for status, answer in operation["responses"].items():
        if status < "300":
            _show_example(answer, _model_of(route, status))


def _model_of(route: APIRoute, status: str) -> Any:
    """What the answer of this status has: its own model, if the route declares one."""
    return route.responses.get(int(status), {}).get("model", route.response_model)


def _show_example(part: Object | None, model: Any) -> None:
    """The model's own, where people look for it. FastAPI leaves nulls out of those in schemas."""
    content = (part or {}).get("content", {}).get("application/json")
    if content is not None and isinstance(model, type) and issubclass(model, BaseModel):
        content["example"] = _example_of(model)


def _example_of(model: type[BaseModel]) -> object:
    examples = model.model_json_schema().get("examples")
    if examples is None:  # a page
        (item,) = get_args(model.model_fields["items"].annotation)
        further: dict[str, object] = {
            name: [] for name in model.model_fields if name not in ("items", "next_cursor")
        }  # lists, all empty
        return {"items": [_example_of(item)], "next_cursor": None, **further}
    return examples[0]
