"""Whose messages are sent next: a pure choice among those that are due."""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imgguard.ports import Slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The message of a webhook whose turn it is."""

    delivery_id: str
    webhook_id: str
    organisation_id: str
    is_troubled: bool


def chosen(due: Sequence[Due], under_way: Mapping[str, int], slots: Slots) -> list[Due]:
    """Those that are sent now. ``under_way``: how many messages of each organisation are on their way already.

    Organisations are drawn first, those with the fewest messages under way before others, and then one of their
    webhooks; both by lot. So neither many webhooks nor slowness puts anybody in front.
    """
    counts, troubled, left, picked = Counter(under_way), slots.troubled, list(due), list[Due]()
    while len(picked) < slots.limit:
        left = [
            one for one in left if counts[one.organisation_id] < slots.of_each and (troubled > 0 or not one.is_troubled)
        ]
        if not left:
            break
        fewest = min(counts[one.organisation_id] for one in left)
        organisation_id = _drawn(sorted({i for one in left if counts[i := one.organisation_id] == fewest}))
        one = _drawn([one for one in left if one.organisation_id == organisation_id])
        left.remove(one)
        picked.append(one)
        counts[organisation_id] += 1
        troubled -= one.is_troubled
    return picked


def _drawn[Kind](some: Sequence[Kind]) -> Kind:
    return some[secrets.randbelow(len(some))]
