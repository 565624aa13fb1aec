"""Webhooks over HTTP, and messages that really arrive: at a server on loopback, which the operator allows."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import select

from imgguard import asgi
from imgguard.api import work
from imgguard.api.app import create_app
from imgguard.client import BadMessage, verify_webhook
from imgguard.errors import StoreInUse
from imgguard.net.resolving import SystemResolver
from imgguard.ports import CheckedUrl, Slots
from imgguard.registry.accounts import Scope
from imgguard.services.messenger import Messenger
from imgguard.services.webhook_attempts import PAUSES
from imgguard.settings import Settings
from imgguard.storage.sql.schema import webhooks

from .client import Client, assert_problem, serving
from .conftest import Services, World, fast
from .rights import Rights, Terms

PATIENCE = 20.0
URL = "https://hooks.example.org/secret-path?token=secret-query"


class Receiver:
    """``answers`` are taken one after the other: a status, or what is called with the handler; then 204."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                answer = receiver.answers.pop(0) if receiver.answers else 204
                if callable(answer):
                    answer(self)
                    return
                self.send_response(answer)
                self.end_headers()

            def do_GET(self) -> None:
                receiver.got.append((dict(self.headers), b"GET"))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def allowing(world: World, receiver: Receiver) -> Settings:
    """The settings of an operator who lets messages go to the receiver."""
    return Settings(
        home=world.home,
        sync_seconds=0,
        fetch_allowed_networks="127.0.0.0/8",
        fetch_ports=str(receiver.port),
        fetch_seconds=2,
    )


@pytest.fixture
def admin(world: World, allowing: Settings) -> Iterator[Client]:
    """The studio's, on the application with a messenger that sends."""
    with running(world, allowing) as client:
        yield client


@contextmanager
def running(world: World, settings: Settings) -> Iterator[Client]:
    with (
        fast(Services(settings)) as services,
        serving(create_app(services)) as client,
        Messenger(services.webhook_sender, pause=0.02),
    ):
        client.headers["Authorization"] = f"Bearer {world.keys['studio.admin']}"
        yield client


