"""What every call has in common: where the key may go, what is sent again, and how errors come."""

import ast
import re
import ssl
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

import imgguard.client
from imgguard.client import (
    AccessProblem,
    BadAddress,
    BadKey,
    BusyProblem,
    Client,
    ClientError,
    ConflictProblem,
    ConnectionFailed,
    InvalidProblem,
    NotFoundProblem,
    ProblemError,
    Retries,
    TooLargeProblem,
    UnexpectedAnswer,
)
from imgguard.client.retrying import retry_after_of
from imgguard.client.session import path_of

from .server import CHECK, HERE, KEY, REFERENCE, Server, page, problem

ANYTHING: dict[str, object] = {}


# where the key may go


@pytest.mark.parametrize(
    "address",
    ["https://imgguard.example.org", "https://a.example:8443/imgguard/", HERE, "http://localhost:1", "http://[::1]:1"],
)
def test_addresses_that_the_key_may_travel_to(address: str) -> None:
    Client(address, KEY).close()


@pytest.mark.parametrize(
    "address",
    [
        "http://imgguard.example.org",
        "http://192.168.1.5:8787",
        "http://0.0.0.0:8787",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://127.0.0.1\\@example.org",
        "HTTP://example.org",
        "http://user@localhost",
        "https://user:password@example.org",
        "https://example.org/?a=b",
        "https://example.org/#a",
        "https://example.org/?",
        "ftp://example.org",
        "example.org",
        "https://",
        "https://example.org:port",
        "",
    ],
)
def test_addresses_that_it_may_not(address: str) -> None:
    with pytest.raises(BadAddress) as caught:
        Client(address, KEY)
    assert KEY not in str(caught.value)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "short", "two words of a key", "line\nbreaks in it", "schlüssel-schlüssel"])
def test_what_is_no_key_is_not_sent_and_not_shown(key: str) -> None:
    with pytest.raises(BadKey) as caught:
        Client(HERE, key)
    assert not key or key not in str(caught.value)


def test_the_line_end_of_a_key_file_is_no_part_of_the_key() -> None:
    server = Server([CHECK])
    with Client(HERE, f"{KEY}\n", transport=httpx.MockTransport(server)) as client:
        client.check_of("fnd_1")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_redirect_is_not_followed() -> None:
    server = Server([httpx.Response(307, headers={"Location": "https://elsewhere.example/"})])
    with server.client() as client, pytest.raises(UnexpectedAnswer):
        client.account()
    assert len(server.requests) == 1


def test_what_is_unencrypted_goes_by_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    plain, secure = httpx.URL(f"{HERE}/v1/session"), httpx.URL("https://a.example/v1/session")
    with Client(HERE, KEY) as here, Client("https://a.example", KEY) as there:
        direct, proxied = (client._session._client for client in (here, there))
        assert direct._transport_for_url(plain) is direct._transport
        assert proxied._transport_for_url(secure) is not proxied._transport


def test_a_path_in_the_address_is_kept() -> None:
    server = Server([CHECK])
    with Client("https://a.example/imgguard/", KEY, transport=httpx.MockTransport(server)) as client:
        client.check_of("fnd_1")
    assert str(server.requests[0].url) == "https://a.example/imgguard/v1/checks/fnd_1"


def test_an_id_stays_one_segment_of_the_path() -> None:
    assert path_of("checks", "a/../b?c#d") == "/v1/checks/a%2F..%2Fb%3Fc%23d"
    for nothing in ("", ".", ".."):
        with pytest.raises(ValueError, match="empty"):
            path_of("references", nothing)


# problems


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProblemError),
        (401, AccessProblem),
        (403, AccessProblem),
        (404, NotFoundProblem),
        (409, ConflictProblem),
        (412, ConflictProblem),
        (413, TooLargeProblem),
        (422, InvalidProblem),
        (429, BusyProblem),
        (500, ProblemError),
        (503, BusyProblem),
    ],
)
def test_problems_are_errors(status: int, kind: type[ProblemError]) -> None:
    fields = [{"pointer": "/body/title", "detail": "Field required"}]
    server = Server([problem(status, errors=fields, headers={"Retry-After": "7"})])
    with server.client(retries=Retries(attempts=1)) as client, pytest.raises(ProblemError) as caught:
        client.account()
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.title, error.detail) == (status, "some_code", "Some title", "some detail")
    assert (error.hint, error.request_id, error.retry_after) == ("Some hint.", "req_1", 7.0)
    assert [(field.pointer, field.detail) for field in error.fields] == [("/body/title", "Field required")]
    assert isinstance(error, ClientError)


