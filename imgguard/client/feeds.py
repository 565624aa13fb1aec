"""Product feeds, and their results."""

from collections.abc import Iterator

from imgguard.client.calls import Calls
from imgguard.client.errors import UnexpectedAnswer
from imgguard.client.models import Feed, FeedLine
from imgguard.client.session import path_of
from imgguard.client.uploads import Source


class FeedCalls(Calls):
    def check_feed(
        self,
        source: Source,
        *,
        file: str | None = None,
        form: str | None = None,
        encoding: str | None = None,
        profile: str | None = None,
        platform: str | None = None,
        territory: str | None = None,
        shop: str | None = None,
        kind: str | None = None,
    ) -> Feed:
        """Hand in a product feed (CSV, TSV or XML): `wait` for its ``job_id``, then get its `feed_result`.

        ``form`` (``google``, ``aliexpress``, ``alibaba``, ``generic``) and ``encoding`` (``utf-8``, ``utf-16``,
        ``gb18030``, ``windows-1252``) are found unless they are given; the rest is as for `check`. Raises OSError,
        ProblemError.
        """
        use = {"profile": profile, "platform": platform, "territory": territory, "shop": shop, "kind": kind}
        fields = {"form": form, "encoding": encoding, **use}
        return self._upload(path_of("feeds"), [("file", source, file)], fields).read(Feed)

    def check_feed_url(
        self,
        url: str,
        *,
        form: str | None = None,
        encoding: str | None = None,
        profile: str | None = None,
        platform: str | None = None,
        territory: str | None = None,
        shop: str | None = None,
        kind: str | None = None,
    ) -> Feed:
        """As `check_feed`, of what the server fetches from ``url``."""
        use = {"profile": profile, "platform": platform, "territory": territory, "shop": shop, "kind": kind}
        body = {"url": url, "form": form, "encoding": encoding, **use}
        return self._session.post(path_of("feeds", "by-url"), body).read(Feed)

    def feeds(self) -> Iterator[Feed]:
        """Those of the organisation, the latest first."""
        return self._list(Feed, path_of("feeds"))

    def feed(self, feed_id: str) -> Feed:
        """As it is now. Raises NotFoundProblem."""
        return self._session.get(path_of("feeds", feed_id)).read(Feed)

    def feed_result(self, feed_id: str) -> bytes:
        """The result as a CSV file, with what is known by now. Raises NotFoundProblem."""
        return self._session.ask("GET", path_of("feeds", feed_id, "result"), accept="text/csv").body

    def feed_lines(self, feed_id: str) -> list[FeedLine]:
        """The same as objects. Raises NotFoundProblem."""
        answer = self._session.get(path_of("feeds", feed_id, "result"))
        found = answer.json()
        items = found.get("items") if isinstance(found, dict) else None
        if not isinstance(items, list):
            raise UnexpectedAnswer("this is not the result of a feed", status=answer.status)
        return [answer.valid(FeedLine, one) for one in items]

    def delete_feed(self, feed_id: str) -> None:
        """Call off what waits, and forget the feed. The checks that were made stay. Raises NotFoundProblem."""
        self._session.ask("DELETE", path_of("feeds", feed_id))
