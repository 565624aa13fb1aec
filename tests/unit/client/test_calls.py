"""Each method: which route it asks, what it sends, what it makes of the answer."""

import io
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from imgguard.client import Client, InvalidProblem, ItemFailed, NotDone, Retries, UnexpectedAnswer

from .server import (
    AT,
    CHECK,
    DONE,
    FAILED,
    FEED,
    FEED_LINE,
    HERE,
    ITEM,
    JOB,
    KEY,
    MATCH,
    REFERENCE,
    Server,
    form,
    page,
    problem,
)

REGISTERED = {"status": "registered", "reference": REFERENCE, "similar": [MATCH], "error": None}
REMOVED = {"reference": {**REFERENCE, "status": "erased"}, "unfinished": None}
WORK = {"work_id": "wrk_1", "title": "A mug", "created_at": AT, "reference_ids": ["ref_1"], "collection_ids": []}
COLLECTION = {"collection_id": "col_1", "name": "Spring", "created_at": AT, "work_count": 0}
COMPARISON = {
    **{name: CHECK[name] for name in ("file", "sha256", "verdict", "reasons", "weights", "calibration")},
    "reference_file": "b.jpg",
    "reference_sha256": "4" * 64,
    "match": MATCH,
}
HASH_MATCH = {"number": 1, "disclosure": "full", "is_own": False, "reference_id": "ref_1", "hamming_distance": 3}
STATED = {"claim_id": "clm_1", "reference_id": "ref_1", "places": ["Oslo"], "statement": None, "made_at": AT}
PROOF = {
    "proof_id": "prf_1",
    "reference_id": "ref_1",
    "kind": "raw",
    "name": "a.nef",
    "sha256": "5" * 64,
    "byte_length": 3,
    "keeping": "stored",
    "added_at": AT,
    "removed_at": None,
}
PACKET = {
    "packet_id": "pkt_1",
    "organisation_id": "org_1",
    "member_id": "mem_1",
    "state": "kept",
    "purpose": "complaint",
    "on_behalf_of": "Sample Studio",
    "references": [
        {
            "reference_id": "ref_1",
            "existed_no_later_than": [{"at": AT, "by": "TSA", "basis": "timestamp", "trust": "independent"}],
        }
    ],
    "findings": ["fnd_1"],
    "missing": [{"code": "no_witness", "detail": "No witness."}],
    "against": [],
    "byte_length": 9,
    "sha256": "5" * 64,
    "created_at": AT,
    "expires_at": AT,
    "ended_at": None,
    "file": "/v1/packets/pkt_1/file",
}
LICENCE = {
    "licence_id": "lic_1",
    "licensor": {"organisation_id": "org_1", "organisation": "Sample Studio"},
    "licensee": None,
    "shop": None,
    "by_link": True,
    "holders": [{"organisation_id": "org_2", "organisation": "Shop", "accepted_at": AT}],
    "work_ids": None,
    "uses": ["listing"],
    "platforms": [],
    "territories": ["DE"],
    "starts_at": AT,
    "ends_at": None,
    "state": "active",
    "note": "",
    "created_at": AT,
    "revoked_at": None,
    "revision": 1,
}
DOCUMENT = {
    "document_id": "doc_1",
    "licence_id": "lic_1",
    "position": 1,
    "title": "Contract",
    "media_type": "application/pdf",
    "sha256": "5" * 64,
    "byte_length": 5,
    "added_at": AT,
}
DECISION = {
    "decision_id": "dec_1",
    "reference_id": "ref_1",
    "finding_id": "fnd_1",
    "kind": "not_a_copy",
    "by": "owner",
    "organisation_id": "org_1",
    "member_id": "mem_1",
    "note": "",
    "decided_at": AT,
    "retracted_at": None,
}
ORGANISATION = {
    "organisation_id": "org_1",
    "organisation": "Sample Studio",
    "disclosure": "outline",
    "is_operator": False,
    "created_at": AT,
    "disabled_at": None,
    "erased_at": None,
}
WHO = {
    "organisation_id": "org_1",
    "organisation": "Sample Studio",
    "is_operator": False,
    "member_id": "mem_1",
    "name": "Ann Example",
    "key_id": "key_1",
    "roles": ["rights_holder"],
    "scopes": ["checks:read"],
    "csrf_token": None,
}
API_KEY = {
    "key_id": "key_1",
    "organisation_id": "org_1",
    "member_id": "mem_1",
    "name": "feed",
    "prefix": "imgguard_key",
    "scopes": ["checks:read"],
    "created_at": AT,
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
}
WEBHOOK = {
    "webhook_id": "whk_1",
    "organisation_id": "org_1",
    "member_id": "mem_1",
    "url": "https://hooks.example.org/",
    "note": "",
    "events": ["job.finished"],
    "is_enabled": True,
    "created_at": AT,
    "previous_secret_until": None,
    "failing_since": None,
    "disabled_at": None,
    "disabled_because": None,
    "revision": 1,
}
DELIVERY = {
    "delivery_id": "msg_1",
    "webhook_id": "whk_1",
    "event_id": "evt_1",
    "event": "job.finished",
    "state": "waiting",
    "attempts": 0,
    "next_at": AT,
    "last_status": None,
    "last_error": None,
    "last_tried_at": None,
    "created_at": AT,
    "finished_at": None,
}
ISSUED_WEBHOOK = {"webhook": WEBHOOK, "secret": "whsec_AAAA"}
PICTURE = httpx.Response(200, content=b"\x89PNG", headers={"Content-Type": "image/png"})
NOTHING = httpx.Response(204)
TRUST = httpx.Response(200, text="[log]\n")
SHEET = httpx.Response(200, content=b"\xef\xbb\xbfproduct_id\r\n", headers={"Content-Type": "text/csv"})

