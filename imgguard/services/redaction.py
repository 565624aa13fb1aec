"""What is shown of a match, and to whom: decided here, and nowhere else. Pure.

docs/privacy.md says the same in words. What would let a stranger find a way to an original step by step, or work out
its size, is in no answer: exact measurements, digests, pixels of the original as a unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imgguard.ports import Original
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Disclosure
from imgguard.registry.licences import LicenceStanding, LicenceStatus
from imgguard.registry.records import Reference, ReferenceStatus
from imgguard.registry.standing import Standing, Summary
from imgguard.services.contract import Match, Point
from imgguard.services.credentials import credentials_of
from imgguard.services.views import (
    Conclusion,
    Disclosed,
    HashMatchView,
    LicenceView,
    MatchView,
    base_name,
    decision_view,
    licence_view,
)
from imgguard.verdict.finding import Edit, Verdict
from imgguard.verdict.policy import Reason

_PLACES = 2  # of fractions for strangers: hundredths of a side, coarser than the pixels of any picture worth taking
_UNLICENSED = frozenset({Summary.UNLICENSED, Summary.CONFIRMED})
GRAVITY: Mapping[str | None, int] = {Verdict.COPY: 0, Verdict.INCONCLUSIVE: 1, Verdict.SAME_PRODUCT: 2}
_OF_THE_STORE = frozenset({Reason.NO_CANDIDATE.value, Reason.REFERENCE_DAMAGED.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A match, and what decides how much of it somebody sees. ``everything``: the viewer may see all of it."""

    match: Match
    original: Original
    standing: Standing
    everything: bool

    @property
    def disclosed(self) -> Disclosed:
        return disclosed(self.original.reference, self.original.disclosure, everything=self.everything)


def sees_everything(actor: Actor, reference: Reference) -> bool:
    """The owner itself, and reviewers of the operator."""
    return actor.owns(reference.owner_id) or actor.reads_every_finding


def disclosed(reference: Reference, disclosure: Disclosure, *, everything: bool) -> Disclosed:
    """How much is shown of matches with ``reference``."""
    if reference.status is ReferenceStatus.ERASED:
        return "erased"
    return "everything" if everything else disclosure.value


def seen_by(
    actor: Actor, matches: Iterable[Match], originals: Mapping[str, Original], standings: Mapping[str, Standing]
) -> list[Seen]:
    """What ``actor`` sees, in the order of ``matches``. A match with a reference that is not there is not seen."""
    unknown = Standing(is_own=False, licence=None, decision=None)
    seen = []
    for match in matches:
        original = originals.get(match.reference_id or "")
        if original is not None:
            everything = sees_everything(actor, original.reference)
            standing = standings.get(original.reference.reference_id, unknown)
            seen.append(Seen(match=match, original=original, standing=standing, everything=everything))
    return collapsed(seen)


def collapsed(seen: Sequence[Seen]) -> list[Seen]:
    """Of what is not told apart one only: how many originals an owner has there is not told either.

    The gravest match stands for the others, in the place of the first.
    """
    groups: dict[object, list[Seen]] = {}
    for position, one in enumerate(seen):
        hides = one.disclosed == "contact" or (one.disclosed == "erased" and not one.everything)
        key = (one.disclosed, one.original.reference.owner_id) if hides else position
        groups.setdefault(key, []).append(one)
    return [min(group, key=_gravity) for group in groups.values()]


def _gravity(seen: Seen) -> tuple[int, bool]:
    return GRAVITY[seen.match.verdict], seen.standing.summary not in _UNLICENSED


def match_views(seen: Sequence[Seen], *, finding_id: str | None) -> list[MatchView]:
    """Numbered from 1, for people to name them by."""
    return [
        redacted(
            one.match,
            reference=one.original.reference,
            disclosure=one.original.disclosure,
            standing=one.standing,
            everything=one.everything,
            size=one.original.size,
            credentials=one.original.credentials,
            number=number,
            finding_id=finding_id,
        )
        for number, one in enumerate(seen, start=1)
    ]


def redacted(
    match: Match,
    *,
    reference: Reference,
    disclosure: Disclosure,
    standing: Standing,
    everything: bool,
    size: tuple[int, int] | None = None,
    credentials: str | None = None,
    number: int = 1,
    finding_id: str | None = None,
) -> MatchView:
    """What is shown of ``match`` with ``reference``: ``size`` (width, height) in pixels, ``credentials`` as kept."""
    shown = disclosed(reference, disclosure, everything=everything)
    match_id = None if finding_id is None else f"{finding_id}.{number}"
    if shown == "erased":
        return MatchView(
            match_id=match_id,
            number=number,
            disclosure=shown,
            is_own=standing.is_own,
            standing=None,
            licence=None,
            decision=None,
            verdict=None,
            strength=None,
            reference_id=reference.reference_id if everything else None,
        )
    least = MatchView(
        match_id=match_id,
        number=number,
        disclosure=shown,
        is_own=standing.is_own,
        standing=standing.summary,
        licence=_licence(standing.licence, contact_only=shown == "contact"),
        decision=decision_view(standing.decision),
        verdict=match.verdict,
        strength=match.strength,
    )
    if shown == "contact":
        return least
    whole = shown != "outline"
    # Whether it was resized depends on the original's size in pixels: with several tries that would give it away.
    edits = [edit for edit in match.edits if whole or edit is not Edit.RESIZED]
    outline = {
        "owner": reference.owner,
        "relation": match.relation,
        "reasons": match.reasons,
        "query_coverage": _rounded(match.query_coverage, whole=whole),
        "query_region": match.query_region,
        "reference_outline": _fractions(match.reference_region, size, whole=whole),
        "edits": edits,
    }
    if not whole:
        return least.model_copy(update=outline)
    of_file = {"file": base_name(reference.file), "reference_credentials": credentials_of(credentials)}
    return least.model_copy(update=outline | _measurements(match) | of_file)


