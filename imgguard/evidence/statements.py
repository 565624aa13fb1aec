"""What the report says of one check, in whole sentences and table cells, from the JSON contract's object."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imgguard.evidence import wording
from imgguard.imaging.credentials import CredentialState
from imgguard.verdict.finding import Edit, Relation, Strength, Verdict

type Contract = Mapping[str, Any]
"""One line of `imgguard check --json`, or one of its matches, as a dictionary."""

_LONGEST_NAME = 90

# Characters that leave no mark on paper although Unicode counts them as letters, marks or symbols: those of
# Default_Ignorable_Code_Point (DerivedCoreProperties.txt) that have another category than Cf, and the empty braille
# pattern.
_BLANK = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | {*range(0x180B, 0x1810), 0x2065, *range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)}
)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A table row: ``label``, ``value``, and an explanation or an empty string."""

    label: str
    value: str
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Everything that is said in words about one check; lists are ready to be shown in order."""

    name: str
    verdict: str
    verdict_label: str
    relation: wording.Phrase | None
    lead: str
    weight: str
    original: str
    owner: str
    edits: tuple[wording.Phrase, ...]
    strength: str
    reasons: tuple[str, ...]
    measurements: tuple[Row, ...]
    others: tuple[Row, ...]
    technical: tuple[Row, ...]


def visible(text: str) -> str:
    """``text`` with control, formatting, unpaired surrogate and blank characters written out. Twice is as once.

    File names come from strangers: an escape sequence writes on the terminal; a right-to-left override, a line break
    or a letter that cannot be seen could make one name look like another; and a lone surrogate (from undecodable
    bytes) cannot be written as UTF-8 at all.
    """
    return "".join(
        f"\\u{{{ord(character):x}}}"
        if unicodedata.category(character) in _UNSEEN or ord(character) in _BLANK
        else character
        for character in text
    )


def short_name(path: str) -> str:
    """The last part of a path, its middle left out where it is very long."""
    name = visible(path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or path)
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME // 2]}…{name[-_LONGEST_NAME // 2 + 1 :]}"


def when(at: datetime) -> str:
    """An aware time as people write it, in UTC. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("a time without offset cannot be shown: it would be read as whatever the reader assumes")
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def statement_of(check: Contract, *, checked_at: datetime) -> Statement:
    """The words for one object of the contract; what is missing or null is left out."""
    matches = check.get("matches") or []
    best: Contract = matches[0] if matches else {}
    verdict = Verdict(check["verdict"])
    reasons = dict.fromkeys([*(check.get("reasons") or []), *(best.get("reasons") or [])])
    ratio = best.get("log10_likelihood_ratio")
    return Statement(
        name=short_name(str(check.get("file", ""))),
        verdict=verdict.value,
        verdict_label=wording.VERDICTS[verdict].label,
        relation=wording.RELATIONS[Relation(best["relation"])] if best.get("relation") else None,
        lead=_lead(verdict, check, best),
        weight=wording.ratio_sentence(float(ratio)) if ratio is not None else "",
        original=short_name(str(best["file"])) if best.get("file") else "",
        owner=visible(str(best.get("owner") or "")),
        edits=tuple(wording.EDITS[Edit(edit)] for edit in best.get("edits") or []),
        strength=wording.STRENGTHS[Strength(best["strength"])].label if best.get("strength") else "",
        reasons=tuple(visible(wording.reason_text(str(code))) for code in reasons),
        measurements=_measurements(best),
        others=tuple(_other(match) for match in matches[1:]),
        technical=_technical(check, best, checked_at=checked_at),
    )


def _lead(verdict: Verdict, check: Contract, best: Contract) -> str:
    """The verdict as a sentence or two."""
    name = f"“{short_name(str(best['file']))}”" if best.get("file") else ""
    if verdict is Verdict.COPY and name:
        return _copy_lead(best, name)
    if verdict is Verdict.SAME_PRODUCT and name:
        return (
            f"Probably another photograph: the picture seems to show the same or a similar product as the registered "
            f"original {name}, but the two differ where a copy would agree."
        )
    if verdict is Verdict.INCONCLUSIVE:
        text = f"The registered original {name} is similar, but this" if name else "This"
        return f"{text} check cannot tell whether the picture is a copy. {_first_reason(check, best)}".strip()
    if verdict is Verdict.ERROR:
        detail = (check.get("error") or {}).get("detail") or "no reason was given"
        return f"The file could not be checked: {visible(str(detail))}"
    if verdict is Verdict.NO_MATCH:
        return "No registered original was found in this picture."
    return wording.VERDICTS[verdict].meaning