type Call = Callable[[Client], object]

# what is called, what the server answers, and what it was asked
CALLS: list[tuple[Call, Any, str]] = [
    (lambda c: c.register(b"data"), REGISTERED, "POST /v1/references"),
    (lambda c: c.register_url("https://a.example/a.jpg"), REGISTERED, "POST /v1/references/by-url"),
    (lambda c: c.register_many([b"a", b"b"]), JOB, "POST /v1/references/bulk"),
    (lambda c: c.reference("ref_1"), REFERENCE, "GET /v1/references/ref_1"),
    (lambda c: c.change_reference("ref_1", title="B"), REFERENCE, "PATCH /v1/references/ref_1"),
    (lambda c: c.withdraw("ref_1"), REMOVED, "DELETE /v1/references/ref_1"),
    (lambda c: c.erase("ref_1"), REMOVED, "DELETE /v1/references/ref_1?erase=true"),
    (lambda c: c.original("ref_1"), PICTURE, "GET /v1/references/ref_1/original"),
    (lambda c: c.picture("ref_1", side=128), PICTURE, "GET /v1/references/ref_1/picture?side=128"),
    (lambda c: list(c.works(collection_id="col_1")), page(WORK), "GET /v1/works?collection_id=col_1"),
    (lambda c: c.work("wrk_1"), WORK, "GET /v1/works/wrk_1"),
    (lambda c: c.move("ref_1", "wrk_2"), REFERENCE, "PUT /v1/works/wrk_2/references/ref_1"),
    (lambda c: list(c.collections()), page(COLLECTION), "GET /v1/collections"),
    (lambda c: c.collection("col_1"), COLLECTION, "GET /v1/collections/col_1"),
    (lambda c: c.create_collection("Spring"), COLLECTION, "POST /v1/collections"),
    (lambda c: c.rename_collection("col_1", "Summer"), COLLECTION, "PATCH /v1/collections/col_1"),
    (lambda c: c.delete_collection("col_1"), NOTHING, "DELETE /v1/collections/col_1"),
    (lambda c: c.add_to_collection("col_1", "wrk_1"), COLLECTION, "PUT /v1/collections/col_1/works/wrk_1"),
    (lambda c: c.take_from_collection("col_1", "wrk_1"), COLLECTION, "DELETE /v1/collections/col_1/works/wrk_1"),
    (lambda c: c.check(b"data"), CHECK, "POST /v1/checks"),
    (lambda c: c.check_url("https://a.example/a.jpg"), CHECK, "POST /v1/checks/by-url"),
    (lambda c: c.check_many([b"a", b"b"]), JOB, "POST /v1/checks/bulk"),
    (lambda c: list(c.checks()), page(CHECK), "GET /v1/checks"),
    (lambda c: c.check_of("fnd_1"), CHECK, "GET /v1/checks/fnd_1"),
    (lambda c: c.checked_picture("fnd_1"), PICTURE, "GET /v1/checks/fnd_1/picture"),
    (lambda c: c.match_pictures("fnd_1", 2), {"pictures": ["outline"]}, "GET /v1/checks/fnd_1/matches/2/pictures"),
    (lambda c: c.erase_check("fnd_1"), NOTHING, "DELETE /v1/checks/fnd_1"),
    (lambda c: c.match_picture("fnd_1", 2, "outline"), PICTURE, "GET /v1/checks/fnd_1/matches/2/pictures/outline"),
    (lambda c: c.compare(b"a", b"b"), COMPARISON, "POST /v1/compare"),
    (lambda c: c.search_hash("0" * 64), {"items": [HASH_MATCH]}, "POST /v1/search/hash"),
    (lambda c: c.check_feed(b"id,image_link"), FEED, "POST /v1/feeds"),
    (lambda c: c.check_feed_url("https://a.example/feed.xml"), FEED, "POST /v1/feeds/by-url"),
    (lambda c: list(c.feeds()), page(FEED), "GET /v1/feeds"),
    (lambda c: c.feed("fed_1"), FEED, "GET /v1/feeds/fed_1"),
    (lambda c: c.feed_result("fed_1"), SHEET, "GET /v1/feeds/fed_1/result"),
    (lambda c: c.feed_lines("fed_1"), {"items": [FEED_LINE]}, "GET /v1/feeds/fed_1/result"),
    (lambda c: c.delete_feed("fed_1"), NOTHING, "DELETE /v1/feeds/fed_1"),
    (lambda c: c.build_packet(["fnd_1"], purpose="complaint"), PACKET, "POST /v1/packets"),
    (lambda c: list(c.packets()), page(PACKET), "GET /v1/packets"),
    (lambda c: c.packet("pkt_1"), PACKET, "GET /v1/packets/pkt_1"),
    (lambda c: c.packet_file("pkt_1"), PICTURE, "GET /v1/packets/pkt_1/file"),
    (lambda c: c.delete_packet("pkt_1"), {**PACKET, "state": "deleted", "file": None}, "DELETE /v1/packets/pkt_1"),
    (lambda c: c.packet_trust(), TRUST, "GET /v1/packets/trust"),
    (lambda c: c.create_webhook("https://hooks.example.org/"), ISSUED_WEBHOOK, "POST /v1/webhooks"),
    (lambda c: list(c.webhooks()), page(WEBHOOK), "GET /v1/webhooks"),
    (lambda c: c.webhook("whk_1"), WEBHOOK, "GET /v1/webhooks/whk_1"),
    (lambda c: c.change_webhook("whk_1", is_enabled=False), WEBHOOK, "PATCH /v1/webhooks/whk_1"),
    (lambda c: c.delete_webhook("whk_1"), NOTHING, "DELETE /v1/webhooks/whk_1"),
    (lambda c: c.rotate_webhook_secret("whk_1"), ISSUED_WEBHOOK, "POST /v1/webhooks/whk_1/secret"),
    (lambda c: c.test_webhook("whk_1"), DELIVERY, "POST /v1/webhooks/whk_1/test"),
    (
        lambda c: list(c.webhook_deliveries("whk_1", state="failed")),
        page(DELIVERY),
        "GET /v1/webhooks/whk_1/deliveries?state=failed",
    ),
    (
        lambda c: c.webhook_delivery("whk_1", "msg_1"),
        {**DELIVERY, "payload": "{}"},
        "GET /v1/webhooks/whk_1/deliveries/msg_1",
    ),
    (lambda c: c.replay_delivery("whk_1", "msg_1"), DELIVERY, "POST /v1/webhooks/whk_1/deliveries/msg_1/replay"),
    (
        lambda c: c.replay_webhook("whk_1", since=datetime(2026, 3, 1, tzinfo=UTC)),
        {"count": 2, "more_since": AT},
        "POST /v1/webhooks/whk_1/replay",
    ),
    (lambda c: list(c.licences(ends_soon=True)), page(LICENCE), "GET /v1/licences?ends_soon=true"),
    (lambda c: list(c.jobs()), page(JOB), "GET /v1/jobs"),
    (lambda c: c.job("job_1"), JOB, "GET /v1/jobs/job_1"),
    (lambda c: c.wait("job_1"), DONE, "GET /v1/jobs/job_1"),
    (lambda c: list(c.job_items("job_1")), page(ITEM), "GET /v1/jobs/job_1/items"),
    (lambda c: c.cancel("job_1"), DONE, "POST /v1/jobs/job_1/cancel"),
    (lambda c: c.grant(by_link=True), {"licence": LICENCE, "secret": "token"}, "POST /v1/licences"),
    (lambda c: list(c.licences(direction="given")), page(LICENCE), "GET /v1/licences?direction=given"),
    (lambda c: list(c.licences()), page({**LICENCE, "revision": None}), "GET /v1/licences"),
    (lambda c: c.licence("lic_1"), LICENCE, "GET /v1/licences/lic_1"),
    (lambda c: c.revoke_licence("lic_1"), LICENCE, "POST /v1/licences/lic_1/revoke"),
    (lambda c: c.extend_licence("lic_1", ends_at=None), LICENCE, "POST /v1/licences/lic_1/extend"),
    (lambda c: c.confirm_shop("lic_1", organisation_id="org_2"), LICENCE, "POST /v1/licences/lic_1/shop"),
    (lambda c: c.accept_licence("token"), LICENCE, "POST /v1/licences/accept"),
    (lambda c: c.add_document("lic_1", b"%PDF-", title="Contract"), DOCUMENT, "POST /v1/licences/lic_1/documents"),
    (lambda c: c.document("lic_1", "doc_1"), PICTURE, "GET /v1/licences/lic_1/documents/doc_1"),
    (lambda c: c.state_claims("ref_1", {"places": ["Oslo"]}), STATED, "POST /v1/references/ref_1/claims"),
    (lambda c: list(c.claims("ref_1")), page(STATED), "GET /v1/references/ref_1/claims"),
    (lambda c: c.attach_proof("ref_1", b"raw", kind="raw"), PROOF, "POST /v1/references/ref_1/proofs"),
    (
        lambda c: c.attach_proof_digest("ref_1", kind="raw", name="a.nef", sha256="5" * 64, byte_length=3),
        PROOF,
        "POST /v1/references/ref_1/proofs/by-digest",
    ),
    (lambda c: list(c.proofs("ref_1")), page(PROOF), "GET /v1/references/ref_1/proofs"),
    (lambda c: c.proof("ref_1", "prf_1"), PICTURE, "GET /v1/references/ref_1/proofs/prf_1"),
    (lambda c: c.remove_proof("ref_1", "prf_1"), PROOF, "DELETE /v1/references/ref_1/proofs/prf_1"),
    (lambda c: c.decide("fnd_1", "ref_1", "not_a_copy"), DECISION, "POST /v1/decisions"),
    (lambda c: list(c.decisions()), page(DECISION), "GET /v1/decisions"),
    (lambda c: c.retract("dec_1"), DECISION, "DELETE /v1/decisions/dec_1"),
    (lambda c: c.account(), WHO, "GET /v1/session"),
    (lambda c: c.organisation(), ORGANISATION, "GET /v1/organisation"),
    (lambda c: c.set_disclosure("contact"), ORGANISATION, "PATCH /v1/organisation"),
    (lambda c: list(c.api_keys()), page(API_KEY), "GET /v1/keys"),
    (lambda c: c.revoke_key("key_1"), API_KEY, "DELETE /v1/keys/key_1"),
]


