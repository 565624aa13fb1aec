"""A check that is erased leaves nothing but two lines in the audit trail."""

from pathlib import Path

import pytest

from imgguard.errors import InvalidTransition, NotFound, PermissionDenied
from imgguard.ports import ItemState
from imgguard.registry.accounts import Scope
from imgguard.registry.decisions import DecisionKind
from imgguard.services.jobs import Input
from imgguard.services.views import CheckView

from .town import Town, listing, original

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
