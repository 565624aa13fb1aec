"""Checks over HTTP, done by a worker."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from imgguard.api import uploads, work
from imgguard.bootstrap import DATABASE, Services
from imgguard.registry.accounts import Scope
from imgguard.settings import Settings
from imgguard.storage.sql.migrate import open_database

from .client import Client, assert_problem, serving
from .conftest import Office, Start, World, actor_of, create_app, fast, sample

PNG = b"\x89PNG\r\n\x1a\n"

type WithKey = Callable[[str], Client]


def picture(path: str) -> dict[str, object]:
    return {"file": (path.rpartition("/")[2], sample(path))}


def test_a_registered_picture_is_found_by_the_next_check(office: Office) -> None:
    holder, seller = office.as_("studio.rights_holder"), office.as_("shop.seller")
    made = holder.post("/v1/references", files=picture("originals/denim-jacket.jpg"), data={"title": "Jacket"})
    assert made.status_code == 201, made.text
    assert made.json()["status"] == "registered"
    assert made.json()["reference"]["title"] == "Jacket"
    answer = seller.post(
        "/v1/checks",
        files=picture("listings/copy-cropped-denim-jacket.jpg"),
        data={"platform": "etsy", "territory": "DE", "profile": "quick"},
    )
    assert answer.status_code == 200, answer.text
    check = answer.json()
    assert (check["verdict"], check["conclusion"], check["profile"]) == ("copy", "unlicensed", "quick")
    assert check["file"] == "copy-cropped-denim-jacket.jpg"
    assert check["use"] == {"platform": "etsy", "territory": "DE", "shop": None, "kind": None}
    (match,) = check["matches"]
    assert (match["owner"], match["disclosure"], match["reference_id"]) == ("Studio", "outline", None)
    again = seller.get(f"/v1/checks/{check['finding_id']}")
    assert again.json() == check
    assert again.headers["etag"] == answer.headers["etag"]
    assert (
        seller.get(f"/v1/checks/{check['finding_id']}", headers={"If-None-Match": again.headers["etag"]}).status_code
        == 304
    )
    assert seller.get("/v1/checks?limit=1").json()["items"] == [check]


def test_evidence_is_drawn_as_far_as_the_owner_lets_it_be_seen(office: Office) -> None:
    owner, stranger = office.as_("studio.seller"), office.as_("shop.seller")
    path = f"/v1/checks/{office.world.finding_id}/matches/1/pictures"
    names = owner.get(path).json()["pictures"]
    assert {"side_by_side", "aligned", "checkerboard"} <= set(names)
    drawn = owner.get(f"{path}/aligned")
    assert (drawn.headers["content-type"], drawn.headers["cache-control"]) == ("image/png", "no-store")
    assert drawn.content.startswith(PNG)
    assert owner.get(f"/v1/checks/{office.world.finding_id}/picture").content.startswith(PNG)
    assert_problem(owner.get(f"{path}/nothing"), 404, "not_found")
    assert_problem(owner.get(path.replace("matches/1", "matches/2")), 404, "not_found")
    made = stranger.post("/v1/checks", files=picture("listings/copy-mirrored-mug.jpg"), data={"profile": "quick"})
    path = f"/v1/checks/{made.json()['finding_id']}/matches/1/pictures"
    assert stranger.get(path).json()["pictures"] == ["outline", "thumbnail"]
    assert_problem(stranger.get(f"{path}/aligned"), 404, "not_found")
    assert stranger.get(f"{path}/thumbnail").content.startswith(PNG)


@pytest.mark.parametrize("part", ["", "/picture", "/matches/1/pictures", "/matches/1/pictures/aligned"])
def test_a_strangers_check_is_not_there(part: str, office: Office) -> None:
    stranger = office.as_("shop.seller")
    there = assert_problem(stranger.get(f"/v1/checks/{office.world.finding_id}{part}"), 404, "not_found")
    nowhere = assert_problem(stranger.get(f"/v1/checks/fnd_{'0' * 26}{part}"), 404, "not_found")
    assert there["detail"].replace(office.world.finding_id, f"fnd_{'0' * 26}") == nowhere["detail"]
    assert there["hint"] == nowhere["hint"]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "unsupported_format"), (b"GIF89a", "corrupt_image"), (b"<svg/>", "unsupported_format")],
)
def test_a_picture_that_is_none_is_told(data: bytes, code: str, office: Office) -> None:
    answer = office.as_("shop.seller").post("/v1/checks", files={"file": ("a.jpg", data, "image/jpeg")})
    assert_problem(answer, 422, code)


def test_a_file_over_the_limit(office: Office) -> None:
    seller, limit = office.as_("shop.seller"), office.services.settings.max_image_bytes
    before = seller.get("/v1/jobs").json()["items"]
    assert_problem(seller.post("/v1/checks", files={"file": ("a.jpg", bytes(limit + 1))}), 413, "body_too_large")
    assert seller.get("/v1/jobs").json()["items"] == before
    assert_problem(seller.post("/v1/checks", files={"file": ("a.jpg", bytes(limit))}), 422, "unsupported_format")


@pytest.mark.parametrize("field", [{"profile": "slow"}, {"platform": "x" * 201}])
def test_a_field_that_is_wrong(field: dict[str, str], office: Office) -> None:
    answer = office.as_("shop.seller").post("/v1/checks", files={"file": ("a.jpg", b"")}, data=field)
    (found,) = assert_problem(answer, 422, "invalid_request")["errors"]
    assert found["pointer"] == f"/body/{next(iter(field))}"


def test_a_use_that_makes_no_sense_is_told_at_once(office: Office) -> None:
    answer = office.as_("shop.seller").post("/v1/checks", files={"file": ("a.jpg", b"")}, data={"shop": "a\x00b"})
    assert_problem(answer, 422, "invalid_input")


def test_without_a_file(office: Office) -> None:
    seller = office.as_("shop.seller")
    answer = seller.post("/v1/checks", files={"other": ("a.jpg", b"")})
    assert assert_problem(answer, 422, "invalid_request")["errors"][0]["pointer"] == "/body/file"
    assert_problem(seller.post("/v1/checks", json={}), 415, "unsupported_media_type")


def test_the_same_check_sent_again_is_done_once(office: Office) -> None:
    seller = office.as_("shop.seller")
    seller.headers["Idempotency-Key"] = "the-same-check"
    first, second = (
        seller.post("/v1/checks", files=picture("listings/unrelated-watch.jpg"), data={"profile": "quick"})
        for _ in range(2)
    )
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"


def test_checks_at_the_same_time(office: Office) -> None:
    paths = [f"listings/unrelated-{name}.jpg" for name in ("sandals", "sunglasses", "tartan-skirt", "watch")]

    def check(path: str) -> tuple[str, str]:
        answer = office.as_("shop.seller").post("/v1/checks", files=picture(path), data={"profile": "quick"})
        assert answer.status_code == 200, answer.text
        return path, answer.json()["file"]

    with ThreadPoolExecutor(len(paths)) as threads:
        for path, file in threads.map(check, paths):
            assert path.endswith(file)


def test_the_crash_of_a_worker_is_told_and_the_next_check_is_done(office: Office) -> None:
    seller = office.as_("shop.seller")
    found = assert_problem(seller.post("/v1/checks", files={"file": ("a.jpg", b"kill")}), 503, "worker_crashed")
    assert "export it again" in found["hint"]
    answer = seller.post("/v1/checks", files=picture("listings/unrelated-watch.jpg"), data={"profile": "quick"})
    assert answer.status_code == 200, answer.text


def test_what_nobody_foresaw_in_a_worker(office: Office) -> None:
    answer = office.as_("shop.seller").post("/v1/checks", files={"file": ("a.jpg", b"bug")})
    assert_problem(answer, 500, "internal")
    assert "secret" not in answer.text


def test_what_takes_longer_is_a_job(client: Client, services: Services, with_key: WithKey) -> None:
    seller = with_key("shop.seller")
    seller.headers["Idempotency-Key"] = "a-job"
    answer = seller.post("/v1/checks", files=picture("listings/unrelated-watch.jpg"), data={"profile": "quick"})
    assert (answer.status_code, answer.headers["retry-after"]) == (202, "1")
    job = answer.json()
    assert (job["kind"], job["state"], job["is_over"], job["waiting_count"]) == ("check", "queued", False, 1)
    assert seller.get(answer.headers["location"]).json() == job
    again = seller.post("/v1/checks", files=picture("listings/unrelated-watch.jpg"), data={"profile": "quick"})
    assert (again.status_code, again.json()) == (202, job)
    assert services.jobs.unfinished() == {"interactive": 1, "bulk": 0}


def test_a_queue_that_is_full(start: Start, world: World) -> None:
    client = start(sync_seconds=0, queue_interactive=1)
    client.headers["Authorization"] = f"Bearer {world.keys['shop.seller']}"
    assert client.post("/v1/checks", files={"file": ("a.jpg", b"")}).status_code == 202
    assert_problem(client.post("/v1/checks", files={"file": ("a.jpg", b"")}), 503, "queue_full")


def test_who_may_not_read_the_answer_need_not_wait_for_it(client: Client, services: Services, world: World) -> None:
    actor = actor_of(services, world.members["shop.seller"])
    issued = services.keys.issue(actor, "blind", scopes=[Scope.CHECKS_WRITE])
    client.headers["Authorization"] = f"Bearer {issued.secret}"
    assert_problem(client.post("/v1/checks", files={"file": ("a.jpg", b"")}), 403, "permission_denied")
    assert services.jobs.unfinished() == {"interactive": 0, "bulk": 0}


def test_a_locked_database_is_told(world: World) -> None:
    with fast(Services(Settings(home=world.home, sync_seconds=0))) as services:
        services.database = open_database(world.home / DATABASE, busy_seconds=0.05)
        with closing(services.database), serving(create_app(services)) as seller:
            seller.headers["Authorization"] = f"Bearer {world.keys['shop.seller']}"
            assert seller.get("/v1/checks").status_code == 200
            with closing(sqlite3.connect(world.home / DATABASE, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                answer = seller.post("/v1/checks", files={"file": ("a.jpg", b"")})
                assert_problem(answer, 503, "store_unavailable")
            assert seller.post("/v1/checks", files={"file": ("a.jpg", b"")}).status_code == 202
            assert services.jobs.unfinished()["interactive"] == 1


def test_a_damaged_check_is_named_and_hides_none_of_the_others(client: Client, world: World, with_key: WithKey) -> None:
    owner = with_key("studio.seller")
    whole = owner.get("/v1/checks").json()
    assert whole["damaged"] == []
    assert [one["finding_id"] for one in whole["items"]] == [world.finding_id]
    with closing(sqlite3.connect(world.home / DATABASE)) as other, other:
        other.execute("DROP TRIGGER findings_are_immutable")
        other.execute("UPDATE findings SET document = '{}' WHERE finding_id = ?", [world.finding_id])
    listed = owner.get("/v1/checks").json()
    assert (listed["items"], listed["damaged"]) == ([], [world.finding_id])
    assert_problem(owner.get(f"/v1/checks/{world.finding_id}"), 500, "digest_mismatch")


def test_numbers_of_checks_and_of_the_queue(client: Client, with_key: WithKey) -> None:
    with_key("shop.seller").post("/v1/checks", files={"file": ("a.jpg", b"")})
    page = client.another(address="127.0.0.1").get("/metrics").text
    assert 'imgguard_queue_items{priority="interactive"} 1.0' in page
    assert 'imgguard_queue_items{priority="bulk"} 0.0' in page


def test_numbers_of_timestamps_that_are_waited_for(world: World, client: Client) -> None:
    page = client.another(address="127.0.0.1").get("/metrics").text
    assert "imgguard_timestamps_waiting 0.0\nimgguard_timestamps_oldest_seconds 0.0\n" in "".join(
        f"{line}\n" for line in page.splitlines() if not line.startswith("#")
    )
    with Services(Settings(home=world.home, timestamp_authorities="http://127.0.0.1:9/tsr")) as services:
        services.transparency.publish()
    lines = client.another(address="127.0.0.1").get("/metrics").text.splitlines()
    numbers = dict(line.rsplit(" ", 1) for line in lines if line.startswith("imgguard_timestamps"))
    assert numbers["imgguard_timestamps_waiting"] == "1.0"
    assert 0 < float(numbers["imgguard_timestamps_oldest_seconds"]) < 600


def test_numbers_of_verdicts(office: Office) -> None:
    office.as_("shop.seller").post(
        "/v1/checks", files=picture("listings/unrelated-watch.jpg"), data={"profile": "quick"}
    )
    assert (
        'imgguard_checks_total{verdict="no_match"}' in office.client.another(address="127.0.0.1").get("/metrics").text
    )


def test_drawings_have_few_threads_of_their_own(office: Office, monkeypatch) -> None:
    names = set[str]()

    def drawn(*_: object) -> bytes:
        names.add(threading.current_thread().name)
        return b"PNG"

    monkeypatch.setattr(office.services.checks, "query_picture", drawn)
    seller, path = office.as_("studio.seller"), f"/v1/checks/{office.world.finding_id}/picture"
    with ThreadPoolExecutor(8) as executor:
        answers = list(executor.map(lambda _: seller.get(path), range(24)))
    assert {answer.content for answer in answers} == {b"PNG"}
    assert 1 <= len(names) <= office.services.settings.worker_count
    assert all(name.startswith("imgguard-drawing") for name in names)


def test_too_many_drawings_at_once(office: Office, monkeypatch) -> None:
    monkeypatch.setattr(work, "DRAW_PATIENCE", 0.01)
    monkeypatch.setitem(office.client.app.state._state, "drawing", asyncio.Semaphore(0))
    answer = office.as_("studio.seller").get(f"/v1/checks/{office.world.finding_id}/picture")
    assert_problem(answer, 503, "overloaded")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("a\x00b\n\x1b[31m\u202e.jpg", "ab[31m.jpg"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
        ("x" * 300 + ".jpg", "x" * 251 + ".jpg"),
        ("", "image"),
        (None, "image"),
        ("..", "image"),
        ("\n", "image"),
    ],
)
def test_names_of_files(given: str | None, name: str) -> None:
    assert uploads.file_name(given) == name
