"""Giving, taking up, changing and reading licences, and the documents that prove them."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imgguard.bootstrap import Services
from imgguard.registry.accounts import Scope
from imgguard.services.licences import Terms
from imgguard.services.rights_inputs import LONGEST_DOCUMENT

from .client import Client, assert_problem
from .conftest import World, signed_in
from .rights import CONTRACT, Rights

PLACE = "/v1/licences"
ONCE = {"Idempotency-Key": "5f0d2c1e"}
NOWHERE = f"{PLACE}/lic_{'0' * 26}"
SOON = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def rights(services: Services, world: World) -> Rights:
    return Rights(services=services, world=world)


@pytest.fixture
def by(client: Client) -> Callable[[str], Client]:
    return lambda name: signed_in(client, name)


def terms(**fields: Any) -> Terms:
    return Terms(**fields)


def keyed(client: Client, secret: str) -> Client:
    other = client.another()
    other.headers["Authorization"] = f"Bearer {secret}"
    return other


# giving


def test_a_licence_for_an_organisation(by, rights: Rights, world: World) -> None:
    work_id = rights.original().work_id
    body = {
        "licensee_id": world.organisations["shop"],
        "work_ids": [work_id],
        "uses": ["Listing"],
        "platforms": ["aliexpress"],
        "territories": ["de", "FR"],
        "starts_at": "2026-03-01T12:00:00Z",
        "ends_at": "2100-03-01T12:00:00+02:00",
        "note": "Spring collection",
    }
    holder = by("studio.rights_holder")
    made = holder.post(PLACE, json=body)
    assert made.status_code == 201, made.text
    licence = made.json()["licence"]
    assert made.json()["secret"] is None
    assert licence | {"licence_id": "", "created_at": "", "starts_at": "", "state": ""} == {
        "licence_id": "",
        "licensor": {"organisation_id": world.organisations["studio"], "organisation": "Studio"},
        "licensee": {"organisation_id": world.organisations["shop"], "organisation": "Shop"},
        "shop": None,
        "by_link": False,
        "holders": [],
        "work_ids": [work_id],
        "uses": ["listing"],
        "platforms": ["aliexpress"],
        "territories": ["DE", "FR"],
        "starts_at": "",
        "ends_at": "2100-03-01T10:00:00Z",
        "state": "",
        "ends_soon": False,
        "note": "Spring collection",
        "created_at": "",
        "revoked_at": None,
        "revision": 1,
        "documents": [],
    }
    assert holder.get(made.headers["location"]).json() == licence
    held = by("shop.seller").get(made.headers["location"]).json()
    assert held == licence | {"revision": None}


@pytest.mark.parametrize(
    "to", [{}, {"shop": "Corner Shop", "by_link": True}, {"licensee_id": "studio"}, {"shop": ""}, {"shop": "a\u0000b"}]
)
def test_a_licence_is_for_one_and_not_for_oneself(to: dict[str, Any], by, world: World) -> None:
    if "licensee_id" in to:
        to = {"licensee_id": world.organisations[to["licensee_id"]]}
    holder = by("studio.rights_holder")
    assert_problem(holder.post(PLACE, json=to), 422, "invalid_input")
    assert holder.get(PLACE).json()["items"] == []


def test_only_own_works_to_those_who_are_there(by, rights: Rights, world: World) -> None:
    holder, shop = by("studio.rights_holder"), world.organisations["shop"]
    theirs = rights.original("Shop").work_id
    for body in (
        {"licensee_id": f"org_{'0' * 26}"},
        {"licensee_id": shop, "work_ids": [theirs]},
        {"licensee_id": shop, "work_ids": ["wrk_0"]},
    ):
        assert_problem(holder.post(PLACE, json=body), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"ends_at": "2100-01-01T00:00:00"}, "/body/ends_at"),  # no zone
        ({"ends_at": "9999-12-31T23:59:59-14:00"}, "/body/ends_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "/body/starts_at"),
        ({"starts_at": "soon"}, "/body/starts_at"),
        ({"work_ids": ["wrk_0"] * 10_001}, "/body/work_ids"),
        ({"territories": "DE"}, "/body/territories"),
        ({"note": "x" * 4001}, "/body/note"),
        ({"licence_id": "lic_0"}, "/body/licence_id"),
    ],
)
def test_fields_that_cannot_be_used(body: dict[str, Any], pointer: str, by) -> None:
    answer = by("studio.rights_holder").post(PLACE, json={"by_link": True, **body})
    problem = assert_problem(answer, 422, "invalid_request")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


# by a link


def test_a_link_is_shown_once(by, services: Services) -> None:
    holder, body = by("studio.rights_holder"), {"by_link": True}
    made, again = (holder.post(PLACE, json=body, headers=ONCE) for _ in range(2))
    secret = made.json()["secret"]
    assert len(secret) > 40
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == {"licence": made.json()["licence"], "secret": None}
    assert again.headers["location"] == made.headers["location"]
    assert len(holder.get(PLACE).json()["items"]) == 1
    assert secret not in holder.get(made.headers["location"]).text + holder.get(PLACE).text
    with services.database.read() as connection:
        tables = ("idempotency_keys", "licences", "audit_events")
        stored = [connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables]
    assert all(stored)
    assert secret not in str(stored)


def test_who_takes_a_link_up_does_not_learn_who_else_did(by, rights: Rights, world: World) -> None:
    token = {"token": f" {rights.granted(by_link=True).link_token}\n"}
    taken = by("operator.seller").post(f"{PLACE}/accept", json=token)
    assert taken.status_code == 200
    place = f"{PLACE}/{taken.json()['licence_id']}"
    shop = by("shop.seller")
    mine = shop.post(f"{PLACE}/accept", json=token)
    assert [holder["organisation"] for holder in mine.json()["holders"]] == ["Shop"]
    assert shop.post(f"{PLACE}/accept", json=token).json() == mine.json()
    before = by("operator.seller").get(place)
    assert before.json() == taken.json()
    assert before.headers["etag"] == taken.headers["etag"]  # it did not change for those who may see less
    assert "Shop" not in before.text
    assert "Operator" not in mine.text + shop.get(PLACE).text
    whole = by("studio.rights_holder").get(place).json()
    assert [holder["organisation"] for holder in whole["holders"]] == ["Operator", "Shop"]
    assert whole["holders"][0]["organisation_id"] == world.organisations["operator"]
    assert whole["revision"] == 3


def test_links_that_lead_nowhere(by, rights: Rights, client: Client) -> None:
    granted, shop = rights.granted(by_link=True), by("shop.seller")
    accept, token = f"{PLACE}/accept", {"token": granted.link_token}
    problem = assert_problem(shop.post(accept, json={"token": "0" * 52}), 404, "not_found")
    assert "0" * 52 not in str(problem)
    assert_problem(by("studio.seller").post(accept, json=token), 409, "invalid_transition")
    assert_problem(shop.post(f"{accept}?token={granted.link_token}", json=token), 400, "bad_request")
    reader = keyed(client, rights.key("shop.seller", Scope.LICENCES_READ))
    assert_problem(reader.post(accept, json=token), 403, "permission_denied")
    rights.services.licences.revoke(rights.actor("studio.rights_holder"), granted.licence.licence_id)
    assert_problem(shop.post(accept, json=token), 409, "invalid_transition")
    assert shop.get(PLACE).json()["items"] == []


def test_a_shop_holds_it_when_it_is_confirmed(by, rights: Rights, world: World) -> None:
    place = f"{PLACE}/{rights.granted(shop='Corner  Shop').licence.licence_id}"
    holder, shop = by("studio.rights_holder"), by("shop.seller")
    assert holder.get(place).json()["shop"] == "Corner Shop"
    assert_problem(shop.get(place), 404, "not_found")
    assert_problem(holder.post(f"{place}/shop", json={"organisation_id": "org_0"}), 404, "not_found")
    confirm = {"organisation_id": world.organisations["shop"]}
    confirmed = holder.post(f"{place}/shop", json=confirm)
    assert [one["organisation"] for one in confirmed.json()["holders"]] == ["Shop"]
    assert shop.get(place).status_code == 200
    other = {"organisation_id": world.organisations["operator"]}
    assert_problem(holder.post(f"{place}/shop", json=other), 409, "invalid_transition")
    direct = f"{PLACE}/{rights.granted().licence.licence_id}/shop"
    assert_problem(holder.post(direct, json=confirm), 409, "invalid_transition")


# who

ACTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "read": ("GET", "", {}),
    "document": ("GET", "/documents/{document}", {}),
    "revoke": ("POST", "/revoke", {}),
    "extend": ("POST", "/extend", {"json": {"ends_at": None}}),
    "shop": ("POST", "/shop", {"json": {"organisation_id": "org_0"}}),
    "add": ("POST", "/documents", {"files": {"file": ("a.pdf", CONTRACT)}}),
}
# read, document, revoke, extend, shop, add
PARTIES = {
    "studio.rights_holder": "200 200 200 409 409 409",  # 409: it is revoked by then, and not for a shop
    "studio.seller": "200 200 403 403 403 403",
    "studio.admin": "403 403 403 403 403 403",
    "shop.seller": "200 200 403 403 403 403",
    "shop.rights_holder": "200 200 404 404 404 404",  # holds it, and gives others
    "operator.rights_holder": "404 404 404 404 404 404",
    "operator.reviewer": "404 404 403 403 403 403",
    "operator.admin": "403 403 403 403 403 403",
}
CODES = {403: "permission_denied", 404: "not_found", 409: "invalid_transition"}


@pytest.mark.parametrize("party", PARTIES)
def test_who_may_what(party: str, by, rights: Rights) -> None:
    licence_id = rights.granted().licence.licence_id
    document_id, asker = rights.document(licence_id), by(party)
    for (method, step, more), wanted in zip(ACTS.values(), map(int, PARTIES[party].split()), strict=True):
        there = f"{PLACE}/{licence_id}{step.format(document=document_id)}"
        answer = asker.request(method, there, **more)
        assert answer.status_code == wanted, (there, answer.text)
        if wanted in CODES:
            assert_problem(answer, wanted, CODES[wanted])
    after = by("studio.rights_holder").get(f"{PLACE}/{licence_id}").json()
    assert (after["state"] == "revoked") == (party == "studio.rights_holder")
    assert len(after["documents"]) == 1


@pytest.mark.parametrize("act", ACTS)
def test_strangers_cannot_tell_whether_it_is_there(act: str, by, rights: Rights) -> None:
    method, step, more = ACTS[act]
    licence_id, nobody = rights.granted().licence.licence_id, f"lic_{'0' * 26}"
    step, stranger = step.format(document=rights.document(licence_id)), by("operator.rights_holder")
    headers = {"If-Match": '"other"'}
    found = [
        assert_problem(stranger.request(method, f"{PLACE}/{name}{step}", headers=headers, **more), 404, "not_found")
        for name in (licence_id, nobody)
    ]
    one, other = ({**problem, "request_id": ""} for problem in found)
    assert one["detail"].replace(licence_id, nobody) == other["detail"]
    assert {**one, "detail": ""} == {**other, "detail": ""}


def test_a_key_that_may_not_read_licences_changes_none(client: Client, by, rights: Rights) -> None:
    writer = keyed(client, rights.key("studio.rights_holder", Scope.LICENCES_WRITE))
    licence_id = rights.granted().licence.licence_id
    place = f"{PLACE}/{licence_id}"
    before = by("studio.rights_holder").get(PLACE).json()
    assert_problem(writer.post(PLACE, json={"by_link": True}), 403, "permission_denied")
    for act in ("revoke", "extend", "shop", "add"):
        method, step, more = ACTS[act]
        assert_problem(writer.request(method, place + step, **more), 403, "permission_denied")
    assert by("studio.rights_holder").get(PLACE).json() == before


# changes


def test_a_licence_is_changed_only_as_it_was_read(by, rights: Rights) -> None:
    licence_id = rights.granted(terms=terms(ends_at=SOON)).licence.licence_id
    place, holder = f"{PLACE}/{licence_id}", by("studio.rights_holder")
    seen = [holder.get(place).headers["etag"]]
    for step, body in (("extend", {"ends_at": None}), ("documents", None), ("revoke", None)):
        if step == "documents":
            rights.document(licence_id)
        else:
            stale = holder.post(f"{place}/{step}", json=body, headers={"If-Match": '"stale"'})
            assert_problem(stale, 412, "stale_revision")
            assert holder.get(place).headers["etag"] == seen[-1]
            changed = holder.post(f"{place}/{step}", json=body, headers={"If-Match": seen[-1]})
            assert changed.status_code == 200
            assert changed.headers["etag"] == holder.get(place).headers["etag"]
            assert changed.json() == holder.get(place).json()
        seen.append(holder.get(place).headers["etag"])
        assert holder.get(place, headers={"If-None-Match": seen[-1]}).status_code == 304
        assert holder.get(place, headers={"If-None-Match": seen[-2]}).status_code == 200
    assert len(set(seen)) == 4
    assert holder.get(place).json()["revision"] == 4
    assert_problem(holder.post(f"{place}/extend", json={"ends_at": None}), 409, "invalid_transition")


def test_a_shop_is_confirmed_only_as_the_licence_was_read(by, rights: Rights, world: World) -> None:
    place = f"{PLACE}/{rights.granted(shop='Corner Shop').licence.licence_id}"
    holder, body = by("studio.rights_holder"), {"organisation_id": world.organisations["shop"]}
    stale = holder.post(f"{place}/shop", json=body, headers={"If-Match": '"stale"'})
    assert_problem(stale, 412, "stale_revision")
    assert holder.get(place).json()["holders"] == []
    fresh = {"If-Match": holder.get(place).headers["etag"]}
    assert holder.post(f"{place}/shop", json=body, headers=fresh).status_code == 200


def test_the_state_is_part_of_what_is_known(by, rights: Rights) -> None:
    now = rights.services.clock.now()
    licence_id = rights.granted(terms=terms(ends_at=now + timedelta(hours=1))).licence.licence_id
    place, shop = f"{PLACE}/{licence_id}", by("shop.seller")
    known = {"If-None-Match": shop.get(place).headers["etag"]}
    rights.services.clock = Later(now + timedelta(hours=2))
    assert shop.get(place, headers=known).json()["state"] == "ended"


class Later:
    def __init__(self, time: datetime) -> None:
        self.time = time

    def now(self) -> datetime:
        return self.time


def test_extending_in_another_zone(by, rights: Rights) -> None:
    place = f"{PLACE}/{rights.granted(terms=terms(ends_at=SOON)).licence.licence_id}"
    holder = by("studio.rights_holder")
    later = holder.post(f"{place}/extend", json={"ends_at": "2100-01-02T01:00:00+02:00"})
    assert later.json()["ends_at"] == "2100-01-01T23:00:00Z"
    assert later.headers["etag"] == holder.get(place).headers["etag"]
    for earlier in ("2100-01-01T22:59:59Z", "2100-01-02T00:59:00+02:00"):
        assert_problem(holder.post(f"{place}/extend", json={"ends_at": earlier}), 422, "invalid_input")
    assert_problem(holder.post(f"{place}/extend", json={}), 422, "invalid_request")


def test_changes_are_in_the_audit_trail_of_both(by, rights: Rights) -> None:
    licence_id = rights.granted().licence.licence_id
    by("studio.rights_holder").post(f"{PLACE}/{licence_id}/revoke")
    for admin in ("studio.admin", "shop.admin"):
        events = by(admin).get("/v1/audit-events", params={"about": licence_id}).json()["items"]
        assert [event["action"] for event in events] == ["licence.revoked", "licence.granted"]


# lists


@pytest.fixture
def several(rights: Rights, world: World) -> list[str]:
    """Of the studio, as ids in order: it gave five and holds two."""
    hour, now = timedelta(hours=1), rights.services.clock.now()
    studio = world.organisations["studio"]
    made = [
        rights.granted(terms=terms(ends_at=SOON)),
        rights.granted(by="shop.rights_holder", licensee_id=studio, terms=terms(ends_at=SOON)),
        rights.granted(by_link=True),
        rights.granted(shop="Corner Shop", terms=terms(ends_at=SOON + hour)),
        rights.granted(by="shop.rights_holder", licensee_id=studio),
        rights.granted(terms=terms(ends_at=SOON)),
        rights.granted(terms=terms(starts_at=now - hour, ends_at=now - hour / 2)),
    ]
    ids = [granted.licence.licence_id for granted in made]
    rights.services.licences.revoke(rights.actor("studio.rights_holder"), ids[5])
    assert ids == sorted(ids)
    return ids


def listed(asker: Client, **params: Any) -> list[str]:
    """All pages."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = asker.get(PLACE, params={**params, **cursor})
        assert answer.status_code == 200, answer.text
        items = answer.json()["items"]
        assert len(items) <= int(params.get("limit", 100))
        found += [item["licence_id"] for item in items]
        if answer.json()["next_cursor"] is None:
            return found
        cursor = {"cursor": answer.json()["next_cursor"]}


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_lists_have_everything_once_in_order(limit: int, by, several: list[str]) -> None:
    seller = by("studio.seller")
    assert listed(seller, limit=limit) == several
    assert listed(seller, limit=limit, direction="received") == [several[1], several[4]]
    assert listed(seller, limit=limit, direction="given") == [several[place] for place in (0, 2, 3, 5, 6)]
    assert listed(by("shop.seller"), limit=limit, direction="received") == [several[place] for place in (0, 5, 6)]
    assert listed(by("operator.seller"), limit=limit) == []


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_more_than_are_read_at_once(at_once: int, by, several: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgguard.api.v1.licences._READ_AT_ONCE", at_once)
    assert listed(by("studio.seller"), limit=2) == several


@pytest.mark.parametrize("limit", [1, 500])
def test_what_will_end(limit: int, by, several: list[str]) -> None:
    seller = by("studio.seller")
    # Neither those without end, nor what was revoked, nor what has ended, nor what ends at that time itself.
    assert listed(seller, limit=limit, ends_before="2100-01-01T01:00:00Z") == [several[0], several[1]]
    assert listed(seller, limit=limit, ends_before="2100-01-01T01:00:01Z") == [*several[:2], several[3]]
    assert listed(seller, limit=limit, ends_before="2100-01-01T00:00:00Z") == []
    assert listed(seller, ends_before="2100-01-01T01:00:01Z", direction="received") == [several[1]]
    problem = assert_problem(seller.get(PLACE, params={"ends_before": "2100-01-01"}), 422, "invalid_request")
    assert problem["errors"][0]["pointer"] == "/query/ends_before"


def test_what_ends_so_soon_that_both_sides_are_reminded(by, services: Services, world: World) -> None:
    rights, now = Rights(services=services, world=world), services.clock.now()
    days = {days: now + timedelta(days=days) for days in (13, 15)}
    soon, _ = (rights.granted(terms=Terms(ends_at=ends_at)).licence.licence_id for ends_at in days.values())
    rights.granted(terms=Terms(starts_at=now - timedelta(days=2), ends_at=now - timedelta(days=1)))
    revoked = rights.granted(terms=Terms(ends_at=days[13])).licence.licence_id
    services.licences.revoke(rights.actor("studio.rights_holder"), revoked)
    for name in ("studio.seller", "shop.seller"):
        items = by(name).get(PLACE).json()["items"]
        assert [one["licence_id"] for one in items if one["ends_soon"]] == [soon]
        assert listed(by(name), ends_soon="true", limit=1) == [soon]
    cursor = by("shop.seller").get(PLACE, params={"limit": 1}).json()["next_cursor"]
    other = by("shop.seller").get(PLACE, params={"cursor": cursor, "ends_soon": "true"})
    assert_problem(other, 422, "invalid_cursor")


def test_a_cursor_is_of_one_direction(by, several: list[str]) -> None:
    seller = by("studio.seller")
    cursor = seller.get(PLACE, params={"limit": 1, "direction": "given"}).json()["next_cursor"]
    for other in ({"direction": "received"}, {}, {"direction": "given", "ends_before": "2100-01-01T00:00:00Z"}):
        assert_problem(seller.get(PLACE, params={"cursor": cursor, **other}), 422, "invalid_cursor")
    assert_problem(seller.get(PLACE, params={"direction": "both"}), 422, "invalid_request")


# documents


def test_documents_in_order(by, rights: Rights) -> None:
    place, holder = f"{PLACE}/{rights.granted().licence.licence_id}", by("studio.rights_holder")
    text = "Für Ann, mit Gruß.\n".encode()
    picture = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(20)
    sent = [
        ({"file": ("ann\\contract.pdf", CONTRACT, "text/html")}, {}, "contract.pdf", "application/pdf"),
        ({"file": ("/home/ann/a.txt", text)}, {"title": "A letter"}, "A letter", "text/plain"),
        ({"file": ("/home/ann/scan.pdf", picture)}, {}, "scan.pdf", "image/png"),
    ]
    added = []
    for files, data, title, kind in sent:
        answer = holder.post(f"{place}/documents", files=files, data=data)
        assert answer.status_code == 201, answer.text
        assert (answer.json()["title"], answer.json()["media_type"]) == (title, kind)
        added.append((answer.headers["location"], answer.json()))
    shop = by("shop.seller")
    assert shop.get(place).json()["documents"] == [document for _, document in added]
    assert [document["position"] for _, document in added] == [1, 2, 3]
    suffixes = {"application/pdf": "pdf", "text/plain": "txt", "image/png": "png"}
    for (where, document), data in zip(added, (CONTRACT, text, picture), strict=True):
        got = shop.get(where)
        kind = document["media_type"]
        assert (got.content, document["byte_length"]) == (data, len(data))
        assert got.headers["content-type"].partition(";")[0] == kind
        name = f"{document['document_id']}.{suffixes[kind]}"
        assert got.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-security-policy"].startswith("default-src 'none'")
        assert got.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "data", "title", "status", "code"),
    [
        ("a.pdf", b"", None, 422, "invalid_input"),
        ("a.pdf", b"\x00\x01\x02", None, 422, "unsupported_format"),
        ("a.pdf", CONTRACT, "x" * 201, 422, "invalid_input"),
        ("a.pdf", CONTRACT, "x" * 1001, 422, "invalid_request"),
        ("a.pdf", CONTRACT, "a\u202eb", 422, "invalid_input"),
        ("folder/", CONTRACT, None, 201, ""),
        ("x" * 300 + ".pdf", CONTRACT, None, 201, ""),
    ],
)
def test_documents_that_are_refused(
    name: str, data: bytes, title: str | None, status: int, code: str, by, rights: Rights
) -> None:
    place, holder = f"{PLACE}/{rights.granted().licence.licence_id}", by("studio.rights_holder")
    form = {} if title is None else {"title": title}
    answer = holder.post(f"{place}/documents", files={"file": (name, data)}, data=form)
    assert answer.status_code == status, answer.text
    if code:
        assert_problem(answer, status, code)
    assert len(holder.get(place).json()["documents"]) == (status == 201)


