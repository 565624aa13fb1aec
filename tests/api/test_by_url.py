"""Pictures that the service fetches itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from imgguard.evidence.packet.model import Purpose
from imgguard.evidence.packet.verifying.packets import verify_packet
from imgguard.provenance.records import Kind
from imgguard.services.packets import packet_in

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


def stored(home: Path, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_check_says_where_its_picture_was_fetched_until_it_is_erased(office: Office) -> None:
    office.server.moved["/moved/mug.jpg?token=sesame"] = "/by-url/behind-sesame.jpg"
    final_url = office.server.put("/by-url/behind-sesame.jpg", sample("listings/copy-mirrored-mug.jpg") + b"\0")
    url = office.server.url("/moved/mug.jpg?token=sesame")
    seller, home = office.as_("shop.seller"), office.services.settings.home
    check = seller.post("/v1/checks/by-url", json={"url": f"{url}#never-sent", "profile": "quick"}).json()
    captured = check["captured"]
    assert (captured["url"], captured["final_url"]) == (url, final_url)
    assert captured["fetched_at"].endswith("Z")
    age = datetime.now(UTC) - datetime.fromisoformat(captured["fetched_at"])
    assert timedelta(0) <= age < timedelta(minutes=2)
    assert seller.get(f"/v1/checks/{check['finding_id']}").json()["captured"] == captured
    assert office.as_("operator.reviewer").get(f"/v1/checks/{check['finding_id']}").json()["captured"] == captured
    assert stored(home, "sesame")
    leaf, opening = office.services.transparency.leaf_of(check["finding_id"], Kind.CAPTURE)
    assert opening is not None
    assert b"sesame" in opening.record
    assert b"sesame" not in leaf.leaf
    assert office.services.transparency.leaf_of(check["finding_id"])[0].kind is Kind.FINDING
    assert seller.delete(f"/v1/checks/{check['finding_id']}").status_code == 204
    assert office.services.transparency.leaf_of(check["finding_id"], Kind.CAPTURE) == (leaf, None)
    assert not stored(home, "sesame")


def test_a_check_of_a_picture_that_was_sent_was_not_fetched(office: Office) -> None:
    data = sample("listings/unrelated-watch.jpg")
    seller = office.as_("shop.seller")
    answer = seller.post("/v1/checks", data={"profile": "quick"}, files={"file": ("https://shop.example/1.jpg", data)})
    assert answer.json()["captured"] is None


def test_a_packet_shows_where_the_listing_was_fetched(office: Office) -> None:
    url = office.server.put("/by-url/for-a-packet.jpg", sample("listings/copy-mirrored-mug.jpg"))
    check = office.as_("shop.seller").post("/v1/checks/by-url", json={"url": url, "profile": "quick"}).json()
    data = office.services.packets.build([check["finding_id"]], purpose=Purpose.COMPLAINT)
    report = verify_packet(data)
    assert report.holds, report.to_text()
    assert "3 records" in report.to_text()
    (finding,) = packet_in(data).findings
    assert finding.listing.url == url
    assert finding.listing.fetched_at == datetime.fromisoformat(check["captured"]["fetched_at"])
    assert "findings/1/capture/inclusion.tlog-proof" in finding.proofs
