"""Product feeds over HTTP, with a shop's web server on loopback: from the file to the result."""

import asyncio
import csv
import hashlib
import io
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice

import httpx
import pytest

from imgguard.api import downloads, work
from imgguard.api.turns import Turns
from imgguard.errors import FetchFailed, NotFound
from imgguard.feeds.records import Problem
from imgguard.registry.access import Actor
from imgguard.services import feed_results
from imgguard.services.feed_views import COLUMNS

from .client import Client, assert_problem
from .conftest import Office, Services, World, actor_of, sample, signed_in
from .test_jobs import ended

HEADER = ["id", "title", "link", "image_link", "additional_image_link"]
ONE = b"id,image_link\r\nSKU-1,http://192.0.2.1/a.jpg\r\n"


def table(*rows: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    return text.getvalue().encode()


def read(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    text = answer.content.decode()
    assert text.startswith("\ufeffproduct_id,")
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def handed_in(client: Client, data: bytes, **more: object) -> dict:
    answer = client.post("/v1/feeds", files={"file": ("feed.csv", data)}, data=more)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/feeds/{answer.json()['feed_id']}"
    return answer.json()


def test_from_the_feed_to_the_result(office: Office) -> None:
    server, seller = office.server, office.as_("shop.seller")
    copy = server.put("/copy.jpg", sample("listings/copy-mirrored-mug.jpg"))
    watch = server.put("/watch.jpg", sample("listings/unrelated-watch.jpg"))
    broken, gone = server.put("/broken.jpg", sample("originals/mug.jpg")[:3000]), server.url("/gone.jpg")
    feed = handed_in(
        seller,
        table(
            ["SKU-1", "=1+1", server.url("/shop"), copy, f"{watch},{copy}"],
            ["SKU-2", "Mug, again", "", copy, ""],
            ["SKU-3", "Gone", "", gone, "http://10.0.0.1/inside.jpg"],
            ["", "Nameless", "", copy, ""],
            ["SKU-5", "Bare", "", "", ""],
            ["SKU-6", "Odd", "", "on request", broken],
        ),
        profile="quick",
        platform="aliexpress",
    )
    assert (feed["form"], feed["encoding"], feed["file"]) == ("google", "utf-8", "feed.csv")
    assert (feed["product_count"], feed["picture_count"]) == (6, 5)
    before = server.visits.copy()
    job = ended(seller, feed["job_id"])
    assert (job["done_count"], job["failed_count"], job["options"]["use"]["platform"]) == (2, 3, "aliexpress")
    assert (server.visits - before)["/copy.jpg"] <= 1
    assert server.visits["/copy.jpg"] == 1
    now = seller.get(f"/v1/feeds/{feed['feed_id']}").json()
    assert (now["state"], now["is_over"], now["done_count"], now["waiting_count"]) == ("done", True, 2, 0)
    assert seller.get("/v1/feeds").json()["items"][0] == now

    lines = read(seller.get(f"/v1/feeds/{feed['feed_id']}/result"))
    assert tuple(lines[0]) == COLUMNS
    told = [(line["product_id"], line["row"], line["position"], line["state"], line["error"]) for line in lines]
    assert told == [
        ("SKU-1", "2", "1", "done", ""),
        ("SKU-1", "2", "2", "done", ""),
        ("SKU-1", "2", "3", "done", ""),
        ("SKU-2", "3", "1", "done", ""),
        ("SKU-3", "4", "1", "failed", "fetch_failed"),
        ("SKU-3", "4", "2", "failed", "fetch_refused"),
        ("", "5", "", "skipped", "no_id"),
        ("SKU-5", "6", "", "skipped", "no_picture"),
        ("SKU-6", "7", "1", "skipped", "not_a_url"),
        ("SKU-6", "7", "2", "failed", "corrupt_image"),
    ]
    first, second = lines[0], lines[1]
    assert (first["verdict"], first["conclusion"]) == ("copy", "unlicensed")
    assert first["licence"] in ("none", "expired")  # as others have left it in this office
    assert first["conclusion_in_words"] == "No licence known"
    assert (first["owner"], first["reference_id"], first["standing"]) == ("Studio", "", "unlicensed")
    assert first["title"] == "'=1+1"
    assert (second["verdict"], second["conclusion"], second["owner"]) == ("no_match", "clear", "")
    assert second["column"] == "additional_image_link"
    assert first["finding_id"] == lines[2]["finding_id"] == lines[3]["finding_id"] != second["finding_id"]
    assert first["check"] == f"http://localhost/?check={first['finding_id']}"
    assert seller.get(f"/v1/checks/{first['finding_id']}").json()["use"]["platform"] == "aliexpress"
    assert lines[8]["picture"] == "on request"


def test_the_result_as_json(office: Office) -> None:
    seller = office.as_("studio.seller")
    copy = office.server.put("/own.jpg", sample("listings/copy-mirrored-mug.jpg"))
    feed = handed_in(seller, table(["SKU-1", "=1+1", "", copy, ""]), profile="quick")
    ended(seller, feed["job_id"])
    path = f"/v1/feeds/{feed['feed_id']}/result"
    found = seller.get(path, params={"form": "json"})
    assert found.headers["content-type"] == "application/json"
    (line,) = found.json()["items"]
    assert (line["title"], line["conclusion"], line["error"]) == ("=1+1", "own", None)
    assert line["matches"][0]["reference_id"] == office.world.reference_id
    assert seller.get(path, headers={"Accept": "application/json"}).json() == found.json()
    assert read(seller.get(path, headers={"Accept": "application/json"}, params={"form": "csv"}))
    assert read(seller.get(path))[0]["reference_id"] == office.world.reference_id


@contextmanager
def disclosing(office: Office, disclosure: str) -> Iterator[None]:
    admin = signed_in(office.client, "studio.admin")
    assert admin.patch("/v1/organisation", json={"disclosure": disclosure}).status_code == 200
    try:
        yield
    finally:
        admin.patch("/v1/organisation", json={"disclosure": "outline"})


def test_the_result_tells_no_more_than_the_owner_does_now(office: Office) -> None:
    seller = office.as_("shop.seller")
    copy = office.server.put("/strangers.jpg", sample("listings/copy-mirrored-mug.jpg"))
    feed = handed_in(seller, table(["SKU-1", "A mug", "", copy, ""]), profile="quick")
    ended(seller, feed["job_id"])
    path = f"/v1/feeds/{feed['feed_id']}/result"
    told = {}
    for disclosure in ("contact", "outline", "full"):
        with disclosing(office, disclosure):
            told[disclosure] = [seller.get(path).text, seller.get(path, params={"form": "json"}).text]
    for text in told["contact"]:
        assert "Studio" not in text
        assert "unlicensed" in text
    for text in told["contact"] + told["outline"]:
        assert office.world.reference_id not in text
    assert all(office.world.reference_id in text for text in told["full"])
    (line,) = json.loads(told["contact"][1])["items"]
    assert (line["verdict"], line["matches"][0]["owner"]) == ("copy", None)


def test_a_feed_is_fetched(office: Office) -> None:
    seller, server = office.as_("shop.seller"), office.server
    watch = server.put("/watch-2.jpg", sample("listings/unrelated-watch.jpg"))
    xml = f"""<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel><item>
        <g:id>W</g:id><g:title>Watch</g:title><g:image_link>{watch}</g:image_link></item></channel></rss>"""
    body = {"url": server.put("/feeds/all.xml", xml.encode()), "profile": "quick", "shop": "Corner"}
    answer = seller.post("/v1/feeds/by-url", json=body)
    assert answer.status_code == 202, answer.text
    feed = answer.json()
    assert (feed["file"], feed["url"], feed["form"]) == ("all.xml", body["url"], "google")
    assert ended(seller, feed["job_id"])["options"]["use"]["shop"] == "Corner"
    (line,) = read(seller.get(f"/v1/feeds/{feed['feed_id']}/result"))
    assert (line["product_id"], line["state"], line["conclusion"]) == ("W", "done", "clear")


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        ("/none.csv", None, "fetch_failed"),
        ("/page.html", b"<!doctype html><title>Shop</title>", "fetch_failed"),
        ("/feed.png", sample("originals/mug.jpg"), "fetch_failed"),
        ("/nothing.csv", b"id,title\r\n1,Mug\r\n", "invalid_input"),
    ],
)
def test_what_is_no_feed_is_refused(path: str, data: bytes | None, code: str, office: Office) -> None:
    url = office.server.url(path) if data is None else office.server.put(path, data)
    seller = office.as_("shop.seller")
    before = seller.get("/v1/feeds").json()
    assert_problem(seller.post("/v1/feeds/by-url", json={"url": url}), 422, code)
    assert seller.get("/v1/feeds").json() == before


