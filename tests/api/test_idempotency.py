"""A request that is sent again is done once."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from fastapi import APIRouter, Form, Request, UploadFile
from starlette.responses import JSONResponse

from imgguard.api.app import create_app
from imgguard.api.idempotency import KEPT, LEASE, idempotent
from imgguard.api.routes import Route
from imgguard.api.security import ActorDep
from imgguard.bootstrap import Services
from imgguard.errors import Conflict, IdempotencyMismatch, StoreUnavailable
from imgguard.ports import StoredAnswer

from .client import Client, assert_problem, serving
from .conftest import World, signed_in

FIELD = "Idempotency-Key"
ONCE = {FIELD: "5f0d2c1e"}


def test_a_key_is_made_once_and_its_secret_is_shown_once(client: Client, services: Services) -> None:
    person = signed_in(client, "studio.seller")
    first = person.post("/v1/keys", json={"name": "feed"}, headers=ONCE)
    again = person.post("/v1/keys", json={"name": "feed"}, headers=ONCE)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert first.json()["secret"]
    assert again.json() == {"key": first.json()["key"], "secret": None}
    assert [key["name"] for key in person.get("/v1/keys").json()["items"]].count("feed") == 1


def test_neither_secrets_nor_addresses_are_stored(client: Client, world: World, services: Services) -> None:
    admin = signed_in(client, "studio.admin")
    made = admin.post("/v1/members", json={"email": "new@example.org", "roles": ["seller"]}, headers=ONCE)
    with services.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM idempotency_keys").all()
    assert len(rows) == 1
    assert made.json()["member"]["member_id"] in str(rows)
    assert made.json()["secret"] not in str(rows)
    assert "new@example.org" not in str(rows)
    again = admin.post("/v1/members", json={"email": "new@example.org", "roles": ["seller"]}, headers=ONCE)
    assert again.json() == {"member": made.json()["member"], "secret": None, "expires_at": None}


def test_what_was_deleted_since_is_not_made_again(client: Client) -> None:
    holder = signed_in(client, "studio.rights_holder")
    made = holder.post("/v1/collections", json={"name": "spring"}, headers=ONCE)
    place = made.headers["location"]
    assert holder.delete(place, headers={"If-Match": holder.get(place).headers["etag"]}).status_code == 204
    assert_problem(holder.post("/v1/collections", json={"name": "spring"}, headers=ONCE), 404, "not_found")
    assert holder.get("/v1/collections").json()["items"] == []


def test_an_organisation_is_made_once(client: Client) -> None:
    admin = signed_in(client, "operator.admin")
    body = {"organisation": "Brand", "email": "brand@example.org"}
    first, again = (admin.post("/v1/organisations", json=body, headers=ONCE) for _ in range(2))
    assert again.json() == first.json() | {"secret": None, "expires_at": None}


def test_another_request_under_the_same_key_is_refused(client: Client, world: World) -> None:
    admin, seller = signed_in(client, "studio.admin"), signed_in(client, "studio.seller")
    assert seller.post("/v1/keys", json={"name": "feed"}, headers=ONCE).status_code == 201
    others = [
        seller.post("/v1/keys", json={"name": "other"}, headers=ONCE),  # another body
        seller.post("/v1/keys?a=b", json={"name": "feed"}, headers=ONCE),  # another path
        admin.post("/v1/keys", json={"name": "feed"}, headers=ONCE),  # another member
    ]
    for answer in others:
        assert_problem(answer, 422, "idempotency_mismatch")
    stranger = signed_in(client, "shop.seller")
    assert stranger.post("/v1/keys", json={"name": "feed"}, headers=ONCE).status_code == 201


def test_what_failed_is_tried_again(client: Client) -> None:
    admin = signed_in(client, "studio.admin")
    body = {"email": "no address", "roles": ["seller"]}
    assert_problem(admin.post("/v1/members", json=body, headers=ONCE), 422, "invalid_input")
    body["email"] = "new@example.org"
    assert admin.post("/v1/members", json=body, headers=ONCE).status_code == 201


@pytest.mark.parametrize("key", ["", "with space", "é", "a" * 256])
def test_what_is_no_key(key: str, client: Client) -> None:
    person = signed_in(client, "studio.seller")
    answer = person.post("/v1/keys", json={"name": "feed"}, headers={FIELD: key.encode()})
    assert_problem(answer, 400, "bad_request")


def test_who_may_not_ask_gets_no_answer_of_before(client: Client, services: Services, world: World) -> None:
    person = signed_in(client, "studio.seller")
    assert person.post("/v1/keys", json={"name": "feed"}, headers=ONCE).status_code == 201
    assert_problem(client.post("/v1/keys", json={"name": "feed"}, headers=ONCE), 401, "authentication_required")
    services.members.disable(services.organisations.console(), world.members["studio.seller"])
    assert_problem(person.post("/v1/keys", json={"name": "feed"}, headers=ONCE), 401, "authentication_required")


class Counting:
    """A route that counts how often it was called, and can be held up or made to fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.seen: list[str] = []
        self.entered, self.may_end = Event(), Event()
        self.may_end.set()
        self.error: Exception | None = None
        self.router = APIRouter(route_class=Route)

        @self.router.post("/v1/things", status_code=201)
        @idempotent()
        def make(request: Request, body: dict[str, str], actor: ActorDep) -> JSONResponse:
            self.calls += 1
            self.entered.set()
            assert self.may_end.wait(10)
            if self.error is not None:
                raise self.error
            return JSONResponse({"number": self.calls}, status_code=201, headers={"Location": "/v1/things/1"})

        @self.router.post("/v1/files", status_code=201)
        @idempotent()
        def upload(file: UploadFile, actor: ActorDep, note: str = Form("")) -> dict[str, object]:
            self.calls += 1
            data = file.file.read()
            return {"sha256": hashlib.sha256(data).hexdigest(), "note": note, "number": self.calls}