@pytest.mark.parametrize("content", [b"", b"<html>Bad gateway</html>", b"[1]", b'{"detail": 5, "errors": [1]}'])
def test_an_error_without_a_problem_is_one_too(content: bytes) -> None:
    server = Server([httpx.Response(500, content=content, headers={"X-Request-Id": "req_2"})])
    with server.client() as client, pytest.raises(ProblemError) as caught:
        client.account()
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (500, "unknown", "req_2")
    assert "500" in caught.value.detail


@pytest.mark.parametrize("answer", [httpx.Response(200, content=b"<html>"), {"verdict": "copy"}, [1], None])
def test_an_answer_that_is_none_of_imgguards(answer: object) -> None:
    server = Server([answer if isinstance(answer, httpx.Response) else (lambda _: httpx.Response(200, json=answer))])
    with server.client() as client, pytest.raises(UnexpectedAnswer):
        client.check_of("fnd_1")
    with server.client() as client, pytest.raises(UnexpectedAnswer):
        list(client.references())


def _answers_with_the_key() -> list[object]:
    request = httpx.Request("GET", HERE, headers={"Authorization": f"Bearer {KEY}"})
    echo = {"title": KEY, "detail": f"your key is {KEY}", "hint": KEY, "code": KEY, "request_id": KEY}
    return [
        httpx.ConnectError(f"cannot connect with {KEY}", request=request),
        httpx.ReadTimeout("too slow", request=request),
        httpx.DecodingError("broken", request=request),
        lambda _: problem(401, **{**echo, "errors": [{"pointer": KEY, "detail": KEY}]}),
        lambda _: httpx.Response(302, headers={"Location": f"https://elsewhere.example/{KEY}"}),
        lambda _: httpx.Response(200, content=KEY.encode()),
        lambda _: httpx.Response(200, json={"finding_id": KEY}),
        lambda _: httpx.Response(200, json={KEY: KEY}),
    ]


@pytest.mark.parametrize("number", range(8))
def test_no_error_holds_the_key(number: int) -> None:
    server = Server([_answers_with_the_key()[number]])
    with server.client(retries=Retries(attempts=2)) as client, pytest.raises(ClientError) as caught:
        client.check_of("fnd_1")
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert KEY not in "".join(traceback.format_exception(error))
    assert KEY not in repr(vars(error)) + repr(error.args) + repr(client) + repr(client._session)


# sending again


def _failing(kind: type[httpx.TransportError]) -> httpx.TransportError:
    return kind("no", request=httpx.Request("GET", HERE))


AGAIN: dict[str, object] = {
    "rate": lambda _: problem(429, headers={"Retry-After": "3"}),
    "busy": lambda _: problem(503, headers={"Retry-After": "3"}),
    "connect": _failing(httpx.ConnectError),
    "lost": _failing(httpx.RemoteProtocolError),
    "slow": _failing(httpx.ReadTimeout),
    "gateway": lambda _: problem(502),
}
GET, POST, PATCH, DELETE = (
    lambda client: client.reference("ref_1"),
    lambda client: client.decide("fnd_1", "ref_1", "not_a_copy"),
    lambda client: client.change_reference("ref_1", title="A mug"),
    lambda client: client.delete_collection("col_1"),
)


@pytest.mark.parametrize("call", [GET, PATCH, DELETE], ids=["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("failure", AGAIN)
def test_what_is_sent_again(failure: str, call: Callable[[Client], object]) -> None:
    server = Server([AGAIN[failure], REFERENCE])
    is_safe = call is GET or failure in ("rate", "busy", "connect")
    with server.client() as client:
        if is_safe:
            call(client)
        else:
            with pytest.raises(ClientError):
                call(client)
    assert len(server.requests) == 1 + is_safe
    assert len(server.slept) == is_safe


def test_what_depends_on_a_revision_is_not_sent_again_when_it_may_have_arrived() -> None:
    server = Server([AGAIN["lost"], REFERENCE])
    with server.client() as client, pytest.raises(ConnectionFailed):
        client._session.ask("POST", "/v1/licences/lic_1/revoke", headers={"If-Match": '"abc"'})
    assert len(server.requests) == 1


@pytest.mark.parametrize("failure", AGAIN)
def test_a_post_is_sent_again_with_the_same_idempotency_key(failure: str) -> None:
    decision = {
        "decision_id": "dec_1",
        "reference_id": "ref_1",
        "finding_id": "fnd_1",
        "kind": "not_a_copy",
        "by": "owner",
        "organisation_id": "org_1",
        "member_id": "mem_1",
        "note": "",
        "decided_at": "2026-03-01T12:00:00Z",
        "retracted_at": None,
    }
    server = Server([AGAIN[failure], decision])
    with server.client() as client:
        assert POST(client).decision_id == "dec_1"
        POST(client)
    first, second, third = (request.headers["idempotency-key"] for request in server.requests)
    assert first == second != third
    assert server.requests[0].content == server.requests[1].content


def test_a_post_waits_while_the_same_one_is_being_answered() -> None:
    server = Server([problem(409, "conflict", headers={"Retry-After": "1"}), problem(409, "conflict")])
    with server.client() as client, pytest.raises(ConflictProblem):
        POST(client)
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 422, 500])
def test_what_would_fail_again_is_not_sent_again(status: int) -> None:
    server = Server([problem(status)])
    with server.client() as client, pytest.raises(ProblemError):
        POST(client)
    assert len(server.requests) == 1


