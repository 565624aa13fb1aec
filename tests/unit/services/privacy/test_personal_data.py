"""What a member is given of its traces, and what of them is destroyed with it."""

import json

import pytest

from imgguard.errors import InvalidTransition, NotFound, PermissionDenied
from imgguard.registry.accounts import Scope
from imgguard.registry.decisions import DecisionKind
from imgguard.services.jobs import Input
from imgguard.services.views import CheckView

from .town import CAPTURE, Town, listing


def exported(town: Town, viewer: str, member: str) -> dict[str, object]:
    made = town.services.personal_data.export(town.actor(viewer), town.actor(member).name)
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]


def files(told: dict[str, object]) -> list[str]:
    checks = told["checks"]
    assert isinstance(checks, list)
    return [check["file"] for check in checks]


MADE = ["copy-cropped-denim-jacket", "copy-mirrored-mug", "other-photo-of-same-cap", "unrelated-watch"]


def test_a_member_is_given_its_checks_jobs_and_decisions(town: Town) -> None:
    services = town.services
    services.checks.check(town.actor("asker's colleague"), listing("unrelated-watch"), file="not mine", profile="quick")
    job = services.jobs.submit(town.actor("asker"), "check", [Input(file="a.jpg", data=b"a")])
    told = exported(town, "asker", "asker")
    assert files(told) == MADE
    assert [check["verdict"] for check in told["checks"]][:2] == ["copy", "copy"]  # type: ignore[attr-defined]
    assert [one["job_id"] for one in told["jobs"]] == [job.job_id]  # type: ignore[attr-defined]
    assert told["decisions"] == []
    finding_id = town.finding("copy-mirrored-mug")
    (match, *_) = services.checks.check_of(town.actor("reviewer"), finding_id).matches
    services.decisions.decide(
        town.actor("reviewer"), finding_id, match.reference_id or "", DecisionKind.CONFIRMED_COPY, note="a note"
    )
    (decision,) = exported(town, "reviewer", "reviewer")["decisions"]  # type: ignore[misc]
    assert decision["note"] == "a note"


def test_a_member_is_given_where_its_pictures_were_fetched(town: Town) -> None:
    town.services.checks.check(
        town.actor("asker"), listing("unrelated-watch"), file="fetched", profile="quick", capture=CAPTURE
    )
    *sent, fetched = exported(town, "asker", "asker")["checks"]  # type: ignore[misc]
    assert [check["captured"] for check in sent] == [None] * len(MADE)
    assert fetched["captured"] == {
        "url": CAPTURE.url,
        "final_url": CAPTURE.final_url,
        "fetched_at": "2026-03-01T12:00:00Z",
    }


def test_an_admin_who_sees_no_checks_is_told_of_none(town: Town) -> None:
    for admin in ("asker's admin", "admin"):
        told = exported(town, admin, "asker")
        assert (told["checks"], told["jobs"], told["decisions"]) == (None, None, None)
        assert told["member"]


def test_a_key_that_may_not_read_checks_is_told_of_none(town: Town) -> None:
    key = town.key("asker's admin", Scope.ORGANISATION_WRITE)
    told = town.services.personal_data.export(key, town.actor("asker's admin").name)
    assert told["checks"] is None


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("stranger", PermissionDenied), ("owner's admin", NotFound), ("asker's colleague", PermissionDenied)],
)
def test_others_are_refused(town: Town, who: str, refusal: type[Exception]) -> None:
    member_id = town.actor("asker").name
    with pytest.raises(refusal):
        town.services.personal_data.export(town.actor(who), member_id)
    with pytest.raises(refusal):
        town.services.personal_data.erase(town.actor(who), member_id, checks=True)
    assert len(town.services.checks.checks(town.actor("asker's colleague"))) == len(MADE)


def test_checks_stay_with_the_organisation_unless_they_are_to_go(town: Town) -> None:
    member_id = town.actor("asker").name
    gone = town.services.personal_data.erase(town.actor("asker's admin"), member_id)
    assert gone.state == "erased"
    assert len(town.services.checks.checks(town.actor("asker's colleague"))) == len(MADE)


@pytest.mark.parametrize("who", ["asker", "asker's admin", "admin"])
def test_checks_go_with_the_member_when_that_is_asked_for(town: Town, who: str) -> None:
    services, member_id, colleague = town.services, town.actor("asker").name, town.actor("asker's colleague")
    kept = services.checks.check(colleague, listing("unrelated-watch"), file="not its own", profile="quick")
    decided = town.finding("copy-mirrored-mug")
    (match, *_) = services.checks.check_of(town.actor("reviewer"), decided).matches
    services.decisions.decide(town.actor("reviewer"), decided, match.reference_id or "", DecisionKind.NOT_A_COPY)
    services.personal_data.erase(town.actor(who), member_id, checks=True)
    left = services.checks.checks(colleague)
    assert {one.finding_id for one in left} == {kept.finding_id, decided}
    assert all(isinstance(one, CheckView) for one in left)
    assert town.actions().count("check.erased") == len(MADE) - 1


def test_what_was_broken_off_can_be_asked_for_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    services, admin, member_id = town.services, town.actor("asker's admin"), town.actor("asker").name
    with monkeypatch.context() as patch:
        patch.setattr(services.check_store, "erase_undecided", _power_cut)
        with pytest.raises(KeyboardInterrupt):
            services.personal_data.erase(admin, member_id, checks=True)
    assert services.members.member(admin, member_id).state == "erased"
    services.personal_data.erase(admin, member_id, checks=True)
    assert services.checks.checks(town.actor("asker's colleague")) == []
    with pytest.raises(InvalidTransition):
        services.personal_data.erase(admin, member_id)


def _power_cut(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_the_last_admin_keeps_its_checks(town: Town) -> None:
    services = town.services
    alone = services.accounts.member_with_email("first@shop.example.org")
    assert alone is not None
    services.members.disable(town.actor("asker's admin"), alone.member_id)
    with pytest.raises(InvalidTransition, match="last admin"):
        services.personal_data.erase(town.actor("asker's admin"), town.actor("asker's admin").name, checks=True)
    assert "check.erased" not in town.actions()


def test_a_key_that_may_not_read_the_trail_is_not_given_events(town: Town) -> None:
    told = town.services.personal_data.export
    member_id = town.actor("asker").name
    assert told(town.key("asker's admin", Scope.ORGANISATION_WRITE), member_id)["events"] is None
    assert told(town.key("asker's admin", Scope.ORGANISATION_WRITE, Scope.AUDIT_READ), member_id)["events"]
    assert told(town.actor("asker"), member_id)["events"]
