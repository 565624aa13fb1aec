"""Checks: who may see them, and what of others' originals they are shown, whatever way they ask."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import delete, select, text, update

from imgguard.errors import (
    AuthenticationRequired,
    DigestMismatch,
    InputError,
    NotFound,
    PermissionDenied,
    StoreUnavailable,
)
from imgguard.fingerprint.fingerprint import DescriptorKind
from imgguard.registry.accounts import Disclosure, Scope
from imgguard.registry.decisions import DecisionKind
from imgguard.registry.licences import Use
from imgguard.services.check_views import DamagedCheck
from imgguard.services.checking import Request
from imgguard.services.checks import checked_use
from imgguard.services.licences import Terms
from imgguard.services.views import CheckView
from imgguard.storage.sql.schema import checks, descriptors, findings, queries, standings

from .town import FOLDER, Town, assert_untold, listing, original, references_of, secrets_of, sizes_of

JACKET, MUG, CAP = "copy-cropped-denim-jacket", "copy-mirrored-mug", "other-photo-of-same-cap"
WATCH = "unrelated-watch"
OK, HIDDEN, REFUSED = None, NotFound, PermissionDenied

READERS = {
    "owner": HIDDEN,
    "owner's admin": REFUSED,
    "other owner": HIDDEN,
    "asker": OK,
    "asker's colleague": OK,
    "asker's admin": REFUSED,
    "stranger": HIDDEN,
    "stranger's reviewer": HIDDEN,
    "reviewer": OK,
    "reviewer with originals": OK,
    "seller of the operator": HIDDEN,
    "admin": REFUSED,
}


class TestWhoSees:
    @pytest.mark.parametrize(("viewer", "expected"), READERS.items())
    def test_everybody_at_every_reading_method(self, town: Town, viewer: str, expected: type[Exception] | None) -> None:
        service, actor, finding_id = town.services.checks, town.actor(viewer), town.finding(JACKET)
        calls: list[Callable[[], object]] = [
            lambda: service.check_of(actor, finding_id),
            lambda: service.pictures(actor, finding_id, 1),
            lambda: service.query_picture(actor, finding_id),
        ]
        for call in calls:
            if expected is None:
                assert call()
            else:
                with pytest.raises(expected):
                    call()
        if expected is REFUSED:
            with pytest.raises(PermissionDenied):
                service.checks(actor)
        else:
            assert len(service.checks(actor)) == (4 if expected is OK else 0)

    @pytest.mark.parametrize("viewer", ["owner's admin", "asker's admin", "admin"])
    def test_admins_look_after_people_and_check_nothing(self, town: Town, viewer: str) -> None:
        service, actor = town.services.checks, town.actor(viewer)
        with pytest.raises(PermissionDenied):
            service.check(actor, b"", file="a", profile="quick")
        with pytest.raises(PermissionDenied):
            service.compare(actor, b"", b"", file="a", reference_file="b", profile="quick")

    def test_what_is_another_organisations_looks_like_what_is_not_there(self, town: Town) -> None:
        actor, finding_id = town.actor("stranger"), town.finding(JACKET)
        texts = []
        for asked in (finding_id, "fnd_none"):
            with pytest.raises(NotFound) as raised:
                town.services.checks.check_of(actor, asked)
            texts.append((str(raised.value).replace(asked, ""), raised.value.advice))
        assert texts[0] == texts[1]

    def test_keys_with_few_scopes(self, town: Town) -> None:
        service, finding_id = town.services.checks, town.finding(JACKET)
        writes = town.key("asker", Scope.CHECKS_WRITE)
        with pytest.raises(PermissionDenied):
            service.check_of(writes, finding_id)
        with pytest.raises(PermissionDenied):
            service.pictures(writes, finding_id, 1)
        with pytest.raises(PermissionDenied):
            service.checks(writes)
        reads = town.key("asker", Scope.CHECKS_READ)
        assert service.check_of(reads, finding_id).file == JACKET
        for refused in (
            lambda: service.check(reads, b"", file="a", profile="quick"),
            lambda: service.compare(reads, b"", b"", file="a", reference_file="b", profile="quick"),
            lambda: town.services.hash_search.search(reads, "0" * 64),
        ):
            with pytest.raises(PermissionDenied):
                refused()

    def test_whoever_is_disabled_has_no_actor(self, town: Town) -> None:
        services, asker = town.services, town.actor("asker")
        issued = services.keys.issue(asker, "feed")
        services.members.disable(services.organisations.console(), asker.member_id or "")
        with pytest.raises(AuthenticationRequired):
            services.identity.actor_of_key(issued.secret)

    def test_checks_of_the_console_are_shown_to_reviewers_of_the_operator(self, town: Town) -> None:
        line = town.services.checking.check(listing(MUG), Request(profile="quick"), file="console").line
        for viewer, expected in READERS.items():
            if expected is OK and viewer.startswith("reviewer"):
                view = town.services.checks.check_of(town.actor(viewer), line.finding_id or "")
                assert (view.use, view.conclusion) == (None, "unlicensed")
                assert view in town.services.checks.checks(town.actor(viewer))
            else:
                with pytest.raises(expected or NotFound):
                    town.services.checks.check_of(town.actor(viewer), line.finding_id or "")

    def test_the_console_itself_checks_without_an_account(self, town: Town) -> None:
        with pytest.raises(PermissionDenied):
            town.services.checks.check(town.services.organisations.console(), listing(MUG), file="a", profile="quick")

    def test_pages(self, town: Town) -> None:
        service, asker = town.services.checks, town.actor("asker")
        everything = [view.finding_id for view in service.checks(asker)]
        assert everything == sorted(everything, reverse=True)
        assert [view.finding_id for view in service.checks(asker, newest_first=False)] == sorted(everything)
        first = service.checks(asker, limit=2)
        second = service.checks(asker, after=first[-1].finding_id, limit=2)
        assert [view.finding_id for view in (*first, *second)] == everything
        with pytest.raises(InputError):
            service.checks(asker, limit=0)


class TestWhatIsTold:
    @pytest.mark.parametrize("policy", Disclosure)
    @pytest.mark.parametrize("viewer", ["asker", "asker's colleague"])
    def test_the_policy_decides_for_whoever_asked(self, town: Town, viewer: str, policy: Disclosure) -> None:
        town.disclose(policy)
        view = town.check_of(viewer, JACKET)
        assert (view.verdict, view.conclusion) == ("copy", "unlicensed")
        assert {match.disclosure for match in view.matches} == {policy.value}
        assert len(view.matches) == (2 if policy is Disclosure.CONTACT else 3)
        assert [match.match_id for match in view.matches] == [
            f"{view.finding_id}.{number + 1}" for number in range(len(view.matches))
        ]
        assert view.reasons == ([] if policy is Disclosure.CONTACT else ["pixels_agree", "geometry_consistent"])
        files = {match.file for match in view.matches}
        if policy is Disclosure.FULL:
            assert files == {"denim-jacket-print.png", "denim-jacket-camera.jpg", "denim-jacket-again.jpg"}
        else:
            assert files == {None}
            contact = policy is Disclosure.CONTACT
            owners = ("Sample Studio", "Second Studio")
            assert_untold(town, view.model_dump_json(), *owners, names=contact, besides={view.width, view.height})

    def test_each_owner_by_its_own_policy(self, town: Town) -> None:
        town.disclose(Disclosure.CONTACT, "Sample Studio")
        town.disclose(Disclosure.FULL, "Second Studio")
        view = town.check_of("asker", JACKET)
        assert sorted((match.disclosure, match.owner) for match in view.matches) == [
            ("contact", None),
            ("full", "Second Studio"),
        ]
        assert_untold(town, view.model_dump_json().replace("Second Studio", ""), "Sample Studio", names=True,
                      besides=sizes_of(town, "Second Studio"))  # fmt: skip

    @pytest.mark.parametrize("policy", Disclosure)
    def test_reviewers_of_the_operator_see_everything_as_it_stands_for_the_asker(
        self, town: Town, policy: Disclosure
    ) -> None:
        town.disclose(policy)
        view = town.check_of("reviewer", JACKET)
        assert [match.disclosure for match in view.matches] == ["everything"] * 3
        assert [match.standing for match in view.matches] == ["unlicensed"] * 3
        mug = town.check_of("reviewer", MUG)
        assert (mug.conclusion, mug.matches[0].is_own) == ("own", True)

    def test_the_own_original_is_shown_whatever_the_policy(self, town: Town) -> None:
        town.disclose(Disclosure.CONTACT, "Shop")
        view = town.check_of("asker", MUG)
        (match,) = view.matches
        assert (match.disclosure, match.file, match.standing) == ("everything", "mug-camera.jpg", "own")
        assert view.conclusion == "own"

    def test_what_is_clear(self, town: Town) -> None:
        assert (town.check_of("asker", WATCH).verdict, town.check_of("asker", WATCH).conclusion) == (
            "no_match",
            "clear",
        )
        cap = town.check_of("asker", CAP)
        assert (cap.verdict, cap.conclusion) == ("same_product", "clear")

    def test_no_timings(self, town: Town) -> None:
        assert not [name for name in CheckView.model_fields if "timing" in name]
        assert "timing" not in town.check_of("reviewer", JACKET).model_dump_json()

    def test_an_erased_original_shows_nothing(self, town: Town) -> None:
        town.disclose(Disclosure.FULL)
        mine = [one.reference_id for one in references_of(town, "Sample Studio", "Second Studio") if "jacket" in
                (one.file or "")]  # fmt: skip
        for owner in ("owner", "other owner"):
            for reference_id in mine:
                if town.services.catalogue.reference(reference_id).owner_id == town.actor(owner).owner_id:
                    town.services.references.erase(town.actor(owner), reference_id)
        view = town.check_of("asker", JACKET)
        assert [match.disclosure for match in view.matches] == ["erased"] * 2
        assert (view.verdict, view.conclusion, view.reasons) == ("copy", "clear", [])
        text = view.model_dump_json()
        assert not [secret for secret in (*mine, "Studio", "jacket-", "own_", "strong") if secret in text]
        assert town.services.checks.pictures(town.actor("asker"), view.finding_id, 1) == {}
        seen = town.check_of("reviewer", JACKET).matches
        assert [match.reference_id for match in seen if match.owner is None] == [match.reference_id for match in seen]

    def test_a_withdrawn_original_stays_in_earlier_checks(self, town: Town) -> None:
        before = town.check_of("asker", JACKET)
        for reference in references_of(town, "Second Studio"):
            town.services.references.withdraw(town.actor("other owner"), reference.reference_id)
        assert town.check_of("asker", JACKET) == before

    @pytest.mark.parametrize("policy", [Disclosure.OUTLINE, Disclosure.CONTACT])
    def test_events_tell_strangers_nothing(self, town: Town, policy: Disclosure) -> None:
        town.disclose(policy)
        town.services.hash_search.search(town.actor("asker"), "0" * 64)
        for viewer in ("asker's admin", "stranger's reviewer"):
            events = list(town.services.audit.all_events(town.actor(viewer)))
            text = json.dumps([repr(event) for event in events])
            assert not [secret for secret in secrets_of(town, "Sample Studio", names=True) if secret in text]
        mine = town.services.audit.all_events(town.actor("asker's admin"))
        assert [event.detail for event in mine if event.action == "check.made"] == [
            {"verdict": verdict} for verdict in ("copy", "copy", "same_product", "no_match")
        ]
        theirs = town.services.audit.all_events(town.actor("owner's admin"))
        assert "check.made" not in {event.action for event in theirs}


class TestHowItStands:
    def test_a_licence_counts_at_the_time_of_the_check(self, town: Town) -> None:
        services, asker = town.services, town.actor("asker")
        granted = [
            services.licences.grant(town.actor(owner), Terms(), licensee_id=town.organisation("Shop").organisation_id)
            for owner in ("owner", "other owner")
        ]
        assert town.check_of("asker", JACKET).conclusion == "unlicensed"
        view = services.checks.check(asker, listing(JACKET), file="again", profile="thorough")
        assert (view.conclusion, {match.standing for match in view.matches}) == ("licensed", {"licensed"})
        for grant, owner in zip(granted, ("owner", "other owner"), strict=True):
            services.licences.revoke(town.actor(owner), grant.licence.licence_id)
        assert services.checks.check_of(asker, view.finding_id) == view

    def test_a_licence_within_limits_needs_to_be_told_the_use(self, town: Town) -> None:
        services, asker = town.services, town.actor("asker")
        shop = town.organisation("Shop").organisation_id
        services.licences.grant(town.actor("owner"), Terms(platforms=["aliexpress"]), licensee_id=shop)
        services.licences.grant(town.actor("other owner"), Terms(), licensee_id=shop)
        use = Use(platform=" aliexpress ", shop="")
        view = services.checks.check(asker, listing(JACKET), file="told", profile="thorough", use=use)
        assert (view.conclusion, view.use and view.use.model_dump(exclude_none=True)) == (
            "licensed",
            {"platform": "aliexpress"},
        )
        stored = json.loads(services.check_store.check(view.finding_id).asker.intended_use)  # type: ignore[union-attr]
        assert stored == {"platform": "aliexpress", "territory": None, "shop": None, "kind": None}

    def test_a_decision_is_applied_to_the_check_it_was_made_about(self, town: Town) -> None:
        services, finding_id = town.services, town.finding(JACKET)
        for reference in references_of(town, "Sample Studio", "Second Studio"):
            owner = "owner" if reference.owner == "Sample Studio" else "other owner"
            if "jacket" in (reference.file or ""):
                services.decisions.decide(
                    town.actor(owner), finding_id, reference.reference_id, DecisionKind.NOT_A_COPY, note="mine differs"
                )
        view = town.check_of("asker", JACKET)
        assert (view.verdict, view.conclusion) == ("copy", "clear")
        assert {match.decision.kind for match in view.matches if match.decision} == {"not_a_copy"}
        assert {match.standing for match in view.matches} == {"not_a_copy"}
        assert "mine differs" not in view.model_dump_json()

    def test_check_standings_and_event_are_stored_with_the_finding_or_not_at_all(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        services, asker = town.services, town.actor("asker")
        view = services.checks.check(asker, listing(JACKET), file="whole", profile="quick")
        made = services.check_store.check(view.finding_id)
        assert made.asker is not None
        assert (made.asker.organisation_id, made.asker.member_id, made.asker.key_id) == (
            asker.organisation_id,
            asker.member_id,
            None,
        )
        assert set(made.standings) == {one.reference_id for one in references_of(town, "Sample Studio", "Second Studio")
                                       if "jacket" in (one.file or "")}  # fmt: skip
        assert town.actions()[-1] == "check.made"
        before, events = services.catalogue.statistics(), town.actions()
        monkeypatch.setattr("imgguard.storage.sql.audit.insert", _fail)
        with pytest.raises(StoreUnavailable):
            services.checks.check(asker, listing(JACKET), file="half", profile="quick")
        assert services.catalogue.statistics()["findings"] == before["findings"]
        assert town.actions() == events

    def test_a_damaged_standing_is_noticed(self, town: Town) -> None:
        finding_id = town.finding(JACKET)
        with town.services.database.write() as connection:
            connection.execute(update(standings).values(document="{}"))
        with pytest.raises(DigestMismatch):
            town.services.checks.check_of(town.actor("asker"), finding_id)

    @pytest.mark.parametrize("what", ["finding", "standing"])
    def test_a_damaged_check_hides_none_of_the_others(self, town: Town, what: str) -> None:
        finding_id = town.finding(JACKET)
        table = findings if what == "finding" else standings
        with town.services.database.write() as connection:
            connection.execute(text("DROP TRIGGER findings_are_immutable"))  # as a broken disk would not ask it
            connection.execute(update(table).where(table.c.finding_id == finding_id).values(document="{}"))
        listed = town.services.checks.checks(town.actor("asker"))
        assert DamagedCheck(finding_id) in listed
        assert len(listed) == 4
        assert sum(isinstance(one, CheckView) for one in listed) == 3

    def test_a_member_that_made_checks_by_a_key_can_be_erased(self, town: Town) -> None:
        services = town.services
        key = town.key("asker", Scope.CHECKS_WRITE)
        view = services.checks.check(key, listing(WATCH), file="by key", profile="quick")
        assert services.check_store.check(view.finding_id).asker.key_id == key.key_id  # type: ignore[union-attr]
        services.members.erase(services.organisations.console(), key.member_id or "")
        assert services.check_store.check(view.finding_id).asker.key_id is None  # type: ignore[union-attr]


def _fail(*_: object) -> Any:
    raise StoreUnavailable("the disk is full")


def decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


class TestPictures:
    def pictures(self, town: Town, viewer: str = "asker") -> dict[str, bytes]:
        return dict(town.services.checks.pictures(town.actor(viewer), town.finding(JACKET), 1))

    def test_full(self, town: Town) -> None:
        town.disclose(Disclosure.FULL)
        found = self.pictures(town)
        assert {"side_by_side", "aligned", "checkerboard", "overlay_query", "overlay_reference"} <= set(found)
        assert decoded(found["overlay_query"]).shape == decoded(found["overlay_reference"]).shape

    def test_an_outline_and_a_blurred_thumbnail(self, town: Town) -> None:
        town.disclose(Disclosure.OUTLINE)
        found = self.pictures(town)
        assert sorted(found) == ["outline", "thumbnail"]
        assert decoded(found["outline"]).shape == (317, 269, 3)
        thumbnail = decoded(found["thumbnail"])
        assert max(thumbnail.shape) == 288
        reduced = np.asarray(Image.fromarray(thumbnail).resize((36, 48), Image.Resampling.BOX))
        again = np.asarray(Image.fromarray(reduced).resize(thumbnail.shape[1::-1], Image.Resampling.BICUBIC))
        assert np.abs(again.astype(int) - thumbnail).mean() < 6
        assert "side_by_side" in self.pictures(town, "reviewer")

    def test_contact_shows_none(self, town: Town) -> None:
        town.disclose(Disclosure.CONTACT)
        assert self.pictures(town) == {}
        assert "side_by_side" in self.pictures(town, "reviewer")

    def test_the_checked_picture_itself(self, town: Town) -> None:
        assert decoded(town.services.checks.query_picture(town.actor("asker"), town.finding(JACKET))).shape == (
            317,
            269,
            3,
        )

    @pytest.mark.parametrize("number", [0, 4, -1])
    def test_numbers_of_no_match(self, town: Town, number: int) -> None:
        with pytest.raises(NotFound):
            town.services.checks.pictures(town.actor("asker"), town.finding(JACKET), number)

    def test_numbers_are_those_that_are_shown(self, town: Town) -> None:
        """Where two matches are one, there is no number that tells of the other."""
        town.disclose(Disclosure.CONTACT)
        with pytest.raises(NotFound):
            town.services.checks.pictures(town.actor("asker"), town.finding(JACKET), 3)

    @pytest.mark.parametrize("policy", Disclosure)
    def test_once_the_query_is_not_kept_any_more(self, town: Town, policy: Disclosure) -> None:
        town.disclose(policy)
        with town.services.database.write() as connection:
            connection.execute(update(queries).values(expires_at=town.services.clock.now() - timedelta(seconds=1)))
        for call in (
            lambda: self.pictures(town),
            lambda: town.services.checks.query_picture(town.actor("asker"), town.finding(JACKET)),
        ):
            with pytest.raises(NotFound, match="not kept"):
                call()

    def test_bytes_that_are_kept_as_an_original_only_are_not_a_kept_query(self, town: Town) -> None:
        services, asker = town.services, town.actor("asker")
        view = services.checks.check(asker, original("denim-jacket"), file="the original", profile="quick")
        assert services.checks.query_picture(asker, view.finding_id)
        with services.database.write() as connection:
            connection.execute(delete(queries))
        with pytest.raises(NotFound, match="not kept"):
            services.checks.query_picture(asker, view.finding_id)

    @pytest.mark.parametrize("policy", Disclosure)
    def test_a_damaged_original_is_left_out_and_not_told_of(self, town: Town, policy: Disclosure) -> None:
        town.disclose(policy)
        with town.services.database.write() as connection:
            connection.execute(
                update(descriptors).where(descriptors.c.kind == DescriptorKind.WORKING_COPY).values(data=b"no JPEG")
            )
        assert sorted(self.pictures(town)) == ([] if policy is Disclosure.CONTACT else ["outline"])


class TestOtherWaysToAsk:
    def test_compare_looks_at_nothing_that_is_registered(self, town: Town) -> None:
        service, asker = town.services.checks, town.actor("asker")
        before = town.services.catalogue.statistics()
        view = service.compare(
            asker, listing(MUG), original("mug"), file="a.jpg", reference_file=FOLDER + "b.jpg", profile="quick"
        )
        assert (view.verdict, view.match and view.match.file) == ("copy", "b.jpg")
        assert view.match is not None
        assert (view.match.disclosure, view.match.standing, view.match.reference_id) == ("everything", "own", None)
        assert view.match.transform is not None
        assert town.services.catalogue.statistics() == before
        other = service.compare(asker, listing(JACKET), listing(WATCH), file="a", reference_file="b", profile="quick")
        assert_untold(town, other.model_dump_json(), "Sample Studio", "Second Studio", names=True)

    def test_what_no_check_takes(self, town: Town) -> None:
        service, asker = town.services.checks, town.actor("asker")
        with pytest.raises(InputError, match="profile"):
            service.check(asker, listing(MUG), file="a", profile="slow")
        with pytest.raises(InputError, match="shop"):
            service.check(asker, listing(MUG), file="a", profile="quick", use=Use(shop="x" * 201))
        with pytest.raises(InputError):
            checked_use(Use(kind="a\nb"))
        with town.services.database.read() as connection:
            assert len(connection.execute(select(checks)).all()) == 4
