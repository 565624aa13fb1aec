"""Decisions about pairs: who may make and see them, and what is remembered."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from imgguard.errors import DigestMismatch, InputError, InvalidTransition, NotFound, PermissionDenied
from imgguard.ports import StoredFinding
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Role, Scope
from imgguard.registry.decisions import DecidedBy, DecisionKind
from imgguard.services.rights_objects import decision_object

Estate = Any
NOT_A_COPY, CONFIRMED = DecisionKind.NOT_A_COPY, DecisionKind.CONFIRMED_COPY

# What each of them may not do with a decision that the owner, or that a reviewer, made; all the rest it may.
EXPECTED: dict[str, dict[str, type[Exception]]] = {
    "owner": {"retract reviewer's": PermissionDenied},
    "owner's key": {"retract reviewer's": PermissionDenied, "list": PermissionDenied},
    "owner's key that only reads": dict.fromkeys(("decide", "retract owner's", "retract reviewer's"), PermissionDenied),
    "seller of the owner": dict.fromkeys(("decide", "retract owner's", "retract reviewer's", "list"), PermissionDenied),
    "reviewer of the owner": dict.fromkeys(("decide", "retract owner's", "retract reviewer's"), PermissionDenied),
    "asker": dict.fromkeys(("decide", "retract owner's", "retract reviewer's", "list"), PermissionDenied),
    "stranger with every role": dict.fromkeys(("decide", "retract owner's", "retract reviewer's"), NotFound),
    "reviewer of the operator": {"retract owner's": PermissionDenied},
    "reviewer's key that only reads": dict.fromkeys(
        ("decide", "retract owner's", "retract reviewer's"), PermissionDenied
    ),
    "reviewer's key without checks": dict.fromkeys(
        ("decide", "retract owner's", "retract reviewer's"), PermissionDenied
    ),
    "rights holder of the operator": dict.fromkeys(("decide", "retract owner's", "retract reviewer's"), NotFound),
    "admin of the operator": dict.fromkeys(
        ("decide", "retract owner's", "retract reviewer's", "list"), PermissionDenied
    ),
    "console": {"decide": PermissionDenied, "retract owner's": PermissionDenied},
}


def actor_called(estate: Estate, who: str) -> Actor:
    write, read = Scope.REFERENCES_WRITE, Scope.REFERENCES_READ
    makers: dict[str, Callable[[], Actor]] = {
        "owner": lambda: estate.holder,
        "owner's key": lambda: estate.key(estate.holder, write),
        "owner's key that only reads": lambda: estate.key(estate.holder, read, Scope.CHECKS_READ),
        "seller of the owner": lambda: estate.member("seller@studio.example", Role.SELLER, of=estate.studio),
        "reviewer of the owner": lambda: estate.member("reviewer@studio.example", Role.REVIEWER, of=estate.studio),
        "asker": lambda: estate.seller,
        "stranger with every role": lambda: estate.stranger,
        "reviewer of the operator": lambda: estate.reviewer,
        "reviewer's key that only reads": lambda: estate.key(estate.reviewer, read, Scope.CHECKS_READ),
        "reviewer's key without checks": lambda: estate.key(estate.reviewer, read),
        "rights holder of the operator": lambda: estate.member("holder@platform.example", Role.RIGHTS_HOLDER),
        "admin of the operator": lambda: estate.member("admin@platform.example", Role.ADMIN),
        "console": lambda: estate.console,
    }
    return makers[who]()


@pytest.mark.parametrize("who", EXPECTED)
def test_who_may_what(estate: Estate, who: str) -> None:
    reference = estate.register()
    finding_id, reference_id = estate.finding(reference), reference.reference_id
    decisions = estate.decisions
    owners = decisions.decide(estate.holder, finding_id, reference_id, CONFIRMED)
    reviewers = decisions.decide(estate.reviewer, finding_id, reference_id, CONFIRMED)
    actor, expected = actor_called(estate, who), EXPECTED[who]
    attempts: dict[str, Callable[[], object]] = {
        "list": lambda: decisions.decisions(actor),
        "decide": lambda: decisions.decide(actor, finding_id, reference_id, NOT_A_COPY),
        "retract owner's": lambda: decisions.retract(actor, owners.decision_id),
        "retract reviewer's": lambda: decisions.retract(actor, reviewers.decision_id),
    }
    for name, attempt in attempts.items():
        before = estate.events()
        if name in expected:
            with pytest.raises(expected[name]):
                attempt()
            assert estate.events() == before, name
        else:
            attempt()


def test_whose_decisions_are_listed(estate: Estate) -> None:
    mine, theirs = estate.register("Studio"), estate.register("Rival")
    finding_id = estate.finding(mine, theirs)
    made = [
        estate.decisions.decide(estate.holder, finding_id, mine.reference_id, CONFIRMED),
        estate.decisions.decide(estate.reviewer, finding_id, mine.reference_id, NOT_A_COPY),
        estate.decisions.decide(estate.stranger, finding_id, theirs.reference_id, CONFIRMED),
    ]
    listed = estate.decisions.decisions
    assert list(listed(estate.holder)) == made[:2]
    assert list(listed(estate.stranger)) == made[2:]
    assert list(listed(estate.reviewer)) == made
    assert list(listed(estate.reviewer, after=made[0].decision_id, limit=1)) == made[1:2]
    for limit in (0, 1001):
        with pytest.raises(InputError):
            listed(estate.holder, limit=limit)


def test_what_is_remembered(estate: Estate) -> None:
    reference = estate.register()
    finding_id = estate.finding(reference, data=b"a query", pixels="its pixels")
    made = estate.decisions.decide(
        estate.reviewer, finding_id, reference.reference_id, NOT_A_COPY, note=" another lamp\r\nby Smith "
    )
    assert (made.kind, made.by, made.note) == (NOT_A_COPY, DecidedBy.REVIEWER, "another lamp\nby Smith")
    assert (made.query_sha256, made.query_pixel_digest) == (hashlib.sha256(b"a query").hexdigest(), "its pixels")
    assert (made.organisation_id, made.member_id) == (estate.reviewer.organisation_id, estate.reviewer.member_id)
    assert (made.decided_at, made.retracted_at) == (estate.now(), None)
    assert estate.rights.decision(made.decision_id) == made
    shown = decision_object(made)
    assert json.loads(json.dumps(shown)) == shown
    assert made.query_sha256 not in json.dumps(shown)
    assert made.query_pixel_digest not in json.dumps(shown)


def test_both_parties_are_told(estate: Estate) -> None:
    reference = estate.register()
    finding_id = estate.finding(reference)
    made = estate.decisions.decide(estate.reviewer, finding_id, reference.reference_id, CONFIRMED, note="by Smith")
    estate.decisions.retract(estate.reviewer, made.decision_id)
    events = estate.events()[-2:]
    assert [event.action for event in events] == ["decision.made", "decision.retracted"]
    for event in events:
        assert event.parties == {estate.house.made.organisation_id, estate.studio.organisation_id}
        assert event.object_id == made.decision_id
        assert event.detail == {
            "kind": "confirmed_copy",
            "by": "reviewer",
            "finding_id": finding_id,
            "reference_id": reference.reference_id,
        }
    before = estate.events()
    assert estate.decisions.retract(estate.reviewer, made.decision_id).retracted_at == estate.now()
    assert estate.events() == before


def test_of_an_owner_without_accounts(estate: Estate) -> None:
    reference = estate.register("Nobody here")
    finding_id = estate.finding(reference)
    made = estate.decisions.decide(estate.reviewer, finding_id, reference.reference_id, CONFIRMED)
    assert made.by is DecidedBy.REVIEWER
    assert estate.events()[-1].parties == {estate.house.made.organisation_id}


def test_what_the_operator_owns_itself(estate: Estate) -> None:
    reference = estate.register("Platform")
    finding_id = estate.finding(reference)
    made = estate.decisions.decide(estate.reviewer, finding_id, reference.reference_id, CONFIRMED)
    assert made.by is DecidedBy.OWNER
    assert estate.rights.decision(made.decision_id) == made
    holder = estate.member("holder@platform.example", Role.RIGHTS_HOLDER)
    assert estate.decisions.retract(holder, made.decision_id).retracted_at == estate.now()


def test_only_about_a_match(estate: Estate) -> None:
    reference, other = estate.register(), estate.register(data=b"another picture")
    finding_id = estate.finding(other)
    said = set()
    for actor in (estate.holder, estate.reviewer, estate.stranger):
        for finding, about in (
            (finding_id, reference.reference_id),
            ("fnd_none", "ref_none"),
            (finding_id, "ref_none"),
        ):
            with pytest.raises(NotFound) as caught:
                estate.decisions.decide(actor, finding, about, CONFIRMED)
            said.add((caught.value.detail.replace(finding, "").replace(about, ""), caught.value.advice))
    assert len(said) == 1
    with pytest.raises(NotFound):
        estate.decisions.decide(estate.stranger, finding_id, other.reference_id, CONFIRMED)
    with pytest.raises(NotFound, match="no decision"):
        estate.decisions.retract(estate.holder, "dec_none")


def test_a_stranger_learns_nothing_of_a_damaged_finding(estate: Estate) -> None:
    reference = estate.register()
    stored = StoredFinding(
        finding_id="fnd_1", created_at=estate.now(), file="q.jpg", query_sha256="a" * 64, document="damaged"
    )
    estate.catalogue.add_finding(stored, query_expires_at=None)
    with pytest.raises(NotFound):
        estate.decisions.decide(estate.stranger, "fnd_1", reference.reference_id, CONFIRMED)
    with pytest.raises(DigestMismatch):
        estate.decisions.decide(estate.holder, "fnd_1", reference.reference_id, CONFIRMED)


def test_not_about_what_is_erased(estate: Estate) -> None:
    reference = estate.register()
    finding_id = estate.finding(reference)
    estate.catalogue.withdraw(reference.reference_id, at=estate.now())
    made = estate.decisions.decide(estate.holder, finding_id, reference.reference_id, CONFIRMED)
    estate.catalogue.erase(reference.reference_id, at=estate.now())
    with pytest.raises(InvalidTransition, match="erased"):
        estate.decisions.decide(estate.holder, finding_id, reference.reference_id, CONFIRMED)
    assert list(estate.decisions.decisions(estate.holder)) == [made]
    assert estate.decisions.retract(estate.holder, made.decision_id) == replace(made, retracted_at=estate.now())


@pytest.mark.parametrize("note", ["x" * 2001, "a\x00b"])
def test_notes_are_text(estate: Estate, note: str) -> None:
    reference = estate.register()
    finding_id = estate.finding(reference)
    with pytest.raises(InputError, match="note"):
        estate.decisions.decide(estate.holder, finding_id, reference.reference_id, CONFIRMED, note=note)
