"""The description of the API says what the API does."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from imgguard.api.app import create_app
from imgguard.api.idempotency import is_idempotent
from imgguard.api.methods import walk
from imgguard.api.problems import MEDIA_TYPE, STATUS, TRANSPORT
from imgguard.api.routes import Route
from imgguard.bootstrap import Services
from imgguard.settings import Settings

from .client import Client

DOCS = Path(__file__).parents[2] / "docs"
APP = create_app(Services(Settings(home=Path("nowhere"))))
DOCUMENT: dict[str, Any] = APP.openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
ROUTES = {f"{method} {route.path_format}": route for route in walk(APP.routes) for method in route.methods}


def valid(value: object, schema: dict[str, Any]) -> None:
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


def test_the_application_shows_what_is_committed(client: Client) -> None:
    committed = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    assert client.get("/v1/openapi.json").json() == committed, "run: python scripts/make_docs.py"


def test_every_route_is_described() -> None:
    assert set(OPERATIONS) == {name for name in ROUTES if name != "GET /v1/openapi.json"}


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() and "v1" not in name for name in names)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_described_whole(name: str) -> None:
    operation, route = OPERATIONS[name], ROUTES[name]
    assert operation["summary"]
    assert len(operation["tags"]) == 1
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    answers = [answer for status, answer in operation["responses"].items() if status < "400"]
    assert answers
    for part in bodies + [answer for answer in answers if "content" in answer]:
        for media_type, content in part["content"].items():
            assert "example" in content, media_type
            valid(content["example"], content["schema"])
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "path":
            assert parameter.get("description") or parameter["name"] == "newest_first", parameter["name"]
    if isinstance(route, Route):
        assert bool(operation["security"]) != route.is_open


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_can_go_wrong(name: str) -> None:
    operation, route = OPERATIONS[name], ROUTES[name]
    problems = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
    wanted = {"400", "421", "500", "503"}
    if isinstance(route, Route):
        wanted |= {"429"} | (set() if route.is_open else {"401"})
    if "requestBody" in operation:
        wanted |= {"413", "415", "422"}
    if "{" in name or "organisation_id" in str(operation.get("parameters")):
        wanted |= {"404"}
    if is_idempotent(route.endpoint):
        wanted |= {"409", "422"}
        assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    assert wanted <= problems.keys()
    for status, answer in problems.items():
        assert list(answer["content"]) == [MEDIA_TYPE]
        for code, example in answer["content"][MEDIA_TYPE]["examples"].items():
            value = DOCUMENT["components"]["examples"][example["$ref"].rpartition("/")[2]]["value"]
            assert (value["code"], str(value["status"])) == (code, status)


def test_examples_of_problems_are_problems() -> None:
    examples = DOCUMENT["components"]["examples"]
    assert set(examples) == {kind.code for kind in STATUS} | {code for code, _ in TRANSPORT.values()}
    for example in examples.values():
        valid(example["value"], {"$ref": "#/components/schemas/Problem"})


def test_what_is_referred_to_is_there() -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    for reference in references(DOCUMENT):
        place: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_posts_that_make_something_can_be_sent_again() -> None:
    makes = {name for name, operation in OPERATIONS.items() if {"201", "202"} & operation["responses"].keys()}
    assert makes == {name for name, route in ROUTES.items() if is_idempotent(route.endpoint)}