@pytest.mark.parametrize(("call", "answer", "asked"), CALLS, ids=[asked for _, _, asked in CALLS])
def test_each_call_asks_its_route(call: Call, answer: Any, asked: str) -> None:
    server = Server([answer])
    with server.client() as client:
        call(client)
    assert server.asked == [asked]
    assert ("idempotency-key" in server.requests[0].headers) == asked.startswith("POST")


def test_what_is_told_is_typed_and_cannot_be_changed() -> None:
    with Server([CHECK]).client() as client:
        found = client.check_of("fnd_1")
    assert found.checked_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    (match,) = found.matches
    assert (match.reference_id, match.owner, match.query_region) == (
        None,
        "Sample Studio",
        found.matches[0].query_region,
    )
    assert match.query_region is not None
    assert match.query_region[2] == (640, 480)
    assert match.licence is not None
    assert match.licence.status == "none"
    with pytest.raises(ValidationError):
        found.verdict = "no_match"  # type: ignore[misc]


def test_a_newer_server_breaks_nothing() -> None:
    match = {**MATCH, "verdict": "a_new_one", "new_field": {"a": 1}}
    with Server([{**CHECK, "matches": [match], "conclusion": "a_new_one", "new_field": 1}]).client() as client:
        found = client.check_of("fnd_1")
    assert (found.conclusion, found.matches[0].verdict) == ("a_new_one", "a_new_one")


