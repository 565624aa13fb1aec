"""What people and programs are shown of a feed and its result: plain JSON, and the lines of a CSV file."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from imgguard.evidence.wording import CONCLUSIONS
from imgguard.feeds.records import Encoding, Form
from imgguard.ports import Feed
from imgguard.registry.standing import Summary
from imgguard.services.contract import ErrorObject, MatchVerdict
from imgguard.services.spreadsheets import csv_text
from imgguard.services.views import Conclusion, LicenceView, MatchView
from imgguard.verdict.finding import Strength, Verdict

type LineState = Literal["skipped", "queued", "running", "done", "failed", "cancelled"]


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FeedView(_View):
    """A product feed, and how far the job is that checks its pictures."""

    feed_id: str
    organisation_id: str
    member_id: str
    job_id: str
    file: str
    url: str | None = Field(description="Where it was fetched; null for one that was sent.")
    form: Form
    encoding: Encoding
    sha256: str
    product_count: int
    picture_count: int = Field(description="Different addresses of pictures: each is checked once.")
    state: Literal["queued", "running", "done", "cancelled"]
    is_over: bool = Field(description="Whether no picture waits or is worked on any more.")
    done_count: int
    failed_count: int
    waiting_count: int
    created_at: AwareDatetime
    finished_at: AwareDatetime | None


class FeedMatchView(_View):
    """One match, as far as it is shown; the check has the rest."""

    match_id: str | None
    is_own: bool
    verdict: MatchVerdict | None
    strength: Strength | None
    standing: Summary | None
    licence: LicenceView | None
    owner: str | None
    reference_id: str | None


class FeedLineView(_View):
    """One picture of one product; or a product that was passed over, without a picture."""

    row: int = Field(description="The line it begins at; in XML its place among the products.")
    product_id: str
    title: str
    link: str
    picture: str | None
    column: str | None
    position: int | None = Field(description="Among the pictures of the product, from 1.")
    state: LineState
    error: ErrorObject | None
    finding_id: str | None = None
    check: str | None = Field(default=None, description="The page of the check.")
    verdict: Verdict | None = None
    conclusion: Conclusion | None = None
    matches: list[FeedMatchView] = []


def feed_view(feed: Feed) -> FeedView:
    job = feed.job
    return FeedView(
        feed_id=feed.feed_id,
        organisation_id=feed.organisation_id,
        member_id=feed.member_id,
        job_id=job.job_id,
        file=feed.file,
        url=feed.url,
        form=feed.form,
        encoding=feed.encoding,
        sha256=feed.sha256,
        product_count=feed.product_count,
        picture_count=feed.picture_count,
        state=job.state.value,
        is_over=job.is_over,
        done_count=job.done_count,
        failed_count=job.failed_count,
        waiting_count=job.item_count - job.done_count - job.failed_count,
        created_at=feed.created_at,
        finished_at=job.finished_at,
    )


def feed_match_view(match: MatchView) -> FeedMatchView:
    return FeedMatchView(**{name: getattr(match, name) for name in FeedMatchView.model_fields})


# the CSV file; docs/feeds.md explains each column, and a test compares the two

COLUMNS = (
    "product_id",
    "title",
    "row",
    "picture",
    "column",
    "position",
    "state",
    "verdict",
    "conclusion",
    "conclusion_in_words",
    "strength",
    "owner",
    "reference_id",
    "standing",
    "licence",
    "licence_ends_at",
    "finding_id",
    "check",
    "error",
    "error_detail",
)
BETWEEN = " | "
"""In a cell that tells of several matches, in the same order in each column."""


def sheet(lines: Iterable[FeedLineView]) -> Iterator[str]:
    """The result as a CSV file, a line at a time."""
    return csv_text(COLUMNS, map(_cells, lines))


def _cells(line: FeedLineView) -> list[str]:
    told = [match for match in line.matches if _counts(match)]
    licences = [match.licence for match in told]
    error = line.error
    return [
        line.product_id,
        line.title,
        str(line.row),
        line.picture or "",
        line.column or "",
        str(line.position or ""),
        line.state,
        line.verdict or "",
        line.conclusion or "",
        CONCLUSIONS[line.conclusion].label if line.conclusion else "",
        _joined([match.strength for match in told]),
        _joined([match.owner for match in told]),
        _joined([match.reference_id for match in told]),
        _joined([match.standing for match in told]),
        _joined([None if licence is None else licence.status for licence in licences]),
        _joined([licence.ends_at.isoformat() if licence and licence.ends_at else None for licence in licences]),
        line.finding_id or "",
        line.check or "",
        error.code if error is not None else "",
        error.detail if error is not None else "",
    ]


def _counts(match: FeedMatchView) -> bool:
    """Whether it bears on the conclusion: other photographs of the product do not."""
    return match.verdict in ("copy", "inconclusive") or match.standing is Summary.CONFIRMED


def _joined(values: Sequence[str | None]) -> str:
    return BETWEEN.join(value or "" for value in values) if any(values) else ""
