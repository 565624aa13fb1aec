"""Checks, their pictures, comparisons, and the search by hash."""

from collections.abc import Iterable, Iterator

from imgguard.client.calls import ACCEPTED, PATIENCE, Calls
from imgguard.client.errors import UnexpectedAnswer
from imgguard.client.models import Check, Comparison, HashMatch, Job
from imgguard.client.session import Answer, path_of
from imgguard.client.uploads import Source


class CheckCalls(Calls):
    def check(
        self,
        source: Source,
        *,
        file: str | None = None,
        profile: str | None = None,
        platform: str | None = None,
        territory: str | None = None,
        shop: str | None = None,
        kind: str | None = None,
        patience: float = PATIENCE,
    ) -> Check:
        """Check a picture. ``platform``, ``territory``, ``shop`` and ``kind`` say what the listing is for: licences
        are compared with it. ``profile``: ``quick`` or ``thorough``, by default as the server chooses.

        Waits up to ``patience`` seconds when the server is busy. Raises OSError, ProblemError, NotDone, ItemFailed.
        """
        fields = _asked(profile, platform, territory, shop, kind)
        answer = self._upload(path_of("checks"), [("file", source, file)], fields)
        return self._checked(answer, patience=patience)

    def check_url(
        self,
        url: str,
        *,
        profile: str | None = None,
        platform: str | None = None,
        territory: str | None = None,
        shop: str | None = None,
        kind: str | None = None,
        patience: float = PATIENCE,
    ) -> Check:
        """As `check`, of what the server fetches from ``url``."""
        body = {"url": url, **_asked(profile, platform, territory, shop, kind)}
        return self._checked(self._session.post(path_of("checks", "by-url"), body), patience=patience)

    def check_many(
        self,
        sources: Iterable[Source],
        *,
        profile: str | None = None,
        platform: str | None = None,
        territory: str | None = None,
        shop: str | None = None,
        kind: str | None = None,
    ) -> Job:
        """Hand in many pictures at once: `wait` for the job, then look at its `job_items`, whose results name the
        findings. All of them together have to be within the server's limit for one request."""
        fields = _asked(profile, platform, territory, shop, kind)
        return self._upload(path_of("checks", "bulk"), [("files", source, None) for source in sources], fields).read(
            Job
        )

    def _checked(self, answer: Answer, *, patience: float) -> Check:
        if answer.status != ACCEPTED:
            return answer.read(Check)
        finding_id = (self._only_item(answer, patience=patience).result or {}).get("finding_id")
        if not isinstance(finding_id, str):
            raise UnexpectedAnswer("the result of the job has no finding_id", status=answer.status)
        return self.check_of(finding_id)

    def checks(self) -> Iterator[Check]:
        """Those of the organisation, the latest first."""
        return self._list(Check, path_of("checks"))

    def check_of(self, finding_id: str) -> Check:
        """One check, as it is shown under the policies of now. Raises NotFoundProblem."""
        return self._session.get(path_of("checks", finding_id)).read(Check)

    def erase_check(self, finding_id: str) -> None:
        """Destroy what is stored of it. Raises NotFoundProblem, ConflictProblem when somebody decided about it."""
        self._session.ask("DELETE", path_of("checks", finding_id))

    def checked_picture(self, finding_id: str) -> bytes:
        """The picture that was checked, as PNG, reduced. Raises NotFoundProblem, also when it is not kept any more."""
        return self._session.ask("GET", path_of("checks", finding_id, "picture"), accept="image/*").body

    def match_pictures(self, finding_id: str, number: int) -> list[str]:
        """Names of the pictures of a match, as far as its owner lets them be seen. Raises NotFoundProblem."""
        answer = self._session.get(path_of("checks", finding_id, "matches", number, "pictures"))
        found = answer.json()
        names = found.get("pictures") if isinstance(found, dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UnexpectedAnswer("this is not a list of pictures", status=answer.status)
        return names

    def match_picture(self, finding_id: str, number: int, name: str) -> bytes:
        """One of them, as PNG. Raises NotFoundProblem."""
        path = path_of("checks", finding_id, "matches", number, "pictures", name)
        return self._session.ask("GET", path, accept="image/*").body

    def compare(
        self,
        query: Source,
        reference: Source,
        *,
        file: str | None = None,
        reference_file: str | None = None,
        profile: str | None = None,
    ) -> Comparison:
        """What a check of ``query`` would say if ``reference`` were registered. Nothing is stored."""
        sources = [("query", query, file), ("reference", reference, reference_file)]
        return self._upload(path_of("compare"), sources, {"profile": profile}).read(Comparison)

    def search_hash(self, pdq: str, *, distance: int = 31) -> list[HashMatch]:
        """The registered pictures nearest to a PDQ hash (64 hexadecimal digits), within ``distance`` of 0 to 31 bits:
        own ones, those whose owner's policy is `full`, and for reviewers of the operator all.

        Raises InvalidProblem.
        """
        answer = self._session.post(path_of("search", "hash"), {"pdq": pdq, "distance": distance})
        found = answer.json()
        items = found.get("items") if isinstance(found, dict) else None
        if not isinstance(items, list):
            raise UnexpectedAnswer("this is not a list of matches", status=answer.status)
        return [answer.valid(HashMatch, one) for one in items]


def _asked(
    profile: str | None, platform: str | None, territory: str | None, shop: str | None, kind: str | None
) -> dict[str, object]:
    return {"profile": profile, "platform": platform, "territory": territory, "shop": shop, "kind": kind}