def test_a_feed_is_sent_with_what_it_is_for() -> None:
    server = Server([FEED, {"items": [FEED_LINE]}, SHEET])
    with server.client() as client:
        feed = client.check_feed(b"id", file="a.csv", form="google", encoding="gb18030", territory="DE")
        (line,) = client.feed_lines(feed.feed_id)
        assert client.feed_result(feed.feed_id).startswith(b"\xef\xbb\xbf")
    assert form(server.requests[0]) == [
        ("form", None, b"google"),
        ("encoding", None, b"gb18030"),
        ("territory", None, b"DE"),
        ("file", "a.csv", b"id"),
    ]
    assert [request.headers["accept"] for request in server.requests[1:]] == ["application/json", "text/csv"]
    assert (line.matches[0].owner, line.matches[0].reference_id) == ("Sample Studio", None)


def test_what_is_no_result_is_told() -> None:
    with Server([page(), {"lines": []}]).client() as client:
        assert client.feed_lines("fed_1") == []
        with pytest.raises(UnexpectedAnswer):
            client.feed_lines("fed_1")


def test_who_waits_is_told_how_far_it_is() -> None:
    told: list[int] = []
    with Server([JOB, JOB, DONE]).client() as client:
        client.wait("job_1", told=lambda job: told.append(job.done_count))
    assert told == [0, 0, 1]


