"""How matches stand for whoever asks, from licences and decisions as people made them."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from imgguard.registry.access import Actor
from imgguard.registry.decisions import DecisionKind
from imgguard.registry.licences import Use
from imgguard.registry.records import Reference
from imgguard.registry.standing import Standing
from imgguard.services.licences import Terms
from imgguard.services.rights_objects import standing_object

Estate = Any
Stand = Callable[..., Mapping[str, Standing]]
DAY = timedelta(days=1)
NOT_A_COPY, CONFIRMED = DecisionKind.NOT_A_COPY, DecisionKind.CONFIRMED_COPY


@pytest.fixture
def stand(estate: Estate) -> Stand:
    """For Shop and the picture of `Estate.finding`, unless it says otherwise."""

    def of(
        *references: Reference,
        actor: Actor | None = None,
        data: bytes = b"a query",
        pixels: str = "query pixels",
        use: Use | None = None,
    ) -> Mapping[str, Standing]:
        asker = actor or estate.seller
        found: Mapping[str, Standing] = estate.standings.of(
            asker.organisation_id,
            asker.owner_id,
            references,
            query_sha256=hashlib.sha256(data).hexdigest(),
            query_pixel_digest=pixels,
            use=use or Use(),
            at=estate.now(),
        )
        assert list(found) == [reference.reference_id for reference in references]
        return found

    return of


def summary(standings: Mapping[str, Standing], reference: Reference) -> str:
    return standings[reference.reference_id].summary.value


def test_own_and_foreign(estate: Estate, stand: Stand) -> None:
    studios, shops = estate.register("Studio"), estate.register("Shop")
    standings = stand(studios, shops)
    own, foreign = standings[shops.reference_id], standings[studios.reference_id]
    assert (own.is_own, own.licence, own.decision, own.summary) == (True, None, None, "own")
    assert foreign.licence is not None
    assert (foreign.is_own, foreign.summary) == (False, "unlicensed")
    assert (foreign.licence.status, foreign.licence.because) == ("none", ())
    assert stand() == {}


def test_a_licence_is_only_worth_something_for_its_licensors_works(estate: Estate, stand: Stand) -> None:
    studios, rivals = estate.register("Studio"), estate.register("Rival")
    granted = estate.grant(Terms(ends_at=estate.now() + DAY)).licence
    standings = stand(studios, rivals)
    assert (summary(standings, studios), summary(standings, rivals)) == ("licensed", "unlicensed")
    licence = standings[studios.reference_id].licence
    assert licence is not None
    assert (licence.licence_id, licence.ends_at) == (granted.licence_id, granted.ends_at)
    assert summary(stand(studios, actor=estate.stranger), studios) == "unlicensed"
    estate.clock.move(days=1)
    expired = stand(studios)[studios.reference_id].licence
    assert expired is not None
    assert (expired.status, expired.because) == ("expired", ("ended",))


def test_certain_works(estate: Estate, stand: Stand) -> None:
    one, two = estate.register(data=b"one"), estate.register(data=b"two")
    estate.grant(Terms(work_ids=[one.work_id]))
    standings = stand(one, two)
    assert (summary(standings, one), summary(standings, two)) == ("licensed", "unlicensed")
    other = standings[two.reference_id].licence
    assert other is not None
    assert (other.status, other.because, other.licence_id) == ("none", ("work",), None)


def test_limits_and_what_the_asker_says(estate: Estate, stand: Stand) -> None:
    reference = estate.register()
    estate.grant(Terms(platforms=["AliExpress"], territories=["de"]))
    said = Use(platform="aliexpress", territory="DE")
    assert summary(stand(reference, use=said), reference) == "licensed"
    silent = stand(reference)[reference.reference_id].licence
    assert silent is not None
    assert (silent.status, silent.because) == ("out_of_scope", ("platform", "territory"))


def test_a_link_and_a_shop_count_once_they_are_taken_up(estate: Estate, stand: Stand) -> None:
    reference = estate.register()
    link, shop = estate.by_link(), estate.grant(shop="Blue Shop").licence
    said = Use(shop="blue shop")
    for actor, take_up in (
        (estate.seller, lambda: estate.licences.accept_link(estate.seller, link.link_token)),
        (
            estate.stranger,
            lambda: estate.licences.confirm_shop(estate.holder, shop.licence_id, estate.rival.organisation_id),
        ),
    ):
        assert summary(stand(reference, actor=actor, use=said), reference) == "unlicensed"
        take_up()
        assert summary(stand(reference, actor=actor, use=said), reference) == "licensed"
    assert summary(stand(reference, actor=estate.stranger), reference) == "unlicensed"
    estate.licences.revoke(estate.holder, link.licence.licence_id)
    revoked = stand(reference, use=said)[reference.reference_id].licence
    assert revoked is not None
    assert (revoked.status, revoked.because) == ("expired", ("revoked",))


def test_decisions_apply_to_the_same_bytes_and_to_the_same_pixels(estate: Estate, stand: Stand) -> None:
    reference, other = estate.register(), estate.register(data=b"another picture")
    finding_id = estate.finding(reference, other)
    made = estate.decisions.decide(estate.holder, finding_id, reference.reference_id, NOT_A_COPY)
    for changes in ({}, {"data": b"saved again"}, {"pixels": "decoded by another library"}):
        standings = stand(reference, other, **changes)
        assert standings[reference.reference_id].decision == made
        assert (summary(standings, reference), summary(standings, other)) == ("not_a_copy", "unlicensed")
    assert summary(stand(reference, data=b"another", pixels="other"), reference) == "unlicensed"


def test_a_reviewer_outranks_the_owner(estate: Estate, stand: Stand) -> None:
    reference = estate.register()
    finding_id, reference_id = estate.finding(reference), reference.reference_id
    reviewers = estate.decisions.decide(estate.reviewer, finding_id, reference_id, NOT_A_COPY)
    estate.clock.move(days=1)
    owners = estate.decisions.decide(estate.holder, finding_id, reference_id, CONFIRMED)
    assert summary(stand(reference), reference) == "not_a_copy"
    estate.decisions.retract(estate.reviewer, reviewers.decision_id)
    assert summary(stand(reference), reference) == "confirmed"
    estate.grant()
    assert summary(stand(reference), reference) == "licensed"
    estate.decisions.retract(estate.holder, owners.decision_id)
    assert stand(reference)[reference_id].decision is None


def test_as_json(estate: Estate, stand: Stand) -> None:
    reference = estate.register()
    finding_id = estate.finding(reference)
    made = estate.decisions.decide(estate.holder, finding_id, reference.reference_id, CONFIRMED, note="secret")
    granted = estate.grant(Terms(platforms=["ebay"])).licence
    shown = standing_object(stand(reference)[reference.reference_id])
    assert json.loads(json.dumps(shown)) == shown
    assert shown == {
        "standing": "confirmed",
        "is_own": False,
        "licence": {
            "status": "out_of_scope",
            "licence_id": granted.licence_id,
            "ends_at": None,
            "because": ["platform"],
        },
        "decision": {"kind": "confirmed_copy", "by": "owner", "decided_at": "2026-05-01T12:00:00Z"},
    }
    assert made.note == "secret"