def test_a_feed_inside_is_not_fetched(office: Office) -> None:
    answer = office.as_("shop.seller").post("/v1/feeds/by-url", json={"url": "http://169.254.169.254/feed.csv"})
    assert_problem(answer, 422, "fetch_refused")


# without workers


@pytest.fixture
def seller(client: Client, world: World) -> Client:
    other = client.another()
    other.headers["Authorization"] = f"Bearer {world.keys['shop.seller']}"
    return other


def test_what_is_known_so_far(seller: Client, services: Services) -> None:
    urls = [f"http://192.0.2.1/{number}.jpg" for number in range(450)]  # more than are looked at together
    rows = [[f"SKU-{number}", "", "", url, ""] for number, url in enumerate(urls)]
    feed = handed_in(seller, table(*rows, ["SKU-0", "", "", urls[0], ""]))
    path = f"/v1/feeds/{feed['feed_id']}/result"
    first = seller.get(path)
    lines = read(first)
    assert [line["picture"] for line in lines] == [*urls, urls[0]]
    assert {line["state"] for line in lines} == {"queued"}
    assert seller.get(f"/v1/feeds/{feed['feed_id']}").headers["retry-after"]
    seller.post(f"/v1/jobs/{feed['job_id']}/cancel")
    assert {line["state"] for line in read(seller.get(path))} == {"cancelled"}