def own_match(match: Match) -> MatchView:
    """Two pictures that are both the asker's: all of it, and nothing to be licensed."""
    least = MatchView(
        match_id=None,
        number=1,
        disclosure="everything",
        is_own=True,
        standing=Summary.OWN,
        licence=None,
        decision=None,
        verdict=match.verdict,
        strength=match.strength,
    )
    names = ("relation", "reasons", "query_coverage", "query_region", "edits")
    told = {name: getattr(match, name) for name in names}
    return least.model_copy(update=told | _measurements(match) | {"file": base_name(match.file)})


def _measurements(match: Match) -> dict[str, object]:
    names = (
        "reference_id",
        "log10_likelihood_ratio",
        "cosine_similarity",
        "hamming_distance",
        "inlier_count",
        "agreement",
        "reference_coverage",
        "transform",
        "reference_region",
    )
    return {name: getattr(match, name) for name in names}


def _licence(licence: LicenceStanding | None, *, contact_only: bool) -> LicenceView | None:
    view = licence_view(licence)
    if contact_only and view is not None and view.status is LicenceStatus.NONE:
        # That licences for other works are held would tell whose work this one is.
        return view.model_copy(update={"because": []})
    return view


def _rounded(value: float | None, *, whole: bool) -> float | None:
    return value if value is None or whole else round(value, _PLACES)


def _fractions(region: list[Point] | None, size: tuple[int, int] | None, *, whole: bool) -> list[Point] | None:
    """Exact fractions would give the sides away: they are multiples of one pixel."""
    if region is None or size is None:
        return None
    places = 6 if whole else _PLACES
    return [(round(x / size[0], places), round(y / size[1], places)) for x, y in region]


def reasons_shown(reasons: Iterable[str], verdict: Verdict, seen: Iterable[Seen]) -> list[str]:
    """Of the reasons of a verdict those that do not come from a match whose reasons are not shown."""
    shown = set(_OF_THE_STORE)
    for one in seen:
        if one.disclosed not in ("contact", "erased") and one.match.verdict == verdict:
            shown.update(one.match.reasons)
    return [reason for reason in reasons if reason in shown]


def conclusion_of(matches: Iterable[tuple[Match, Standing]], *, reasons: Iterable[str]) -> Conclusion:
    """What follows for whoever wants to list the picture. ``matches``: all that are not erased.

    A likely copy is one by its pixels, or because people decided so; one that they decided against is none.
    """
    counted = [(match, standing) for match, standing in matches if standing.summary is not Summary.NOT_A_COPY]
    copies = {
        standing.summary
        for match, standing in counted
        if match.verdict is Verdict.COPY or standing.summary is Summary.CONFIRMED
    }
    if copies & _UNLICENSED:
        return "unlicensed"
    if Summary.LICENSED in copies:
        return "licensed"
    if Summary.OWN in copies:
        return "own"
    damaged = Reason.REFERENCE_DAMAGED.value in reasons
    is_open = damaged or any(match.verdict is Verdict.INCONCLUSIVE for match, _ in counted)
    return "undecided" if is_open else "clear"


# hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class HashHit:
    """An active reference whose stored PDQ is ``hamming_distance`` bits from the one asked about."""

    original: Original
    hamming_distance: int


def hash_policies(actor: Actor) -> frozenset[Disclosure]:
    """Policies under which originals of others answer ``actor`` when it searches by hash; its own always do.

    Of the rest not even a yes or no is told: asked about 256 hashes that lie just within the distance, each of which
    differs from the next in one bit, it would spell the stored hash out.
    """
    return frozenset(Disclosure) if actor.reads_every_finding else frozenset({Disclosure.FULL})


def hash_match_views(actor: Actor, hits: Iterable[HashHit]) -> list[HashMatchView]:
    """Those of the ``hits`` that may answer ``actor``, in their order, numbered from 1."""
    policies = hash_policies(actor)
    shown = [
        hit
        for hit in hits
        if hit.original.reference.status is ReferenceStatus.ACTIVE
        and (actor.owns(hit.original.reference.owner_id) or hit.original.disclosure in policies)
    ]
    return [_hash_match(actor, hit, number) for number, hit in enumerate(shown, start=1)]


def _hash_match(actor: Actor, hit: HashHit, number: int) -> HashMatchView:
    reference = hit.original.reference
    return HashMatchView(
        number=number,
        disclosure="everything" if sees_everything(actor, reference) else "full",
        is_own=actor.owns(reference.owner_id),
        reference_id=reference.reference_id,
        file=base_name(reference.file),
        owner=reference.owner,
        hamming_distance=hit.hamming_distance,
    )
