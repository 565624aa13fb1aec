"""Everything that is stored about a member: handed over, or destroyed. docs/accounts.md tells it to people."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from imgguard.errors import DigestMismatch
from imgguard.ports import CheckStore, Clock, MadeCheck, Traces
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Member, Scope
from imgguard.services import findings
from imgguard.services.account_objects import iso
from imgguard.services.captures import captured_view
from imgguard.services.check_erasure import checks_of, erase_checks
from imgguard.services.claim_views import proof_object, statement_object
from imgguard.services.job_objects import job_object
from imgguard.services.members import Members
from imgguard.services.packet_views import packet_object
from imgguard.services.rights_objects import decision_object


class PersonalData:
    """Thread safe. Raises as the methods of `Members` do."""

    def __init__(self, *, members: Members, traces: Traces, checks: CheckStore, clock: Clock) -> None:
        self._members = members
        self._traces = traces
        self._checks = checks
        self._clock = clock

    def export(self, actor: Actor, member_id: str) -> dict[str, object]:
        """As plain JSON. For the member itself, and for admins.

        ``checks``, ``jobs``, ``claims``, ``proofs``, ``packets`` and ``decisions`` tell of pictures: they are null for
        an admin who may not see checks; and so are ``events`` for a key that may not read the audit trail.
        """
        told = self._members.export(actor, member_id)
        is_own = actor.member_id == member_id and actor.key_id is None
        if not is_own and Scope.AUDIT_READ not in actor.scopes:
            told["events"] = None
        if not is_own and Scope.CHECKS_READ not in actor.scopes:
            return {**told, **dict.fromkeys(("checks", "jobs", "claims", "proofs", "packets", "decisions"))}
        return {
            **told,
            "checks": [_check_object(made) for made in checks_of(member_id, self._traces)],
            "jobs": [job_object(job) for job in _all(self._traces.jobs, member_id, lambda job: job.job_id)],
            "claims": [
                statement_object(one) for one in _all(self._traces.statements, member_id, lambda one: one.claim_id)
            ],
            "proofs": [proof_object(one) for one in _all(self._traces.proofs, member_id, lambda one: one.proof_id)],
            "packets": [
                packet_object(one, at=self._clock.now())
                for one in _all(self._traces.packets, member_id, lambda one: one.packet_id)
            ],
            "decisions": [
                decision_object(one) for one in _all(self._traces.decisions, member_id, lambda one: one.decision_id)
            ],
        }

    def erase(self, actor: Actor, member_id: str, *, checks: bool = False) -> Member:
        """As `Members.erase`; with ``checks`` the checks that the member made are erased too, but for those that
        somebody decided about. That may be asked for again when it was broken off.

        Raises PermissionDenied for ``checks`` without `checks:write` or charge of members.
        """
        if not checks:
            return self._members.erase(actor, member_id)
        if Scope.ORGANISATION_WRITE not in actor.scopes:
            actor.require(Scope.CHECKS_WRITE)
        member = self._members.require_erasable(actor, member_id)
        gone = member if member.erased_at is not None else self._members.erase(actor, member_id)
        for _ in erase_checks(actor, member, traces=self._traces, checks=self._checks, clock=self._clock):
            pass
        return gone


def _all[Record](
    find: Callable[..., Sequence[Record]], member_id: str, key: Callable[[Record], str]
) -> Iterator[Record]:
    after = ""
    while page := find(member_id, after=after):
        yield from page
        after = key(page[-1])


def _check_object(made: MadeCheck) -> dict[str, Any]:
    """``verdict`` is null when the document is damaged."""
    try:
        verdict = findings.read(made.finding).verdict
    except DigestMismatch:
        verdict = None
    captured = captured_view(made.capture)
    return {
        "finding_id": made.finding.finding_id,
        "checked_at": iso(made.finding.created_at),
        "file": made.finding.file,
        "sha256": made.finding.query_sha256,
        "verdict": verdict,
        "kept_until": iso(made.kept_until),
        "captured": None if captured is None else captured.model_dump(mode="json"),
    }