def test_the_same_feed_after_a_restart(seller: Client, start, world: World) -> None:
    feed = handed_in(
        seller, "产品ID;主图\n1;//a.example/1.jpg|//a.example/2.jpg\n".encode("gb18030"), encoding="gb18030"
    )
    path = f"/v1/feeds/{feed['feed_id']}"
    other = start()
    other.headers["Authorization"] = f"Bearer {world.keys['shop.seller']}"
    assert other.get(path).json() == seller.get(path).json()
    lines = read(other.get(f"{path}/result"))
    assert [line["picture"] for line in lines] == ["https://a.example/1.jpg", "https://a.example/2.jpg"]
    assert lines == read(seller.get(f"{path}/result"))


def test_an_encoding_is_not_guessed(seller: Client) -> None:
    data = "产品ID;主图\n1;//a.example/1.jpg\n".encode("gb18030")
    problem = assert_problem(seller.post("/v1/feeds", files={"file": ("a.csv", data)}), 422, "invalid_input")
    assert "gb18030" in problem["hint"]
    assert_problem(
        seller.post("/v1/feeds", files={"file": ("a.csv", data)}, data={"encoding": "big5"}), 422, "invalid_request"
    )


def test_limits(start, world: World) -> None:
    client = start(feed_max_bytes=1000, feed_max_pictures=2)
    client.headers["Authorization"] = f"Bearer {world.keys['shop.seller']}"
    rows = [[f"{number}", "", "", f"http://192.0.2.1/{number}.jpg", ""] for number in range(3)]
    assert handed_in(client, table(*rows[:2], *rows[:2]))["picture_count"] == 2
    answer = client.post("/v1/feeds", files={"file": ("a.csv", table(*rows))})
    assert "IMGGUARD_FEED_MAX_PICTURES" in assert_problem(answer, 422, "invalid_input")["hint"]
    answer = client.post("/v1/feeds", files={"file": ("a.csv", b"a" * 1001)})
    assert "IMGGUARD_FEED_MAX_BYTES" in assert_problem(answer, 413, "body_too_large")["hint"]


def test_no_more_pictures_than_the_queue_holds(start, world: World) -> None:
    client = start(queue_items=2)
    client.headers["Authorization"] = f"Bearer {world.keys['shop.seller']}"
    rows = [[f"{number}", "", "", f"http://192.0.2.1/{number}.jpg", ""] for number in range(3)]
    assert_problem(client.post("/v1/feeds", files={"file": ("a.csv", table(*rows))}), 422, "invalid_input")
    handed_in(client, table(rows[0]))
    assert_problem(client.post("/v1/feeds", files={"file": ("a.csv", table(*rows[1:]))}), 503, "queue_full")
    assert len(client.get("/v1/feeds").json()["items"]) == 1


