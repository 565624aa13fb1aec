"""Decisions of owners and reviewers about matches."""

from collections.abc import Callable

import pytest

from imgguard.bootstrap import Services
from imgguard.registry.accounts import Scope

from .client import Client, assert_problem
from .conftest import World, signed_in
from .rights import Rights

PLACE = "/v1/decisions"
ONCE = {"Idempotency-Key": "5f0d2c1e"}


@pytest.fixture
def rights(services: Services, world: World) -> Rights:
    return Rights(services=services, world=world)


@pytest.fixture
def by(client: Client) -> Callable[[str], Client]:
    return lambda name: signed_in(client, name)


@pytest.fixture
def match(rights: Rights) -> dict[str, str]:
    """With the studio's original."""
    original = rights.original()
    finding_id = rights.finding(original)
    return {"finding_id": finding_id, "reference_id": original.reference_id, "kind": "not_a_copy"}


def test_a_decision_says_in_which_capacity_it_was_made(by, match, world: World) -> None:
    for name, capacity, organisation in (
        ("studio.rights_holder", "owner", "studio"),
        ("operator.reviewer", "reviewer", "operator"),
    ):
        made = by(name).post(PLACE, json=match | {"note": " not\nmine "})
        assert made.status_code == 201, made.text
        assert made.json() | {"decision_id": "", "decided_at": ""} == {
            "decision_id": "",
            **match,
            "by": capacity,
            "organisation_id": world.organisations[organisation],
            "member_id": world.members[name],
            "note": "not\nmine",
            "decided_at": "",
            "retracted_at": None,
        }
        assert made.json() in by("studio.rights_holder").get(PLACE).json()["items"]


def test_whose_decisions_are_listed(by, rights: Rights) -> None:
    mine = rights.decided()
    reviewed = rights.decided(by="operator.reviewer")
    theirs = rights.decided(by="shop.rights_holder", reference=rights.original("Shop"))
    ids = [made.decision_id for made in (mine, reviewed, theirs)]
    for name, wanted in (
        ("studio.rights_holder", ids[:2]),
        ("studio.reviewer", ids[:2]),
        ("shop.rights_holder", ids[2:]),
        ("operator.rights_holder", []),
        ("operator.reviewer", ids),
    ):
        found = [one["decision_id"] for one in by(name).get(PLACE).json()["items"]]
        assert found == wanted, name


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_pages_have_everything_once_in_order(limit: int, by, rights: Rights) -> None:
    made = [rights.decided().decision_id for _ in range(3)]
    found, cursor, holder = [], None, by("studio.rights_holder")
    while True:
        page = holder.get(PLACE, params={"limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        assert 1 <= len(page["items"]) <= limit
        found += [one["decision_id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == made


def test_a_cursor_of_another_list_is_refused(by, rights: Rights) -> None:
    holder = by("studio.rights_holder")
    for _ in range(2):
        rights.granted()
    cursor = holder.get("/v1/licences", params={"limit": 1}).json()["next_cursor"]
    assert_problem(holder.get(PLACE, params={"cursor": cursor}), 422, "invalid_cursor")


def test_nobody_else_decides_or_learns_what_there_is(by, match, rights: Rights) -> None:
    for name, status, code in (
        ("shop.rights_holder", 404, "not_found"),
        ("operator.rights_holder", 404, "not_found"),
        ("studio.seller", 403, "permission_denied"),
        ("studio.reviewer", 403, "permission_denied"),
        ("operator.admin", 403, "permission_denied"),
    ):
        assert_problem(by(name).post(PLACE, json=match), status, code)
    stranger = by("shop.rights_holder")
    absent = match | {"reference_id": f"ref_{'0' * 26}"}
    found = [assert_problem(stranger.post(PLACE, json=body), 404, "not_found") for body in (match, absent)]
    one, other = ({**problem, "request_id": ""} for problem in found)
    assert one["detail"].replace(match["reference_id"], absent["reference_id"]) == other["detail"]
    assert {**one, "detail": ""} == {**other, "detail": ""}
    assert by("operator.reviewer").get(PLACE).json()["items"] == []


def test_only_a_match_of_the_finding(by, match, rights: Rights) -> None:
    holder = by("studio.rights_holder")
    other = rights.original()
    for wrong in ({"reference_id": other.reference_id}, {"finding_id": rights.finding(other)}):
        assert_problem(holder.post(PLACE, json=match | wrong), 404, "not_found")


def test_fields_that_cannot_be_used(by, match) -> None:
    holder = by("studio.rights_holder")
    problem = assert_problem(holder.post(PLACE, json=match | {"kind": "theft"}), 422, "invalid_request")
    assert problem["errors"][0]["pointer"] == "/body/kind"
    assert_problem(holder.post(PLACE, json=match | {"note": "a\u0000b"}), 422, "invalid_input")
    assert_problem(holder.post(PLACE, json=match | {"note": "x" * 2001}), 422, "invalid_input")


def test_an_erased_original_is_not_decided_about(by, match, rights: Rights) -> None:
    rights.services.removal.erase(match["reference_id"])
    assert_problem(by("studio.rights_holder").post(PLACE, json=match), 409, "invalid_transition")


def test_a_decision_is_made_once(by, match) -> None:
    holder = by("studio.rights_holder")
    first, again = (holder.post(PLACE, json=match, headers=ONCE) for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert holder.get(PLACE).json()["items"] == [first.json()]


def test_a_retracted_decision_stays_in_the_list(by, rights: Rights) -> None:
    place, holder = f"{PLACE}/{rights.decided().decision_id}", by("studio.rights_holder")
    retracted = holder.delete(place)
    assert retracted.status_code == 200
    assert retracted.json()["retracted_at"]
    assert holder.delete(place).json() == retracted.json()
    assert holder.get(PLACE).json()["items"] == [retracted.json()]


def test_who_made_it_retracts_it(by, rights: Rights, client: Client) -> None:
    owners = f"{PLACE}/{rights.decided().decision_id}"
    reviewers = f"{PLACE}/{rights.decided(by='operator.reviewer').decision_id}"
    assert_problem(by("operator.reviewer").delete(owners), 403, "permission_denied")
    assert_problem(by("studio.rights_holder").delete(reviewers), 403, "permission_denied")
    nobody = f"{PLACE}/dec_{'0' * 26}"
    for place in (owners, reviewers, nobody):
        assert_problem(by("shop.rights_holder").delete(place), 404, "not_found")
    program = client.another()
    program.headers["Authorization"] = f"Bearer {rights.key('studio.rights_holder', Scope.REFERENCES_READ)}"
    assert_problem(program.delete(owners), 403, "permission_denied")
    assert all(one["retracted_at"] is None for one in by("operator.reviewer").get(PLACE).json()["items"])
    assert by("operator.reviewer").delete(reviewers).status_code == 200
    assert by("studio.rights_holder").delete(owners).status_code == 200
