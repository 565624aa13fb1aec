"""What a server tells, in the lines and rows that the commands print without one."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from imgguard.cli.output import Column
from imgguard.services.contract import CheckLine, CompareLine, ErrorObject, RegisterLine
from imgguard.services.contract import Match as ContractMatch

if TYPE_CHECKING:
    from imgguard.client import Check, Comparison, Match, Reference, Registered
    from imgguard.evidence.wording import Phrase

type Line = dict[str, Any]

CHECK_COLUMNS = (
    Column("Verdict", 18),
    Column("Conclusion", 10),
    Column("Listing", 40),
    Column("Original", 30),
    Column("Edits found", 34),
    Column("Strength", 0),
)
"""As without a server, and what follows for whoever has the key: that depends on licences, which only a server has."""


def check_line(check: "Check", *, file: str) -> Line:
    """With every field of the contract, in its order; null where nothing was told."""
    found = check.model_dump(mode="json")
    found |= {"file": file, "matches": [_match(match) for match in found["matches"]]}
    return _fields(CheckLine.model_fields, found)


def check_failed(file: str, error: ErrorObject, *, sha256: str | None) -> Line:
    found: Line = {"file": file, "sha256": sha256, "verdict": "error", "reasons": [], "matches": []}
    return _fields(CheckLine.model_fields, found | {"error": error.model_dump()})


def register_line(registered: "Registered", *, file: str) -> Line:
    found = registered.model_dump(mode="json")
    reference = found["reference"]
    found |= {"file": file, "similar": [_match(match) for match in found["similar"]]}
    found |= {"reference_id": reference["reference_id"], "sha256": reference["sha256"]}
    return _fields(RegisterLine.model_fields, found)


def rejected(file: str, error: ErrorObject, *, sha256: str | None) -> Line:
    found: Line = {"file": file, "status": "rejected", "sha256": sha256, "similar": [], "error": error.model_dump()}
    return _fields(RegisterLine.model_fields, found)


def compare_line(comparison: "Comparison", *, file: str, reference_file: str) -> Line:
    found = comparison.model_dump(mode="json")
    match = None if found["match"] is None else _match(found["match"]) | {"file": reference_file}
    return _fields(CompareLine.model_fields, found | {"file": file, "reference_file": reference_file, "match": match})


def reference_line(reference: "Reference") -> Line:
    names = ("reference_id", "owner", "file", "status", "sha256", "work_id")
    times = ("registered_at", "withdrawn_at", "erased_at")
    return _fields((*names, *times), reference.model_dump(mode="json"))


def finding_line(check: "Check") -> Line:
    """Of a match with an original whose id is withheld, null stands among ``reference_ids``."""
    names = ("finding_id", "checked_at", "file", "sha256", "verdict", "profile")
    ids = [match.reference_id for match in check.matches if match.verdict == check.verdict]
    return {**_fields(names, check.model_dump(mode="json")), "reference_ids": ids}


def _match(match: Line) -> Line:
    return _fields(ContractMatch.model_fields, match)


def _fields(names: Iterable[str], found: Mapping[str, Any]) -> Line:
    return {name: found.get(name) for name in names}


# rows


def failed_cells(line: Line) -> list[str]:
    from imgguard.evidence.wording import VERDICTS
    from imgguard.verdict.finding import Verdict

    error = line["error"]
    first = [VERDICTS[Verdict.ERROR].label, ""] if "verdict" in line else ["rejected"]
    return [*first, line["file"], f"{error['detail']} [{error['code']}]"]


def check_cells(check: "Check", line: Line) -> list[str]:
    from imgguard.evidence.wording import STRENGTHS, VERDICTS
    from imgguard.verdict.finding import Strength, Verdict

    cells = [label(VERDICTS, Verdict, check.verdict), check.conclusion, line["file"]]
    best = next(iter(check.matches), None)
    if best is None:
        return [*cells, "", "", ""]
    strength = "" if best.strength is None else label(STRENGTHS, Strength, best.strength)
    return [*cells, original(best), edits(best), strength]


def register_cells(registered: "Registered", line: Line) -> list[str]:
    from imgguard.evidence.wording import VERDICTS
    from imgguard.verdict.finding import Verdict

    similar = [
        f"{original(match)}: {label(VERDICTS, Verdict, match.verdict or '').lower()}" for match in registered.similar
    ]
    return [registered.status, line["file"], line["reference_id"], "; ".join(similar)]


def finding_cells(check: "Check") -> list[str]:
    from imgguard.evidence.wording import VERDICTS
    from imgguard.verdict.finding import Verdict

    best = next(iter(check.matches), None)
    found = "" if best is None else original(best)
    verdict = label(VERDICTS, Verdict, check.verdict)
    return [verdict, check.finding_id, f"{check.checked_at:%Y-%m-%d %H:%M}", found, check.file]


def reference_cells(reference: "Reference") -> list[str]:
    at = f"{reference.registered_at:%Y-%m-%d %H:%M}"
    return [reference.status, reference.reference_id, reference.owner or "", at, reference.file or ""]


def original(match: "Match") -> str:
    """What may be said of whose original it is."""
    if match.disclosure == "erased":
        return "(erased)"
    if match.owner is None:
        return "(not shown)"
    return match.owner if match.file is None else f"{match.file} ({match.owner})"


def edits(match: "Match") -> str:
    from imgguard.evidence.wording import EDITS
    from imgguard.verdict.finding import Edit

    if match.edits is None:
        return ""
    return ", ".join(label(EDITS, Edit, edit) for edit in match.edits)


def label[Word: StrEnum](phrases: "Mapping[Word, Phrase]", words: type[Word], word: str) -> str:
    """The words for ``word``; itself if it is one that only a newer server knows."""
    try:
        return phrases[words(word)].label
    except ValueError:
        return word


# facts


def compare_facts(line: Line) -> Iterator[tuple[str, str]]:
    """As many as were told."""
    from pydantic import ValidationError

    from imgguard.cli.sheet import match_facts
    from imgguard.evidence.wording import VERDICTS, reason_text
    from imgguard.verdict.finding import Verdict

    yield "Verdict", label(VERDICTS, Verdict, line["verdict"])
    try:
        if line["match"] is not None:
            yield from match_facts(ContractMatch.model_validate(line["match"]))
            return
    except ValidationError:  # the words of a newer server
        pass
    for reason in line["reasons"]:
        yield "Grounds", reason_text(reason)
