"""Packets over the API: built, listed, handed out, forgotten, and gone with what they contain."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from imgguard.api import work
from imgguard.api.turns import Turns, WaitingRoom
from imgguard.bootstrap import Services
from imgguard.errors import Overloaded
from imgguard.registry.accounts import Scope
from imgguard.settings import Settings
from imgguard.worker.packet_builder import PacketBuilder

from .client import Client, assert_problem
from .conftest import World
from .rights import Rights

HERE = Path(__file__).parent
PATIENCE = 60.0

type Key = Callable[[str], Client]
type Start = Callable[..., PacketBuilder]


@pytest.fixture
def holder(with_key: Key) -> Client:
    return with_key("studio.rights_holder")


@pytest.fixture
def start(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """``start()``: from now on packets are built by other processes, light ones."""
    paths = [str(HERE), str(HERE.parent / "support"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    made: list[PacketBuilder] = []

    def started(*, make: str = "light_packets:make", seconds: float = PATIENCE) -> PacketBuilder:
        made.append(PacketBuilder(services.settings, make=make, seconds=seconds))
        services.member_packets._maker = made[-1]
        return made[-1]

    yield started
    for one in made:
        one.close()


def ask(client: Client, *ids: str, **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    return client.post("/v1/packets", json={"ids": ids, "purpose": "record", **more}, headers=headers)


def built(client: Client, *ids: str, **more: Any) -> dict[str, Any]:
    answer = ask(client, *ids, **more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/packets/{found['packet_id']}"
    return found


def digests(services: Services) -> set[str]:
    return set(services.blobs.digests())


class TestItsLife:
    def test_it_is_built_shown_and_handed_out(self, holder: Client, world: World) -> None:
        made = built(holder, world.reference_id, purpose="complaint")
        assert (made["state"], made["purpose"], made["on_behalf_of"]) == ("kept", "complaint", "Studio")
        assert [one["reference_id"] for one in made["references"]] == [world.reference_id]
        assert made["references"][0]["existed_no_later_than"][0]["trust"] == "independent"
        assert made["missing"] == [{"code": "no_witness", "detail": "No independent witness saw the log."}]
        assert holder.get(f"/v1/packets/{made['packet_id']}").json() == made
        file = holder.get(made["file"])
        assert file.headers["content-type"] == "application/vnd.etsi.asic-e+zip"
        assert file.headers["content-disposition"] == f'attachment; filename="{made["packet_id"]}.asice"'
        assert file.headers["cache-control"] == "no-store"
        assert len(file.content) == made["byte_length"]
        assert hashlib.sha256(file.content).hexdigest() == made["sha256"]

    def test_it_is_forgotten_when_that_is_asked_for(self, holder: Client, world: World, services: Services) -> None:
        made = built(holder, world.reference_id)
        assert made["sha256"] in digests(services)
        gone = holder.delete(f"/v1/packets/{made['packet_id']}")
        assert (gone.status_code, gone.json()["state"], gone.json()["file"]) == (200, "deleted", None)
        assert gone.json()["references"] == made["references"]
        assert made["sha256"] not in digests(services)
        assert_problem(holder.get(made["file"]), 404, "not_found")
        assert_problem(holder.delete(f"/v1/packets/{made['packet_id']}"), 409, "invalid_transition")

    def test_it_is_forgotten_when_its_time_is_over(self, client: Client, with_key: Key, world: World) -> None:
        services: Services = client.app.state.services
        holder = with_key("studio.rights_holder")
        made = built(holder, world.reference_id)
        with services.database.write() as connection:
            connection.exec_driver_sql("UPDATE packets SET expires_at = '2026-01-01 00:00:00.000000'")
        assert holder.get(f"/v1/packets/{made['packet_id']}").json()["state"] == "expired"
        assert_problem(holder.get(made["file"]), 404, "not_found")
        assert made["sha256"] in digests(services)
        services.tidy()
        assert made["sha256"] not in digests(services)
        found = holder.get(f"/v1/packets/{made['packet_id']}").json()
        assert (found["state"], found["sha256"]) == ("expired", made["sha256"])

    def test_erasing_an_original_takes_the_file_at_once(self, holder: Client, world: World, services: Services) -> None:
        made = built(holder, world.reference_id)
        assert holder.delete(f"/v1/references/{world.reference_id}?erase=true").status_code == 200
        assert made["sha256"] not in digests(services)
        assert_problem(holder.get(made["file"]), 404, "not_found")
        found = holder.get(f"/v1/packets/{made['packet_id']}").json()
        kept = {"packet_id", "organisation_id", "member_id", "created_at", "expires_at"}
        assert {name: found[name] for name in kept} == {name: made[name] for name in kept}
        assert found["ended_at"] is not None
        told = {name: value for name, value in found.items() if name not in kept | {"state", "ended_at", "references"}}
        assert not any(told.values()), told
        assert found["references"] == [{"reference_id": world.reference_id, "existed_no_later_than": []}]

    def test_erasing_a_check_takes_the_file(self, with_key: Key, world: World, services: Services) -> None:
        seller = with_key("studio.seller")
        finding_id = Rights(services=services, world=world).finding(by="studio.seller")
        made = built(seller, finding_id)
        assert seller.delete(f"/v1/checks/{finding_id}").status_code == 204
        assert_problem(seller.get(made["file"]), 404, "not_found")
        services.tidy()
        assert made["sha256"] not in digests(services)

    def test_lists_are_of_the_organisation_latest_first(self, with_key: Key, holder: Client, world: World) -> None:
        ids = [built(holder, world.reference_id)["packet_id"] for _ in range(3)]
        first = holder.get("/v1/packets?limit=2").json()
        rest = holder.get(f"/v1/packets?limit=2&cursor={first['next_cursor']}").json()
        assert [one["packet_id"] for one in (*first["items"], *rest["items"])] == ids[::-1]
        assert rest["next_cursor"] is None
        for other in ("studio.seller", "shop.rights_holder", "operator.reviewer"):
            assert with_key(other).get("/v1/packets").json()["items"] == []

    def test_packets_of_others_are_not_there(self, with_key: Key, holder: Client, world: World) -> None:
        made = built(holder, world.reference_id)
        for name in ("shop.rights_holder", "operator.reviewer", "operator.rights_holder"):
            other = with_key(name)
            assert_problem(other.get(f"/v1/packets/{made['packet_id']}"), 404, "not_found")
            assert_problem(other.get(made["file"]), 404, "not_found")
            assert_problem(other.delete(f"/v1/packets/{made['packet_id']}"), 404, "not_found")
            assert_problem(ask(other, world.reference_id), 404, "not_found")

    def test_the_trust_file_is_text(self, holder: Client, services: Services) -> None:
        services.transparency.publish()
        answer = holder.get("/v1/packets/trust")
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text == services.installation.trust_file()


class TestSentAgain:
    def test_the_same_request_makes_one_packet(self, holder: Client, world: World, services: Services) -> None:
        once = {"Idempotency-Key": "one"}
        first, again = (ask(holder, world.reference_id, headers=once) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.json() == first.json()
        assert len(holder.get("/v1/packets").json()["items"]) == 1
        assert_problem(ask(holder, world.reference_id, purpose="defence", headers=once), 422, "idempotency_mismatch")

    def test_what_is_shown_again_is_shown_as_it_is_then(self, holder: Client, world: World) -> None:
        once = {"Idempotency-Key": "one"}
        made = ask(holder, world.reference_id, on_behalf_of="Olga", headers=once).json()
        holder.delete(f"/v1/references/{world.reference_id}?erase=true")
        again = ask(holder, world.reference_id, on_behalf_of="Olga", headers=once)
        assert (again.json()["packet_id"], again.json()["state"]) == (made["packet_id"], "erased")
        assert "Olga" not in again.text

    def test_what_failed_is_tried_again(self, holder: Client, world: World) -> None:
        once = {"Idempotency-Key": "one"}
        assert_problem(ask(holder, "ref_nobody", headers=once), 404, "not_found")
        assert ask(holder, world.reference_id, headers=once).status_code == 201


class TestHostileInput:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"ids": [], "purpose": "record"},
            {"ids": [f"ref_{n}" for n in range(21)], "purpose": "record"},
            {"ids": ["x" * 65], "purpose": "record"},
            {"ids": [""], "purpose": "record"},
            {"ids": "ref_1", "purpose": "record"},
            {"ids": ["ref_1"], "purpose": "attack"},
            {"ids": ["ref_1"]},
            {"ids": ["ref_1"], "purpose": "record", "with_originals": "maybe"},
            {"ids": ["ref_1"], "purpose": "record", "viewer": None},
        ],
    )
    def test_what_has_another_form_is_refused(self, holder: Client, body: dict[str, Any]) -> None:
        assert_problem(holder.post("/v1/packets", json=body), 422, "invalid_request")

    @pytest.mark.parametrize("identifier", ["org_1", "pkt_1", "../../etc/passwd", "ref_' OR 1=1 --", "fnd_\0"])
    def test_what_is_no_object_is_not_there(self, holder: Client, identifier: str) -> None:
        assert_problem(ask(holder, identifier), 404, "not_found")

    @pytest.mark.parametrize("path", ["nobody", "..%2Ftrust", "pkt_1%22%0d%0aX-Evil:%201"])
    def test_names_of_files_are_made_of_ids_that_are_there(self, holder: Client, path: str) -> None:
        answer = holder.get(f"/v1/packets/{path}/file")
        assert_problem(answer, 404, "not_found")
        assert "x-evil" not in answer.headers


class TestInAnotherProcess:
    def test_it_is_built_there(self, start: Start, holder: Client, world: World, services: Services) -> None:
        start()
        made = built(holder, world.reference_id, on_behalf_of="print")
        assert holder.get(made["file"]).status_code == 200

    @pytest.mark.parametrize(
        ("word", "status", "code"),
        [
            ("erased", 409, "invalid_transition"),
            ("kill", 503, "worker_crashed"),
            ("babble", 503, "worker_crashed"),
            ("boast", 503, "worker_crashed"),
            ("bug", 500, "internal"),
        ],
    )
    def test_what_goes_wrong_there_is_told_and_costs_one_packet(
        self, word: str, status: int, code: str, start: Start, with_key: Key, services: Services, world: World
    ) -> None:
        builder = start()
        holder = with_key("studio.rights_holder")
        answer = ask(holder, world.reference_id, on_behalf_of=word)
        found = assert_problem(answer, status, code)
        assert "secret" not in answer.text
        if code == "invalid_transition":
            assert (found["detail"], found["hint"]) == ("it was erased", "leave it out")
        assert builder._child is None
        assert holder.get("/v1/packets").json()["items"] == []
        built(holder, world.reference_id)

    def test_one_that_takes_too_long_is_ended(self, start: Start, with_key: Key, world: World, tmp_path: Path) -> None:
        builder = start(seconds=2.0)
        holder = with_key("studio.rights_holder")
        answer = ask(holder, world.reference_id, on_behalf_of=f"await {tmp_path / 'never'}")
        assert_problem(answer, 503, "worker_crashed")
        assert builder._child is None

    def test_one_that_does_not_start_is_told(self, start: Start, with_key: Key, world: World) -> None:
        start(make="light_packets:crashing")
        assert_problem(ask(with_key("studio.rights_holder"), world.reference_id), 503, "worker_crashed")

    def test_it_has_the_rights_of_then(
        self, start: Start, services: Services, world: World, with_key: Key, tmp_path: Path
    ) -> None:
        """A key that is revoked while its packet waits builds none."""
        start()
        holder = with_key("studio.rights_holder")
        secret = Rights(services=services, world=world).key("studio.rights_holder", *_SCOPES)
        narrow = with_key("studio.rights_holder")
        narrow.headers["Authorization"] = f"Bearer {secret}"
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(ask, holder, world.reference_id, on_behalf_of=f"await {tmp_path / 'go'}")
            until((tmp_path / "go.begun").exists)
            second = threads.submit(ask, narrow, world.reference_id)
            until(lambda: _waiting(narrow) == 1)
            key_id = services.identity.actor_of_key(secret).key_id
            services.keys.revoke(Rights(services=services, world=world).actor("studio.rights_holder"), key_id or "")
            (tmp_path / "go").touch()
            assert first.result(PATIENCE).status_code == 201
            assert_problem(second.result(PATIENCE), 401, "authentication_required")

    def test_closing_ends_it(self, start: Start, with_key: Key, world: World, tmp_path: Path) -> None:
        builder = start()
        holder = with_key("studio.rights_holder")
        with ThreadPoolExecutor(1) as threads:
            asked = threads.submit(ask, holder, world.reference_id, on_behalf_of=f"await {tmp_path / 'never'}")
            until((tmp_path / "never.begun").exists)
            assert builder._child is not None
            pid = builder._child.pid
            builder.close()
            assert_problem(asked.result(PATIENCE), 503, "overloaded")
        assert not Path(f"/proc/{pid}").exists()
        assert_problem(ask(holder, world.reference_id), 503, "overloaded")

    def test_it_dies_with_the_service(self, start: Start, services: Services, world: World, tmp_path: Path) -> None:
        start()
        text = (
            "from imgguard.bootstrap import Services\n"
            "from imgguard.evidence.packet.model import Purpose\n"
            "from imgguard.services.member_packets import PacketOrder\n"
            "from imgguard.settings import Settings\n"
            "from imgguard.worker.packet_builder import PacketBuilder\n"
            f"settings = Settings(home={str(world.home)!r})\n"
            "services, builder = Services(settings), PacketBuilder(settings, make='light_packets:make')\n"
            f"actor = services.identity.acting({world.members['studio.rights_holder']!r}, None)\n"
            f"order = PacketOrder(ids=({world.reference_id!r},), purpose=Purpose.RECORD,\n"
            f"    on_behalf_of='await {tmp_path / 'never'}')\n"
            "builder.make(actor, order)\n"
        )
        with subprocess.Popen([sys.executable, "-c", text]) as service:
            until((tmp_path / "never.begun").exists)
            pids = _children_of(service.pid)
            assert pids
            service.kill()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


_SCOPES = (Scope.PACKETS_READ, Scope.PACKETS_WRITE, Scope.REFERENCES_READ)


def _children_of(pid: int) -> list[str]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += (task / "children").read_text().split()
    return found


def _waiting(client: Client) -> int:
    turns: Turns = client.app.state.building
    return turns._waiting.total()


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestTooMany:
    def test_beyond_those_who_may_wait_nobody_does(
        self, start: Start, with_key: Key, world: World, tmp_path: Path
    ) -> None:
        start()
        holder = with_key("studio.rights_holder")
        holder.app.state.building = Turns(1, each=1, busy="too many", room=WaitingRoom(most=1, each=1))
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(ask, holder, world.reference_id, on_behalf_of=f"await {tmp_path / 'go'}")
            until((tmp_path / "go.begun").exists)
            second = threads.submit(ask, holder, world.reference_id)
            until(lambda: _waiting(holder) == 1)
            refused = ask(holder, world.reference_id)
            assert_problem(refused, 503, "overloaded")
            assert int(refused.headers["retry-after"]) >= 1
            (tmp_path / "go").touch()
            assert [one.result(PATIENCE).status_code for one in (first, second)] == [201, 201]
        assert _waiting(holder) == 0

    @pytest.mark.anyio
    async def test_one_organisation_does_not_fill_the_room(self) -> None:
        room = work.PACKETS_WAITING
        assert 0 < room.each < room.most
        turns = Turns(1, each=1, busy="too many", room=WaitingRoom(most=2, each=1))
        async with turns.turn("one", patience=1):
            with turns._seat("one"):
                with pytest.raises(Overloaded):
                    async with turns.turn("one", patience=1):
                        pass
                with turns._seat("two"), pytest.raises(Overloaded):
                    async with turns.turn("three", patience=1):
                        pass
        assert turns._waiting.total() == 0


def test_the_service_itself_does_not_set_pages() -> None:
    """What sets them keeps hundreds of megabytes; the process that answers requests need not even import it."""
    text = (
        "import sys, tempfile, pathlib\n"
        "import imgguard.asgi\n"
        "from imgguard.bootstrap import Services\n"
        "from imgguard.settings import Settings\n"
        "from imgguard.worker.packet_builder import PacketBuilder\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    settings = Settings(home=pathlib.Path(folder))\n"
        "    with Services(settings) as services:\n"
        "        services.packet_maker = PacketBuilder(settings)\n"
        "        services.member_packets\n"
        "assert 'typst' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", text], check=True)


def test_it_is_verified_by_whoever_is_handed_it(
    world: World, services: Services, with_key: Key, tmp_path: Path
) -> None:
    """The whole way: built by another process, downloaded, and verified by the command with the installation's own
    trust file."""
    with PacketBuilder(Settings(home=world.home)) as builder:
        services.member_packets._maker = builder
        holder = with_key("studio.rights_holder")
        made = built(holder, world.reference_id, purpose="complaint")
    packet, trust = tmp_path / "packet.asice", tmp_path / "trust.toml"
    packet.write_bytes(holder.get(made["file"]).content)
    trust.write_text(holder.get("/v1/packets/trust").text)
    main = "from imgguard.cli.app import main; main()"
    command = [sys.executable, "-c", main, "packet", "verify", packet, "--level", "logged", "--trust", trust]
    verified = subprocess.run(command, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert made["packet_id"] in verified.stdout
    packet.write_bytes(packet.read_bytes()[:-100] + bytes(100))
    assert subprocess.run(command, capture_output=True).returncode in (2, 4)