# uploads


def test_bytes_are_sent_with_what_they_are_for() -> None:
    server = Server([CHECK])
    with server.client() as client:
        client.check(b"data", file="a.jpg", profile="quick", platform="aliexpress", shop="Ünlü")
    assert form(server.requests[0]) == [
        ("profile", None, b"quick"),
        ("platform", None, b"aliexpress"),
        ("shop", None, "Ünlü".encode()),
        ("file", "a.jpg", b"data"),
    ]


def _written(folder: Path) -> Path:
    path = folder / 'a "strange" näme.jpg'
    path.write_bytes(os.urandom(200_000))
    return path


@pytest.mark.parametrize("how", ["path", "text", "file", "stream"])
def test_a_file_is_sent_as_it_is_and_once_more_from_the_beginning(how: str, tmp_path: Path) -> None:
    path = _written(tmp_path)
    server = Server([lambda _: problem(503), lambda _: problem(503), REGISTERED])
    with path.open("rb") as file, server.client() as client:
        source: Any = {"path": path, "text": str(path), "file": file, "stream": _Stream(path.read_bytes())}[how]
        client.register(source, title="A mug")
    assert len(server.requests) == 3
    for request in server.requests:
        (_, _, title), (field, name, content) = form(request)
        assert (title, field, content) == (b"A mug", "file", path.read_bytes())
        assert name == ("image" if how == "stream" else path.name.replace('"', "%22"))
        assert int(request.headers["content-length"]) == len(request.content)


