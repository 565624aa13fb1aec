"""Erasing all checks that a member made."""

from collections.abc import Iterator

from imgguard.errors import InvalidTransition
from imgguard.ports import CheckStore, Clock, MadeCheck, Traces
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, Member
from imgguard.services.audit import event_of


def checks_of(member_id: str, traces: Traces) -> Iterator[MadeCheck]:
    """In the order in which they were made."""
    after = ""
    while page := traces.checks(member_id, after=after):
        yield from page
        after = page[-1].finding.finding_id


def erase_checks(actor: Actor, member: Member, *, traces: Traces, checks: CheckStore, clock: Clock) -> Iterator[str]:
    """The ids of those that are gone. Those that somebody decided about stay, as docs/privacy.md says."""
    for made in checks_of(member.member_id, traces):
        finding_id, now = made.finding.finding_id, clock.now()
        event = event_of(actor, Action.CHECK_ERASED, finding_id, at=now, organisation_id=member.organisation_id)
        try:
            checks.erase(finding_id, at=now, event=event)
        except InvalidTransition:
            continue
        yield finding_id
