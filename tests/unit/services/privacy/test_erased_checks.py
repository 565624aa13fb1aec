"""A check that is erased leaves nothing but two lines in the audit trail."""

from pathlib import Path

import pytest

from imgguard.cli.sheet import check_facts
from imgguard.errors import InvalidTransition, NotFound, PermissionDenied
from imgguard.ports import ItemState
from imgguard.provenance.records import Kind
from imgguard.registry.accounts import Scope
from imgguard.registry.decisions import DecisionKind
from imgguard.services.jobs import Input
from imgguard.services.views import CheckView

from .town import CAPTURE, Town, listing, original

NAME = "a picture with a telling name.jpg"


def checked(town: Town, data: bytes, *, by: str = "asker", file: str = NAME) -> CheckView:
    return town.services.checks.check(town.actor(by), data, file=file, profile="quick")


def erase(town: Town, finding_id: str, *, by: str = "asker") -> None:
    town.services.checks.erase(town.actor(by), finding_id)


def stored_bytes(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_nothing_of_it_is_left(town: Town) -> None:
    services, data = town.services, listing("unrelated-watch")
    data += b"\0"  # other bytes of the same picture, of which nobody has made a check
    view = checked(town, data)
    assert NAME.encode() in stored_bytes(services.settings.home)
    assert data in stored_bytes(services.settings.home)
    erase(town, view.finding_id)
    services.tidy()
    assert NAME.encode() not in stored_bytes(services.settings.home)
    assert data not in stored_bytes(services.settings.home)
    with pytest.raises(NotFound):
        services.checks.check_of(town.actor("asker"), view.finding_id)
    with pytest.raises(NotFound):
        erase(town, view.finding_id)
    about = services.audit_trail.events(about=view.finding_id)
    assert [event.action for event in about] == ["check.made", "check.erased"]
    assert not [line for line in services.doctor.examine(deep=True) if line.status == "problem"]


def test_the_bytes_stay_as_long_as_another_check_has_the_same(town: Town) -> None:
    first, second = (checked(town, listing("unrelated-watch"), by=who) for who in ("asker", "asker's colleague"))
    kept = town.services.blobs
    erase(town, first.finding_id)
    town.services.tidy()
    assert town.services.checks.query_picture(town.actor("asker"), second.finding_id)
    erase(town, second.finding_id)
    erase(town, town.finding("unrelated-watch"))
    town.services.tidy()
    with pytest.raises(NotFound):
        kept.get(second.sha256)


def test_an_original_stays_when_a_check_of_it_is_erased(town: Town) -> None:
    data = original("denim-jacket")
    erase(town, checked(town, data).finding_id)
    town.services.tidy()
    (reference, *_) = town.services.catalogue.references_of(checked(town, data).sha256)
    assert town.services.references.original(town.actor("owner"), reference.reference_id)[0] == data


def test_what_somebody_decided_about_stays(town: Town) -> None:
    finding_id = town.finding("copy-mirrored-mug")
    (match, *_) = town.services.checks.check_of(town.actor("reviewer"), finding_id).matches
    town.services.decisions.decide(
        town.actor("reviewer"), finding_id, match.reference_id or "", DecisionKind.CONFIRMED_COPY
    )
    with pytest.raises(InvalidTransition, match="decided"):
        erase(town, finding_id)
    assert town.services.checks.check_of(town.actor("asker"), finding_id).matches


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("owner", NotFound),
        ("stranger", NotFound),
        ("reviewer", NotFound),
        ("asker's admin", PermissionDenied),
        ("admin", PermissionDenied),
        ("asker's colleague", None),
    ],
)
def test_who_may(town: Town, who: str, refusal: type[Exception] | None) -> None:
    finding_id = town.finding("copy-mirrored-mug")
    if refusal is None:
        erase(town, finding_id, by=who)
        return
    with pytest.raises(refusal):
        erase(town, finding_id, by=who)
    assert town.services.checks.check_of(town.actor("asker"), finding_id)


def test_a_key_that_only_reads_may_not(town: Town) -> None:
    with pytest.raises(PermissionDenied):
        town.services.checks.erase(town.key("asker", Scope.CHECKS_READ), town.finding("copy-mirrored-mug"))


def test_its_name_goes_out_of_the_job_that_made_it_and_no_other(town: Town) -> None:
    services, asker = town.services, town.actor("asker")
    job = services.jobs.submit(asker, "check", [Input(file=name, data=name.encode()) for name in ("first", "second")])
    findings = []
    for _ in range(2):
        item = services.job_store.claim("w", at=services.clock.now(), lease=services.identity._idle)
        assert item is not None
        findings.append(checked(town, listing("unrelated-watch"), file=item.file).finding_id)
        services.job_store.finish(item, {"finding_id": findings[-1]}, at=services.clock.now())
    erase(town, findings[0])
    items = services.jobs.items(asker, job.job_id)
    assert [(item.file, item.state) for item in items] == [("", ItemState.DONE), ("second", ItemState.DONE)]


