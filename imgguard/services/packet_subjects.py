"""What a packet is asked about, and what of it a member may put in: decided here, and nowhere else. Pure.

Whatever is another organisation's is not found. Reviewers of the operator have no more than others: who reads a packet
later, in their organisation, need not be one.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from imgguard.errors import InputError, NotFound
from imgguard.evidence.packet.model import Subject
from imgguard.ports import MadeCheck, Original, SubjectKind
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Scope
from imgguard.registry.records import Reference
from imgguard.services.contract import Match
from imgguard.services.redaction import GRAVITY

_KINDS = {"ref_": SubjectKind.REFERENCE, "fnd_": SubjectKind.FINDING}
_ID = re.compile(r"[a-z]{3}_[0-9A-Za-z_]{1,60}")
_SCOPES = {SubjectKind.REFERENCE: Scope.REFERENCES_READ, SubjectKind.FINDING: Scope.CHECKS_READ}


def subjects_of(ids: Sequence[str], *, most: int) -> list[Subject]:
    """Each once, in the order in which they were named. Raises InputError, NotFound."""
    once = list(dict.fromkeys(ids))
    if not 1 <= len(once) <= most:
        raise InputError(f"a packet is about 1 to {most} objects, not {len(once)}", hint="Make several.")
    return [Subject(kind=_kind_of(one).value, id=one) for one in once]


def _kind_of(object_id: str) -> SubjectKind:
    kind = _KINDS.get(object_id[:4])
    if kind is None or not _ID.fullmatch(object_id):
        raise NotFound(
            f"{object_id[:64]!r} is neither a reference nor a finding",
            hint="`imgguard list` and `list --findings` have ids.",
        )
    return kind


def require_reference(viewer: Actor, reference: Reference) -> None:
    """That it is the viewer's to hand on. Raises PermissionDenied without `references:read`, NotFound."""
    require_kinds(viewer, [SubjectKind.REFERENCE])
    if not viewer.owns(reference.owner_id):
        raise NotFound(f"no reference {reference.reference_id}", hint="Look at the references you have.")


def require_check(viewer: Actor, made: MadeCheck) -> None:
    """That the viewer's organisation made it. Raises PermissionDenied without `checks:read`, NotFound."""
    require_kinds(viewer, [SubjectKind.FINDING])
    if made.asker is None or made.asker.organisation_id != viewer.organisation_id:
        raise NotFound(f"no finding {made.finding.finding_id}", hint="Look at the checks you have made.")


def require_kinds(viewer: Actor, kinds: Collection[SubjectKind]) -> None:
    """Who may not read what a packet contains reads no such packet. Raises PermissionDenied."""
    for kind in sorted(kinds):
        viewer.require(_SCOPES[kind])


def readable_kinds(viewer: Actor) -> frozenset[SubjectKind]:
    """What packets that the viewer may read can contain."""
    return frozenset(kind for kind, scope in _SCOPES.items() if scope in viewer.scopes)


def own_matches(viewer: Actor, matches: Sequence[Match], originals: Mapping[str, Original]) -> list[Match]:
    """The gravest of those with references of the viewer's organisation, in their order; none where nothing was found.

    Raises InputError when all are with references of others.
    """
    own = [match for match in matches if not _is_others(viewer, match, originals)]
    if matches and not own:
        raise InputError(
            "the check found only originals of others, which are not yours to hand on",
            hint="Ask their owner for a packet, or build one about checks that found yours.",
        )
    gravest = min((GRAVITY[match.verdict] for match in own), default=None)
    return [match for match in own if GRAVITY[match.verdict] == gravest]


def names_others(viewer: Actor, matches: Sequence[Match], originals: Mapping[str, Original]) -> bool:
    """Whether the document of a check names references of others, of whom its policies may not even tell the ids."""
    return any(_is_others(viewer, match, originals) for match in matches)


def _is_others(viewer: Actor, match: Match, originals: Mapping[str, Original]) -> bool:
    original = originals.get(match.reference_id or "")
    return original is None or not viewer.owns(original.reference.owner_id)
