"""Jobs over HTTP: many pictures at once, how far they are, and what becomes of them."""

import json
from pathlib import Path
from threading import Thread

import pytest

from imgguard.api import events

from .client import Client, assert_problem
from .conftest import Office, sample


def ended(client: Client, job_id: str) -> dict:
    """The job, once it is over: its events end then."""
    answer = client.get(f"/v1/jobs/{job_id}/events", timeout=60)
    assert answer.status_code == 200, answer.text
    job = client.get(f"/v1/jobs/{job_id}").json()
    assert job["is_over"]
    return job


def told(text: str) -> list[tuple[str, dict]]:
    """Ids and data of the events."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block and not block.startswith(":")]
    assert all(block[1] == "event: job" for block in blocks)
    return [(block[0].removeprefix("id: "), json.loads(block[2].removeprefix("data: "))) for block in blocks]


def test_many_pictures_at_once(office: Office) -> None:
    seller = office.as_("shop.seller")
    files = [
        ("files", ("watch.jpg", sample("listings/unrelated-watch.jpg"))),
        ("files", ("../broken.jpg", b"no picture")),
    ]
    answer = seller.post("/v1/checks/bulk", files=files, data={"profile": "quick", "shop": "Corner"})
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["job_id"]
    assert answer.headers["location"] == f"/v1/jobs/{job_id}"
    job = ended(seller, job_id)
    assert (job["state"], job["item_count"], job["done_count"], job["failed_count"]) == ("done", 2, 1, 1)
    done, failed = seller.get(f"/v1/jobs/{job_id}/items").json()["items"]
    assert (done["state"], done["file"], done["result"]["verdict"]) == ("done", "watch.jpg", "no_match")
    assert seller.get(f"/v1/checks/{done['result']['finding_id']}").json()["use"]["shop"] == "Corner"
    assert (failed["state"], failed["file"], failed["error"]["code"]) == ("failed", "broken.jpg", "unsupported_format")
    first = seller.get(f"/v1/jobs/{job_id}/items?limit=1").json()
    rest = seller.get(f"/v1/jobs/{job_id}/items", params={"cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == [done, failed]
    assert seller.get("/v1/jobs").json()["items"][0] == job


def test_many_originals_at_once(office: Office) -> None:
    holder = office.as_("studio.rights_holder")
    files = [("files", (f"{name}.jpg", sample(f"originals/{name}.jpg"))) for name in ("white-top", "tank-top")]
    job_id = holder.post("/v1/references/bulk", files=files).json()["job_id"]
    assert ended(holder, job_id)["done_count"] == 2
    items = holder.get(f"/v1/jobs/{job_id}/items").json()["items"]
    assert [item["result"]["status"] for item in items] == ["registered", "registered"]
    found = holder.get(f"/v1/references/{items[0]['result']['reference_id']}").json()
    assert found["file"] == "white-top.jpg"


def test_bulk_with_a_file_over_the_limit_is_refused_whole(office: Office) -> None:
    seller = office.as_("shop.seller")
    before = seller.get("/v1/jobs").json()
    big = bytes(office.services.settings.max_image_bytes + 1)
    files = [("files", ("a.jpg", b"")), ("files", ("b.jpg", big))]
    assert_problem(seller.post("/v1/checks/bulk", files=files), 413, "body_too_large")
    assert seller.get("/v1/jobs").json() == before


def test_more_files_than_a_request_may_have(client: Client, with_key) -> None:
    files = [("files", (f"{number}.jpg", b"")) for number in range(1001)]
    assert_problem(with_key("shop.seller").post("/v1/checks/bulk", files=files), 400, "bad_request")
    assert with_key("shop.seller").post("/v1/checks/bulk", files=files[:1000]).json()["item_count"] == 1000


def test_events_tell_each_change_and_end_with_the_job(office: Office, tmp_path: Path) -> None:
    seller, gate = office.as_("shop.seller"), tmp_path / "gate"
    files = [("files", ("a.jpg", f"await {gate}".encode()))] * 2
    job_id = seller.post("/v1/checks/bulk", files=files).json()["job_id"]
    Thread(target=gate.touch).start()
    answer = seller.get(f"/v1/jobs/{job_id}/events", timeout=60)
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = told(answer.text)
    names, jobs = [name for name, _ in found], [job for _, job in found]
    assert len(names) == len(set(names))
    assert jobs[-1] == seller.get(f"/v1/jobs/{job_id}").json()
    assert jobs[-1]["is_over"]
    again = seller.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": names[-1]})
    assert (again.status_code, again.content) == (204, b"")
    assert told(seller.get(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": "queued.0.0"}).text) == found[-1:]


def test_events_end_with_the_key(office: Office, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(events, "_ASK", 0.0)
    monkeypatch.setattr(events, "_LOOK", 0.05)
    keeper, gate = office.as_("shop.seller"), tmp_path / "gate"
    issued = office.services.keys.issue(_actor(office, "shop.seller"), "short")
    other = office.client.another()
    other.headers["Authorization"] = f"Bearer {issued.secret}"
    job_id = keeper.post("/v1/checks/bulk", files=[("files", ("a.jpg", f"await {gate}".encode()))]).json()["job_id"]
    looked = []

    def revoke(*_: object) -> object:
        looked.append(1)
        if len(looked) == 3:
            office.services.keys.revoke(_actor(office, "shop.seller"), issued.key.key_id)
        return authenticate(*_)

    authenticate = events.authenticate
    monkeypatch.setattr(events, "authenticate", revoke)
    answer = other.get(f"/v1/jobs/{job_id}/events", timeout=60)
    assert not told(answer.text)[-1][1]["is_over"]
    gate.touch()
    assert ended(keeper, job_id)["failed_count"] == 1


def _actor(office: Office, name: str):
    member = office.services.accounts.member(office.world.members[name])
    return office.services.identity.acting(member.member_id, None)


@pytest.mark.parametrize("part", ["", "/items", "/events"])
def test_a_strangers_job_is_not_there(part: str, office: Office) -> None:
    mine = office.as_("shop.seller").post("/v1/checks/bulk", files=[("files", ("a.jpg", b""))]).json()["job_id"]
    stranger = office.as_("studio.seller")
    assert_problem(stranger.get(f"/v1/jobs/{mine}{part}"), 404, "not_found")
    assert mine not in str(stranger.get("/v1/jobs").json())


def test_a_job_that_is_called_off(client: Client, with_key) -> None:
    seller = with_key("shop.seller")
    job_id = seller.post("/v1/checks/bulk", files=[("files", ("a.jpg", b""))]).json()["job_id"]
    assert_problem(with_key("studio.seller").post(f"/v1/jobs/{job_id}/cancel"), 404, "not_found")
    cancelled = seller.post(f"/v1/jobs/{job_id}/cancel").json()
    assert (cancelled["state"], cancelled["is_over"]) == ("cancelled", True)
    assert seller.get(f"/v1/jobs/{job_id}/items").json()["items"][0]["state"] == "cancelled"


def test_an_address_that_is_not_public_is_refused(office: Office) -> None:
    answer = office.as_("shop.seller").post("/v1/checks/by-url", json={"url": "http://10.0.0.1/a.jpg"})
    assert_problem(answer, 422, "fetch_refused")


@pytest.mark.parametrize("url", ["", "no url", "file:///etc/passwd", "http://[::1", "https://"])
def test_what_is_no_url_is_refused(url: str, office: Office) -> None:
    answer = office.as_("shop.seller").post("/v1/checks/by-url", json={"url": url})
    assert_problem(answer, 422, "fetch_refused")
