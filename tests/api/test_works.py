"""Works and collections over HTTP."""

import pytest

from .client import assert_problem
from .conftest import Office, sample


def test_a_reference_becomes_a_file_of_another_work(office: Office) -> None:
    holder = office.as_("studio.rights_holder")
    front = holder.get(f"/v1/references/{office.world.reference_id}").json()
    back = {"file": ("back.jpg", sample("originals/candle-holder.jpg"))}
    other = holder.post("/v1/references", files=back).json()["reference"]
    moved = holder.request("PUT", f"/v1/works/{front['work_id']}/references/{other['reference_id']}")
    assert moved.json()["work_id"] == front["work_id"]
    work = holder.get(f"/v1/works/{front['work_id']}").json()
    assert set(work["reference_ids"]) == {front["reference_id"], other["reference_id"]}
    assert work in holder.get("/v1/works").json()["items"]
    holder.post("/v1/references", files={"file": ("hat.jpg", sample("originals/knitted-hat.jpg"))})
    whole, first = holder.get("/v1/works").json()["items"], holder.get("/v1/works?limit=1").json()
    rest = holder.get("/v1/works", params={"cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == whole


def test_a_collection_from_its_beginning_to_its_end(office: Office) -> None:
    holder = office.as_("studio.rights_holder")
    work_id = holder.get(f"/v1/references/{office.world.reference_id}").json()["work_id"]
    made = holder.post("/v1/collections", json={"name": "Summer"}, headers={"Idempotency-Key": "summer"})
    path = made.headers["location"]
    assert (made.status_code, made.json()["work_count"]) == (201, 0)
    again = holder.post("/v1/collections", json={"name": "Summer"}, headers={"Idempotency-Key": "summer"})
    assert (again.status_code, again.json()) == (201, made.json())
    assert_problem(holder.post("/v1/collections", json={"name": "Summer"}), 409, "conflict")
    filled = holder.request("PUT", f"{path}/works/{work_id}")
    assert filled.json()["work_count"] == 1
    listed = holder.get(f"/v1/works?collection_id={made.json()['collection_id']}").json()["items"]
    assert [work["work_id"] for work in listed] == [work_id]
    stale = holder.patch(path, json={"name": "Autumn"}, headers={"If-Match": made.headers["etag"]})
    assert_problem(stale, 412, "stale_revision")
    renamed = holder.patch(path, json={"name": "Autumn"}, headers={"If-Match": filled.headers["etag"]})
    assert renamed.json()["name"] == "Autumn"
    assert holder.delete(f"{path}/works/{work_id}").json()["work_count"] == 0
    assert holder.get("/v1/collections").json()["items"] == [holder.get(path).json()]
    assert_problem(holder.delete(path, headers={"If-Match": made.headers["etag"]}), 412, "stale_revision")
    assert holder.delete(path).status_code == 204
    assert_problem(holder.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/works/{work}", None),
        ("PUT", "/v1/works/{work}/references/{reference}", None),
        ("GET", "/v1/collections/{collection}", None),
        ("PATCH", "/v1/collections/{collection}", {"name": "Mine"}),
        ("DELETE", "/v1/collections/{collection}", None),
        ("PUT", "/v1/collections/{collection}/works/{work}", None),
        ("DELETE", "/v1/collections/{collection}/works/{work}", None),
        ("GET", "/v1/works?collection_id={collection}", None),
    ],
)
def test_a_stranger_finds_nothing(method: str, path: str, body: dict[str, str] | None, office: Office) -> None:
    holder, stranger = office.as_("studio.rights_holder"), office.as_("shop.rights_holder")
    reference = holder.get(f"/v1/references/{office.world.reference_id}").json()
    name = f"{method} {path}"
    made = holder.post("/v1/collections", json={"name": name}).json()["collection_id"]
    place = path.format(work=reference["work_id"], reference=reference["reference_id"], collection=made)
    assert_problem(stranger.request(method, place, json=body), 404, "not_found")
    assert holder.delete(f"/v1/collections/{made}").status_code == 204