@pytest.fixture
def things() -> Counting:
    return Counting()


@pytest.fixture
def program(things: Counting, services: Services, world: World):
    app = create_app(services)
    app.include_router(things.router)
    with serving(app) as client:
        client.headers["Authorization"] = f"Bearer {world.keys['studio.seller']}"
        yield client


def test_a_plain_answer_is_given_again_as_it_was(program: Client, things: Counting) -> None:
    first, again = (program.post("/v1/things", json={}, headers=ONCE) for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["location"] == "/v1/things/1"
    assert again.headers["content-type"] == first.headers["content-type"]
    assert things.calls == 1
    assert program.post("/v1/things", json={}).json() == {"number": 2}


def test_while_it_is_answered_the_same_request_waits_outside(program: Client, things: Counting) -> None:
    things.may_end.clear()
    with ThreadPoolExecutor() as threads:
        first = threads.submit(program.post, "/v1/things", json={}, headers=ONCE)
        assert things.entered.wait(10)
        early = program.post("/v1/things", json={}, headers=ONCE)
        other = program.post("/v1/things", json={"a": "b"}, headers=ONCE)
        things.may_end.set()
        assert first.result().status_code == 201
    assert early.status_code == 409
    assert early.json()["code"] == "conflict"
    assert early.headers["retry-after"] == "1"
    assert_problem(other, 422, "idempotency_mismatch")
    assert program.post("/v1/things", json={}, headers=ONCE).headers["idempotency-replayed"] == "true"
    assert things.calls == 1


def test_of_many_at_once_one_is_done(program: Client, things: Counting) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: program.post("/v1/things", json={}, headers=ONCE), range(24)))
    assert things.calls == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all(answer.json() == {"number": 1} for answer in answers if answer.status_code == 201)


@pytest.mark.parametrize("error", [StoreUnavailable("down"), RuntimeError("bug"), Conflict("taken")])
def test_a_failure_is_not_kept(error: Exception, program: Client, things: Counting) -> None:
    things.error = error
    assert program.post("/v1/things", json={}, headers=ONCE).status_code in (409, 500, 503)
    things.error = None
    answer = program.post("/v1/things", json={}, headers=ONCE)
    assert (answer.status_code, answer.json()) == (201, {"number": 2})


def test_an_answer_that_cannot_be_kept_is_given(program: Client, things: Counting, services, monkeypatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise StoreUnavailable("full")

    monkeypatch.setattr(services.idempotency_keys, "finish", fails)
    assert program.post("/v1/things", json={}, headers=ONCE).status_code == 201


def test_a_form_is_the_same_whatever_stands_between_its_parts(program: Client, things: Counting) -> None:
    data = bytes(range(256)) * 8000  # in several pieces, and longer than what is kept in memory

    def send(data: bytes, note: str = "one"):
        return program.post("/v1/files", files={"file": ("a.bin", data)}, data={"note": note}, headers=ONCE)

    first, again = send(data), send(data)
    assert first.status_code == 200 or first.status_code == 201, first.text
    assert first.json() == {"sha256": hashlib.sha256(data).hexdigest(), "note": "one", "number": 1}
    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert again.json() == first.json()
    assert_problem(send(data[:-1] + b"x"), 422, "idempotency_mismatch")
    assert_problem(send(data, note="two"), 422, "idempotency_mismatch")


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def claim(services: Services, world: World) -> Callable[..., StoredAnswer | None]:
    def claimed(digest: str = "a" * 64, *, at: datetime = NOON, key: str = "k") -> StoredAnswer | None:
        return services.idempotency_keys.claim(
            world.organisations["studio"], key, request_sha256=digest, now=at, until=at + LEASE
        )

    return claimed


def test_a_claim_that_was_never_answered_is_over_in_time(claim) -> None:
    assert claim() is None
    with pytest.raises(Conflict):
        claim(at=NOON + LEASE - timedelta(seconds=1))
    with pytest.raises(IdempotencyMismatch):
        claim("b" * 64)
    assert claim(at=NOON + LEASE) is None


def test_an_answer_is_kept_for_a_day(claim, services: Services, world: World) -> None:
    claim()
    answer = StoredAnswer(status=201, headers={"location": "/x"}, body="{}")
    studio = world.organisations["studio"]
    mine = {"request_sha256": "a" * 64}
    services.idempotency_keys.finish(studio, "k", answer=answer, until=NOON + KEPT, **mine)
    services.idempotency_keys.release(studio, "k", **mine)  # not a claim any more
    assert claim(at=NOON + KEPT - timedelta(seconds=1)) == answer
    assert claim(at=NOON + KEPT) is None


def test_a_claim_that_is_over_keeps_nothing(claim, services: Services, world: World) -> None:
    claim()
    claim("b" * 64, at=NOON + LEASE)
    studio = world.organisations["studio"]
    answer = StoredAnswer(status=201, headers={}, body="{}")
    services.idempotency_keys.finish(studio, "k", request_sha256="a" * 64, answer=answer, until=NOON + KEPT)
    services.idempotency_keys.release(studio, "k", request_sha256="a" * 64)
    with pytest.raises(Conflict):
        claim("b" * 64, at=NOON + LEASE)