class Slow:
    """In place of a method of `Feeds`: for one organisation it takes until ``may_end``, and then goes wrong."""

    def __init__(self, organisation_id: str) -> None:
        self.may_end, self.begun = threading.Event(), threading.Event()
        self._organisation_id = organisation_id

    def __call__(self, actor: Actor, *_: object, **__: object) -> None:
        if actor.organisation_id == self._organisation_id:
            self.begun.set()
            assert self.may_end.wait(30)
        raise FetchFailed("too slow")


ASKS = {
    "fetch": ("POST", "/v1/feeds/by-url", {"json": {"url": "http://192.0.2.1/feed.csv"}}),
    "submit": ("POST", "/v1/feeds", {"files": {"file": ("a.csv", ONE)}}),
    "result": ("GET", "/v1/feeds/fed_1/result", {}),
}


@pytest.mark.parametrize(("name", "asks"), ASKS.items(), ids=ASKS)
def test_one_organisation_holds_up_no_other(
    name: str, asks: tuple, seller: Client, services: Services, world: World, with_key, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, path, more = asks
    slow = Slow(actor_of(services, world.members["shop.seller"]).organisation_id)
    monkeypatch.setattr(services.feeds, name, slow)
    monkeypatch.setattr(work, "DRAW_PATIENCE", 0.5)
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(seller.request, method, path, **more) for _ in range(4)]
        try:
            assert slow.begun.wait(10)
            assert_problem(with_key("studio.seller").request(method, path, **more), 422, "fetch_failed")
            for answer in islice(as_completed(asked), 3):
                assert_problem(answer.result(), 503, "overloaded")
        finally:
            slow.may_end.set()
        assert sorted(one.result().status_code for one in asked) == [422, 503, 503, 503]


def test_feeds_and_pictures_do_not_wait_for_each_other(seller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "DRAW_PATIENCE", 0.2)
    seller.app.state.drawing = asyncio.Semaphore(0)
    feed = handed_in(seller, ONE)
    assert read(seller.get(f"/v1/feeds/{feed['feed_id']}/result"))


