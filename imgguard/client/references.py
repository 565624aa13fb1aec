"""References, works and collections."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from imgguard.client.calls import ACCEPTED, PATIENCE, Calls
from imgguard.client.errors import UnexpectedAnswer
from imgguard.client.models import Collection, Job, Reference, Registered, Removed, Work
from imgguard.client.session import Answer, path_of
from imgguard.client.uploads import Source


class ReferenceCalls(Calls):
    def register(
        self,
        source: Source,
        *,
        file: str | None = None,
        title: str | None = None,
        claims: Mapping[str, object] | None = None,
        patience: float = PATIENCE,
    ) -> Registered:
        """Register an original. The same bytes again are a ``duplicate``, which changes nothing.

        ``file`` is what it is called, by default as ``source``; ``title`` is its work's; ``claims`` what is stated of
        it (docs/claims.md). Waits up to ``patience`` seconds when the server is busy. Raises OSError, ProblemError,
        NotDone, ItemFailed.
        """
        answer = self._upload(
            path_of("references"), [("file", source, file)], {"title": title, "claims": _json(claims)}
        )
        return self._registered(answer, patience=patience)

    def register_url(
        self,
        url: str,
        *,
        title: str | None = None,
        claims: Mapping[str, object] | None = None,
        patience: float = PATIENCE,
    ) -> Registered:
        """As `register`, of what the server fetches from ``url``."""
        answer = self._session.post(path_of("references", "by-url"), {"url": url, "title": title, "claims": claims})
        return self._registered(answer, patience=patience)

    def register_many(self, sources: Iterable[Source], *, claims: Mapping[str, object] | None = None) -> Job:
        """Hand in many originals at once: `wait` for the job, then look at its `job_items`. All of them together
        have to be within the server's limit for one request. ``claims`` are of each of them. Raises OSError,
        TooLargeProblem."""
        answer = self._upload(
            path_of("references", "bulk"), [("files", source, None) for source in sources], {"claims": _json(claims)}
        )
        return answer.read(Job)

    def _registered(self, answer: Answer, *, patience: float) -> Registered:
        if answer.status != ACCEPTED:
            return answer.read(Registered)
        result = self._only_item(answer, patience=patience).result or {}
        reference = self.reference(_id(answer, result, "reference_id"))
        return answer.valid(Registered, {**result, "reference": reference})

    def references(self, *, status: str | None = None, work_id: str | None = None) -> Iterator[Reference]:
        """The organisation's originals, oldest first; ``status``: ``active``, ``withdrawn`` or ``erased``."""
        return self._list(Reference, path_of("references"), {"status": status, "work_id": work_id})

    def reference(self, reference_id: str) -> Reference:
        """Raises NotFoundProblem."""
        return self._session.get(path_of("references", reference_id)).read(Reference)

    def change_reference(self, reference: Reference | str, *, title: str) -> Reference:
        """Give its work another title. Given a Reference that was read, it is changed only if it still is like that.

        Raises NotFoundProblem, InvalidProblem, ConflictProblem.
        """
        path = path_of("references", reference if isinstance(reference, str) else reference.reference_id)
        return self._session.ask("PATCH", path, body={"title": title}, headers=_match(reference)).read(Reference)

    def withdraw(self, reference_id: str) -> Removed:
        """No longer matched from now on; its history stays. Raises NotFoundProblem, ConflictProblem."""
        return self._session.ask("DELETE", path_of("references", reference_id)).read(Removed)

    def erase(self, reference_id: str) -> Removed:
        """Destroy its bytes, descriptors and names. Raises NotFoundProblem, ConflictProblem."""
        path = path_of("references", reference_id)
        return self._session.ask("DELETE", path, params={"erase": "true"}).read(Removed)

    def original(self, reference_id: str) -> bytes:
        """The bytes as they were handed in. Raises NotFoundProblem, also once it is erased."""
        return self._session.ask("GET", path_of("references", reference_id, "original"), accept="*/*").body

    def picture(self, reference_id: str, *, side: int = 256) -> bytes:
        """A JPEG whose longest side has at most ``side`` pixels, 64 to 512. Raises NotFoundProblem, InvalidProblem."""
        path = path_of("references", reference_id, "picture")
        return self._session.ask("GET", path, params={"side": side}, accept="image/*").body

    # works and collections

    def works(self, *, collection_id: str | None = None) -> Iterator[Work]:
        """Oldest first; with ``collection_id`` only those in that collection."""
        return self._list(Work, path_of("works"), {"collection_id": collection_id})

    def work(self, work_id: str) -> Work:
        """Raises NotFoundProblem."""
        return self._session.get(path_of("works", work_id)).read(Work)

    def move(self, reference_id: str, work_id: str) -> Reference:
        """Make it a file of this work. Raises NotFoundProblem, ConflictProblem."""
        return self._session.ask("PUT", path_of("works", work_id, "references", reference_id)).read(Reference)

    def collections(self) -> Iterator[Collection]:
        """Oldest first."""
        return self._list(Collection, path_of("collections"))

    def collection(self, collection_id: str) -> Collection:
        """Raises NotFoundProblem."""
        return self._session.get(path_of("collections", collection_id)).read(Collection)

    def create_collection(self, name: str) -> Collection:
        """An empty one. Raises InvalidProblem."""
        return self._session.post(path_of("collections"), {"name": name}).read(Collection)

    def rename_collection(self, collection: Collection | str, name: str) -> Collection:
        """Given a Collection that was read, it is renamed only if it still is like that. Raises NotFoundProblem,
        ConflictProblem, InvalidProblem."""
        path = path_of("collections", collection if isinstance(collection, str) else collection.collection_id)
        return self._session.ask("PATCH", path, body={"name": name}, headers=_match(collection)).read(Collection)

    def delete_collection(self, collection_id: str) -> None:
        """The works in it stay. Raises NotFoundProblem."""
        self._session.ask("DELETE", path_of("collections", collection_id))

    def add_to_collection(self, collection_id: str, work_id: str) -> Collection:
        """Once more changes nothing. Raises NotFoundProblem."""
        return self._session.ask("PUT", path_of("collections", collection_id, "works", work_id)).read(Collection)

    def take_from_collection(self, collection_id: str, work_id: str) -> Collection:
        """Once more changes nothing. Raises NotFoundProblem."""
        return self._session.ask("DELETE", path_of("collections", collection_id, "works", work_id)).read(Collection)


def _json(claims: Mapping[str, object] | None) -> str | None:
    return None if claims is None else json.dumps(claims)


def _match(read: Reference | Collection | str) -> dict[str, str]:
    """The condition that it still is as it was read."""
    etag = None if isinstance(read, str) else read.etag
    return {} if etag is None else {"If-Match": etag}


def _id(answer: Answer, result: dict[str, Any], name: str) -> str:
    value = result.get(name)
    if not isinstance(value, str):
        raise UnexpectedAnswer(f"the result of the job has no {name}", status=answer.status)
    return value