def until[Found](look: Callable[[], Found], what: Callable[[Found], bool]) -> Found:
    deadline = time.monotonic() + PATIENCE
    while not what(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def made(client: Client, url: str = URL, **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/webhooks", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def deliveries(client: Client, webhook_id: str, **params: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/webhooks/{webhook_id}/deliveries", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def settled(client: Client, webhook_id: str, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The newest message, once it is like that."""
    found = until(lambda: deliveries(client, webhook_id), lambda some: bool(some) and what(some[0]))
    return found[0]


class TestLookingAfterThem:
    @pytest.fixture
    def studio(self, with_key: Callable[[str], Client]) -> Client:
        return with_key("studio.admin")

    def test_made_read_changed_and_deleted(self, studio: Client) -> None:
        answer = studio.post("/v1/webhooks", json={"url": URL, "events": ["job.finished"], "note": "desk"})
        issued = answer.json()
        webhook = issued["webhook"]
        path = answer.headers["location"]
        assert path == f"/v1/webhooks/{webhook['webhook_id']}"
        assert issued["secret"].startswith("whsec_")
        found = studio.get(path)
        assert found.json() == webhook == studio.get("/v1/webhooks").json()["items"][0]
        assert issued["secret"] not in found.text
        etag = found.headers["etag"]
        assert studio.get(path, headers={"If-None-Match": etag}).status_code == 304
        changed = studio.patch(path, json={"events": [], "is_enabled": False}, headers={"If-Match": etag})
        assert changed.json()["disabled_because"] == "turned off by a member"
        assert (changed.json()["events"], changed.json()["note"], changed.json()["revision"]) == ([], "desk", 2)
        stale = studio.patch(path, json={"note": "late"}, headers={"If-Match": etag})
        assert_problem(stale, 412, "stale_revision")
        assert studio.delete(path).status_code == 204
        assert_problem(studio.get(path), 404, "not_found")

    def test_a_lost_answer_is_given_again_without_the_secret(self, studio: Client) -> None:
        headers = {"Idempotency-Key": "one"}
        first = studio.post("/v1/webhooks", json={"url": URL}, headers=headers)
        again = studio.post("/v1/webhooks", json={"url": URL}, headers=headers)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.json() == {"webhook": first.json()["webhook"], "secret": None}
        assert len(studio.get("/v1/webhooks").json()["items"]) == 1
        path = f"/v1/webhooks/{first.json()['webhook']['webhook_id']}/secret"
        rotated = studio.post(path, headers={"Idempotency-Key": "two"})
        assert rotated.json()["secret"] not in (None, first.json()["secret"])
        assert rotated.json()["webhook"]["previous_secret_until"] is not None
        assert studio.post(path, headers={"Idempotency-Key": "two"}).json()["secret"] is None

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"url": "http://192.0.2.1/"}, "fetch_refused"),
            ({"url": "http://93.184.216.34/"}, "fetch_refused"),
            ({"url": "https://127.0.0.1/"}, "fetch_refused"),
            ({"url": "https://169.254.169.254/latest/"}, "fetch_refused"),
            ({"url": "https://ann:secret@hooks.example.org/"}, "fetch_refused"),
            ({"url": "https://hooks.example.org:22/"}, "fetch_refused"),
            ({"url": "https://hooks.example.org/\r\nHost: inside"}, "fetch_refused"),
            ({"url": "file:///etc/passwd"}, "fetch_refused"),
            ({"url": ""}, "fetch_refused"),
            ({"url": "https://hooks.example.org/" + "a" * 9000}, "invalid_request"),
            ({"url": URL, "events": ["everything"]}, "invalid_request"),
            ({"url": URL, "secret": "whsec_AAAA"}, "invalid_request"),
            ({"url": URL, "note": "\u0000"}, "invalid_input"),
            ({}, "invalid_request"),
        ],
    )
    def test_what_is_refused(self, studio: Client, body: dict[str, Any], code: str) -> None:
        assert_problem(studio.post("/v1/webhooks", json=body), 422, code)
        assert studio.get("/v1/webhooks").json()["items"] == []

    def test_nothing_to_change_and_too_many(self, studio: Client) -> None:
        path = f"/v1/webhooks/{made(studio)['webhook']['webhook_id']}"
        assert_problem(studio.patch(path, json={}), 422, "invalid_request")
        for _ in range(19):
            made(studio)
        assert_problem(studio.post("/v1/webhooks", json={"url": URL}), 409, "conflict")
        page = studio.get("/v1/webhooks?limit=15").json()
        rest = studio.get("/v1/webhooks", params={"limit": 15, "cursor": page["next_cursor"]}).json()
        assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (15, 5, None)

    def test_a_key_that_may_not_read_the_trail_cannot_have_it_sent(
        self, client: Client, services: Services, world: World
    ) -> None:
        rights = Rights(services=services, world=world)
        for scope in (Scope.WEBHOOKS_WRITE, Scope.AUDIT_READ):
            narrow = client.another()
            narrow.headers["Authorization"] = f"Bearer {rights.key('studio.admin', scope)}"
            assert_problem(narrow.post("/v1/webhooks", json={"url": URL}), 403, "permission_denied")
            assert_problem(narrow.get("/v1/webhooks"), 403, "permission_denied")

    def test_pages_of_messages(self, studio: Client) -> None:
        webhook_id = made(studio)["webhook"]["webhook_id"]
        ids = [studio.post(f"/v1/webhooks/{webhook_id}/test").json()["delivery_id"] for _ in range(3)]
        path = f"/v1/webhooks/{webhook_id}/deliveries"
        first = studio.get(path, params={"limit": 2}).json()
        rest = studio.get(path, params={"limit": 2, "cursor": first["next_cursor"]}).json()
        assert [one["delivery_id"] for one in (*first["items"], *rest["items"])] == ids[::-1]
        other = studio.get(path, params={"state": "failed", "cursor": first["next_cursor"]})
        assert_problem(other, 422, "invalid_cursor")
        assert deliveries(studio, webhook_id, state="failed") == []
        assert_problem(studio.get(path, params={"state": "lost"}), 422, "invalid_request")


class SlowNames:
    """A resolver that answers nobody until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked: list[str] = []

    def __call__(self, name: str, *, seconds: float) -> list[Any]:
        self.asked.append(name)
        assert self.let_go.wait(PATIENCE)
        return []


class TestSlowNameServers:
    @pytest.fixture
    def names(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowNames]:
        made = SlowNames()
        monkeypatch.setattr(SystemResolver, "__call__", lambda _self, name, *, seconds: made(name, seconds=seconds))
        yield made
        made.let_go.set()

    def test_a_change_that_waits_for_one_holds_up_no_other_change(
        self, client: Client, world: World, names: SlowNames
    ) -> None:
        studio, shop = client.another(), client.another()
        studio.headers["Authorization"] = f"Bearer {world.keys['studio.admin']}"
        shop.headers["Authorization"] = f"Bearer {world.keys['shop.admin']}"
        slow, theirs = (f"/v1/webhooks/{made(one)['webhook']['webhook_id']}" for one in (studio, shop))
        with ThreadPoolExecutor(2) as threads:
            waits = threads.submit(studio.patch, slow, json={"url": "http://slow.example/"})
            until(lambda: names.asked, bool)
            changes = threads.submit(shop.patch, theirs, json={"note": "new"})
            assert changes.result(5).json()["note"] == "new"
            assert not waits.done()
            names.let_go.set()
            assert_problem(waits.result(5), 422, "fetch_refused")
        assert studio.get(slow).json()["url"] == URL

    def test_however_often_one_asks_others_are_answered(
        self, client: Client, world: World, names: SlowNames, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        studio, shop = client.another(), client.another()
        studio.headers["Authorization"] = f"Bearer {world.keys['studio.admin']}"
        shop.headers["Authorization"] = f"Bearer {world.keys['shop.admin']}"
        monkeypatch.setattr(work, "DRAW_PATIENCE", 0.5)
        with ThreadPoolExecutor(50) as threads:
            body = {"url": "http://slow.example/"}
            asked = [threads.submit(studio.post, "/v1/webhooks", json=body) for _ in range(45)]
            until(lambda: names.asked, bool)
            assert threads.submit(made, shop).result(5)["webhook"]["url"] == URL
            assert_problem(next(as_completed(asked, 10)).result(), 503, "overloaded")
            assert len(names.asked) == 1
            names.let_go.set()
            found = sorted(one.result(10).status_code for one in asked)
        assert found[0] == 422
        assert found[-1] == 503
        assert shop.get("/v1/webhooks").status_code == 200

    def test_who_may_not_or_has_no_such_webhook_has_nothing_looked_up(
        self, with_key: Callable[[str], Client], names: SlowNames
    ) -> None:
        body = {"url": "http://slow.example/"}
        assert_problem(with_key("studio.seller").post("/v1/webhooks", json=body), 403, "permission_denied")
        assert_problem(with_key("studio.admin").patch("/v1/webhooks/whk_none", json=body), 404, "not_found")
        assert names.asked == []


class TestMessages:
    def test_what_is_done_over_the_api_arrives_signed(self, admin: Client, receiver: Receiver, world: World) -> None:
        issued = made(admin, receiver.url)
        webhook_id = issued["webhook"]["webhook_id"]
        holder = admin.another()
        holder.headers["Authorization"] = f"Bearer {world.keys['studio.rights_holder']}"
        granted = holder.post("/v1/licences", json={"licensee_id": world.organisations["shop"]}).json()["licence"]
        settled(admin, webhook_id, lambda one: one["state"] == "delivered")
        ((headers, body),) = receiver.got
        message = verify_webhook(body, headers, issued["secret"])
        trail = admin.get("/v1/audit-events", params={"about": granted["licence_id"]}).json()["items"]
        assert [message.data] == trail
        assert (message.type, headers["Content-Type"]) == ("licence.granted", "application/json")
        (delivery,) = deliveries(admin, webhook_id)
        assert (delivery["delivery_id"], delivery["last_status"]) == (message.message_id, 204)
        whole = admin.get(f"/v1/webhooks/{webhook_id}/deliveries/{delivery['delivery_id']}").json()
        assert whole["payload"] == body.decode()

    def test_nothing_that_the_organisation_could_not_read_in_its_trail(
        self, admin: Client, receiver: Receiver, world: World
    ) -> None:
        webhook_id = made(admin, receiver.url)["webhook"]["webhook_id"]
        stranger = admin.another()
        stranger.headers["Authorization"] = f"Bearer {world.keys['shop.rights_holder']}"
        holder = admin.another()
        holder.headers["Authorization"] = f"Bearer {world.keys['studio.rights_holder']}"
        stranger.post("/v1/licences", json={"licensee_id": world.organisations["operator"]})
        link = holder.post("/v1/licences", json={"by_link": True}).json()["secret"]
        assert stranger.post("/v1/licences/accept", json={"token": link}).status_code == 200
        stranger.post("/v1/collections", json={"name": "Theirs"})
        settled(admin, webhook_id, lambda one: one["event"] == "licence.accepted" and one["state"] == "delivered")
        until(lambda: deliveries(admin, webhook_id, state="waiting"), lambda some: not some)
        trail = admin.get("/v1/audit-events", params={"newest_first": "false", "limit": 500}).json()["items"]
        told = [json.loads(body)["data"] for _, body in receiver.got]
        assert [one["action"] for one in told] == ["licence.granted", "licence.accepted"]
        assert all(one in trail for one in told)
        assert all(world.organisations["studio"] in one["parties"] for one in told)

    def test_a_test_again_and_again(self, admin: Client, receiver: Receiver) -> None:
        webhook_id = made(admin, receiver.url, events=["job.finished"])["webhook"]["webhook_id"]
        receiver.answers = [500]
        answer = admin.post(f"/v1/webhooks/{webhook_id}/test")
        assert answer.status_code == 202
        failed = settled(admin, webhook_id, lambda one: one["attempts"] == 1)
        assert (failed["state"], failed["last_error"]) == ("waiting", "the receiver answered 500")
        assert admin.get(f"/v1/webhooks/{webhook_id}").json()["failing_since"] is not None
        replay = admin.post(f"{answer.headers['location']}/replay")
        assert replay.status_code == 202
        settled(admin, webhook_id, lambda one: one["state"] == "delivered")
        assert admin.get(f"/v1/webhooks/{webhook_id}").json()["failing_since"] is None
        body = {"since": "2020-01-01T00:00:00Z", "only_failed": False}
        assert admin.post(f"/v1/webhooks/{webhook_id}/replay", json=body).json() == {"count": 1, "more_since": None}
        until(lambda: len(receiver.got), lambda count: count == 3)
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
        assert json.loads(receiver.got[0][1])["type"] == "webhook.test"

    def test_a_redirect_is_not_followed(self, admin: Client, receiver: Receiver) -> None:
        def elsewhere(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", f"{receiver.url}/elsewhere")
            handler.end_headers()

        receiver.answers = [elsewhere]
        webhook_id = made(admin, receiver.url)["webhook"]["webhook_id"]
        admin.post(f"/v1/webhooks/{webhook_id}/test")
        found = settled(admin, webhook_id, lambda one: one["attempts"] == 1)
        assert (found["last_status"], found["state"]) == (302, "waiting")
        assert "redirects are not followed" in found["last_error"]
        assert len(receiver.got) == 1

    def test_gone_is_believed(self, admin: Client, receiver: Receiver) -> None:
        receiver.answers = [410]
        webhook_id = made(admin, receiver.url)["webhook"]["webhook_id"]
        admin.post(f"/v1/webhooks/{webhook_id}/test")
        assert settled(admin, webhook_id, lambda one: one["attempts"] == 1)["state"] == "failed"
        found = admin.get(f"/v1/webhooks/{webhook_id}").json()
        assert not found["is_enabled"]
        assert "410" in found["disabled_because"]
        assert_problem(admin.post(f"/v1/webhooks/{webhook_id}/test"), 409, "invalid_transition")
        events = admin.get("/v1/audit-events", params={"about": webhook_id}).json()["items"]
        assert (events[0]["action"], events[0]["actor"]) == ("webhook.disabled", "service")

    def test_who_is_slow_holds_up_nobody_else(self, admin: Client, receiver: Receiver, world: World) -> None:
        let_go = threading.Event()

        def answer(handler: BaseHTTPRequestHandler) -> None:
            if "slow" in handler.path:
                let_go.wait(PATIENCE)
            handler.send_response(204)
            handler.end_headers()

        receiver.answers = [answer] * 99
        slow_ids = [
            made(admin, f"{receiver.url}?slow{n}", events=["job.finished"])["webhook"]["webhook_id"] for n in range(6)
        ]
        for webhook_id in slow_ids:
            admin.post(f"/v1/webhooks/{webhook_id}/test")
        until(lambda: len(receiver.got), lambda count: count == 2)
        other = admin.another()
        other.headers["Authorization"] = f"Bearer {world.keys['shop.admin']}"
        webhook_id = made(other, receiver.url, events=["job.finished"])["webhook"]["webhook_id"]
        began = time.monotonic()
        other.post(f"/v1/webhooks/{webhook_id}/test")
        settled(other, webhook_id, lambda one: one["state"] == "delivered")
        assert time.monotonic() - began < 1.5
        for slow_id in slow_ids[:2]:
            assert "not done within 2 s" in settled(admin, slow_id, lambda one: one["attempts"] == 1)["last_error"]
        let_go.set()

    def test_an_address_that_is_not_allowed_any_more_is_a_failed_attempt(
        self, receiver: Receiver, world: World, allowing: Settings
    ) -> None:
        with running(world, allowing) as admin:
            webhook_id = made(admin, receiver.url)["webhook"]["webhook_id"]
        strict = Settings(home=world.home, sync_seconds=0, fetch_ports=str(receiver.port))
        with running(world, strict) as admin:
            admin.post(f"/v1/webhooks/{webhook_id}/test")
            found = settled(admin, webhook_id, lambda one: one["attempts"] == 1)
            assert (found["state"], found["last_status"]) == ("waiting", None)
            assert found["last_error"] == "127.0.0.1 has no address that may be fetched from"
            assert_problem(admin.patch(f"/v1/webhooks/{webhook_id}", json={"url": receiver.url}), 422, "fetch_refused")
        assert receiver.got == []

    def test_that_nobody_answers_is_a_failed_attempt(self, admin: Client, receiver: Receiver) -> None:
        webhook_id = made(admin, receiver.url)["webhook"]["webhook_id"]
        receiver.close()
        admin.post(f"/v1/webhooks/{webhook_id}/test")
        found = settled(admin, webhook_id, lambda one: one["attempts"] == 1)
        assert (found["last_status"], found["state"]) == (None, "waiting")


class TestTheRunningService:
    def test_a_licence_that_ends_soon_is_told_to_both_sides(
        self, world: World, allowing: Settings, receiver: Receiver
    ) -> None:
        with fast(Services(allowing)) as services:
            rights = Rights(services=services, world=world)
            soon = services.clock.now() + 13 * PAUSES[-1]
            licence_id = rights.granted(terms=Terms(ends_at=soon)).licence.licence_id
            secrets = {
                name: services.webhooks.create(
                    rights.actor(f"{name}.admin"), CheckedUrl(f"{receiver.url}?{name}"), events=["licence.ending"]
                ).secret
                for name in ("studio", "shop")
            }
        app = asgi.build(allowing)
        with serving(app) as client:
            until(lambda: len(receiver.got), lambda count: count == 2)
            holder = client.another()
            holder.headers["Authorization"] = f"Bearer {world.keys['shop.seller']}"
            (found,) = holder.get("/v1/licences?ends_soon=true").json()["items"]
            assert (found["licence_id"], found["ends_soon"]) == (licence_id, True)
        said = []
        for headers, body in receiver.got:
            for name, secret in secrets.items():
                try:
                    said.append((name, verify_webhook(body, headers, secret)))
                except BadMessage:
                    continue
        assert sorted(name for name, _ in said) == ["shop", "studio"]
        for _, message in said:
            assert (message.type, message.data["object_id"]) == ("licence.ending", licence_id)
            assert message.data["actor"] == "service"
            assert set(message.data["parties"]) == {world.organisations["studio"], world.organisations["shop"]}
        with fast(Services(allowing)) as services:
            assert services.licences.remind() == 0

    def test_what_is_left_of_a_deleted_webhook_goes(self, world: World, allowing: Settings, receiver: Receiver) -> None:
        with serving(asgi.build(allowing)) as client, fast(Services(allowing)) as services:
            admin = client.another()
            admin.headers["Authorization"] = f"Bearer {world.keys['studio.admin']}"
            path = admin.post("/v1/webhooks", json={"url": receiver.url}).headers["location"]
            assert admin.post(f"{path}/test").status_code == 202
            assert admin.delete(path).status_code == 204
            assert_problem(admin.get(path), 404, "not_found")

            def left() -> int:
                with services.database.read() as connection:
                    return len(connection.execute(select(webhooks)).all())

            until(left, lambda count: count == 0)

    def test_a_store_has_one_service_at_a_time(self, allowing: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(asgi, "_HANDOVER_SECONDS", 0.0)
        with serving(asgi.build(allowing)) as client:
            with pytest.raises(StoreInUse):
                asgi.build(allowing)
            assert client.get("/healthz").status_code == 200
        with serving(asgi.build(allowing)) as client:
            assert client.get("/healthz").status_code == 200

    def test_without_webhooks_nothing_is_written(self, world: World, allowing: Settings) -> None:
        with fast(Services(allowing)) as services, services.database.write():
            assert services.webhook_sender.fan_out() == 0
            assert services.webhook_sender.claim(Slots(limit=4, troubled=4, of_each=4)) == []
