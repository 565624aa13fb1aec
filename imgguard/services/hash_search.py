"""Registered pictures by their PDQ hash: for matchers elsewhere, which exchange hashes and no pictures."""

from collections.abc import Sequence

from imgguard.ports import AuditTrail, Catalogue, CheckStore, Clock
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, Scope
from imgguard.services import redaction
from imgguard.services.audit import event_of
from imgguard.services.hash_memory import HashMemory
from imgguard.services.hashes import LONGEST_DISTANCE, checked_distance, pdq_of
from imgguard.services.redaction import HashHit
from imgguard.services.views import HashMatchView

MOST_HASH_MATCHES = 20
_LOOKED_UP = 200
"""Contents whose references are looked up at a time: always the nearest so many, near or not, and hidden or not, so
that the time which a search takes does not tell of what it does not answer."""


class HashSearch:
    """Thread safe."""

    def __init__(self, *, store: CheckStore, catalogue: Catalogue, trail: AuditTrail, clock: Clock) -> None:
        self._store = store
        self._memory = HashMemory(catalogue=catalogue, store=store)
        self._trail = trail
        self._clock = clock

    def search(self, actor: Actor, pdq_hex: str, *, distance: int = LONGEST_DISTANCE) -> Sequence[HashMatchView]:
        """Of the registered pictures that may answer the actor (`redaction.hash_policies`) the nearest, at most 20, and
        within ``distance`` bits. Too plain ones are left out. Others have no influence on the answer.

        The audit trail is told of each search. Raises PermissionDenied without `checks:write`, InputError.
        """
        actor.require(Scope.CHECKS_WRITE)
        within, pdq = checked_distance(distance), pdq_of(pdq_hex)
        found = redaction.hash_match_views(actor, self._hits(actor, pdq, within=within))
        self._trail.record(
            event_of(
                actor,
                Action.HASH_SEARCHED,
                actor.organisation_id,
                at=self._clock.now(),
                detail={"hits": len(found)},
            )
        )
        return found

    def _hits(self, actor: Actor, pdq: bytes, *, within: int) -> list[HashHit]:
        """Nearest first, of one distance in the order in which they were registered.

        Goes on until it has enough of those that may answer: if it looked at the nearest only, the others among them
        would push those out, and be found by that.
        """
        numbers, distances = self._memory.current().by_distance(pdq)
        policies = redaction.hash_policies(actor)
        found: list[tuple[int, int, str]] = []
        for start in range(0, len(numbers), _LOOKED_UP):
            some = slice(start, start + _LOOKED_UP)
            bits = dict(zip(numbers[some].tolist(), distances[some].tolist(), strict=True))
            shown = self._store.shown_references(bits, owner_id=actor.owner_id, policies=policies)
            found += [(bits[number], number, id_) for number, id_ in shown if bits[number] <= within]
            if len(found) >= MOST_HASH_MATCHES or max(bits.values()) > within:
                break
        nearest = sorted(found)[:MOST_HASH_MATCHES]
        originals = self._store.originals([id_ for _, _, id_ in nearest])
        return [
            HashHit(original=originals[id_], hamming_distance=distance)
            for distance, _, id_ in nearest
            if id_ in originals
        ]
