"""Claims and proofs over HTTP: who states what, what is kept of it, and who sees it."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from imgguard.bootstrap import Services
from imgguard.provenance.leaves import open_leaf
from imgguard.provenance.records import Kind
from imgguard.registry.accounts import Scope

from .client import Client, assert_problem
from .conftest import Office, World, sample
from .rights import Rights

CLAIMS: dict[str, Any] = {
    "dates": [{"what": "taken", "at": "2026-02-01"}],
    "places": ["Studio 3, Oslo"],
    "urls": ["https://studio.example/mug"],
    "statement": "Taken in our studio.",
}
RAW = bytes(range(256)) * 4
SHA256 = hashlib.sha256(RAW).hexdigest()
KINDS = "camera_original raw neighbouring_frame behind_the_scenes working_file catalogue invoice certificate other"

type With = Callable[[str], Client]


@pytest.fixture
def holder(with_key: With) -> Client:
    return with_key("studio.rights_holder")


@pytest.fixture
def path(world: World) -> str:
    return f"/v1/references/{world.reference_id}"


def attached(holder: Client, path: str, data: bytes = RAW, **fields: str) -> dict[str, Any]:
    answer = holder.post(f"{path}/proofs", files={"file": ("a.nef", data)}, data={"kind": "raw", **fields})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def body_of(services: Services, object_id: str, kind: Kind) -> dict[str, Any]:
    """Of the record that the latest leaf about it opens to."""
    leaf = services.log_store.leaf_about(object_id, kind)
    ((_, opening),) = services.log_store.openings(leaf.position, limit=1)
    assert opening is not None
    return dict(open_leaf(leaf.leaf, opening).body)


class TestStating:
    def test_what_is_stated_is_shown_and_in_the_log(self, holder: Client, path: str, services: Services) -> None:
        made = holder.post(f"{path}/claims", json=CLAIMS)
        assert made.status_code == 201, made.text
        assert {name: made.json()[name] for name in CLAIMS} == CLAIMS
        assert holder.get(made.headers["location"]).json()["items"] == [made.json()]
        assert holder.get(path).json()["claims"] == [made.json()]
        told = body_of(services, made.json()["claim_id"], Kind.CLAIM)
        assert (told["subject"], told["facts"]["claims"]) == (path.rpartition("/")[2], CLAIMS)

    def test_the_etag_of_the_reference_changes_with_it(self, holder: Client, path: str) -> None:
        before = holder.get(path).headers["etag"]
        holder.post(f"{path}/claims", json=CLAIMS)
        answer = holder.patch(path, json={"title": "Mug"}, headers={"If-Match": before})
        assert_problem(answer, 412, "stale_revision")

    @pytest.mark.parametrize(
        ("claims", "field"),
        [
            ({"dates": [{"what": "taken", "at": "yesterday"}]}, "claims.dates[0].at"),
            ({"dates": [{"what": "taken", "at": "2026-02-30"}]}, "claims.dates[0].at"),
            ({"urls": ["https://a.example", "javascript:alert(1)"]}, "claims.urls[1]"),
            ({"places": ["Oslo\u202e"]}, "claims.places[0]"),
            ({"statement": "a\u0000b"}, "claims.statement"),
            ({}, "say nothing"),
        ],
    )
    def test_what_cannot_be_stated_is_told_by_its_field(
        self, holder: Client, path: str, services: Services, claims: dict[str, Any], field: str
    ) -> None:
        before = services.log_store.size()
        found = assert_problem(holder.post(f"{path}/claims", json=claims), 422, "invalid_input")
        assert field in found["detail"]
        assert services.log_store.size() == before

    @pytest.mark.parametrize(
        "claims", [{"author": "Ann"}, {"dates": ["2026"]}, {"statement": "x" * 10_001}, {"places": [""]}]
    )
    def test_what_has_another_shape_is_refused(self, holder: Client, path: str, claims: dict[str, Any]) -> None:
        assert holder.post(f"{path}/claims", json=claims).status_code == 422

    def test_sent_again_it_is_stated_once(self, holder: Client, path: str) -> None:
        holder.headers["Idempotency-Key"] = "once"
        first, second = (holder.post(f"{path}/claims", json=CLAIMS) for _ in range(2))
        assert (first.json(), second.headers["idempotency-replayed"]) == (second.json(), "true")
        assert len(holder.get(f"{path}/claims").json()["items"]) == 1

    def test_page_by_page(self, holder: Client, path: str) -> None:
        for place in ("Oslo", "Bergen", "Tromsø"):
            holder.post(f"{path}/claims", json={"places": [place]})
        first = holder.get(f"{path}/claims?limit=2").json()
        rest = holder.get(f"{path}/claims", params={"cursor": first["next_cursor"]}).json()
        assert [item["places"] for item in first["items"] + rest["items"]] == [["Oslo"], ["Bergen"], ["Tromsø"]]


class TestAttaching:
    def test_a_file_comes_back_as_it_was(self, holder: Client, path: str, services: Services) -> None:
        made = attached(holder, path)
        assert (made["kind"], made["name"], made["sha256"]) == ("raw", "a.nef", SHA256)
        assert (made["byte_length"], made["keeping"]) == (len(RAW), "stored")
        answer = holder.get(f"{path}/proofs/{made['proof_id']}")
        assert (answer.status_code, answer.content) == (200, RAW)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"] == f'attachment; filename="{made["proof_id"]}.nef"'
        assert holder.get(path).json()["proofs"] == [made]
        assert body_of(services, made["proof_id"], Kind.CLAIM)["digests"] == {"proof": SHA256}

    @pytest.mark.parametrize("kind", KINDS.split())
    def test_of_every_kind(self, holder: Client, path: str, kind: str) -> None:
        assert attached(holder, path, kind=kind)["kind"] == kind

    def test_a_digest_alone_keeps_nothing(self, holder: Client, path: str, services: Services) -> None:
        body = {"kind": "neighbouring_frame", "name": "b.nef", "sha256": SHA256, "byte_length": len(RAW)}
        made = holder.post(f"{path}/proofs/by-digest", json=body)
        assert made.status_code == 201, made.text
        assert made.json()["keeping"] == "digest_only"
        assert_problem(holder.get(made.headers["location"]), 404, "not_found")
        assert SHA256 not in list(services.blobs.digests())
        assert body_of(services, made.json()["proof_id"], Kind.CLAIM)["digests"] == {"proof": SHA256}

    def test_removed_the_digest_stays(self, holder: Client, path: str, services: Services) -> None:
        made = attached(holder, path)
        place = f"{path}/proofs/{made['proof_id']}"
        removed = holder.delete(place)
        assert (removed.status_code, removed.json()["keeping"]) == (200, "removed")
        assert removed.json()["sha256"] == SHA256
        assert_problem(holder.get(place), 404, "not_found")
        assert_problem(holder.delete(place), 409, "invalid_transition")
        assert SHA256 not in list(services.blobs.digests())
        assert holder.get(f"{path}/proofs").json()["items"] == [removed.json()]

    def test_sent_again_it_is_attached_once(self, holder: Client, path: str) -> None:
        holder.headers["Idempotency-Key"] = "one-file"
        first, second = (attached(holder, path) for _ in range(2))
        assert first == second
        del holder.headers["Idempotency-Key"]
        assert len(holder.get(f"{path}/proofs").json()["items"]) == 1

    def test_hostile_names_and_kinds(self, holder: Client, path: str) -> None:
        files = {"file": ('../../e"\r\nX: y/..\\a.nef', RAW)}
        made = holder.post(f"{path}/proofs", files=files, data={"kind": "raw"})
        assert made.status_code == 201
        assert "/" not in made.json()["name"]
        for fields in ({"kind": "selfie"}, {"kind": "raw", "name": "a\x00b"}, {"kind": "raw", "name": "\u202efen.a"}):
            refused = holder.post(f"{path}/proofs", files={"file": ("a.nef", RAW)}, data=fields)
            assert_problem(refused, 422, "invalid_input")
        odd = attached(holder, path, name='a."; x')
        assert (
            holder.get(f"{path}/proofs/{odd['proof_id']}")
            .headers["content-disposition"]
            .endswith(f'{odd["proof_id"]}"')
        )
        assert_problem(
            holder.post(f"{path}/proofs", files={"file": ("a", b"")}, data={"kind": "raw"}), 422, "invalid_input"
        )

    @pytest.mark.parametrize(
        "change", [{"sha256": "A" * 64}, {"byte_length": 0}, {"byte_length": 2**53}, {"kind": "x"}]
    )
    def test_what_is_no_digest_is_refused(self, holder: Client, path: str, change: dict[str, Any]) -> None:
        body = {"kind": "raw", "name": "b.nef", "sha256": SHA256, "byte_length": 1, **change}
        assert holder.post(f"{path}/proofs/by-digest", json=body).status_code == 422


def test_a_file_may_be_larger_than_a_picture_but_not_than_its_limit(start: Callable[..., Client], world: World) -> None:
    client = start(max_request_bytes=50_000, max_image_bytes=50_000, max_proof_bytes=100_000)
    client.headers["Authorization"] = f"Bearer {world.keys['studio.rights_holder']}"
    path = f"/v1/references/{world.reference_id}"
    attached(client, path, b"x" * 100_000)
    large = {"files": {"file": ("a.nef", b"x" * 100_001)}, "data": {"kind": "raw"}}
    assert (
        "IMGGUARD_MAX_PROOF_BYTES"
        in assert_problem(client.post(f"{path}/proofs", **large), 413, "body_too_large")["hint"]
    )
    huge = {"files": {"file": ("a.nef", b"x" * 300_000)}, "data": {"kind": "raw"}}
    assert_problem(client.post(f"{path}/proofs", **huge), 413, "body_too_large")
    assert_problem(client.post("/v1/references", files={"file": ("a.jpg", b"x" * 60_000)}), 413, "body_too_large")


def test_strangers_see_nothing_of_it(
    holder: Client, path: str, world: World, with_key: With, services: Services
) -> None:
    made = attached(holder, path)
    holder.post(f"{path}/claims", json=CLAIMS)
    shop = with_key("shop.rights_holder")
    for place in (path, f"{path}/claims", f"{path}/proofs", f"{path}/proofs/{made['proof_id']}"):
        assert_problem(shop.get(place), 404, "not_found")
    assert_problem(shop.post(f"{path}/claims", json=CLAIMS), 404, "not_found")
    assert_problem(shop.delete(f"{path}/proofs/{made['proof_id']}"), 404, "not_found")
    reviewer = with_key("operator.reviewer")
    assert reviewer.get(f"{path}/proofs/{made['proof_id']}").content == RAW
    assert_problem(reviewer.delete(f"{path}/proofs/{made['proof_id']}"), 403, "permission_denied")
    found = with_key("studio.seller").get(f"/v1/checks/{world.finding_id}").text
    assert "Studio 3" not in found
    assert SHA256 not in found
    narrow = holder.another()
    key = Rights(services=services, world=world).key("studio.rights_holder", Scope.REFERENCES_WRITE)
    narrow.headers["Authorization"] = f"Bearer {key}"
    assert_problem(narrow.post(f"{path}/claims", json=CLAIMS), 403, "permission_denied")


def test_erased_with_its_reference(holder: Client, path: str, services: Services) -> None:
    made = attached(holder, path)
    claim = holder.post(f"{path}/claims", json=CLAIMS).json()
    assert holder.delete(f"{path}?erase=true").status_code == 200
    assert (holder.get(path).json()["claims"], holder.get(path).json()["proofs"]) == (None, None)
    assert SHA256 not in list(services.blobs.digests())
    for object_id in (made["proof_id"], claim["claim_id"]):
        leaf = services.log_store.leaf_about(object_id)
        assert services.log_store.openings(leaf.position, limit=1)[0][1] is None
    assert_problem(holder.post(f"{path}/claims", json=CLAIMS), 409, "invalid_transition")


def test_the_trail_and_the_export_tell_of_it(holder: Client, path: str, with_session: With, world: World) -> None:
    claim = holder.post(f"{path}/claims", json=CLAIMS).json()
    proof = attached(holder, path)
    holder.delete(f"{path}/proofs/{proof['proof_id']}")
    events = with_session("studio.admin").get("/v1/audit-events").json()["items"]
    told = [(one["action"], one["object_id"], one["detail"]) for one in events if one["object_id"] in path]
    ids = [{"claim_id": claim["claim_id"]}, {"proof_id": proof["proof_id"]}, {"proof_id": proof["proof_id"]}]
    actions = ["reference.claimed", "reference.proof_attached", "reference.proof_removed"]
    mine = [(action, world.reference_id, detail) for action, detail in zip(actions, ids, strict=True)]
    assert [one for one in told if one[0] in actions] in (mine, mine[::-1])
    own = with_session("studio.rights_holder")
    exported = own.post(f"/v1/members/{world.members['studio.rights_holder']}/export").json()
    assert [one["claim_id"] for one in exported["claims"]] == [claim["claim_id"]]
    assert [(one["proof_id"], one["keeping"]) for one in exported["proofs"]] == [(proof["proof_id"], "removed")]


class TestRegistering:
    """By a worker."""

    def test_what_is_claimed_is_in_the_record_of_the_registration(self, office: Office) -> None:
        holder = office.as_("studio.rights_holder")
        files = {"file": ("spoon.jpg", sample("originals/scissors.jpg"))}
        made = holder.post("/v1/references", files=files, data={"claims": json.dumps(CLAIMS)})
        assert made.status_code == 201, made.text
        reference = made.json()["reference"]
        (stated,) = reference["claims"]
        assert ({name: stated[name] for name in CLAIMS}, stated["at_registration"]) == (CLAIMS, True)
        assert body_of(office.services, reference["reference_id"], Kind.REGISTRATION)["claims"] == CLAIMS
        jobs = holder.get("/v1/jobs").text
        assert "Studio 3" not in jobs  # a job that is over has it no more: it would outlive the reference
        again = holder.post("/v1/references", files=files, data={"claims": json.dumps({"places": ["Bergen"]})})
        assert (again.status_code, again.json()["reference"]["claims"]) == (200, [stated])

    @pytest.mark.parametrize(
        "text", ["{", "[]", '{"author": "Ann"}', '{"places": ["a"], "places": ["b"]}', '{"places": ["\\ud800"]}', "NaN"]
    )
    def test_what_cannot_be_claimed_is_told_before_any_work(self, office: Office, text: str) -> None:
        holder = office.as_("studio.rights_holder")
        files = {"file": ("a.jpg", sample("originals/mug.jpg"))}
        assert_problem(holder.post("/v1/references", files=files, data={"claims": text}), 422, "invalid_input")

    def test_of_many_it_is_claimed_of_each(self, office: Office) -> None:
        holder = office.as_("studio.rights_holder")
        names = ("denim-jacket", "pinstripe-cap")
        files = [("files", (f"{name}.jpg", sample(f"originals/{name}.jpg"))) for name in names]
        job = holder.post("/v1/references/bulk", files=files, data={"claims": json.dumps(CLAIMS)})
        assert job.status_code == 202, job.text
        office.services.jobs.wait(
            Rights(services=office.services, world=office.world).actor("studio.rights_holder"),
            job.json()["job_id"],
            seconds=60,
        )
        items = holder.get(f"/v1/jobs/{job.json()['job_id']}/items").json()["items"]
        for item in items:
            told = body_of(office.services, item["result"]["reference_id"], Kind.REGISTRATION)
            assert told["claims"] == CLAIMS
        assert holder.get(f"/v1/jobs/{job.json()['job_id']}").json()["options"] == {}