def test_no_more_results_at_a_time_than_may_be(seller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "DRAW_PATIENCE", 0.2)
    path = f"/v1/feeds/{handed_in(seller, ONE)['feed_id']}/result"
    seller.app.state.results = Turns(0, each=1, busy="too many results")
    assert "too many results" in assert_problem(seller.get(path), 503, "overloaded")["detail"]
    seller.app.state.results = Turns(1, each=1, busy="too many results")
    for _ in range(2):  # the turn is over, however it ends
        assert_problem(seller.get("/v1/feeds/fed_none/result"), 404, "not_found")
        answer = seller.get(path)
        assert len(read(answer)) == 1
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_result_that_is_too_large_is_told(
    seller: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/feeds/{handed_in(seller, ONE)['feed_id']}/result"
    before = sorted(services.home.iterdir())
    monkeypatch.setattr(downloads, "MOST_BYTES", 10)
    assert_problem(seller.get(path), 422, "invalid_input")
    assert sorted(services.home.iterdir()) == before


def test_too_many_pictures_of_a_product_are_refused_before_they_are_read(seller: Client) -> None:
    many = b"<rss><item><id>1</id>" + b"<imagelink/>" * 1_300_000 + b"</item></rss>"
    began = time.monotonic()
    problem = assert_problem(seller.post("/v1/feeds", files={"file": ("a.xml", many)}), 422, "invalid_input")
    assert "more than 100 pictures" in problem["detail"]
    assert time.monotonic() - began < 10
    assert seller.get("/v1/feeds").json()["items"] == []


def test_sent_again_it_is_the_same_feed(seller: Client) -> None:
    once = {"Idempotency-Key": "one"}
    first, again = (seller.post("/v1/feeds", files={"file": ("a.csv", ONE)}, headers=once) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(seller.get("/v1/feeds").json()["items"]) == 1


@pytest.mark.parametrize(("method", "part"), [("GET", ""), ("GET", "/result"), ("DELETE", "")])
def test_a_strangers_feed_is_not_there(method: str, part: str, seller: Client, with_key) -> None:
    mine = handed_in(seller, ONE)["feed_id"]
    stranger = with_key("studio.seller")
    assert_problem(stranger.request(method, f"/v1/feeds/{mine}{part}"), 404, "not_found")
    assert stranger.get("/v1/feeds").json()["items"] == []
    assert seller.get(f"/v1/feeds/{mine}").status_code == 200


def test_pages_of_feeds(seller: Client) -> None:
    made = [handed_in(seller, ONE)["feed_id"] for _ in range(3)]
    first = seller.get("/v1/feeds?limit=2").json()
    rest = seller.get("/v1/feeds", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [feed["feed_id"] for feed in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None


def _is_well(services: Services) -> bool:
    found = {one.title: one for one in services.doctor.examine(deep=True)}
    return {found[title].status for title in ("Kept files", "Orphan files", "Deletions")} == {"ok"}


def test_a_feed_that_is_deleted(seller: Client, services: Services, with_session) -> None:
    feed = handed_in(seller, ONE)
    digest = hashlib.sha256(ONE).hexdigest()
    assert feed["sha256"] == digest
    assert _is_well(services)
    assert services.blobs.get(digest) == ONE
    assert seller.delete(f"/v1/feeds/{feed['feed_id']}").status_code == 204
    for path in ("", "/result"):
        assert_problem(seller.get(f"/v1/feeds/{feed['feed_id']}{path}"), 404, "not_found")
    assert_problem(seller.delete(f"/v1/feeds/{feed['feed_id']}"), 404, "not_found")
    assert seller.get(f"/v1/jobs/{feed['job_id']}").json()["state"] == "cancelled"
    services.tidy()
    with pytest.raises(NotFound):
        services.blobs.get(digest)
    assert _is_well(services)
    events = with_session("shop.admin").get("/v1/audit-events?newest_first=true").json()["items"]
    deleted, finished, cancelled, submitted = events[1:5] if events[0]["action"] == "session.opened" else events[:4]
    assert [event["action"] for event in (submitted, cancelled, finished, deleted)] == [
        "job.submitted",
        "job.cancelled",
        "job.finished",
        "feed.deleted",
    ]
    assert submitted["detail"] == {"kind": "check", "items": 1, "feed_id": feed["feed_id"]}
    assert (deleted["object_id"], deleted["detail"]) == (feed["feed_id"], {"job_id": feed["job_id"]})


def test_bytes_that_two_feeds_have_stay_for_the_second(seller: Client, services: Services) -> None:
    one, other = (handed_in(seller, ONE)["feed_id"] for _ in range(2))
    seller.delete(f"/v1/feeds/{one}")
    services.tidy()
    assert read(seller.get(f"/v1/feeds/{other}/result"))
    assert _is_well(services)


def test_a_feed_goes_with_its_job(seller: Client, services: Services) -> None:
    feed = handed_in(seller, ONE)
    seller.post(f"/v1/jobs/{feed['job_id']}/cancel")
    later = services.clock.now() + timedelta(days=31)
    assert services.job_store.forget(later, at=later) == 1
    assert_problem(seller.get(f"/v1/feeds/{feed['feed_id']}"), 404, "not_found")
    services.tidy()
    with pytest.raises(NotFound):
        services.blobs.get(hashlib.sha256(ONE).hexdigest())
    assert _is_well(services)


def test_a_check_that_is_damaged_or_erased_costs_its_own_line_only(
    seller: Client, services: Services, world: World
) -> None:
    urls = [f"http://192.0.2.1/{number}.jpg" for number in range(4)]
    feed = handed_in(seller, table(*([f"{number}", "", "", url, ""] for number, url in enumerate(urls))))
    actor = actor_of(services, world.members["shop.seller"])
    made = [
        services.checks.check(actor, sample("listings/unrelated-watch.jpg"), file="a.jpg", profile="quick")
        for _ in urls
    ]
    for view in made:
        item = services.job_store.claim("wkr_1", at=services.clock.now(), lease=timedelta(seconds=30))
        assert item is not None
        services.job_store.finish(item, {"finding_id": view.finding_id}, at=services.clock.now())
    with services.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER findings_are_immutable")
        connection.exec_driver_sql("UPDATE findings SET document = 'torn' WHERE finding_id = ?", (made[1].finding_id,))
    assert seller.delete(f"/v1/checks/{made[3].finding_id}").status_code == 204
    lines = read(seller.get(f"/v1/feeds/{feed['feed_id']}/result"))
    assert [(line["state"], line["error"]) for line in lines] == [
        ("done", ""),
        ("failed", "digest_mismatch"),
        ("done", ""),
        ("failed", "not_found"),
    ]


def test_every_problem_is_told_in_words() -> None:
    assert set(feed_results.PROBLEMS) == set(Problem)
