"""What is shown of a match to whom, for any match: in one place, so it can be tested in one place."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgguard.imaging.credentials import ContentCredentials, CredentialState, to_json
from imgguard.ports import Original
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Disclosure, Role, Scope
from imgguard.registry.decisions import DecidedBy, Decision, DecisionKind
from imgguard.registry.licences import Because, LicenceStanding, LicenceStatus
from imgguard.registry.records import Reference, ReferenceStatus
from imgguard.registry.standing import Standing
from imgguard.services import pictures
from imgguard.services.contract import Match
from imgguard.services.redaction import (
    HashHit,
    Seen,
    collapsed,
    conclusion_of,
    hash_match_views,
    match_views,
    reasons_shown,
    redacted,
    seen_by,
)
from imgguard.services.views import MatchView
from imgguard.verdict.finding import Edit, Relation, Strength, Verdict

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SIZE = (4001, 3003)
UNKNOWN = Standing(is_own=False, licence=None, decision=None)
OWN = Standing(is_own=True, licence=None, decision=None)


def licence(status: LicenceStatus, *because: Because) -> Standing:
    held = None if status is LicenceStatus.NONE else "lic_1"
    return Standing(
        is_own=False,
        licence=LicenceStanding(status=status, licence_id=held, ends_at=None, because=because),
        decision=None,
    )


def decided(kind: DecisionKind) -> Standing:
    decision = Decision(
        decision_id="dec_1",
        reference_id="ref_1",
        finding_id="fnd_1",
        query_sha256="a" * 64,
        query_pixel_digest="b" * 64,
        kind=kind,
        by=DecidedBy.OWNER,
        organisation_id="org_decider",
        member_id="mem_decider",
        note="a secret note",
        decided_at=NOW,
        retracted_at=None,
    )
    return Standing(is_own=False, licence=None, decision=decision)


LICENSED = licence(LicenceStatus.LICENSED)
UNLICENSED = licence(LicenceStatus.NONE)


def reference(number: int = 1, whose: str = "Sample Studio", **changes: Any) -> Reference:
    values: dict[str, Any] = {
        "reference_id": f"ref_{number}",
        "owner_id": f"own_{whose}",
        "owner": whose,
        "work_id": f"wrk_{number}",
        "sha256": "c" * 64,
        "file": "/home/olga/secret-jacket.jpg",
        "status": ReferenceStatus.ACTIVE,
        "registered_at": NOW,
        "withdrawn_at": None,
        "erased_at": None,
    }
    return Reference(**values | changes)


def erased(number: int = 1, owner: str = "Sample Studio") -> Reference:
    gone = dict.fromkeys(("owner", "work_id", "sha256", "file"))
    return reference(number, owner, status=ReferenceStatus.ERASED, erased_at=NOW, **gone)


def match(number: int = 1, **changes: Any) -> Match:
    values: dict[str, Any] = {
        "reference_id": f"ref_{number}",
        "file": "secret-jacket.jpg",
        "owner": "Sample Studio",
        "verdict": "copy",
        "relation": "edited",
        "log10_likelihood_ratio": 3.456,
        "strength": "strong",
        "reasons": ["pixels_agree"],
        "cosine_similarity": 0.8765,
        "hamming_distance": 27,
        "inlier_count": 321,
        "agreement": 0.9876,
        "query_coverage": 0.70707,
        "reference_coverage": 0.61616,
        "transform": {
            "matrix": ((0.5, 0.0, 7.0), (0.0, 0.5, 9.0), (0.0, 0.0, 1.0)),
            "mirrored": False,
            "rotation_degrees": 0.0,
            "scale": 0.5,
        },
        "query_region": [(0.0, 0.0), (50.0, 0.0), (50.0, 50.0)],
        "reference_region": [(0.0, 0.0), (2711.0, 0.0), (2711.0, 1999.0)],
        "edits": ["cropped", "resized"],
        "evidence": {"side_by_side": "/home/olga/side.png"},
    }
    return Match.model_validate(values | changes)


def shown(disclosure: Disclosure, *, everything: bool = False, **changes: Any) -> MatchView:
    values: dict[str, Any] = {"reference": reference(), "standing": UNLICENSED, "size": SIZE, "finding_id": "fnd_1"}
    values["credentials"] = to_json(ContentCredentials(state=CredentialState.VALID))
    return redacted(match(), disclosure=disclosure, everything=everything, **values | changes)


def told(view: MatchView) -> set[str]:
    return {name for name, value in view if value is not None}


ALWAYS = {"match_id", "number", "disclosure", "is_own", "standing", "licence", "verdict", "strength"}
OUTLINE = ALWAYS | {"owner", "relation", "reasons", "query_coverage", "query_region", "reference_outline", "edits"}
WHOLE = OUTLINE | {
    "reference_id",
    "file",
    "log10_likelihood_ratio",
    "cosine_similarity",
    "hamming_distance",
    "inlier_count",
    "agreement",
    "reference_coverage",
    "transform",
    "reference_region",
    "reference_credentials",
}


@pytest.mark.parametrize(
    ("disclosure", "fields"),
    [(Disclosure.FULL, WHOLE), (Disclosure.OUTLINE, OUTLINE), (Disclosure.CONTACT, ALWAYS)],
)
def test_each_policy_tells_just_what_it_says(disclosure: Disclosure, fields: set[str]) -> None:
    view = shown(disclosure)
    assert told(view) == fields
    assert view.disclosure == disclosure.value
    assert told(shown(disclosure, everything=True)) == WHOLE
    assert shown(disclosure, everything=True).disclosure == "everything"


def test_numbers_and_names() -> None:
    view = shown(Disclosure.FULL, number=3)
    assert (view.match_id, view.number, view.file) == ("fnd_1.3", 3, "secret-jacket.jpg")
    assert view.reference_region == match().reference_region
    assert view.reference_outline == [(0.0, 0.0), (0.677581, 0.0), (0.677581, 0.665668)]


def test_an_outline_is_rounded_and_does_not_say_whether_it_was_resized() -> None:
    view = shown(Disclosure.OUTLINE)
    assert view.reference_outline == [(0.0, 0.0), (0.68, 0.0), (0.68, 0.67)]
    assert view.query_coverage == 0.71
    assert view.edits == [Edit.CROPPED]


def test_of_an_erased_one_nothing_is_shown() -> None:
    view = shown(Disclosure.FULL, reference=erased())
    assert told(view) == {"match_id", "number", "disclosure", "is_own"}
    assert view.disclosure == "erased"
    assert shown(Disclosure.FULL, reference=erased(), everything=True).reference_id == "ref_1"


def test_a_decision_is_shown_without_who_made_it() -> None:
    for disclosure in Disclosure:
        text = shown(disclosure, standing=decided(DecisionKind.NOT_A_COPY)).model_dump_json()
        assert '"kind":"not_a_copy"' in text
        assert not [secret for secret in ("dec_1", "org_decider", "mem_decider", "secret note") if secret in text]


def test_contact_does_not_tell_that_other_works_of_the_owner_are_licensed() -> None:
    standing = licence(LicenceStatus.NONE, Because.WORK)
    for disclosure, because in ((Disclosure.CONTACT, []), (Disclosure.OUTLINE, [Because.WORK])):
        found = shown(disclosure, standing=standing).licence
        assert found is not None
        assert found.because == because


# for any match

region = st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 5000)), min_size=3, max_size=8)
coarse = st.sampled_from([None, *Relation])


@st.composite
def matches(draw: st.DrawFn) -> Match:
    return match(
        verdict=draw(st.sampled_from(["copy", "same_product", "inconclusive"])),
        relation=draw(coarse),
        log10_likelihood_ratio=draw(st.floats(-9, 9).map(lambda x: round(x, 3) + 0.0001234)),
        strength=draw(st.sampled_from(Strength)),
        edits=draw(st.lists(st.sampled_from(Edit), unique=True)),
        query_coverage=draw(st.none() | st.floats(0, 1)),
        query_region=draw(st.none() | region),
        reference_region=draw(st.none() | region),
    )


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(matches(), st.sampled_from(["outline", "contact"]), st.sampled_from([UNLICENSED, LICENSED]))
def test_no_answer_to_a_stranger_leads_to_the_original(given_match: Match, policy: str, standing: Standing) -> None:
    original = reference(sha256="deadbeef" * 8, reference_id="ref_forbidden", work_id="wrk_forbidden")
    view = redacted(
        given_match,
        reference=original,
        disclosure=Disclosure(policy),
        standing=standing,
        everything=False,
        size=SIZE,
        finding_id="fnd_1",
    )
    text = view.model_dump_json()
    secrets = [
        "ref_forbidden",
        "wrk_forbidden",
        "own_",
        "secret-jacket",
        "olga",
        "deadbeef",
        "0001234",
        "0.8765",
        "321",
    ]
    if policy == "contact":
        secrets.append("Sample Studio")
    plain = json.dumps([leaf for leaf in leaves(json.loads(text)) if not isinstance(leaf, float)])
    assert not [secret for secret in secrets if secret in plain]
    numbers = json.loads(text)
    assert not {*SIZE, 27, 321} & {leaf for leaf in leaves(numbers) if isinstance(leaf, int) and leaf is not True}
    for x, y in numbers["reference_outline"] or []:
        assert (round(x, 2), round(y, 2)) == (x, y)
    assert {name for name, value in view if value is not None} <= (OUTLINE if policy == "outline" else ALWAYS)


# several matches


def seen(
    number: int,
    owner: str = "Sample Studio",
    *,
    disclosure: Disclosure = Disclosure.CONTACT,
    standing: Standing = UNLICENSED,
    everything: bool = False,
    is_erased: bool = False,
    **changes: Any,
) -> Seen:
    found = erased(number, owner) if is_erased else reference(number, owner)
    original = Original(reference=found, disclosure=disclosure, size=SIZE)
    return Seen(match=match(number, **changes), original=original, standing=standing, everything=everything)


def ids(found: list[Seen]) -> list[str | None]:
    return [one.match.reference_id for one in found]


def test_how_many_originals_an_owner_has_there_is_not_told() -> None:
    many = [seen(1), seen(2, "Other"), seen(3), seen(4, disclosure=Disclosure.OUTLINE), seen(5, "Other")]
    assert ids(collapsed(many)) == ["ref_1", "ref_2", "ref_4"]
    assert [view.number for view in match_views(collapsed(many), finding_id=None)] == [1, 2, 3]
    assert ids(collapsed([seen(1, everything=True), seen(2, everything=True)])) == ["ref_1", "ref_2"]
    assert ids(collapsed([seen(1, disclosure=Disclosure.OUTLINE), seen(2, disclosure=Disclosure.OUTLINE)])) == [
        "ref_1",
        "ref_2",
    ]


def test_nor_how_many_it_had() -> None:
    assert ids(collapsed([seen(1, is_erased=True), seen(2, is_erased=True), seen(3)])) == ["ref_1", "ref_3"]


def test_the_gravest_of_those_not_told_apart_stands_for_them() -> None:
    others = [seen(1, standing=LICENSED), seen(2), seen(3, "Other"), seen(4, verdict="inconclusive")]
    assert ids(collapsed(others)) == ["ref_2", "ref_3"]
    assert ids(collapsed([seen(1, verdict="same_product"), seen(2, verdict="inconclusive")])) == ["ref_2"]


def test_reasons_of_a_match_that_is_not_shown_are_not_told() -> None:
    hidden = seen(1, reasons=["identical_bytes"])
    outlined = seen(2, disclosure=Disclosure.OUTLINE, reasons=["pixels_agree"])
    lesser = seen(3, disclosure=Disclosure.OUTLINE, reasons=["too_plain"], verdict="inconclusive")
    reasons = ["identical_bytes", "pixels_agree", "too_plain", "reference_damaged"]
    assert reasons_shown(reasons, Verdict.COPY, [hidden, lesser]) == ["reference_damaged"]
    assert reasons_shown(reasons, Verdict.COPY, [hidden, outlined]) == ["pixels_agree", "reference_damaged"]
    assert reasons_shown(["no_candidate"], Verdict.NO_MATCH, []) == ["no_candidate"]


@pytest.mark.parametrize(
    ("found", "conclusion"),
    [
        ([], "clear"),
        ([("same_product", UNLICENSED)], "clear"),
        ([("inconclusive", UNLICENSED)], "undecided"),
        ([("inconclusive", decided(DecisionKind.NOT_A_COPY))], "clear"),
        ([("inconclusive", decided(DecisionKind.CONFIRMED_COPY))], "unlicensed"),
        ([("copy", UNLICENSED)], "unlicensed"),
        ([("copy", UNKNOWN)], "unlicensed"),
        ([("copy", licence(LicenceStatus.EXPIRED, Because.ENDED))], "unlicensed"),
        ([("copy", licence(LicenceStatus.OUT_OF_SCOPE, Because.PLATFORM))], "unlicensed"),
        ([("copy", LICENSED), ("copy", UNLICENSED)], "unlicensed"),
        ([("copy", LICENSED), ("copy", OWN), ("copy", decided(DecisionKind.NOT_A_COPY))], "licensed"),
        ([("copy", OWN)], "own"),
        ([("copy", OWN), ("inconclusive", UNLICENSED)], "own"),
        ([("copy", decided(DecisionKind.NOT_A_COPY))], "clear"),
        ([("copy", decided(DecisionKind.CONFIRMED_COPY))], "unlicensed"),
    ],
)
def test_what_follows(found: list[tuple[str, Standing]], conclusion: str) -> None:
    assert conclusion_of([(match(verdict=verdict), standing) for verdict, standing in found], reasons=[]) == conclusion


def test_what_could_not_be_compared_is_not_clear() -> None:
    assert conclusion_of([], reasons=["reference_damaged"]) == "undecided"
    assert conclusion_of([(match(), OWN)], reasons=["reference_damaged"]) == "own"


# hashes


def actor(owner: str = "Nobody", **changes: Any) -> Actor:
    values: dict[str, Any] = {
        "organisation_id": "org_1",
        "owner_id": f"own_{owner}",
        "owner": owner,
        "member_id": "mem_1",
        "key_id": None,
        "roles": frozenset({Role.SELLER}),
        "scopes": frozenset(Scope),
        "is_operator": False,
    }
    return Actor(**values | changes)


def hit(number: int, distance: int, disclosure: Disclosure, owner: str = "Sample Studio") -> HashHit:
    original = Original(reference=reference(number, owner), disclosure=disclosure, size=SIZE)
    return HashHit(original=original, hamming_distance=distance)


def test_a_hash_is_answered_by_own_originals_and_by_those_in_full() -> None:
    hits = [
        hit(1, 0, Disclosure.CONTACT),
        hit(2, 3, Disclosure.OUTLINE),
        hit(3, 4, Disclosure.FULL),
        hit(4, 9, Disclosure.CONTACT, "Other"),
    ]
    assert [(view.number, view.reference_id, view.disclosure) for view in hash_match_views(actor(), hits)] == [
        (1, "ref_3", "full")
    ]
    views = hash_match_views(actor("Other"), hits)
    assert [(view.reference_id, view.disclosure, view.is_own, view.hamming_distance) for view in views] == [
        ("ref_3", "full", False, 4),
        ("ref_4", "everything", True, 9),
    ]
    reviewer = actor(is_operator=True, roles=frozenset({Role.REVIEWER}))
    assert [view.disclosure for view in hash_match_views(reviewer, hits)] == ["everything"] * 4
    assert hash_match_views(actor(is_operator=True), hits) == hash_match_views(actor(), hits)


@pytest.mark.parametrize("status", [ReferenceStatus.WITHDRAWN, ReferenceStatus.ERASED])
def test_a_hash_is_not_answered_by_what_was_taken_back_meanwhile(status: ReferenceStatus) -> None:
    one = hit(1, 0, Disclosure.FULL)
    gone = HashHit(
        original=replace(one.original, reference=replace(one.original.reference, status=status)), hamming_distance=0
    )
    assert hash_match_views(actor("Sample Studio"), [gone]) == []


def test_reviewers_of_the_operator_see_everything_and_others_do_not() -> None:
    originals = {"ref_1": Original(reference=reference(), disclosure=Disclosure.CONTACT, size=SIZE)}
    reviewing = frozenset({Role.REVIEWER})
    for viewer, everything in (
        (actor(is_operator=True, roles=reviewing), True),
        (actor("Sample Studio"), True),
        (actor(is_operator=False, roles=reviewing), False),
        (actor(is_operator=True), False),
        (actor(is_operator=True, roles=reviewing, scopes=frozenset({Scope.CHECKS_WRITE})), False),
    ):
        (found,) = seen_by(viewer, [match(), match(2)], originals, {})
        assert found.everything is everything


# pictures


def test_a_thumbnail_has_no_more_than_48_pixels_in_it() -> None:
    """Stripes that are too fine for it come out grey; coarse ones remain."""
    columns = np.arange(512)
    contrast = []
    for width in (4, 64):
        picture = np.zeros((400, 512, 3), np.uint8)
        picture[:, columns // width % 2 == 0] = 255
        small = pictures.blurred(picture)
        assert small.shape == (228, 288, 3)
        contrast.append(int(small.max()) - int(small.min()))
    assert contrast[0] < 130
    assert contrast[1] == 255


def test_the_outline_is_drawn_where_the_region_is() -> None:
    query = np.full((100, 200, 3), 255, np.uint8)
    drawn = pictures.with_region(query, [(100, 0), (400, 0), (400, 200), (100, 200)], size=(400, 200))
    assert (drawn[50, 120] == 255).all()
    assert (drawn[50, 20] < 200).all()
    assert (pictures.with_region(query, None, size=(400, 200)) == 255).all()
