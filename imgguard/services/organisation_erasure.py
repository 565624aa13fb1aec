"""The end of an organisation: everything that was its own is destroyed, and only ids stay.

Many transactions, since it may have a hundred thousand originals: what was broken off is asked for again.
"""

from collections.abc import Callable, Iterator

from imgguard.errors import InvalidTransition
from imgguard.ports import Accounts, Catalogue, CheckStore, Clock, JobStore, Traces
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, AuditEvent, Member, Organisation
from imgguard.registry.records import Reference, ReferenceStatus
from imgguard.services import attempts
from imgguard.services.audit import event_of
from imgguard.services.check_erasure import erase_checks
from imgguard.services.removal import Removal

_PAGE = 1000

type Told = Callable[[str], object]
"""Is called with the id of each reference and finding that is gone."""


class OrganisationErasure:
    """Thread safe."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        catalogue: Catalogue,
        checks: CheckStore,
        jobs: JobStore,
        traces: Traces,
        removal: Removal,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._catalogue = catalogue
        self._checks = checks
        self._jobs = jobs
        self._traces = traces
        self._removal = removal
        self._clock = clock

    def erase(self, actor: Actor, organisation_id: str, *, told: Told = lambda _: None) -> Organisation:
        """Its references, the checks its members made but for those that somebody decided about, its members, webhooks,
        feeds and collections, and its name. Licences it gave or holds stay, since the other side relies on them.

        Raises PermissionDenied unless a person who administers the installation asks, NotFound, InvalidTransition for
        the operator, for one that is erased, while it is not disabled, and while work of
        its is under way; StoreUnavailable, IndexUnavailable.
        """
        actor.require_installation()
        actor.require_person()
        organisation = self._accounts.organisation(organisation_id)
        if organisation.is_operator or organisation.disabled_at is None or organisation.erased_at is not None:
            raise InvalidTransition(
                f"{organisation_id} is {'the operator' if organisation.is_operator else organisation.state}",
                hint="Only an organisation that is disabled can be erased.",
            )
        members = list(self._members(organisation_id))
        for member in members:
            self._end_jobs(actor, member)
        references = self._erase_references(actor, organisation, told)
        checks = 0
        for member in members:
            for finding_id in erase_checks(actor, member, traces=self._traces, checks=self._checks, clock=self._clock):
                told(finding_id)
                checks += 1
        now = self._clock.now()
        event = event_of(
            actor,
            Action.ORGANISATION_ERASED,
            organisation_id,
            at=now,
            organisation_id=organisation_id,
            detail={"references": references, "checks": checks},
        )
        forget = [trace for member in members if member.email is not None for trace in attempts.traces(member.email)]
        return self._accounts.erase_organisation(organisation_id, at=now, forget=forget, event=event)

    def _members(self, organisation_id: str) -> Iterator[Member]:
        after = ""
        while page := self._accounts.members(organisation_id, after=after, limit=_PAGE):
            yield from page
            after = page[-1].member_id

    def _end_jobs(self, actor: Actor, member: Member) -> None:
        """Raises InvalidTransition while some item is being worked on."""
        after = ""
        while page := self._traces.jobs(member.member_id, after=after):
            for job in page:
                if not job.is_over:
                    self._end_job(actor, member, job.job_id)
            after = page[-1].job_id

    def _end_job(self, actor: Actor, member: Member, job_id: str) -> None:
        now = self._clock.now()
        event = event_of(actor, Action.JOB_CANCELLED, job_id, at=now, organisation_id=member.organisation_id)
        if not self._jobs.cancel(job_id, at=now, event=event).is_over:
            raise InvalidTransition(f"{job_id} is still being worked on", hint="Try again in a minute.")

    def _erase_references(self, actor: Actor, organisation: Organisation, told: Told) -> int:
        organisation_id = organisation.organisation_id

        def event(tombstone: Reference) -> AuditEvent:
            at = tombstone.erased_at or self._clock.now()
            return event_of(
                actor, Action.REFERENCE_ERASED, tombstone.reference_id, at=at, organisation_id=organisation_id
            )

        count, after = 0, ""
        while page := self._catalogue.references(owner=organisation.name, after=after, limit=_PAGE):
            for reference in page:
                if reference.status is not ReferenceStatus.ERASED:
                    self._removal.erase(reference.reference_id, event=event)
                    told(reference.reference_id)
                    count += 1
            after = page[-1].reference_id
        self._removal.settle()
        return count
