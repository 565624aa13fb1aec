"""Comparing two pictures, and the search by hash: nothing is stored, and no more is told than by a check."""

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import httpx
import pytest

from imgguard.api import work
from imgguard.fingerprint.fingerprint import DescriptorKind

from .client import Client, assert_problem
from .conftest import Office, sample


def test_two_pictures_are_compared_and_nothing_is_stored(office: Office) -> None:
    seller = office.as_("shop.seller")
    before = seller.get("/v1/checks").json(), seller.get("/v1/jobs").json()
    files = {
        "query": ("copy.jpg", sample("listings/copy-mirrored-mug.jpg")),
        "reference": ("../mug.jpg", sample("originals/mug.jpg")),
    }
    answer = seller.post("/v1/compare", files=files, data={"profile": "quick"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["verdict"], found["file"], found["reference_file"]) == ("copy", "copy.jpg", "mug.jpg")
    assert found["match"]["match_id"] is None
    assert (seller.get("/v1/checks").json(), seller.get("/v1/jobs").json()) == before


def test_what_is_no_picture_is_told(office: Office) -> None:
    seller, mug = office.as_("shop.seller"), ("mug.jpg", sample("originals/mug.jpg"))
    assert_problem(
        seller.post("/v1/compare", files={"query": mug, "reference": ("a.jpg", b"no")}), 422, "unsupported_format"
    )
    big = bytes(office.services.settings.max_image_bytes + 1)
    assert_problem(seller.post("/v1/compare", files={"query": mug, "reference": ("a.jpg", big)}), 413, "body_too_large")


def pair(query: bytes | None = None, name: str = "copy.jpg") -> dict[str, tuple[str, bytes]]:
    copy = sample("listings/copy-mirrored-mug.jpg") if query is None else query
    return {"query": (name, copy), "reference": ("mug.jpg", sample("originals/mug.jpg"))}


def compared(client: Client, query: bytes | None = None, name: str = "copy.jpg") -> httpx.Response:
    return client.post("/v1/compare", files=pair(query, name), data={"profile": "quick"})


def test_another_process_compares(office: Office) -> None:
    assert compared(office.as_("shop.seller")).status_code == 200
    assert "comparison" not in vars(office.services)
    assert office.services.models._loaded == {}


def test_what_ends_that_process_is_told_and_costs_the_next_one_nothing(office: Office) -> None:
    seller = office.as_("shop.seller")
    problem = assert_problem(compared(seller, b"kill"), 503, "worker_crashed")
    assert "signal" not in problem["detail"]  # which is for the operator
    assert compared(seller).json()["verdict"] == "copy"
    assert_problem(compared(seller, b"bug"), 500, "internal")
    assert compared(seller).json()["verdict"] == "copy"


def test_two_comparisons_at_the_same_time(office: Office) -> None:
    names = {"shop.seller": "one.jpg", "studio.rights_holder": "two.jpg", "studio.seller": "three.jpg"}
    with ThreadPoolExecutor(len(names)) as threads:
        asked = {name: threads.submit(compared, office.as_(who), None, name) for who, name in names.items()}
        for name, one in asked.items():
            assert (one.result().status_code, one.result().json()["file"]) == (200, name)


def test_who_goes_away_leaves_the_turn_and_the_answers_in_order(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller, go = office.as_("shop.seller"), tmp_path / "go"
    assert compared(seller).status_code == 200
    monkeypatch.setattr(work, "DRAW_PATIENCE", 0.2)
    with seller.leaving("/v1/compare", files=pair(f"await {go}".encode(), "lost.jpg")):
        time.sleep(0.5)
    assert_problem(compared(office.as_("studio.rights_holder")), 503, "overloaded")  # it is being compared still
    go.touch()
    monkeypatch.setattr(work, "DRAW_PATIENCE", 30.0)
    found = compared(seller, name="next.jpg").json()
    assert (found["file"], found["verdict"]) == ("next.jpg", "copy")


def pdq_of_the_mug(office: Office) -> str:
    mug = hashlib.sha256(sample("originals/mug.jpg")).hexdigest()
    (stored,) = office.services.catalogue.descriptors(mug, [DescriptorKind.PDQ])
    return stored.data[:32].hex()


def test_a_search_by_hash_tells_strangers_of_no_original(office: Office) -> None:
    asked = {"pdq": pdq_of_the_mug(office), "distance": 0}
    mine = office.as_("studio.rights_holder").post("/v1/search/hash", json=asked).json()["items"][0]
    assert (mine["reference_id"], mine["hamming_distance"]) == (office.world.reference_id, 0)
    for pdq in (asked["pdq"], "0" * 64):
        strange = office.as_("shop.seller").post("/v1/search/hash", json={"pdq": pdq})
        assert (strange.status_code, strange.json()) == (200, {"items": []})


def test_searches_cannot_use_up_the_threads(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = threading.Event()

    def search(*_: object, **__: object) -> list[object]:
        assert may_end.wait(30)
        return []

    monkeypatch.setattr(office.services.hash_search, "search", search)
    monkeypatch.setattr(work, "DRAW_PATIENCE", 0.2)
    seller, holder = office.as_("shop.seller"), office.as_("studio.rights_holder")
    with ThreadPoolExecutor(3) as threads:
        body = {"pdq": "0" * 64}
        asked = [threads.submit(seller.post, "/v1/search/hash", json=body) for _ in range(2)]
        assert_problem(next(as_completed(asked)).result(), 503, "overloaded")  # one of an organisation at a time
        other = threads.submit(holder.post, "/v1/search/hash", json=body)
        assert seller.get("/v1/checks").status_code == 200
        may_end.set()
        assert sorted(one.result().status_code for one in asked) == [200, 503]
        assert other.result().status_code == 200


def test_a_hash_that_is_none(office: Office) -> None:
    seller = office.as_("shop.seller")
    assert_problem(seller.post("/v1/search/hash", json={"pdq": "xyz"}), 422, "invalid_request")
    assert_problem(seller.post("/v1/search/hash", json={"pdq": "0" * 64, "distance": 32}), 422, "invalid_request")
