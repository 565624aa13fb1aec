"""What people do with organisations, members, keys, and the audit trail."""

from .client import Client, assert_problem
from .conftest import PASSWORD, World


def test_signing_in_says_who_one_is(client: Client, world: World) -> None:
    response = client.post("/v1/session", json={"email": "studio.seller@example.org", "password": PASSWORD})
    assert response.status_code == 200
    who = response.json()
    assert who["organisation"] == "Studio"
    assert who["member_id"] == world.members["studio.seller"]
    assert (who["roles"], who["key_id"]) == (["seller"], None)
    assert who["csrf_token"]
    assert client.get("/v1/session").json() == who


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: Client) -> None:
    wrong = client.post("/v1/session", json={"email": "studio.seller@example.org", "password": "x" * 20})
    unknown = client.post("/v1/session", json={"email": "nobody@example.org", "password": "x" * 20})
    one, other = (
        assert_problem(wrong, 401, "authentication_required"),
        assert_problem(unknown, 401, "authentication_required"),
    )
    assert one | {"request_id": ""} == other | {"request_id": ""}


def test_who_a_key_is(with_key, world: World) -> None:
    who = with_key("studio.seller.narrow").get("/v1/session").json()
    assert who["key_id"] == world.key_ids["studio.seller.narrow"]
    assert (who["scopes"], who["csrf_token"], who["name"]) == (["checks:read"], None, None)


def test_signing_out_ends_the_session(with_session, client: Client) -> None:
    person = with_session("studio.seller")
    token = person.cookies["imgguard_session"]
    response = person.delete("/v1/session")
    assert response.status_code == 204
    assert 'imgguard_session=""' in response.headers["set-cookie"]
    other = client.another()
    other.cookies.set("imgguard_session", token)
    assert_problem(other.get("/v1/session"), 401, "authentication_required")


def test_a_new_password_ends_all_sessions_but_the_fresh_one(with_session) -> None:
    here, there = with_session("studio.seller"), with_session("studio.seller")
    response = here.post("/v1/session/password", json={"present": PASSWORD, "new": "another horse, another staple"})
    assert response.status_code == 200
    assert response.json()["csrf_token"] != here.headers["X-CSRF-Token"]
    assert here.get("/v1/session").status_code == 200
    assert_problem(there.get("/v1/session"), 401, "authentication_required")


def test_the_present_password_is_needed(with_session) -> None:
    person = with_session("studio.seller")
    body = {"present": "not the right one", "new": "another horse, another staple"}
    assert_problem(person.post("/v1/session/password", json=body), 401, "authentication_required")
    assert person.get("/v1/session").status_code == 200


def test_an_invited_member_sets_a_password_and_signs_in(with_session, client: Client) -> None:
    admin = with_session("studio.admin")
    made = admin.post("/v1/members", json={"email": "new@example.org", "name": "New", "roles": ["seller"]})
    assert made.status_code == 201
    member, secret = made.json()["member"], made.json()["secret"]
    assert made.headers["location"] == f"/v1/members/{member['member_id']}"
    assert (member["has_password"], member["roles"]) == (False, ["seller"])
    looked = client.post("/v1/invitations/lookup", json={"token": secret})
    admins = World.email("studio.admin")  # who is named by the address
    assert looked.json() == {
        "email": "new@example.org",
        "name": "New",
        "organisation": "Studio",
        "invited_by": admins,
    }
    accepted = client.post("/v1/invitations/accept", json={"token": secret, "password": PASSWORD})
    assert accepted.status_code == 200
    assert client.post("/v1/session", json={"email": "new@example.org", "password": PASSWORD}).status_code == 200
    again = client.another().post("/v1/invitations/accept", json={"token": secret, "password": PASSWORD})
    assert_problem(again, 401, "authentication_required")