def test_neither_is_a_picture_that_ended_a_worker() -> None:
    server = Server([problem(503, "worker_crashed", headers={"Retry-After": "1"})])
    with server.client() as client, pytest.raises(BusyProblem):
        POST(client)
    assert len(server.requests) == 1


def test_nor_a_request_to_a_server_whose_certificate_is_wrong() -> None:
    error = _failing(httpx.ConnectError)
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    server = Server([error])
    with server.client() as client, pytest.raises(ConnectionFailed) as caught:
        GET(client)
    assert (len(server.requests), caught.value.was_sent, caught.value.is_final) == (1, False, True)


def test_attempts_are_bounded_and_their_pauses_grow() -> None:
    server = Server([problem(503)])
    retries = Retries(attempts=6, first_pause=1.0, longest_pause=4.0)
    with server.client(retries=retries) as client, pytest.raises(BusyProblem):
        GET(client)
    assert len(server.requests) == 6
    for slept, most in zip(server.slept, (1, 2, 4, 4, 4), strict=True):
        assert most / 2 <= slept <= most


def test_pauses_differ_by_chance() -> None:
    assert len({Retries().pause(3) for _ in range(20)}) > 10


def test_the_server_is_never_asked_earlier_than_it_says() -> None:
    server = Server([lambda _: problem(429, headers={"Retry-After": "9"}), REFERENCE])
    with server.client() as client:
        GET(client)
    assert 9 <= server.slept[0] <= 9.5


def test_a_server_that_wants_to_be_left_alone_for_long_is() -> None:
    server = Server([problem(503, headers={"Retry-After": "3600"})])
    with server.client() as client, pytest.raises(BusyProblem) as caught:
        GET(client)
    assert (len(server.requests), caught.value.retry_after) == (1, 3600.0)


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after(field: str | None, seconds: float | None) -> None:
    assert retry_after_of(field, now=datetime(2026, 3, 1, 12, tzinfo=UTC)) == seconds


# lists


def test_a_list_is_read_page_by_page_as_it_is_needed() -> None:
    second = {**REFERENCE, "reference_id": "ref_2"}
    server = Server([page(REFERENCE, cursor="a/b"), page(second)])
    with server.client() as client:
        references = client.references(status="active")
        assert server.requests == []
        assert next(references).reference_id == "ref_1"
        assert len(server.requests) == 1
        assert [reference.reference_id for reference in references] == ["ref_2"]
    assert server.asked == ["GET /v1/references?status=active", "GET /v1/references?status=active&cursor=a%2Fb"]


def test_a_list_that_leads_in_a_circle_ends() -> None:
    round_and_round = page(REFERENCE, cursor="same")
    server = Server([round_and_round, round_and_round, problem(500)])
    with server.client() as client, pytest.raises(UnexpectedAnswer):
        list(client.references())
    assert len(server.requests) == 2


# what it stands on


def test_the_client_imports_nothing_of_the_rest() -> None:
    allowed = {"httpx", "pydantic"} | set(sys.stdlib_module_names)
    for path in Path(str(imgguard.client.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.startswith("imgguard.client") or name.partition(".")[0] in allowed, (path.name, name)


def test_every_public_name_is_there() -> None:
    assert sorted(imgguard.client.__all__) == imgguard.client.__all__
    assert all(hasattr(imgguard.client, name) for name in imgguard.client.__all__)


def test_the_manual_has_every_method_and_every_error() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "client.md").read_text()
    table = "\n".join(line for line in manual.splitlines() if line.startswith("| "))
    methods = {name for name in dir(Client) if not name.startswith("_")} - {"close"}
    assert set(re.findall(r"`(\w+)`", table)) == methods
    told = ((name, getattr(imgguard.client, name)) for name in imgguard.client.__all__)
    kinds = {name for name, one in told if isinstance(one, type) and issubclass(one, ClientError)}
    assert {name for name in kinds if not re.search(rf"\b{name}\b", manual)} == set()
