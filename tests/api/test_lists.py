"""Pages, cursors, and revisions."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgguard.api.pagination import decoded, encoded
from imgguard.errors import InvalidCursor

from .client import Client, assert_problem
from .conftest import World, signed_in


@pytest.mark.parametrize("path", ["/v1/members", "/v1/keys", "/v1/audit-events", "/v1/organisations"])
@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_pages_have_everything_once_in_order(path: str, limit: int, with_key) -> None:
    program = with_key("operator.admin")
    whole = program.get(path, params={"limit": 500}).json()
    assert whole["next_cursor"] is None
    assert len(whole["items"]) >= 3
    found, cursor = [], None
    while True:
        page = program.get(path, params={"limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        assert 1 <= len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == whole["items"]


def test_the_trail_in_both_directions(with_key) -> None:
    program = with_key("studio.admin")
    newest = program.get("/v1/audit-events", params={"newest_first": "true"}).json()["items"]
    oldest = program.get("/v1/audit-events", params={"newest_first": "false"}).json()["items"]
    assert len(newest) > 3
    assert newest == oldest[::-1]


def test_a_cursor_of_another_list_or_filter_is_refused(with_key, world: World) -> None:
    program = with_key("operator.admin")
    cursor = program.get("/v1/members", params={"limit": 1}).json()["next_cursor"]
    studio = world.organisations["studio"]
    for path, filters in (("keys", {}), ("audit-events", {}), ("members", {"organisation_id": studio})):
        assert_problem(program.get(f"/v1/{path}", params={"cursor": cursor, **filters}), 422, "invalid_cursor")


@pytest.mark.parametrize("cursor", ["x", "AAAA", "a" * 500, "é", "="])
def test_what_is_no_cursor(cursor: str, with_key) -> None:
    assert_problem(with_key("studio.admin").get("/v1/members", params={"cursor": cursor}), 422, "invalid_cursor")


def test_an_event_of_others_is_no_place_to_go_on_from(with_key, services, world: World) -> None:
    theirs = with_key("shop.admin").get("/v1/audit-events").json()["items"][0]["event_id"]
    cursor = encoded(theirs, "audit-events", {"organisation_id": None, "about": None, "newest_first": "True"})
    assert_problem(with_key("studio.admin").get("/v1/audit-events", params={"cursor": cursor}), 422, "invalid_cursor")


@given(after=st.text(), kind=st.text(), value=st.none() | st.text())
def test_a_cursor_leads_back(after: str, kind: str, value: str | None) -> None:
    try:
        after.encode(), kind.encode(), (value or "").encode()
    except UnicodeEncodeError:
        return
    assert decoded(encoded(after, kind, {"filter": value}), kind, {"filter": value}) == after


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_an_altered_cursor_is_refused(place: int, bit: int) -> None:
    cursor = encoded("mem_01jnv7kbw2g9h4j6k8m0n2p4qr", "members", {})
    data = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(InvalidCursor):
        decoded(base64.urlsafe_b64encode(data).decode().rstrip("="), "members", {})


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        decoded(cursor, "members", {})


def test_what_is_known_is_not_sent_again(with_key, world: World) -> None:
    program = with_key("studio.admin")
    for path in ("/v1/organisation", f"/v1/members/{world.members['studio.seller']}"):
        first = program.get(path)
        etag = first.headers["etag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            answer = program.get(path, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
        assert program.get(path, headers={"If-None-Match": '"other"'}).json() == first.json()


def test_a_change_of_what_was_changed_meanwhile_is_refused(with_key) -> None:
    program = with_key("studio.admin")
    read = program.get("/v1/organisation").headers["etag"]
    one = program.patch("/v1/organisation", json={"disclosure": "contact"}, headers={"If-Match": read})
    assert one.status_code == 200
    other = program.patch("/v1/organisation", json={"disclosure": "full"}, headers={"If-Match": read})
    assert_problem(other, 412, "stale_revision")
    assert program.get("/v1/organisation").json()["disclosure"] == "contact"
    fresh = {"If-Match": one.headers["etag"]}
    assert program.patch("/v1/organisation", json={"disclosure": "full"}, headers=fresh).status_code == 200


@pytest.mark.parametrize(
    ("method", "step", "body"),
    [("PATCH", "", {"name": "Other"}), ("POST", "/disable", None), ("POST", "/enable", None), ("DELETE", "", None)],
)
def test_members_are_changed_only_as_they_were_read(
    method: str, step: str, body: object, client: Client, world: World
) -> None:
    admin = signed_in(client, "studio.admin")
    place = f"/v1/members/{world.members['studio.seller']}"
    stale = {"If-Match": '"stale"'}
    before = admin.get(place)
    assert_problem(admin.request(method, place + step, json=body, headers=stale), 412, "stale_revision")
    assert admin.get(place).json() == before.json()
    fresh = {"If-Match": before.headers["etag"]}
    assert admin.request(method, place + step, json=body, headers=fresh).status_code == 200


def test_a_revision_is_no_way_to_learn_of_others(with_key, world: World) -> None:
    place = f"/v1/members/{world.members['studio.seller']}"
    answer = with_key("shop.admin").post(f"{place}/disable", headers={"If-Match": "*"})
    assert_problem(answer, 404, "not_found")
