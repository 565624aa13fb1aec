"""Sentences and table rows about the parts of a packet, in one language, with all text made printable."""

import unicodedata
from datetime import datetime
from typing import Any

from imgguard.evidence.packet.finding import PacketFinding
from imgguard.evidence.packet.fonts import printable
from imgguard.evidence.packet.reference import PacketReference, TimeBound, Trust
from imgguard.evidence.packet.words import Language, listed_in, share_in, time_in, words
from imgguard.verdict.finding import Relation, Verdict

type Row = dict[str, str]
"""``label``, ``value``, and how the value is set: ``kind`` is ``text``, ``code`` or ``digest``."""

_NAMED = (Verdict.COPY, Verdict.SAME_PRODUCT, Verdict.INCONCLUSIVE)
_SAID_SHARES = {"reference_coverage", "query_coverage"}


class Teller:
    """Speaks one language; keeps nothing of what it tells."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self.words = words(language)
        self.labels: dict[str, str] = self.words["labels"]

    def name(self, text: str, *, columns: int | None = None) -> str:
        """A name in quotation marks, cut to ``columns`` where given; words for an empty one."""
        if not text.strip():
            return str(self.words["untitled"])
        return str(self.words["quoted"].format(text=cut(printable(text), columns)))

    def time(self, at: datetime) -> str:
        return time_in(at, self.language)

    def own_time(self, at: datetime) -> str:
        """A time that only the installation's clock states, with the words for that beside it."""
        return str(self.words["own_clock"].format(at=self.time(at)))

    def fetched(self, finding: PacketFinding) -> str:
        """When the installation fetched the listing picture from its address; empty when it was sent."""
        at = finding.listing.fetched_at
        if at is None:
            return ""
        return str(self.words["own_clock"].format(at=self.words["fetched"].format(at=self.time(at))))

    def finding(self, finding: PacketFinding, reference: PacketReference | None, *, columns: int | None = None) -> str:
        """What was found, in a sentence or two."""
        says, verdict = self.words["says"], finding.verdict
        listing = self.name(finding.listing.file_name, columns=columns)
        if verdict not in _NAMED:
            return str(says[verdict.value].format(listing=listing))
        if reference is None:
            return str(says[f"{verdict.value}_unnamed"].format(listing=listing))
        title = self.name(reference.title, columns=columns)
        if verdict is Verdict.COPY and finding.relation is Relation.IDENTICAL:
            sentence = says["copy_identical"].format(listing=listing, reference=title)
        else:
            actions = [self.words["edits"][edit.value]["action"] for edit in finding.edits]
            after = says["after"].format(edits=listed_in(actions, self.language)) if actions else ""
            sentence = says[verdict.value].format(listing=listing, reference=title, after=after)
        shares = self._shares(finding) if verdict is Verdict.COPY else ""
        return str(self.words["sentence_separator"].join(part for part in (sentence, shares) if part))

    def _shares(self, finding: PacketFinding) -> str:
        seen, fills = finding.figures.reference_coverage, finding.figures.query_coverage
        if seen is None or fills is None:
            return ""
        shares = {"reference": share_in(seen, self.language), "listing": share_in(fills, self.language)}
        sentence: str = self.words["says"]["shares"].format(**shares)
        return sentence[0].upper() + sentence[1:]

    def licence(self, finding: PacketFinding) -> str:
        """How the use stands to the recorded licences."""
        state = finding.licence
        if state is None:
            return str(self.words["licences"]["not_asked"])
        parts = [self.words["licences"][state.status.value]]
        parts += [self.words["because"][code.value] for code in state.because]
        if state.ends_at is not None:
            parts.append(f"({self.labels['licence_ends'].format(at=self.time(state.ends_at))})")
        return str(self.words["sentence_separator"].join(parts))

    def decision(self, finding: PacketFinding) -> str:
        """What people decided, who, and when; empty when nobody did."""
        made = finding.decision
        if made is None:
            return ""
        known = self.words["decisions"]
        at = self.own_time(made.decided_at)
        return str(known["sentence"].format(kind=known[made.kind.value], by=known[f"by_{made.by.value}"], at=at))

    def reasons(self, finding: PacketFinding) -> list[str]:
        """Sentences; a code that is not known here is shown as it is, with spaces."""
        return [self.words["reasons"].get(code, code.replace("_", " ")) for code in dict.fromkeys(finding.reasons)]

    def figures(self, finding: PacketFinding) -> list[list[str]]:
        """Label, value and meaning of each measurement that there is."""
        values: dict[str, Any] = finding.figures.model_dump()
        return [
            [named["label"], self._figure(key, values[key]), named["meaning"]]
            for key, named in self.words["measurements"].items()
            if values.get(key) is not None
        ]

    def _figure(self, key: str, value: float) -> str:
        if key in _SAID_SHARES:
            return share_in(value, self.language)
        return f"{value}" if isinstance(value, int) else f"{value:.2f}"

    def proof_kind(self, kind: str) -> str:
        return str(self.words["proof_kinds"].get(kind, kind.replace("_", " ")))

    def event(self, event: str) -> str:
        """What a stated date is of; a word that is not known here as the claimant wrote it."""
        return str(self.words["events"].get(event, printable(event)))

    def bound(self, reference: PacketReference) -> dict[str, Any]:
        """The time that counts most for a reference: the earliest independent one; without any, the earliest that the
        installation itself states, its own registration included."""
        bounds = sorted(reference.existed_no_later_than, key=lambda bound: bound.at)
        best = next((bound for bound in bounds if bound.trust.counts), None)
        own = next((bound for bound in bounds if bound.trust is Trust.SELF_ISSUED), None)
        if best is None and own is not None and own.at <= reference.registered_at:
            best = own
        if best is None:
            return self._row(reference.registered_at, by=self.words["own_word"], trust=Trust.SELF_ISSUED)
        return self._row(best.at, by=self.voucher(best), trust=best.trust)

    def voucher(self, bound: TimeBound) -> str:
        """Who states a time, by name."""
        return printable(bound.by).strip() or str(self.words["nobody"])

    def _row(self, at: datetime, *, by: str, trust: Trust) -> dict[str, Any]:
        label = self.words["trust"][trust.value]
        return {"at": self.time(at), "by": by, "trust": label, "counts": trust.counts}


def cut(text: str, columns: int | None) -> str:
    """``text`` at most ``columns`` wide, its middle left out where it is wider; Chinese characters are two wide."""
    if columns is None or width_of(text) <= columns:
        return text
    half = (columns - 1) // 2
    return f"{_head(text, half)}…{_head(text[::-1], half)[::-1]}"


def width_of(text: str) -> int:
    """Columns: two for wide and full-width characters, one for others."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _head(text: str, columns: int) -> str:
    taken = 0
    for number, character in enumerate(text):
        taken += width_of(character)
        if taken > columns:
            return text[:number]
    return text
