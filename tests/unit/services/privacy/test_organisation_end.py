"""An organisation that is disabled, enabled, and erased with everything that was its own."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from imgguard.errors import AuthenticationRequired, InvalidTransition, NotFound, PermissionDenied
from imgguard.ports import JobState
from imgguard.registry.accounts import Scope
from imgguard.registry.decisions import DecisionKind
from imgguard.services.jobs import Input
from imgguard.services.licences import Terms

from .town import PASSWORD, Town, listing, original


def disable(town: Town, name: str, *, by: str = "admin") -> str:
    organisation_id = town.organisation(name).organisation_id
    town.services.organisations.disable(town.actor(by), organisation_id)
    return organisation_id


def sign_in(town: Town, name: str) -> str:
    return town.services.identity.sign_in(f"{name}@example.org", PASSWORD, address="127.0.0.1").token


def stored_bytes(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


class TestDisabled:
    def test_nobody_acts_for_it(self, town: Town) -> None:
        services, identity = town.services, town.services.identity
        token = sign_in(town, "asker")
        key = services.keys.issue(town.actor("asker"), "feed", scopes=[Scope.CHECKS_READ], lifetime=timedelta(days=1))
        asker = town.actor("asker")
        disable(town, "Shop")
        attempts: list[Callable[[], object]] = [
            lambda: identity.actor_of_session(token),
            lambda: identity.actor_of_key(key.secret),
            lambda: identity.acting(asker.name, None),
            lambda: sign_in(town, "asker"),
        ]
        for attempt in attempts:
            with pytest.raises(AuthenticationRequired):
                attempt()
        assert services.credentials.sessions(asker.name) == []

    def test_others_go_on(self, town: Town) -> None:
        disable(town, "Shop")
        assert sign_in(town, "owner")

    def test_what_it_registered_and_licensed_goes_on_to_count(self, town: Town) -> None:
        services = town.services
        shop = town.organisation("Shop").organisation_id
        services.licences.grant(town.actor("owner"), Terms(), licensee_id=shop)
        disable(town, "Sample Studio")
        view = services.checks.check(
            town.actor("asker"), listing("copy-cropped-denim-jacket"), file="a", profile="quick"
        )
        assert view.verdict == "copy"
        assert "licensed" in {match.licence.status for match in view.matches if match.licence is not None}

    def test_it_is_enabled_again(self, town: Town) -> None:
        organisation_id = disable(town, "Shop")
        disable(town, "Shop")
        town.services.organisations.enable(town.actor("admin"), organisation_id)
        assert sign_in(town, "asker")
        ends = [action for action in town.actions() if action.startswith("organisation.") and "created" not in action]
        assert ends == ["organisation.disabled", "organisation.enabled"]

    @pytest.mark.parametrize("who", ["asker", "asker's admin", "owner's admin", "reviewer", "stranger's reviewer"])
    def test_only_the_operators_admins_may(self, town: Town, who: str) -> None:
        with pytest.raises(PermissionDenied):
            disable(town, "Shop", by=who)
        with pytest.raises(PermissionDenied):
            town.services.organisation_erasure.erase(town.actor(who), town.organisation("Shop").organisation_id)

    def test_the_operator_stays(self, town: Town) -> None:
        with pytest.raises(InvalidTransition, match="operates"):
            disable(town, "Platform")
        with pytest.raises(InvalidTransition, match="operator"):
            town.services.organisation_erasure.erase(town.actor("admin"), town.organisation("Platform").organisation_id)

    def test_one_that_is_not_there(self, town: Town) -> None:
        with pytest.raises(NotFound):
            town.services.organisations.disable(town.actor("admin"), "org_nobody")


class TestErased:
    def test_only_when_it_is_disabled(self, town: Town) -> None:
        with pytest.raises(InvalidTransition, match="active"):
            town.services.organisation_erasure.erase(town.actor("admin"), town.organisation("Shop").organisation_id)
        assert town.actor("asker")

    def test_nothing_of_it_is_left(self, town: Town) -> None:
        services, home = town.services, town.services.settings.home
        mug = original("mug")
        services.works.create_collection(town.actor("asker's colleague"), "a collection with a telling name")
        services.jobs.submit(
            town.actor("asker"), "check", [Input(file="a telling file.jpg", data=b"a telling picture")]
        )
        checked = listing("unrelated-watch")
        secrets = [b"mug-camera", b"asker@example.org", b"a collection with", b"a telling", mug, checked, b"Shop"]
        present = stored_bytes(home)
        assert all(secret in present for secret in secrets)
        organisation_id = disable(town, "Shop")
        gone: list[str] = []
        erased = services.organisation_erasure.erase(town.actor("admin"), organisation_id, told=gone.append)
        services.tidy()
        assert (erased.state, erased.name) == ("erased", "(erased)")
        assert [identifier.partition("_")[0] for identifier in gone] == ["ref"] + ["fnd"] * 4
        left = stored_bytes(home)
        assert [secret[:20] for secret in secrets if secret in left] == []
        assert not [line for line in services.doctor.examine(deep=True) if line.status == "problem"]
        event = services.audit_trail.events(newest_first=True, limit=1)[0]
        assert (event.action, dict(event.detail)) == ("organisation.erased", {"references": 1, "checks": 4})

    def test_its_pictures_are_found_no_more_and_others_are(self, town: Town) -> None:
        services = town.services
        services.organisation_erasure.erase(town.actor("admin"), disable(town, "Sample Studio"))
        view = services.checks.check(
            town.actor("asker"), listing("copy-cropped-denim-jacket"), file="a", profile="quick"
        )
        assert {match.owner for match in view.matches} == {"Second Studio"}

    def test_its_name_is_free_again(self, town: Town) -> None:
        services = town.services
        erased = disable(town, "Elsewhere")
        services.organisation_erasure.erase(town.actor("admin"), erased)
        made = services.organisations.create(
            services.organisations.console(), "Elsewhere", email="new@example.org", password=PASSWORD
        )
        assert made.organisation.organisation_id != erased
        with pytest.raises(InvalidTransition):
            services.organisations.enable(town.actor("admin"), erased)
        with pytest.raises(InvalidTransition):
            services.organisation_erasure.erase(town.actor("admin"), erased)

    def test_licences_and_what_was_decided_about_stay(self, town: Town) -> None:
        services, shop = town.services, town.organisation("Shop").organisation_id
        licence = services.licences.grant(town.actor("owner"), Terms(), licensee_id=shop).licence
        finding_id = town.finding("copy-mirrored-mug")
        (match, *_) = services.checks.check_of(town.actor("reviewer"), finding_id).matches
        services.decisions.decide(town.actor("reviewer"), finding_id, match.reference_id or "", DecisionKind.NOT_A_COPY)
        services.organisation_erasure.erase(town.actor("admin"), disable(town, "Sample Studio"))
        assert services.licences.licence(town.actor("asker"), licence.licence_id).licensor == "(erased)"
        services.organisation_erasure.erase(town.actor("admin"), disable(town, "Shop"))
        assert services.checks.check_of(town.actor("reviewer"), finding_id).matches[0].disclosure == "erased"

    def test_work_under_way_is_waited_for(self, town: Town) -> None:
        services = town.services
        job = services.jobs.submit(
            town.actor("asker"), "check", [Input(file="a", data=b"a"), Input(file="b", data=b"b")]
        )
        item = services.job_store.claim("w", at=services.clock.now(), lease=timedelta(minutes=1))
        assert item is not None
        organisation_id = disable(town, "Shop")
        with pytest.raises(InvalidTransition, match="worked on"):
            services.organisation_erasure.erase(town.actor("admin"), organisation_id)
        assert town.organisation("Shop").state == "disabled"
        services.job_store.finish(item, {}, at=services.clock.now())
        services.organisation_erasure.erase(town.actor("admin"), organisation_id)
        assert services.job_store.job(job.job_id).state is JobState.CANCELLED

    def test_what_was_broken_off_goes_on(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        services, organisation_id = town.services, disable(town, "Sample Studio")

        def interrupt(_: str) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            services.organisation_erasure.erase(town.actor("admin"), organisation_id, told=interrupt)
        gone: list[str] = []
        erased = services.organisation_erasure.erase(town.actor("admin"), organisation_id, told=gone.append)
        assert erased.state == "erased"
        assert len(gone) == 2
