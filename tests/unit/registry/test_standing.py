"""Which decision counts, and a standing in one word."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import permutations
from pathlib import Path

import pytest

from imgguard.registry.decisions import DecidedBy, Decision, DecisionKind, in_force
from imgguard.registry.licences import Because, LicenceStanding, LicenceStatus
from imgguard.registry.standing import Standing, Summary

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOT_A_COPY, CONFIRMED = DecisionKind.NOT_A_COPY, DecisionKind.CONFIRMED_COPY
OWNERS = Decision(
    decision_id="dec_1",
    reference_id="ref_1",
    finding_id="fnd_1",
    query_sha256="a" * 64,
    query_pixel_digest="b" * 64,
    kind=CONFIRMED,
    by=DecidedBy.OWNER,
    organisation_id="org_1",
    member_id="mem_1",
    note="",
    decided_at=NOW,
    retracted_at=None,
)
LATER = replace(OWNERS, decision_id="dec_2", kind=NOT_A_COPY, decided_at=NOW + timedelta(days=1))
REVIEWERS = replace(OWNERS, decision_id="dec_3", by=DecidedBy.REVIEWER, decided_at=NOW - timedelta(days=1))


def retracted(decision: Decision) -> Decision:
    return replace(decision, retracted_at=NOW)


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([], None),
        ([OWNERS], OWNERS),
        ([OWNERS, LATER], LATER),
        ([OWNERS, retracted(LATER)], OWNERS),
        ([OWNERS, LATER, REVIEWERS], REVIEWERS),
        ([LATER, retracted(REVIEWERS)], LATER),
        ([retracted(OWNERS)], None),
        ([OWNERS, replace(OWNERS, decision_id="dec_4")], replace(OWNERS, decision_id="dec_4")),
    ],
)
def test_a_reviewer_first_then_the_latest_that_is_not_retracted(
    decisions: list[Decision], expected: Decision | None
) -> None:
    for order in permutations(decisions):
        assert in_force(order) == expected


def licence(status: LicenceStatus) -> LicenceStanding:
    return LicenceStanding(status=status, licence_id=None, ends_at=None, because=())


UNLICENSED = [None, *(licence(status) for status in LicenceStatus if status is not LicenceStatus.LICENSED)]


@pytest.mark.parametrize("given", [*UNLICENSED, licence(LicenceStatus.LICENSED)])
@pytest.mark.parametrize("kind", [None, *DecisionKind])
def test_own_and_not_a_copy_come_before_licences(given: LicenceStanding | None, kind: DecisionKind | None) -> None:
    decision = None if kind is None else replace(OWNERS, kind=kind)
    assert Standing(is_own=True, licence=given, decision=decision).summary is Summary.OWN
    foreign = Standing(is_own=False, licence=given, decision=decision).summary
    if kind is NOT_A_COPY:
        assert foreign is Summary.NOT_A_COPY
    elif given in UNLICENSED:
        assert foreign is (Summary.UNLICENSED if kind is None else Summary.CONFIRMED)
    else:
        assert foreign is Summary.LICENSED


@pytest.mark.parametrize("words", [LicenceStatus, Because, Summary])
def test_the_page_for_people_explains_each_word_in_order(words: type[StrEnum]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "licences.md").read_text()
    explained = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    values = [word.value for word in words]
    start = explained.index(values[0])
    assert explained[start : start + len(values)] == values
