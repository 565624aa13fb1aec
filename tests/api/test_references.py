"""References over HTTP, done by a worker."""

import pytest

from .client import assert_problem
from .conftest import Office, sample

JPEG = b"\xff\xd8\xff"


def picture(name: str) -> dict[str, object]:
    return {"file": (f"{name}.jpg", sample(f"originals/{name}.jpg"))}


def test_an_original_is_registered_once(office: Office) -> None:
    holder = office.as_("studio.rights_holder")
    first = holder.post("/v1/references", files=picture("blue-dress"), data={"title": "Blue dress"})
    assert first.status_code == 201, first.text
    reference = first.json()["reference"]
    assert (reference["title"], reference["file"], reference["owner"]) == ("Blue dress", "blue-dress.jpg", "Studio")
    assert first.headers["location"] == f"/v1/references/{reference['reference_id']}"
    assert holder.get(first.headers["location"]).json() == reference
    second = holder.post("/v1/references", files=picture("blue-dress"), data={"title": "Other"})
    assert (second.status_code, second.json()["status"]) == (200, "duplicate")
    assert second.json()["reference"] == reference


def test_the_same_request_sent_again_is_done_once(office: Office) -> None:
    holder = office.as_("studio.rights_holder")
    holder.headers["Idempotency-Key"] = "the-same-original"
    first, second = (holder.post("/v1/references", files=picture("fork")) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"


def test_what_it_resembles_is_told_no_further_than_a_check_would(office: Office) -> None:
    copy = {"file": ("copy.jpg", sample("listings/copy-mirrored-mug.jpg"))}
    answer = office.as_("shop.rights_holder").post("/v1/references", files=copy)
    assert answer.status_code == 201, answer.text
    (match,) = answer.json()["similar"]
    assert (match["owner"], match["disclosure"], match["reference_id"]) == ("Studio", "outline", None)


def test_what_it_resembles_is_told_under_the_policies_of_the_moment_it_is_looked_at(office: Office) -> None:
    """The job keeps the match, but neither names nor what a policy allowed once."""
    shop, studio = office.as_("shop.rights_holder"), office.as_("studio.admin")
    headers = {"Idempotency-Key": "a-recoloured-copy"}
    copy = {"file": ("copy.jpg", sample("listings/copy-with-watermark-plaid-shirt.jpg"))}
    original = office.as_("studio.rights_holder").post("/v1/references", files=picture("plaid-shirt"))
    assert original.status_code in (200, 201), original.text
    first = shop.post("/v1/references", files=copy, headers=headers)
    (told,) = first.json()["similar"]
    assert (told["owner"], told["disclosure"]) == ("Studio", "outline")
    job = next(job for job in shop.get("/v1/jobs").json()["items"] if job["kind"] == "register")
    items = f"/v1/jobs/{job['job_id']}/items"
    reference_id = original.json()["reference"]["reference_id"]
    assert reference_id not in shop.get(items).text
    stored = "".join(str(item.result) for item in office.services.job_store.items(job["job_id"], after=0, limit=10))
    assert "Studio" not in stored
    assert "plaid-shirt" not in stored
    studio.patch("/v1/organisation", json={"disclosure": "contact"})
    try:
        again = shop.post("/v1/references", files=copy, headers=headers)
        assert again.headers["idempotency-replayed"] == "true"
        (item,) = shop.get(items).json()["items"]
        for (match,) in (again.json()["similar"], item["result"]["similar"]):
            assert (match["owner"], match["disclosure"], match["query_region"]) == (None, "contact", None)
    finally:
        studio.patch("/v1/organisation", json={"disclosure": "outline"})


def test_what_is_no_picture_is_told(office: Office) -> None:
    answer = office.as_("studio.rights_holder").post("/v1/references", files={"file": ("a.jpg", b"no picture")})
    assert_problem(answer, 422, "unsupported_format")


def test_a_title_that_is_none_is_told_at_once(office: Office) -> None:
    holder = office.as_("studio.rights_holder")
    answer = holder.post("/v1/references", files=picture("scissors"), data={"title": "a\x00b"})
    assert_problem(answer, 422, "invalid_input")


def test_lists_page_by_page(office: Office) -> None:
    holder = office.as_("studio.rights_holder")
    holder.post("/v1/references", files=picture("pink-blazer"))
    whole = holder.get("/v1/references").json()["items"]
    first = holder.get("/v1/references?limit=1").json()
    rest = holder.get("/v1/references", params={"cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == whole
    assert len(whole) > 1
    work_id = whole[-1]["work_id"]
    assert holder.get(f"/v1/references?work_id={work_id}&status=active").json()["items"] == [whole[-1]]
    assert whole[-1] not in holder.get("/v1/references?status=erased").json()["items"]
    other = holder.get("/v1/references", params={"cursor": first["next_cursor"], "status": "active"})
    assert_problem(other, 422, "invalid_cursor")
    assert_problem(holder.get("/v1/references?status=sold"), 422, "invalid_request")


def test_the_bytes_come_back_as_they_were_sent(office: Office) -> None:
    holder, path = office.as_("studio.rights_holder"), f"/v1/references/{office.world.reference_id}"
    original = holder.get(f"{path}/original")
    assert original.content == sample("originals/mug.jpg")
    assert original.headers["content-type"] == "image/jpeg"
    assert original.headers["content-disposition"] == "attachment; filename*=UTF-8''mug.jpg"
    assert original.headers["cache-control"] == "no-store"
    small, large = (holder.get(f"{path}/picture?side={side}").content for side in (64, 512))
    assert small.startswith(JPEG)
    assert len(small) < len(large)
    assert_problem(holder.get(f"{path}/picture?side=2000"), 422, "invalid_request")


@pytest.mark.parametrize("part", ["", "/original", "/picture"])
def test_a_strangers_original_is_not_there(part: str, office: Office) -> None:
    stranger = office.as_("shop.rights_holder")
    there, nowhere = (
        assert_problem(stranger.get(f"/v1/references/{name}{part}"), 404, "not_found")
        for name in (office.world.reference_id, f"ref_{'0' * 26}")
    )
    assert there["detail"].replace(office.world.reference_id, f"ref_{'0' * 26}") == nowhere["detail"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_stranger_changes_nothing(method: str, office: Office) -> None:
    path = f"/v1/references/{office.world.reference_id}"
    before = office.as_("studio.rights_holder").get(path).json()
    body = {"title": "Mine"} if method == "PATCH" else None
    assert_problem(office.as_("shop.rights_holder").request(method, path, json=body), 404, "not_found")
    assert office.as_("studio.rights_holder").get(path).json() == before


def test_a_title_is_changed_only_as_it_was_read(office: Office) -> None:
    holder = office.as_("studio.rights_holder")
    path = holder.post("/v1/references", files=picture("loafers")).headers["location"]
    etag = holder.get(path).headers["etag"]
    changed = holder.patch(path, json={"title": "Loafers, brown"}, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["title"]) == (200, "Loafers, brown")
    stale = holder.patch(path, json={"title": "Shoes"}, headers={"If-Match": etag})
    assert_problem(stale, 412, "stale_revision")
    assert_problem(holder.delete(path, headers={"If-Match": etag}), 412, "stale_revision")
    assert holder.get(path).json() == changed.json()


def test_withdrawn_it_stays_and_erased_nothing_is_left(office: Office) -> None:
    holder, seller = office.as_("studio.rights_holder"), office.as_("shop.seller")
    path = holder.post("/v1/references", files=picture("hairdryer")).headers["location"]
    copy = {"file": ("copy.jpg", sample("listings/copy-rotated-hairdryer.jpg"))}
    assert seller.post("/v1/checks", files=copy).json()["verdict"] == "copy"
    withdrawn = holder.delete(path).json()
    assert (withdrawn["reference"]["status"], withdrawn["unfinished"]) == ("withdrawn", None)
    assert seller.post("/v1/checks", files=copy).json()["verdict"] == "no_match"
    assert_problem(holder.delete(path), 409, "invalid_transition")
    erased = holder.delete(f"{path}?erase=true").json()
    assert (erased["reference"]["status"], erased["reference"]["sha256"]) == ("erased", None)
    assert_problem(holder.get(f"{path}/original"), 404, "not_found")
    assert_problem(holder.get(f"{path}/picture"), 404, "not_found")
    assert office.services.index.generation is None  # only workers load it
