"""Checks for people and programs: who asked, how each match stands for them, and what they are shown of it."""

from collections.abc import Collection, Mapping, Sequence

from imgguard.errors import InputError, NotFound, PermissionDenied
from imgguard.pipeline import PROFILES
from imgguard.ports import Capture, CheckStore, Clock, MadeCheck, NewCheck
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, Scope
from imgguard.registry.licences import Use
from imgguard.registry.names import LONGEST_NAME
from imgguard.services import redaction
from imgguard.services.audit import event_of
from imgguard.services.check_views import CheckViews, DamagedCheck, Standings
from imgguard.services.checking import Asked, Checking, Made, Request
from imgguard.services.comparison import Comparer
from imgguard.services.drawings import Drawings
from imgguard.services.rights_inputs import checked_limit
from imgguard.services.standing_record import StandingRecord
from imgguard.services.views import CheckView, CompareView, use_view


class Checks:
    """Thread safe. ``candidates``: how many are examined at most; None leaves that to the profile."""

    def __init__(
        self,
        *,
        store: CheckStore,
        checking: Checking,
        comparer: Comparer,
        drawings: Drawings,
        standings: Standings,
        clock: Clock,
        candidates: int | None = None,
    ) -> None:
        self._store = store
        self._checking = checking
        self._comparer = comparer
        self._drawings = drawings
        self._standings = standings
        self._clock = clock
        self._candidates = candidates
        self._views = CheckViews(store=store, standings=standings)

    # asking

    def check(
        self,
        actor: Actor,
        data: bytes,
        *,
        file: str,
        profile: str,
        use: Use | None = None,
        capture: Capture | None = None,
    ) -> CheckView:
        """Check a picture for the actor's organisation, and keep the finding with how each match stands now.

        ``use``: what the listing is for; ``capture``: where ``data`` was fetched, if it was. Raises PermissionDenied
        without `checks:write` and for the console, which checks without an account, InputError, ConfigurationError,
        DependencyError.
        """
        actor.require(Scope.CHECKS_WRITE)
        request = Request(profile=_profile(profile), candidates=self._candidates)
        asked = self._asked(actor, checked_use(use or Use()), capture)
        checked = self._checking.check(data, request, file=file, asked=asked)
        return self._shown(actor, self._store.check(checked.line.finding_id or ""))

    def _asked(self, actor: Actor, use: Use, capture: Capture | None) -> Asked:
        member_id = actor.member_id
        if member_id is None:
            raise PermissionDenied("a check belongs to a member", hint="On the machine itself use `imgguard check`.")

        def asked(made: Made) -> NewCheck:
            standings = self._standings.of(
                actor.organisation_id,
                actor.owner_id,
                made.references,
                query_sha256=made.query_sha256,
                query_pixel_digest=made.query_pixel_digest,
                use=use,
                at=made.at,
            )
            records = {reference_id: StandingRecord.of(standing) for reference_id, standing in standings.items()}
            return NewCheck(
                organisation_id=actor.organisation_id,
                member_id=member_id,
                key_id=actor.key_id,
                intended_use=use_view(use).model_dump_json(),
                standings={reference_id: record.model_dump_json() for reference_id, record in records.items()},
                event=event_of(
                    actor, Action.CHECK_MADE, made.finding_id, at=made.at, detail={"verdict": made.verdict.value}
                ),
                capture=capture,
            )

        return asked

    def compare(
        self, actor: Actor, query: bytes, reference: bytes, *, file: str, reference_file: str, profile: str
    ) -> CompareView:
        """What a check of ``query`` would say if ``reference`` were registered: both are the actor's own pictures.

        Nothing is stored, and nothing that is registered is looked at. Raises as `check` does, and as `Comparer` does.
        """
        actor.require(Scope.CHECKS_WRITE)
        line = self._comparer.compare(
            query, reference, file=file, reference_file=reference_file, profile=_profile(profile)
        ).line
        return CompareView(
            file=line.file,
            reference_file=line.reference_file,
            sha256=line.sha256 or "",
            reference_sha256=line.reference_sha256 or "",
            verdict=line.verdict,
            reasons=line.reasons,
            match=None if line.match is None else redaction.own_match(line.match),
            weights=line.weights or "",
            calibration=line.calibration or "",
        )

    # looking

    def check_of(self, actor: Actor, finding_id: str) -> CheckView:
        """One check, as it is shown under the policies of now.

        Raises PermissionDenied without `checks:read`, NotFound unless the actor's organisation asked for it or the
        actor is a reviewer of the operator, DigestMismatch when it is damaged.
        """
        return self._shown(actor, self._visible(actor, finding_id))

    def checks(
        self, actor: Actor, *, after: str = "", limit: int = 100, newest_first: bool = True
    ) -> Sequence[CheckView | DamagedCheck]:
        """Those of the actor's organisation, behind the finding ``after``; all of them for reviewers of the operator.

        Raises PermissionDenied without `checks:read`, InputError for a ``limit`` outside of 1 to 1000.
        """
        actor.require(Scope.CHECKS_READ)
        whose = None if actor.reads_every_finding else actor.organisation_id
        made = self._store.checks(
            organisation_id=whose, after=after, limit=checked_limit(limit), newest_first=newest_first
        )
        return self._views.listed(actor, made)

    def erase(self, actor: Actor, finding_id: str) -> None:
        """Destroy what is stored of a check of the actor's organisation; the audit trail says that it was there.

        Raises PermissionDenied without `checks:write`, NotFound also for another organisation's, InvalidTransition when
        somebody decided about one of its matches.
        """
        actor.require(Scope.CHECKS_WRITE)
        made = self._store.check(finding_id)
        if made.asker is None or made.asker.organisation_id != actor.organisation_id:
            raise _missing(finding_id)
        now = self._clock.now()
        self._store.erase(finding_id, at=now, event=event_of(actor, Action.CHECK_ERASED, finding_id, at=now))

    def checks_named(self, actor: Actor, finding_ids: Collection[str]) -> Mapping[str, CheckView | DamagedCheck]:
        """By id, those of them that are there for the actor. Raises PermissionDenied without `checks:read`."""
        actor.require(Scope.CHECKS_READ)
        made = [one for one in self._store.named(finding_ids) if _may_see(actor, one)]
        return {one.finding_id: one for one in self._views.listed(actor, made)}

    def query_picture(self, actor: Actor, finding_id: str) -> bytes:
        """The checked picture as PNG, reduced. Raises as `check_of` does, NotFound when it is not kept any more."""
        return self._drawings.query(self._visible(actor, finding_id))

    def pictures(self, actor: Actor, finding_id: str, number: int) -> Mapping[str, bytes]:
        """PNG files, by name, that show the match ``number``, as far as its owner lets the actor see it: see
        `Drawings.match`. Raises as `check_of` does, NotFound when the checked picture is not kept any more."""
        made = self._visible(actor, finding_id)
        seen = self._views.seen(actor, made)
        if not 1 <= number <= len(seen):
            raise NotFound(f"no match {number} in {finding_id}", hint="Look at the check again.")
        return self._drawings.match(made, seen[number - 1])

    # inside

    def _visible(self, actor: Actor, finding_id: str) -> MadeCheck:
        actor.require(Scope.CHECKS_READ)
        made = self._store.check(finding_id)
        if not _may_see(actor, made):
            raise _missing(finding_id)
        return made

    def _shown(self, actor: Actor, made: MadeCheck) -> CheckView:
        (view,) = self._views.of(actor, [made])
        return view


def _missing(finding_id: str) -> NotFound:
    return NotFound(f"no finding {finding_id}", hint="Look at the checks you have made.")


def _may_see(actor: Actor, made: MadeCheck) -> bool:
    is_mine = made.asker is not None and made.asker.organisation_id == actor.organisation_id
    return is_mine or actor.reads_every_finding


def _profile(name: str) -> str:
    if name not in PROFILES:
        raise InputError(f"there is no profile {name[:LONGEST_NAME]!r}", hint=f"Profiles are {', '.join(PROFILES)}.")
    return name


def checked_use(use: Use) -> Use:
    """What a listing is for; an empty text says nothing. Raises InputError."""
    given = {name: (value or "").strip() or None for name, value in use_view(use).model_dump().items()}
    for name, value in given.items():
        if value is not None and (len(value) > LONGEST_NAME or not value.isprintable()):
            raise InputError(f"a {name} has at most {LONGEST_NAME} printable characters", hint="Shorten it.")
    return Use(**given)
