"""Licences and decisions."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from imgguard.client.calls import Calls
from imgguard.client.people import Decision, Granted, Licence, LicenceDocument
from imgguard.client.session import path_of
from imgguard.client.uploads import Source


class RightsCalls(Calls):
    def grant(
        self,
        *,
        licensee_id: str | None = None,
        shop: str | None = None,
        by_link: bool = False,
        work_ids: Iterable[str] | None = None,
        uses: Iterable[str] = (),
        platforms: Iterable[str] = (),
        territories: Iterable[str] = (),
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        note: str | None = None,
    ) -> Granted:
        """License works (None: all) to exactly one of an organisation, a named shop, or everyone who is given the
        link. Empty limits are none; ``starts_at`` None is now, ``ends_at`` None never. Raises InvalidProblem,
        NotFoundProblem."""
        body = {
            "licensee_id": licensee_id,
            "shop": shop,
            "by_link": by_link or None,
            "work_ids": None if work_ids is None else list(work_ids),
            "uses": list(uses),
            "platforms": list(platforms),
            "territories": list(territories),
            "starts_at": _iso(starts_at),
            "ends_at": _iso(ends_at),
            "note": note,
        }
        return self._session.post(path_of("licences"), body).read(Granted)

    def licences(
        self, *, direction: str | None = None, ends_before: datetime | None = None, ends_soon: bool = False
    ) -> Iterator[Licence]:
        """Those that the organisation gave (``direction`` ``given``), holds (``received``), or both; oldest first,
        ended and revoked ones too. ``ends_before``: only those in force that will end by then; ``ends_soon``: so soon
        that both sides are reminded."""
        params = {"direction": direction, "ends_before": _iso(ends_before), "ends_soon": "true" if ends_soon else None}
        return self._list(Licence, path_of("licences"), params)

    def licence(self, licence_id: str) -> Licence:
        """One that the organisation gave or holds. Raises NotFoundProblem."""
        return self._session.get(path_of("licences", licence_id)).read(Licence)

    def revoke_licence(self, licence: Licence | str) -> Licence:
        """Nobody may use it from now on; its history stays. Raises NotFoundProblem.

        Given a Licence that `licence` read, this and the next two change it only if it still is like that, else they
        raise ConflictProblem.
        """
        return self._changed(licence, "revoke", None)

    def extend_licence(self, licence: Licence | str, *, ends_at: datetime | None) -> Licence:
        """Until ``ends_at``; None: without end. Raises NotFoundProblem, InvalidProblem when that is earlier,
        ConflictProblem when it was revoked."""
        return self._changed(licence, "extend", {"ends_at": _iso(ends_at)})

    def confirm_shop(self, licence: Licence | str, *, organisation_id: str) -> Licence:
        """Say which organisation runs the shop that the licence names: it holds the licence from now on.

        Raises NotFoundProblem, ConflictProblem.
        """
        return self._changed(licence, "shop", {"organisation_id": organisation_id})

    def _changed(self, licence: Licence | str, change: str, body: dict[str, object] | None) -> Licence:
        path = path_of("licences", licence if isinstance(licence, str) else licence.licence_id, change)
        etag = None if isinstance(licence, str) else licence.etag
        headers = {} if etag is None else {"If-Match": etag}
        return self._session.ask("POST", path, body=body, headers=headers).read(Licence)

    def accept_licence(self, token: str) -> Licence:
        """Take up a licence by its link; once more changes nothing. Raises NotFoundProblem."""
        return self._session.post(path_of("licences", "accept"), {"token": token}).read(Licence)

    def add_document(
        self, licence_id: str, source: Source, *, title: str | None = None, file: str | None = None
    ) -> LicenceDocument:
        """At the end of the chain of authorisation: a PDF, a picture or plain text. ``title``: by default the file's
        name. Raises OSError, NotFoundProblem, InvalidProblem, TooLargeProblem."""
        path = path_of("licences", licence_id, "documents")
        return self._upload(path, [("file", source, file)], {"title": title}).read(LicenceDocument)

    def document(self, licence_id: str, document_id: str) -> bytes:
        """Its bytes, as they were added. Raises NotFoundProblem."""
        return self._session.ask("GET", path_of("licences", licence_id, "documents", document_id), accept="*/*").body

    # decisions

    def decide(self, finding_id: str, reference_id: str, kind: str, *, note: str | None = None) -> Decision:
        """About the match of a finding with a reference: ``not_a_copy`` or ``confirmed_copy``. Raises NotFoundProblem,
        InvalidProblem, ConflictProblem."""
        body = {"finding_id": finding_id, "reference_id": reference_id, "kind": kind, "note": note}
        return self._session.post(path_of("decisions"), body).read(Decision)

    def decisions(self) -> Iterator[Decision]:
        """About the organisation's references, whoever made them, oldest first; retracted ones too."""
        return self._list(Decision, path_of("decisions"))

    def retract(self, decision_id: str) -> Decision:
        """It no longer counts, and stays in the history. Raises NotFoundProblem, AccessProblem."""
        return self._session.ask("DELETE", path_of("decisions", decision_id)).read(Decision)


def _iso(at: datetime | None) -> str | None:
    """Raises ValueError for a time without a zone: nobody could say when it is."""
    if at is not None and at.utcoffset() is None:
        raise ValueError("the time has no zone")
    return None if at is None else at.isoformat()