def _copy_lead(best: Contract, name: str) -> str:
    """The sentence for a likely copy: what agrees, after which edits, and how much of either picture is concerned."""
    actions = [wording.EDITS[Edit(edit)].action for edit in best.get("edits") or []]
    after = f" after {wording.listed(actions)}" if actions else ""
    if best.get("relation") == Relation.IDENTICAL.value:
        text = f"Likely copy: this is the registered original {name}, without a visible change."
    else:
        text = f"Likely copy: this picture agrees pixel for pixel with the registered original {name}{after}."
    shares = []
    if best.get("reference_coverage") is not None:
        shares.append(f"{wording.percent(float(best['reference_coverage']))} of the original is visible in the listing")
    if best.get("query_coverage") is not None:
        shares.append(f"it makes up {wording.percent(float(best['query_coverage']))} of the listing")
    return f"{text} {', and '.join(shares).capitalize()}." if shares else text


def _first_reason(check: Contract, best: Contract) -> str:
    codes = [*(check.get("reasons") or []), *(best.get("reasons") or [])]
    return wording.reason_text(str(codes[0])) if codes else ""


def _measurements(best: Contract) -> tuple[Row, ...]:
    """The numbers behind the verdict, with what each means."""
    rows = [
        Row(label=entry.label, value=_number(entry.key, best[entry.key]), meaning=entry.meaning)
        for entry in wording.MEASUREMENTS
        if best.get(entry.key) is not None
    ]
    transform: Contract = best.get("transform") or {}
    if transform:
        parts = ["mirrored" if transform.get("mirrored") else "not mirrored"]
        if transform.get("rotation_degrees") is not None:
            parts.append(f"turned by {float(transform['rotation_degrees']):.1f}°")
        if transform.get("scale") is not None:
            parts.append(f"scaled by {float(transform['scale']):.2f}")
        meaning = "How the original has to be moved to lie on the listing; turns are counter-clockwise."
        rows.append(Row(label="Movement", value=", ".join(parts), meaning=meaning))
    return tuple(rows)


def _number(key: str, value: float) -> str:
    if key.endswith("_coverage"):
        return wording.percent(float(value))
    return f"{value}" if isinstance(value, int) else f"{float(value):.2f}"


def _other(match: Contract) -> Row:
    """A further candidate, in one row."""
    verdict = wording.VERDICTS[Verdict(match["verdict"])].label
    strength = wording.STRENGTHS[Strength(match["strength"])].label if match.get("strength") else "no"
    return Row(label=short_name(str(match.get("file") or "")), value=verdict, meaning=f"{strength} support")


def _credentials(check: Contract) -> str | None:
    """What became of the listing's Content Credentials, and who signed them."""
    found: Contract = check.get("content_credentials") or {}
    if not found:
        return None
    signer: Contract = found.get("signer") or {}
    names = ", ".join(str(signer[key]) for key in ("common_name", "organisation") if signer.get(key))
    state = wording.CREDENTIAL_STATES[CredentialState(found["state"])]
    return f"{state}; signed by {names}" if names else state


def _technical(check: Contract, best: Contract, *, checked_at: datetime) -> tuple[Row, ...]:
    """What is needed to repeat or to cite the check."""
    size = f"{check['width']} × {check['height']} pixels" if check.get("width") and check.get("height") else None
    error: Contract = check.get("error") or {}
    timings: Contract = check.get("timings_ms") or {}
    total = timings.get("total")
    rows = {
        "Finding": check.get("finding_id"),
        "Checked on": when(checked_at),
        "Listing file": check.get("file"),
        "Listing, size": size,
        "Listing, SHA-256": check.get("sha256"),
        "Listing, credentials": _credentials(check),
        "Original file": best.get("file"),
        "Reference": best.get("reference_id"),
        "Weights": check.get("weights"),
        "Calibration": check.get("calibration"),
        "Time taken": f"{float(total):,.0f} ms" if total is not None else None,
        "Error code": error.get("code"),
    }
    return tuple(Row(label=label, value=visible(str(value))) for label, value in rows.items() if value)