def test_where_it_was_fetched_from_goes_too(town: Town) -> None:
    services, asker = town.services, town.actor("asker")
    job = services.jobs.submit(asker, "check", [Input(file="a.jpg", url="https://shop.example/a.jpg?token=secret")])
    item = services.job_store.claim("w", at=services.clock.now(), lease=services.identity._idle)
    assert item is not None
    view = checked(town, listing("unrelated-watch"))
    fetched = {"url": "https://shop.example/a.jpg?token=secret"}
    services.job_store.finish(item, {"finding_id": view.finding_id, "fetched": fetched}, at=services.clock.now())
    erase(town, view.finding_id)
    (left,) = services.jobs.items(asker, job.job_id)
    assert (left.file, left.url, left.result) == ("", None, {"finding_id": view.finding_id})
    assert b"token=secret" not in stored_bytes(services.settings.home)


def test_its_capture_goes_too(town: Town) -> None:
    services, asker, data = town.services, town.actor("asker"), listing("unrelated-watch")
    view = services.checks.check(asker, data, file=NAME, profile="quick", capture=CAPTURE)
    assert view.captured is not None
    services.transparency.publish()
    before = stored_bytes(services.settings.home)
    assert b"sesame" in before
    assert b"cdn.shop.example" in before
    erase(town, view.finding_id)
    services.transparency.publish()
    assert b"sesame" not in stored_bytes(services.settings.home)
    assert b"cdn.shop.example" not in stored_bytes(services.settings.home)
    _, opening = services.transparency.leaf_of(view.finding_id, Kind.CAPTURE)
    assert opening is None


def test_what_the_operator_is_shown_of_a_finding_has_its_capture(town: Town) -> None:
    services, data = town.services, listing("unrelated-watch")
    view = services.checks.check(town.actor("asker"), data, file=NAME, profile="quick", capture=CAPTURE)
    line = services.inspection.finding(view.finding_id).line
    assert line.captured == view.captured
    assert ("Fetched from", f"{CAPTURE.url} (1 March 2026, 12:00:00 UTC)") in check_facts(line)
    assert services.inspection.finding(town.finding("unrelated-watch")).line.captured is None
    assert "sesame" not in services.catalogue.finding(view.finding_id).document


class TestHowLongItIsKept:
    def test_what_others_check_is_not_told_by_the_own_time(self, town: Town) -> None:
        services, data = town.services, listing("copy-mirrored-mug") + b"\0"
        mine = checked(town, data)
        before = services.check_store.check(mine.finding_id).kept_until
        services.checks.check(town.actor("stranger"), data, file="theirs", profile="quick")
        assert services.check_store.check(mine.finding_id).kept_until == before

    def test_the_picture_is_not_shown_longer_because_others_check_it(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        services, data = town.services, listing("copy-mirrored-mug") + b"\0"
        mine = checked(town, data)
        over = services.check_store.check(mine.finding_id).kept_until
        assert over is not None
        services.checks.check(town.actor("stranger"), data, file="theirs", profile="quick")
        clock = type("Later", (), {"now": lambda _self: over})()
        monkeypatch.setattr(services.drawings, "_clock", clock)
        with pytest.raises(NotFound, match="not kept"):
            services.checks.query_picture(town.actor("asker"), mine.finding_id)

    def test_nobody_destroys_it_by_registering_and_erasing_the_same(self, town: Town) -> None:
        services, data = town.services, listing("copy-mirrored-mug") + b"\0"
        mine = checked(town, data)
        made = services.references.register(town.actor("stranger"), data, file="mine now.jpg")
        services.references.erase(town.actor("stranger"), made.reference.reference_id)
        services.tidy()
        assert services.checks.query_picture(town.actor("asker"), mine.finding_id)

    def test_it_goes_with_an_original_that_was_there_before(self, town: Town) -> None:
        services, data = town.services, listing("copy-mirrored-mug") + b"\0"
        made = services.references.register(town.actor("stranger"), data, file="first.jpg")
        mine = checked(town, data)
        services.references.erase(town.actor("stranger"), made.reference.reference_id)
        with pytest.raises(NotFound, match="not kept"):
            services.checks.query_picture(town.actor("asker"), mine.finding_id)


def test_an_erased_original_leaves_the_jobs_that_registered_it(town: Town) -> None:
    services, owner = town.services, town.actor("owner")
    data = original("denim-jacket") + b"\0"
    job = services.jobs.submit(owner, "register", [Input(file="telling.jpg", url="https://studio.example/telling.jpg")])
    item = services.job_store.claim("w", at=services.clock.now(), lease=services.identity._idle)
    assert item is not None
    record = services.references.recorded(owner, data, file="telling.jpg")
    assert record.similar
    result = record.model_dump(mode="json") | {"fetched": {"url": "https://studio.example/telling.jpg"}}
    services.job_store.finish(item, result, at=services.clock.now())
    services.references.erase(owner, record.reference_id)
    (left,) = services.jobs.items(owner, job.job_id)
    assert (left.file, left.url) == ("", None)
    assert left.result is not None
    assert (left.result["similar"], "fetched" in left.result) == ([], False)
    assert b"telling" not in stored_bytes(services.settings.home)
