"""Pictures of a match are drawn once for all who look at them now, and shown by the policy of each moment."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from imgguard.bootstrap import Services
from imgguard.errors import NotFound
from imgguard.evidence.signing import Parent
from imgguard.registry.accounts import Disclosure
from imgguard.services.check_views import CheckViews
from imgguard.services.drawings import KEPT_SECONDS, Drawings

from .town import Town

JACKET = "copy-cropped-denim-jacket"


@pytest.fixture
def drawn(town: Town, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The reference of each match that was drawn in full."""
    illustrator, references = town.services.illustrator, []
    draw = illustrator.draw

    def noted(scene: Any, match: Any, reference: Any) -> Any:
        references.append(match.reference_id)
        return draw(scene, match, reference)

    monkeypatch.setattr(illustrator, "draw", noted)
    return references


def look(town: Town, viewer: str = "asker", number: int = 1) -> dict[str, bytes]:
    return dict(town.services.checks.pictures(town.actor(viewer), town.finding(JACKET), number))


def drawings(services: Services, **changed: Any) -> Drawings:
    return Drawings(
        catalogue=services.catalogue,
        blobs=services.blobs,
        illustrator=services.illustrator,
        library=services.library,
        clock=services.clock,
        **changed,
    )


def test_those_who_ask_at_the_same_time_get_the_same_drawing(town: Town, drawn: list[str]) -> None:
    town.disclose(Disclosure.FULL)
    with ThreadPoolExecutor(6) as executor:
        found = list(executor.map(lambda _: look(town), range(6)))
    assert len(drawn) == 1
    assert all(one == found[0] for one in found)
    assert "aligned" in found[0]


def test_each_match_has_its_own(town: Town, drawn: list[str]) -> None:
    town.disclose(Disclosure.FULL)
    first, second = look(town, number=1), look(town, number=2)
    assert len(set(drawn)) == len(drawn) == 2
    assert first.keys() & second.keys()


def test_what_was_drawn_for_one_is_not_shown_to_another_who_may_see_less(town: Town, drawn: list[str]) -> None:
    town.disclose(Disclosure.OUTLINE)
    assert "side_by_side" in look(town, "reviewer")
    assert sorted(look(town)) == ["outline", "thumbnail"]
    assert "side_by_side" in look(town, "reviewer")


def test_a_policy_counts_from_the_moment_it_changes(town: Town, drawn: list[str]) -> None:
    town.disclose(Disclosure.FULL)
    assert "side_by_side" in look(town)
    town.disclose(Disclosure.CONTACT)
    assert look(town) == {}


def test_an_erased_original_is_gone_at_once(town: Town, drawn: list[str]) -> None:
    services = town.services
    town.disclose(Disclosure.FULL)
    assert "side_by_side" in look(town)
    (owned,) = (one for one in services.catalogue.references(owner="Sample Studio") if one.reference_id == drawn[0])
    services.references.erase(town.actor("owner"), owned.reference_id)
    shown = services.checks.check_of(town.actor("asker"), town.finding(JACKET))
    erased = next(number for number, match in enumerate(shown.matches, 1) if match.disclosure == "erased")
    assert look(town, number=erased) == {}


def test_a_drawing_is_kept_for_its_time(town: Town, drawn: list[str]) -> None:
    town.disclose(Disclosure.FULL)
    now = [0.0]
    town.services.checks._drawings = drawings(town.services, seconds=lambda: now[0])
    look(town)
    now[0] = KEPT_SECONDS - 1
    look(town)
    assert len(drawn) == 1
    now[0] = KEPT_SECONDS + 1
    look(town)
    assert len(drawn) == 2


def test_what_is_too_large_to_be_kept_is_still_shown(town: Town, drawn: list[str]) -> None:
    town.disclose(Disclosure.FULL)
    town.services.checks._drawings = drawings(town.services, kept_bytes=1000)
    assert look(town) == look(town)
    assert len(drawn) == 2


def test_the_checked_picture_is_not_shown_longer_than_it_is_kept(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    services, asker, finding = town.services, town.actor("asker"), town.finding(JACKET)
    assert services.checks.query_picture(asker, finding)
    kept_until = services.check_store.check(finding).kept_until
    assert kept_until is not None
    clock = type("Later", (), {"now": lambda _self: kept_until})()
    monkeypatch.setattr(services.drawings, "_clock", clock)
    with pytest.raises(NotFound, match="not kept"):
        services.checks.query_picture(asker, finding)


def test_what_shows_the_checked_picture_is_signed_as_opened_from_it(town: Town) -> None:
    """And a thumbnail of somebody's original is not: it was not made from the checked picture."""
    parents: list[Parent] = []

    def sign(data: bytes, parent: Parent) -> bytes:
        parents.append(parent)
        return b"signed" + data

    made = town.services.check_store.check(town.finding(JACKET))
    signing = drawings(town.services, sign=sign)
    assert signing.query(made).startswith(b"signed")
    (seen, *_) = CheckViews(store=town.services.check_store, standings=town.services.standings).seen(
        town.actor("asker"), made
    )
    assert seen.disclosed == "outline"
    files = signing.match(made, seen)
    assert {name: data.startswith(b"signed") for name, data in files.items()} == {"outline": True, "thumbnail": False}
    assert {parent.sha256 for parent in parents} == {made.finding.query_sha256}
