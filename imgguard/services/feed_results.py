"""The result of a feed: its products, read once more, beside what became of their pictures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from imgguard.errors import DigestMismatch, NotFound
from imgguard.feeds.records import Picture, Problem, Product
from imgguard.ports import Item, ItemState
from imgguard.registry.access import Actor
from imgguard.services.check_views import DamagedCheck
from imgguard.services.checks import Checks
from imgguard.services.contract import ErrorObject
from imgguard.services.feed_views import FeedLineView, FeedMatchView, LineState, feed_match_view
from imgguard.services.jobs import Jobs
from imgguard.services.views import CheckView, Conclusion
from imgguard.verdict.finding import Verdict

PAGE = 200
"""Items that are looked at together, with their checks."""

PROBLEMS = {
    Problem.NO_ID: "the product has no id",
    Problem.NO_PICTURE: "the product has no picture",
    Problem.NOT_A_URL: "this is not the address of a picture: it begins with neither http:// nor https://",
    Problem.URL_TOO_LONG: "the address of the picture is too long",
}
ERASED = ErrorObject(code=NotFound.code, detail="the check was erased")
DAMAGED = ErrorObject(code=DigestMismatch.code, detail="what is stored of the check cannot be read")
NOT_CHECKED = ErrorObject(code="not_checked", detail="the picture is not among those that were handed in")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of a picture: no more of its check than is told, since all of them are held."""

    state: LineState
    error: ErrorObject | None = None
    finding_id: str | None = None
    verdict: Verdict | None = None
    conclusion: Conclusion | None = None
    matches: Sequence[FeedMatchView] = ()


class Outcomes:
    """What became of the pictures of a job, as ``actor`` may see it now, read as far as is asked for."""

    def __init__(self, actor: Actor, job_id: str, *, jobs: Jobs, checks: Checks) -> None:
        self._actor = actor
        self._job_id = job_id
        self._jobs = jobs
        self._checks = checks
        self._found: dict[str, _Outcome] = {}
        self._after: int | None = 0

    def of(self, url: str) -> _Outcome:
        """Raises as `Jobs.items` does."""
        while url not in self._found and self._after is not None:
            self._read(self._after)
        return self._found.get(url) or _Outcome(state="skipped", error=NOT_CHECKED)

    def _read(self, after: int) -> None:
        items = self._jobs.items(self._actor, self._job_id, after=after, limit=PAGE)
        named = {str(item.result["finding_id"]) for item in items if item.result is not None}
        checks = self._checks.checks_named(self._actor, named)
        for item in items:
            if item.url is not None:
                self._found[item.url] = _outcome(item, checks)
        self._after = items[-1].position if len(items) == PAGE else None


def _outcome(item: Item, checks: Mapping[str, CheckView | DamagedCheck]) -> _Outcome:
    if item.state is not ItemState.DONE or item.result is None:
        error = None if item.error is None else ErrorObject(code=item.error.code, detail=item.error.detail)
        return _Outcome(state=item.state.value, error=error)
    finding_id = str(item.result["finding_id"])
    check = checks.get(finding_id)
    if check is None:
        return _Outcome(state="failed", error=ERASED)
    if isinstance(check, DamagedCheck):
        return _Outcome(state="failed", error=DAMAGED, finding_id=finding_id)
    return _Outcome(
        state="done",
        finding_id=finding_id,
        verdict=check.verdict,
        conclusion=check.conclusion,
        matches=[feed_match_view(match) for match in check.matches],
    )


def lines(products: Iterable[Product], outcomes: Outcomes, *, page: str) -> Iterator[FeedLineView]:
    """A line for each picture of each product, in order. ``page``: the address of a check's page, without its id."""
    for product in products:
        if product.problem is not None:
            yield _line(product, None, _skipped(product.problem), page=page)
        for picture in product.pictures:
            outcome = outcomes.of(picture.url) if picture.problem is None else _skipped(picture.problem)
            yield _line(product, picture, outcome, page=page)


def _skipped(problem: Problem) -> _Outcome:
    return _Outcome(state="skipped", error=ErrorObject(code=problem.value, detail=PROBLEMS[problem]))


def _line(product: Product, picture: Picture | None, outcome: _Outcome, *, page: str) -> FeedLineView:
    return FeedLineView(
        row=product.number,
        product_id=product.id,
        title=product.title,
        link=product.link,
        picture=None if picture is None else picture.url,
        column=None if picture is None else picture.column,
        position=None if picture is None else picture.position,
        state=outcome.state,
        error=outcome.error,
        finding_id=outcome.finding_id,
        check=None if outcome.finding_id is None else page + outcome.finding_id,
        verdict=outcome.verdict,
        conclusion=outcome.conclusion,
        matches=list(outcome.matches),
    )
