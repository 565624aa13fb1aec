"""Everything that is not an answer has one shape, and gives nothing away."""

import logging
from collections.abc import Callable, Iterator

import pytest

from imgguard import errors
from imgguard.api import problems
from imgguard.bootstrap import Services
from imgguard.errors import ImgguardError

from .client import Client, assert_problem
from .conftest import PASSWORD


def tree(kind: type[ImgguardError] = ImgguardError) -> Iterator[type[ImgguardError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


def test_every_error_has_a_status() -> None:
    assert set(problems.STATUS) == set(tree())


@pytest.mark.parametrize("kind", [kind for kind in tree() if kind is not ImgguardError], ids=lambda kind: kind.__name__)
def test_every_error_becomes_a_problem(
    kind: type[ImgguardError], client: Client, services: Services, monkeypatch, with_key
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise kind("it happened at /home/store")

    program = with_key("studio.admin")
    monkeypatch.setattr(services.organisations, "organisation", fails)
    found = assert_problem(program.get("/v1/organisation"), problems.STATUS[kind], kind.code)
    is_for_operator = issubclass(kind, errors.DependencyError | errors.ConfigurationError | errors.VerificationError)
    assert ("/home/store" in found["detail"]) != is_for_operator


@pytest.mark.parametrize("error", [RuntimeError("secret"), ImgguardError("secret"), KeyError("secret")])
def test_a_bug_gives_nothing_away_and_is_in_the_log(
    error: Exception, services: Services, monkeypatch, with_key: Callable[[str], Client], caplog
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    program = with_key("studio.admin")
    monkeypatch.setattr(services.organisations, "organisation", fails)
    with caplog.at_level(logging.ERROR, logger="imgguard"):
        answer = program.get("/v1/organisation")
    found = assert_problem(answer, 500, "internal")
    assert "secret" not in answer.text
    (record,) = [record for record in caplog.records if record.exc_info]
    assert found["request_id"] in record.getMessage()


def test_paths_and_methods_that_are_not_there(client: Client) -> None:
    assert_problem(client.get("/v1/nothing"), 404, "not_found")
    assert_problem(client.get("/"), 404, "not_found")
    assert_problem(client.get("/v1/members/"), 404, "not_found")
    answer = client.request("PUT", "/v1/session")
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/keys", "GET, POST"),
        ("/v1/collections/col_1/works/wrk_1", "DELETE, PUT"),
        ("/v1/checks/bulk", "POST"),  # not the check of that name
        ("/v1/checks/fnd_1", "DELETE, GET"),
    ],
)
def test_every_method_of_a_path_is_allowed(path: str, allowed: str, client: Client) -> None:
    answer = client.request("OPTIONS", path)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("value", [False, "31", 1.5, None])
def test_a_number_is_not_guessed(value: object, with_key) -> None:
    answer = with_key("studio.seller").post("/v1/search/hash", json={"pdq": "0" * 64, "distance": value})
    found = assert_problem(answer, 422, "invalid_request")
    assert [one["pointer"] for one in found["errors"]] == ["/body/distance"]


@pytest.mark.parametrize("value", [0.5, "0.5", 1_700_000_000, "1700000000", True, "2027-03-01", "2027-03-01T00:00:00"])
def test_a_time_is_written_out_with_its_zone(value: object, with_key) -> None:
    holder = with_key("studio.rights_holder")
    answer = holder.post("/v1/licences", json={"by_link": True, "ends_at": value})
    found = assert_problem(answer, 422, "invalid_request")
    assert [one["pointer"] for one in found["errors"]] == ["/body/ends_at"]
    if isinstance(value, str):
        assert_problem(holder.get("/v1/licences", params={"ends_before": value}), 422, "invalid_request")


@pytest.mark.parametrize("value", ["true", 1])
def test_yes_is_said_with_true(value: object, with_key) -> None:
    answer = with_key("studio.rights_holder").post("/v1/licences", json={"by_link": value})
    found = assert_problem(answer, 422, "invalid_request")
    assert [one["pointer"] for one in found["errors"]] == ["/body/by_link"]


def test_overload_says_when_to_come_back(with_key, services: Services, monkeypatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise errors.Overloaded("too much", retry_after=2.4)

    program = with_key("studio.admin")
    monkeypatch.setattr(services.organisations, "organisation", fails)
    assert program.get("/v1/organisation").headers["retry-after"] == "3"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_another_media_type_is_refused(kind: str | None, client: Client) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = client.post("/v1/session", content=b'{"email": "a", "password": "b"}', headers=headers)
    assert_problem(answer, 415, "unsupported_media_type")
    assert answer.headers["accept"] == "application/json"


def test_fields_are_named_and_what_was_sent_is_not_repeated(client: Client) -> None:
    body = {"password": {"nested": PASSWORD}, "mail": PASSWORD}
    answer = client.post("/v1/session", json=body)
    found = assert_problem(answer, 422, "invalid_request")
    assert {one["pointer"] for one in found["errors"]} == {"/body/email", "/body/password", "/body/mail"}
    assert PASSWORD not in answer.text


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"text"', b"", b'{"email": "a\\ud800", "password": "b"}'])
def test_a_body_that_is_no_such_object(body: bytes, client: Client) -> None:
    answer = client.post("/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert assert_problem(answer, 422, "invalid_request")["errors"]


@pytest.mark.parametrize("body", [b"\xff\xfe{", b"[" * 100_000])
def test_a_body_that_cannot_be_read(body: bytes, client: Client) -> None:
    answer = client.post("/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 400, "bad_request")


@pytest.mark.parametrize(
    ("path", "pointer"),
    [("/v1/members?limit=0", "/query/limit"), ("/v1/members?limit=x", "/query/limit")],
)
def test_fields_of_the_query_are_named(path: str, pointer: str, with_key) -> None:
    found = assert_problem(with_key("studio.admin").get(path), 422, "invalid_request")
    assert [one["pointer"] for one in found["errors"]] == [pointer]


def test_a_large_body_is_refused_before_it_is_read(client: Client) -> None:
    content = b'{"email": "' + b"a" * 1_000_000 + b'"}'
    answer = client.post("/v1/session", content=content, headers={"Content-Type": "application/json"})
    assert_problem(answer, 413, "body_too_large")
    assert answer.headers["connection"] == "close"


def test_a_large_body_without_a_length_is_refused_while_it_comes(client: Client) -> None:
    async def pieces():
        for _ in range(20):
            yield b" " * 100_000

    answer = client.post("/v1/session", content=pieces(), headers={"Content-Type": "application/json"})
    assert "content-length" not in answer.request.headers
    assert_problem(answer, 413, "body_too_large")


def test_every_answer_has_the_fields_that_protect_it(client: Client) -> None:
    for answer in (client.get("/healthz"), client.get("/v1/nothing"), client.get("/v1/session")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control-")]
