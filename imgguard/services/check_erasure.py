"""Erasing all checks that a member made."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import batched

from imgguard.ports import CheckStore, Clock, MadeCheck, Traces
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, AuditEvent, Member
from imgguard.services.audit import event_of

_AT_ONCE = 50
"""Checks that are erased in one transaction: others wait for it to end."""


def checks_of(member_id: str, traces: Traces) -> Iterator[MadeCheck]:
    """In the order in which they were made."""
    after = ""
    while page := traces.checks(member_id, after=after):
        yield from page
        after = page[-1].finding.finding_id


def erase_checks(actor: Actor, member: Member, *, traces: Traces, checks: CheckStore, clock: Clock) -> Iterator[str]:
    """The ids of those that are gone. Those that somebody decided about stay, as docs/privacy.md says."""
    for some in batched(checks_of(member.member_id, traces), _AT_ONCE):
        now = clock.now()
        event = partial(_event, actor, member, at=now)
        yield from checks.erase_undecided([made.finding.finding_id for made in some], at=now, event=event)


def _event(actor: Actor, member: Member, finding_id: str, *, at: datetime) -> AuditEvent:
    return event_of(actor, Action.CHECK_ERASED, finding_id, at=at, organisation_id=member.organisation_id)
