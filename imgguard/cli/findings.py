"""`imgguard list --findings`, and the pictures of a finding drawn again."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgguard.cli.output import Column, Rows, emit

if TYPE_CHECKING:
    from imgguard.bootstrap import Services
    from imgguard.services.contract import CheckLine
    from imgguard.services.inspection import FindingDetail

COLUMNS = (
    Column("Verdict", 18),
    Column("Finding", 30, whole=True),
    Column("Checked", 16),
    Column("Original", 30),
    Column("Listing", 0),
)


def print_findings(services: "Services", *, json: bool) -> bool:
    """All findings, oldest first; returns whether there are any."""
    from imgguard.evidence.wording import VERDICTS

    rows, is_any = Rows(COLUMNS), False
    for finding in services.inspection.findings():
        is_any = True
        if json:
            emit(_finding_object(finding))
            continue
        line, best = finding.line, finding.line.matches[0] if finding.line.matches else None
        at = f"{finding.stored.created_at:%Y-%m-%d %H:%M}"
        original = (best.file or "(erased)") if best else ""
        rows.add([VERDICTS[line.verdict].label, line.finding_id or "", at, original, line.file])
    return is_any


def _finding_object(finding: "FindingDetail") -> dict[str, Any]:
    line = finding.line
    return {
        "finding_id": line.finding_id,
        "checked_at": finding.stored.created_at.isoformat().replace("+00:00", "Z"),
        "file": line.file,
        "sha256": line.sha256,
        "verdict": line.verdict.value,
        "profile": finding.document.profile,
        "reference_ids": [match.reference_id for match in line.matches if match.verdict == line.verdict],
    }


def drawn_again(services: "Services", finding: "FindingDetail", folder: Path) -> "CheckLine":
    """The finding's line with its pictures, which are written to ``folder``. Raises NotFound once the query is gone."""
    from imgguard.errors import NotFound
    from imgguard.services.illustration import illustrate

    try:
        data = services.blobs.get(finding.stored.query_sha256)
    except NotFound as error:
        raise NotFound(
            "the checked image is not kept any more, so its pictures cannot be drawn",
            hint="Check the image again, or raise IMGGUARD_QUERY_RETENTION_DAYS before the next check.",
        ) from error
    drawn = illustrate(finding.line, data, services.illustrator, services.catalogue, services.library, folder=folder)
    return drawn.line