def test_a_document_has_a_longest_size(by, rights: Rights, services: Services) -> None:
    place, holder = f"{PLACE}/{rights.granted().licence.licence_id}", by("studio.rights_holder")
    before = set(services.blobs.digests())
    longest = CONTRACT.ljust(LONGEST_DOCUMENT, b" ")
    for data, status in ((longest + b" ", 413), (longest, 201)):
        answer = holder.post(f"{place}/documents", files={"file": ("a.pdf", data)})
        assert answer.status_code == status
        if status == 413:
            assert_problem(answer, 413, "body_too_large")
            assert set(services.blobs.digests()) == before


def test_a_document_comes_in_a_form(by, rights: Rights) -> None:
    place, holder = f"{PLACE}/{rights.granted().licence.licence_id}/documents", by("studio.rights_holder")
    assert_problem(holder.post(place, json={"file": "a"}), 415, "unsupported_media_type")
    for files in ({"other": ("a.pdf", CONTRACT)}, {"title": (None, b"a title")}):
        problem = assert_problem(holder.post(place, files=files), 422, "invalid_request")
        assert problem["errors"][0]["pointer"] == "/body/file"


def test_a_document_is_added_once(by, rights: Rights) -> None:
    place, holder = f"{PLACE}/{rights.granted().licence.licence_id}", by("studio.rights_holder")
    files = {"file": ("a.pdf", CONTRACT)}
    first, again = (holder.post(f"{place}/documents", files=files, headers=ONCE) for _ in range(2))
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.json(), again.headers["location"]) == (first.json(), first.headers["location"])
    assert len(holder.get(place).json()["documents"]) == 1


def test_a_document_belongs_to_its_licence(by, rights: Rights, world: World) -> None:
    one, other = (rights.granted().licence.licence_id for _ in range(2))
    document_id, holder = rights.document(one), by("studio.rights_holder")
    assert holder.get(f"{PLACE}/{one}/documents/{document_id}").content == CONTRACT
    assert_problem(holder.get(f"{PLACE}/{other}/documents/{document_id}"), 404, "not_found")
    assert_problem(holder.get(f"{NOWHERE}/documents/{document_id}"), 404, "not_found")


def test_a_document_that_was_altered_is_not_given_out(by, rights: Rights, world: World) -> None:
    licence_id = rights.granted().licence.licence_id
    place = f"{PLACE}/{licence_id}/documents/{rights.document(licence_id)}"
    sha256 = hashlib.sha256(CONTRACT).hexdigest()
    (blob,) = world.home.rglob(sha256)
    blob.chmod(0o600)
    blob.write_bytes(b"%PDF-1.7 another contract")
    problem = assert_problem(by("shop.seller").get(place), 500, "digest_mismatch")
    assert sha256 not in str(problem)
