"""Facts about one thing, as lines of label and value."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgguard.services.contract import CheckLine, Match

type Facts = list[tuple[str, str]]


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Labels in a column, once for equal ones that follow each other. Values are printed as `shown` has them."""
    from rich.table import Table

    from imgguard.cli.output import shown, stdout_console

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    before = ""
    for label, value in facts:
        grid.add_row("" if label == before else label, shown(value))
        before = label
    console = stdout_console()
    if not console.is_terminal:
        console.width = max(console.width, 160)
    console.print(grid)


def match_facts(match: "Match") -> Facts:
    """A match in words."""
    from imgguard.evidence.wording import EDITS, RELATIONS, STRENGTHS, percent, ratio_sentence, reason_text

    facts = [("Original", match.file or "(erased)")]
    if match.owner is not None:
        facts.append(("Owner", match.owner))
    if match.reference_id is not None:
        facts.append(("Reference", match.reference_id))
    if match.relation is not None:
        facts.append(("Relation", RELATIONS[match.relation].label))
    if match.edits:
        facts.append(("Edits found", ", ".join(EDITS[edit].label for edit in match.edits)))
    facts.append(("Strength", f"{STRENGTHS[match.strength].label}. {ratio_sentence(match.log10_likelihood_ratio)}"))
    facts += [("Grounds", reason_text(reason)) for reason in match.reasons]
    if match.reference_coverage is not None and match.query_coverage is not None:
        shares = f"{percent(match.reference_coverage)} of the original, {percent(match.query_coverage)} of the listing"
        facts.append(("Agreeing", shares))
    facts += [("Picture", path) for path in (match.evidence or {}).values()]
    return facts


def check_facts(line: "CheckLine") -> Facts:
    """A check in words, with all its matches."""
    from imgguard.evidence.credentials import credential_facts
    from imgguard.evidence.statements import when
    from imgguard.evidence.wording import VERDICTS, reason_text

    facts = [
        ("Finding", line.finding_id or ""),
        ("Listing", line.file),
        ("Verdict", f"{VERDICTS[line.verdict].label}. {VERDICTS[line.verdict].meaning}"),
    ]
    if line.captured is not None:
        facts.insert(2, ("Fetched from", f"{line.captured.url} ({when(line.captured.fetched_at)})"))
    of_matches = {reason for match in line.matches for reason in match.reasons}
    facts += [("Grounds", reason_text(reason)) for reason in line.reasons if reason not in of_matches]
    facts += credential_facts(line.content_credentials)
    for match in line.matches:
        facts += [("", ""), ("Match", VERDICTS[match.verdict].label), *match_facts(match)]
    return facts
