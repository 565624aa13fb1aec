"""Pictures that the service fetches itself."""

from .conftest import Office, sample


def test_a_picture_is_checked_by_its_address(office: Office) -> None:
    url = office.server.put("/by-url/mug.jpg", sample("listings/copy-mirrored-mug.jpg"))
    body = {"url": url, "profile": "quick", "territory": "DE"}
    answer = office.as_("shop.seller").post("/v1/checks/by-url", json=body)
    assert answer.status_code == 200, answer.text
    check = answer.json()
    assert (check["file"], check["verdict"], check["conclusion"]) == ("mug.jpg", "copy", "unlicensed")
    assert (check["use"]["territory"], check["matches"][0]["owner"]) == ("DE", "Studio")
    assert office.server.visits["/by-url/mug.jpg"] == 1
    job = office.as_("shop.seller").get("/v1/jobs?limit=1").json()["items"][0]
    (item,) = office.as_("shop.seller").get(f"/v1/jobs/{job['job_id']}/items").json()["items"]
    assert (item["result"]["fetched"]["url"], item["result"]["fetched"]["address"]) == (url, "127.0.0.1")


def test_an_original_is_registered_by_its_address(office: Office) -> None:
    data = sample("originals/loafers.jpg")
    url = office.server.put("/by-url/loafers.jpg", data)
    holder = office.as_("studio.rights_holder")
    answer = holder.post("/v1/references/by-url", json={"url": url, "title": "Loafers, brown"})
    assert answer.status_code == 201, answer.text
    reference = answer.json()["reference"]
    assert (reference["file"], reference["title"]) == ("loafers.jpg", "Loafers, brown")
    assert holder.get(f"/v1/references/{reference['reference_id']}/original").content == data
    job = holder.get("/v1/jobs?limit=1").json()["items"][0]
    (item,) = holder.get(f"/v1/jobs/{job['job_id']}/items").json()["items"]
    assert item["result"]["reference_id"] == reference["reference_id"]
    assert item["result"]["fetched"]["final_url"] == url
    assert holder.post("/v1/references/by-url", json={"url": url}).json()["status"] == "duplicate"
