"""Product feeds: handed in, their pictures checked by one job, and the result in the order of the feed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Literal

from imgguard.errors import InputError, InvalidTransition, NotFound
from imgguard.feeds.reading import read
from imgguard.feeds.records import Encoding, Form
from imgguard.ports import Accept, BlobStore, Clock, Feed, FeedStore, Fetched, Fetcher
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, Scope
from imgguard.registry.ids import new_id
from imgguard.services.audit import event_of
from imgguard.services.checks import Checks
from imgguard.services.feed_results import PROBLEMS, Outcomes, lines
from imgguard.services.feed_views import FeedLineView
from imgguard.services.file_names import file_name, name_of_url
from imgguard.services.jobs import FeedInput, Input, Jobs
from imgguard.services.rights_inputs import checked_limit

KIND: Literal["check"] = "check"
_UNNAMED = "feed"


class Feeds:
    """Thread safe. ``max_bytes``: of a feed; ``most_pictures``: how many different ones it may have."""

    def __init__(
        self,
        *,
        store: FeedStore,
        jobs: Jobs,
        checks: Checks,
        blobs: BlobStore,
        fetcher: Fetcher,
        clock: Clock,
        max_bytes: int,
        most_pictures: int,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._checks = checks
        self._blobs = blobs
        self._fetcher = fetcher
        self._clock = clock
        self._max_bytes = max_bytes
        self._most_pictures = most_pictures

    # handing in

    def fetch(self, actor: Actor, url: str) -> Fetched:
        """What is at ``url``, for `submit`. Takes as long as a fetch may take.

        Raises PermissionDenied without the scopes that `submit` wants, FetchRefused, FetchFailed.
        """
        _require(actor)
        return self._fetcher.fetch(url, accept=Accept.FEED, max_bytes=self._max_bytes)

    def submit(
        self,
        actor: Actor,
        data: bytes,
        *,
        file: str | None = None,
        url: str | None = None,
        form: Form | None = None,
        encoding: Encoding | None = None,
        options: Mapping[str, object] | None = None,
    ) -> Feed:
        """Have the pictures of a feed checked, each address once, with the ``options`` of a job of checks.

        ``file``: what it is called; ``url``: where it was fetched. ``form`` and ``encoding`` are found unless they are
        given. Raises PermissionDenied without `checks:write` and `checks:read`, InputError for a feed that cannot be
        read, is too large, or has no picture at all, QueueFull.
        """
        _require(actor)
        if len(data) > self._max_bytes:
            raise InputError(
                f"the feed has {len(data)} bytes, the limit is {self._max_bytes}",
                hint="Make several feeds of it, or have the operator raise IMGGUARD_FEED_MAX_BYTES.",
            )
        reading = read(data, form=form, encoding=encoding)
        urls: dict[str, None] = {}
        products, problem = 0, None
        for product in reading.products:
            products += 1
            problem = problem or product.problem
            for picture in product.pictures:
                problem = problem or picture.problem
                if picture.problem is None:
                    urls[picture.url] = None
            self._check_count(len(urls))
        if not urls:
            said = "there is no product in it" if problem is None else PROBLEMS[problem]
            raise InputError(
                f"the feed has no picture to check: {said}", hint="docs/feeds.md says what it has to hold."
            )
        feed_id = new_id("fed")
        name = file_name(file, unnamed=_UNNAMED) if url is None else name_of_url(url, unnamed=_UNNAMED)
        given = FeedInput(
            feed_id=feed_id,
            file=name,
            data=data,
            form=reading.form,
            encoding=reading.encoding,
            url=url,
            product_count=products,
        )
        inputs = [Input(file=name_of_url(address), url=address) for address in urls]
        self._jobs.submit(actor, KIND, inputs, options=options, feed=given)
        return self._store.feed(feed_id)

    def _check_count(self, pictures: int) -> None:
        if pictures > self._most_pictures:
            raise InputError(
                f"the feed has more than {self._most_pictures} different pictures, the limit",
                hint="Make several feeds of it, or have the operator raise IMGGUARD_FEED_MAX_PICTURES.",
            )

    # looking

    def feed(self, actor: Actor, feed_id: str) -> Feed:
        """Raises NotFound, also for another organisation's; PermissionDenied without `checks:read`."""
        actor.require(Scope.CHECKS_READ)
        feed = self._store.feed(feed_id)
        if feed.organisation_id != actor.organisation_id and not actor.reads_every_finding:
            raise _not_found(feed_id)
        return feed

    def feeds(self, actor: Actor, *, after: str = "", limit: int = 100, newest_first: bool = True) -> Sequence[Feed]:
        """Those of the actor's organisation, behind the feed ``after``.

        Raises PermissionDenied without `checks:read`, InputError for a ``limit`` outside of 1 to 1000.
        """
        actor.require(Scope.CHECKS_READ)
        return self._store.feeds(
            actor.organisation_id, after=after, limit=checked_limit(limit), newest_first=newest_first
        )

    def result(self, actor: Actor, feed_id: str, *, page: str) -> Iterator[FeedLineView]:
        """A line for each picture of each product, in the order of the feed, with what is known of it by now.

        They are made as they are asked for, under the policies and decisions of then. ``page``: the address of a
        check's page, without its id. Raises as `feed` does, DigestMismatch and NotFound when its bytes are damaged or
        just gone; while it goes on, StoreUnavailable.
        """
        feed = self.feed(actor, feed_id)
        data = self._blobs.get(feed.sha256)
        reading = read(data, form=feed.form, encoding=feed.encoding)
        outcomes = Outcomes(actor, feed.job.job_id, jobs=self._jobs, checks=self._checks)
        return lines(reading.products, outcomes, page=page)

    # forgetting

    def delete(self, actor: Actor, feed_id: str) -> None:
        """Call off what waits, and forget the feed with its bytes. The job and the checks that were made stay.

        Raises NotFound for another organisation's, PermissionDenied without `checks:write`.
        """
        actor.require(Scope.CHECKS_WRITE)
        feed = self._store.feed(feed_id)
        if feed.organisation_id != actor.organisation_id:
            raise _not_found(feed_id)
        with suppress(InvalidTransition):  # it is done
            self._jobs.cancel(actor, feed.job.job_id)
        event = event_of(actor, Action.FEED_DELETED, feed_id, at=self._clock.now(), detail={"job_id": feed.job.job_id})
        self._store.delete(feed_id, event=event)


def _require(actor: Actor) -> None:
    """Who may not read the result need not wait for it. Raises PermissionDenied."""
    actor.require(Scope.CHECKS_WRITE)
    actor.require(Scope.CHECKS_READ)


def _not_found(feed_id: str) -> NotFound:
    return NotFound(f"no feed {feed_id}", hint="Look at your feeds; those that ended long ago are forgotten.")