def test_the_operator_makes_organisations(with_session) -> None:
    admin = with_session("operator.admin")
    made = admin.post("/v1/organisations", json={"organisation": "Brand", "email": "brand@example.org"})
    assert made.status_code == 201
    found = made.json()
    assert found["secret"]
    assert admin.get(made.headers["location"]).json() == found["organisation"]
    assert found["organisation"] in admin.get("/v1/organisations").json()["items"]
    taken = admin.post("/v1/organisations", json={"organisation": "Brand", "email": "brand2@example.org"})
    assert_problem(taken, 409, "conflict")


def test_the_last_admin_stays(with_session, world: World) -> None:
    admin = with_session("studio.admin")
    mine = f"/v1/members/{world.members['studio.admin']}"
    assert_problem(admin.post(f"{mine}/disable"), 409, "invalid_transition")
    assert_problem(admin.patch(mine, json={"roles": ["seller"]}), 409, "invalid_transition")
    assert_problem(admin.delete(mine), 409, "invalid_transition")


def test_a_disabled_member_is_out_at_once(with_session, with_key, world: World) -> None:
    admin, seller = with_session("studio.admin"), with_session("studio.seller")
    place = f"/v1/members/{world.members['studio.seller']}"
    assert admin.post(f"{place}/disable").json()["disabled_at"]
    assert_problem(seller.get("/v1/session"), 401, "authentication_required")
    assert_problem(with_key("studio.seller").get("/v1/session"), 401, "authentication_required")
    assert admin.post(f"{place}/enable").json()["disabled_at"] is None
    assert with_key("studio.seller").get("/v1/session").status_code == 200


def test_an_erased_member_is_a_tombstone(with_session, world: World) -> None:
    admin = with_session("studio.admin")
    place = f"/v1/members/{world.members['studio.seller']}"
    erased = admin.delete(place).json()
    assert (erased["email"], erased["name"]) == (None, None)
    assert erased["erased_at"]
    assert admin.get(place).json() == erased


def test_a_member_gets_everything_that_is_stored(with_session, world: World) -> None:
    found = with_session("studio.seller").post(f"/v1/members/{world.members['studio.seller']}/export").json()
    assert found["member"]["email"] == "studio.seller@example.org"
    assert len(found["keys"]) == 2
    assert len(found["sessions"]) == 1


def test_a_key_is_shown_once_and_opens_until_it_is_revoked(with_session, client: Client) -> None:
    person = with_session("studio.seller")
    made = person.post("/v1/keys", json={"name": "feed", "scopes": ["checks:read"], "expires_in_days": 30})
    assert made.status_code == 201
    secret, key = made.json()["secret"], made.json()["key"]
    program = client.another()
    program.headers["Authorization"] = f"Bearer {secret}"
    assert program.get("/v1/session").json()["scopes"] == ["checks:read"]
    shown = person.get(made.headers["location"])
    assert shown.json()["key_id"] == key["key_id"]
    assert secret not in shown.text + person.get("/v1/keys").text
    assert person.delete(made.headers["location"]).json()["revoked_at"]
    assert_problem(program.get("/v1/session"), 401, "authentication_required")


def test_a_key_never_has_more_than_its_maker(with_session) -> None:
    answer = with_session("studio.seller").post("/v1/keys", json={"name": "feed", "scopes": ["audit:read"]})
    assert_problem(answer, 403, "permission_denied")


def test_the_audit_trail_has_what_was_done(with_session, world: World) -> None:
    admin = with_session("studio.admin")
    admin.patch("/v1/organisation", json={"disclosure": "contact"})
    newest = admin.get("/v1/audit-events", params={"limit": 1}).json()["items"]
    assert [event["action"] for event in newest] == ["organisation.disclosure_changed"]
    assert newest[0]["actor"] == world.members["studio.admin"]
    oldest = admin.get("/v1/audit-events", params={"newest_first": "false", "limit": 1}).json()["items"]
    assert oldest[0]["action"] == "organisation.created"
    about = admin.get("/v1/audit-events", params={"about": world.members["studio.seller"]}).json()["items"]
    assert {event["object_id"] for event in about} & {world.members["studio.seller"]}
