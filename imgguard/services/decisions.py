"""Decisions of people about a pair of pictures: made about a match, remembered, applied to later checks."""

from collections.abc import Sequence

from imgguard.errors import InvalidTransition, NotFound, PermissionDenied
from imgguard.ports import Accounts, Catalogue, Clock
from imgguard.ports.rights import Rights
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, AuditEvent, Scope
from imgguard.registry.decisions import DecidedBy, Decision, DecisionKind
from imgguard.registry.ids import new_id
from imgguard.registry.records import Reference, ReferenceStatus
from imgguard.services import findings
from imgguard.services.audit import event_of
from imgguard.services.rights_inputs import checked_limit, checked_note


class Decisions:
    """Thread safe.

    Whoever's reference it is decides, with `references:write`, and so do reviewers of the operator, with
    `checks:write`. For others there is neither finding nor reference nor decision: NotFound. Every method raises
    PermissionDenied when the actor lacks the scope.
    """

    def __init__(self, *, rights: Rights, catalogue: Catalogue, accounts: Accounts, clock: Clock) -> None:
        self._rights = rights
        self._catalogue = catalogue
        self._accounts = accounts
        self._clock = clock

    def decide(
        self, actor: Actor, finding_id: str, reference_id: str, kind: DecisionKind, *, note: str = ""
    ) -> Decision:
        """About the match of the finding with the reference: this picture, by its bytes and by its pixels.

        An earlier decision is overruled, not changed. An owner learns nothing of the finding but that this match is in
        it. Raises NotFound when it is not, InputError, InvalidTransition when the reference is erased, and
        PermissionDenied for the console, which is nobody who could decide.
        """
        if not actor.reads_every_finding:
            actor.require(Scope.REFERENCES_WRITE)
        if actor.member_id is None:
            raise PermissionDenied("a decision is made by a member", hint="Sign in and decide as yourself.")
        reference, query_sha256, query_pixel_digest = self._matched(actor, finding_id, reference_id)
        decision = Decision(
            decision_id=new_id("dec"),
            reference_id=reference_id,
            finding_id=finding_id,
            query_sha256=query_sha256,
            query_pixel_digest=query_pixel_digest,
            kind=kind,
            by=_capacity(actor, reference),
            organisation_id=actor.organisation_id,
            member_id=actor.member_id,
            note=checked_note(note),
            decided_at=self._clock.now(),
            retracted_at=None,
        )
        self._rights.decide(decision, event=self._event(actor, Action.DECISION_MADE, decision, reference.owner_id))
        return decision

    def _matched(self, actor: Actor, finding_id: str, reference_id: str) -> tuple[Reference, str, str]:
        """The reference, and the digests of the bytes and the pixels that were checked. The same NotFound whatever is
        missing: to strangers the one is as absent as the other."""
        missing = NotFound(
            f"no finding {finding_id} with a match of {reference_id}", hint="Decide about a match that you were shown."
        )
        try:
            reference = self._catalogue.reference(reference_id)
            stored = self._catalogue.finding(finding_id)
        except NotFound:
            raise missing from None
        if not (actor.owns(reference.owner_id) or actor.reads_every_finding):
            raise missing
        document = findings.read(stored)
        if all(match.reference_id != reference_id for match in document.matches):
            raise missing
        _require_capacity(actor, _capacity(actor, reference))
        if reference.status is ReferenceStatus.ERASED:
            raise InvalidTransition(f"{reference_id} is erased", hint="There is nothing left to decide about.")
        return reference, stored.query_sha256, document.query_pixel_digest

    def retract(self, actor: Actor, decision_id: str) -> Decision:
        """It no longer counts, and stays in the history; an earlier one may count again. Once more changes nothing.

        Raises NotFound for one that `decisions` does not show, PermissionDenied for one of another organisation: a
        reviewer overrules an owner by a decision.
        """
        if not actor.reads_every_finding:
            actor.require(Scope.REFERENCES_WRITE)
        decision = self._rights.decision(decision_id)
        reference = self._catalogue.reference(decision.reference_id)
        if not (actor.owns(reference.owner_id) or actor.reads_every_finding):
            raise NotFound(f"no decision {decision_id}", hint="Look at the decisions about your references.")
        if decision.organisation_id != actor.organisation_id:
            raise PermissionDenied("the decision is another organisation's", hint="Ask those who made it.")
        _require_capacity(actor, decision.by)
        event = self._event(actor, Action.DECISION_RETRACTED, decision, reference.owner_id)
        return self._rights.retract_decision(decision_id, at=event.at, event=event)

    def decisions(self, actor: Actor, *, after: str = "", limit: int = 100) -> Sequence[Decision]:
        """About the actor's own references, whoever made them; to reviewers of the operator, all. Oldest first, behind
        the decision ``after``; retracted ones too. Raises InputError."""
        actor.require(Scope.REFERENCES_READ)
        owner_id = None if actor.reads_every_finding else actor.owner_id
        return self._rights.decisions(owner_id=owner_id, after=after, limit=checked_limit(limit))

    def _event(self, actor: Actor, action: Action, decision: Decision, owner_id: str) -> AuditEvent:
        owner = self._accounts.organisation_of_owner(owner_id)
        return event_of(
            actor,
            action,
            decision.decision_id,
            at=self._clock.now(),
            parties=[] if owner is None else [owner.organisation_id],
            detail={
                "kind": decision.kind.value,
                "by": decision.by.value,
                "finding_id": decision.finding_id,
                "reference_id": decision.reference_id,
            },
        )


def _capacity(actor: Actor, reference: Reference) -> DecidedBy:
    return DecidedBy.OWNER if actor.owns(reference.owner_id) else DecidedBy.REVIEWER


def _require_capacity(actor: Actor, by: DecidedBy) -> None:
    """For an actor who decides, or decided, in this capacity: a key that only reads writes nothing for its reviewer.

    Reviewers of the operator may decide about what the operator itself owns too. Raises PermissionDenied.
    """
    if by is not DecidedBy.OWNER or Scope.REFERENCES_WRITE not in actor.scopes:
        actor.require(Scope.CHECKS_WRITE)