class _Stream(io.RawIOBase):
    """What can be read once: a pipe, an answer of another server."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


def test_a_file_is_sent_from_where_it_was_read_to(tmp_path: Path) -> None:
    path = _written(tmp_path)
    server = Server([lambda _: problem(503), REGISTERED])
    with path.open("rb") as file, server.client() as client:
        file.seek(1000)
        client.register(file)
    assert [form(request)[0][2] for request in server.requests] == [path.read_bytes()[1000:]] * 2


class _Reading(httpx.BaseTransport):
    """Reads what is sent piece by piece, as a network does."""

    def __init__(self, before: Callable[[], object] = lambda: None) -> None:
        self.pieces: list[bytes] = []
        self._before = before

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._before()
        self.pieces = list(request.stream)  # type: ignore[arg-type]
        return httpx.Response(200, json=REGISTERED)


def test_a_file_is_not_in_memory_as_a_whole(tmp_path: Path) -> None:
    path, reading = _written(tmp_path), _Reading()
    with Client(HERE, KEY, transport=reading) as client:
        client.register(path)
    assert path.read_bytes() in b"".join(reading.pieces)
    assert max(map(len, reading.pieces)) <= 65_536


def test_a_file_that_grows_is_sent_as_long_as_it_was(tmp_path: Path) -> None:
    path = _written(tmp_path)
    before = path.read_bytes()

    def grow() -> None:
        with path.open("ab") as file:
            file.write(b"more")

    reading = _Reading(grow)
    with Client(HERE, KEY, transport=reading) as client:
        client.register(path)
    sent = b"".join(reading.pieces)
    assert before + b"\r\n" in sent
    assert b"more" not in sent.replace(before, b"")


def test_many_files_are_opened_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for number in range(30):
        paths.append(tmp_path / f"{number}.jpg")
        paths[-1].write_bytes(b"%d" % number)
    open_now, most, open_path = set[Any](), 0, Path.open

    def opened(path: Path, *arguments: Any) -> Any:
        nonlocal most
        file = open_path(path, *arguments)
        open_now.add(file)
        most = max(most, sum(not one.closed for one in open_now))
        return file

    monkeypatch.setattr(Path, "open", opened)
    server = Server([JOB])
    with server.client() as client:
        client.check_many(paths, territory="DE")
    parts = form(server.requests[0])
    assert parts[0] == ("territory", None, b"DE")
    assert parts[1:] == [("files", f"{number}.jpg", b"%d" % number) for number in range(30)]
    assert most == 1
    assert all(file.closed for file in open_now)


def test_what_cannot_be_sent(tmp_path: Path) -> None:
    server = Server([JOB])
    with server.client() as client:
        with pytest.raises(FileNotFoundError):
            client.check(tmp_path / "missing.jpg")
        with pytest.raises(ValueError, match="nothing to send"):
            client.check_many([])
        with pytest.raises(TypeError), (tmp_path / "a.txt").open("w+") as file:
            client.check(file)  # type: ignore[arg-type]
    assert server.requests == []


def test_a_name_that_is_no_text_is_sent_as_text(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    path.write_bytes(b"data")
    server = Server([CHECK])
    with server.client() as client:
        client.check(path)
        client.check(b"data", file=path.name)
    assert [rb"caf\\xe9.jpg" in request.content for request in server.requests] == [True, True]


# jobs


def _accepted(_: object) -> httpx.Response:
    return httpx.Response(202, json=JOB, headers={"Location": "/v1/jobs/job_1", "Retry-After": "1"})


def test_a_check_that_takes_longer_is_waited_for() -> None:
    server = Server([_accepted, JOB, DONE, page(ITEM), CHECK])
    with server.client() as client:
        assert client.check(b"data").finding_id == "fnd_1"
    assert server.asked[1:] == [
        "GET /v1/jobs/job_1",
        "GET /v1/jobs/job_1",
        "GET /v1/jobs/job_1/items",
        "GET /v1/checks/fnd_1",
    ]


def test_a_registration_that_takes_longer_is_waited_for() -> None:
    item = {**ITEM, "result": {"status": "registered", "reference_id": "ref_1", "similar": [MATCH]}}
    server = Server([_accepted, DONE, page(item), REFERENCE])
    with server.client() as client:
        found = client.register(b"data")
    assert (found.status, found.reference.reference_id, len(found.similar)) == ("registered", "ref_1", 1)


@pytest.mark.parametrize(
    ("item", "code"), [(FAILED, "corrupt_image"), ({**ITEM, "state": "cancelled", "result": None}, "cancelled")]
)
def test_a_picture_that_failed_is_an_error(item: dict[str, Any], code: str) -> None:
    with Server([_accepted, DONE, page(item)]).client() as client, pytest.raises(ItemFailed) as caught:
        client.check(b"data")
    assert (caught.value.code, caught.value.job_id) == (code, "job_1")


def test_a_result_without_what_it_is_for_is_no_answer() -> None:
    with Server([_accepted, DONE, page({**ITEM, "result": {}})]).client() as client, pytest.raises(UnexpectedAnswer):
        client.check(b"data")


def test_patience_ends() -> None:
    with Server([_accepted, JOB]).client() as client, pytest.raises(NotDone) as caught:
        client.check(b"data", patience=0)
    assert caught.value.job.job_id == "job_1"


def test_a_job_is_looked_at_ever_less_often_and_never_earlier_than_the_server_says() -> None:
    def later(_: object) -> httpx.Response:
        return httpx.Response(200, json=JOB, headers={"Retry-After": "4"})

    server = Server([*[JOB] * 12, later, DONE])
    with server.client(retries=Retries(attempts=1)) as client:
        assert client.wait("job_1").is_over
    assert server.slept[:2] == pytest.approx([0.2, 0.3])
    assert server.slept == sorted(server.slept)
    assert server.slept[-1] == pytest.approx(5.0)
    server = Server([later, DONE])
    with server.client() as client:
        client.wait("job_1")
    assert server.slept == [4.0]


def test_waiting_ends_in_time() -> None:
    server = Server([JOB])
    with server.client() as client, pytest.raises(NotDone):
        client.wait("job_1", seconds=0.0)
    assert len(server.requests) == 1


# objects that may have changed since they were read


def test_an_object_that_was_read_is_changed_only_as_it_was() -> None:
    answers = [httpx.Response(200, json=REFERENCE, headers={"ETag": '"abc"'}), REFERENCE]
    server = Server(answers)
    with server.client() as client:
        read = client.reference("ref_1")
        assert read.etag == '"abc"'
        client.change_reference(read, title="B")
        client.change_reference("ref_1", title="B")
    assert [request.headers.get("if-match") for request in server.requests] == [None, '"abc"', None]


def test_so_is_a_licence() -> None:
    server = Server(
        [httpx.Response(200, json={**LICENCE, "documents": [DOCUMENT]}, headers={"ETag": '"abc"'}), LICENCE]
    )
    with server.client() as client:
        read = client.licence("lic_1")
        assert read.documents is not None
        assert read.documents[0].title == "Contract"
        client.extend_licence(read, ends_at=None)
        client.revoke_licence("lic_1")
    assert [request.headers.get("if-match") for request in server.requests] == [None, '"abc"', None]


# licences


def test_a_licence_is_granted_as_it_is_asked_for() -> None:
    server = Server([{"licence": LICENCE, "secret": "the-link-token"}])
    ends_at = datetime(2027, 1, 1, tzinfo=UTC)
    with server.client() as client:
        granted = client.grant(shop="Ünlü", work_ids=iter(["wrk_1"]), territories=["DE"], ends_at=ends_at)
    assert granted.secret == "the-link-token"
    assert "the-link-token" not in repr(granted)
    assert _json(server) == {
        "shop": "Ünlü",
        "work_ids": ["wrk_1"],
        "uses": [],
        "platforms": [],
        "territories": ["DE"],
        "ends_at": "2027-01-01T00:00:00+00:00",
    }


def test_without_end_is_said_and_a_time_without_zone_is_refused() -> None:
    server = Server([LICENCE])
    with server.client() as client:
        client.extend_licence("lic_1", ends_at=None)
        with pytest.raises(ValueError, match="zone"):
            client.extend_licence("lic_1", ends_at=datetime.now() + timedelta(days=1))  # noqa: DTZ005
    assert _json(server) == {"ends_at": None}


def test_a_document_has_its_title() -> None:
    server = Server([DOCUMENT])
    with server.client() as client:
        client.add_document("lic_1", b"%PDF-", title="Contract", file="contract.pdf")
    assert form(server.requests[0]) == [("title", None, b"Contract"), ("file", "contract.pdf", b"%PDF-")]


def test_a_proof_has_its_kind_and_claims_are_json() -> None:
    server = Server([PROOF, REGISTERED])
    with server.client() as client:
        client.attach_proof("ref_1", b"raw", kind="raw", file="a.nef")
        client.register(b"jpeg", file="a.jpg", claims={"places": ["Oslo"]})
    assert form(server.requests[0]) == [("kind", None, b"raw"), ("file", "a.nef", b"raw")]
    assert form(server.requests[1]) == [("claims", None, b'{"places": ["Oslo"]}'), ("file", "a.jpg", b"jpeg")]


def test_a_hash_that_is_none_is_told() -> None:
    with Server([problem(422, "invalid_input")]).client() as client, pytest.raises(InvalidProblem):
        client.search_hash("xyz")


def _json(server: Server) -> Any:
    return httpx.Response(200, content=server.requests[-1].content).json()
