"""Licences: who may use whose works, with the documents that prove it. docs/licences.md tells it to people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from imgguard.errors import InputError, InvalidTransition, NotFound
from imgguard.ports import BlobStore, Clock
from imgguard.ports.rights import Rights
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Action, Scope
from imgguard.registry.ids import new_id
from imgguard.registry.licences import Licence, LicenceDocument
from imgguard.services import tokens
from imgguard.services.account_objects import iso
from imgguard.services.invitations import checked_name
from imgguard.services.licence_events import ending, outline, told
from imgguard.services.rights_inputs import (
    checked_keywords,
    checked_limit,
    checked_note,
    checked_territories,
    checked_time,
    document_type,
)

MOST_WORKS = 10_000
MOST_DOCUMENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """``link_token`` is for everyone who is to have the licence; it is shown this once, and None without a link."""

    licence: Licence
    link_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """``work_ids`` None: all works, later ones too. Limits that are empty are none. ``starts_at`` None: now.
    ``ends_at`` None: without end."""

    work_ids: Iterable[str] | None = None
    uses: Iterable[str] = ()
    platforms: Iterable[str] = ()
    territories: Iterable[str] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    note: str = ""


class Licences:
    """Thread safe.

    ``reminder``: how long before an end both sides are told of it; none of them if it is zero.

    Every method for people raises PermissionDenied when the actor lacks the scope, and NotFound for a licence that its
    organisation neither gave nor holds; changes also for one that it did not give.
    """

    def __init__(
        self, *, rights: Rights, blobs: BlobStore, clock: Clock, reminder: timedelta = timedelta(days=14)
    ) -> None:
        self._rights = rights
        self._blobs = blobs
        self._clock = clock
        self._reminder = reminder

    # giving

    def grant(
        self,
        actor: Actor,
        terms: Terms,
        *,
        licensee_id: str | None = None,
        shop: str | None = None,
        by_link: bool = False,
    ) -> Granted:
        """To exactly one of the organisation ``licensee_id``, the ``shop`` of that name, everyone ``by_link``.

        For a shop it is on paper only until `confirm_shop` says whose shop that is. Raises InputError, and NotFound
        for an organisation that is not there and for works that are not the actor's.
        """
        actor.require(Scope.LICENCES_WRITE)
        if [licensee_id is not None, shop is not None, by_link].count(True) != 1:
            raise InputError(
                "a licence goes to an organisation, to a named shop or to everyone with a link",
                hint="Give exactly one of the three.",
            )
        if licensee_id == actor.organisation_id:
            raise InputError("nobody needs a licence for the own works", hint="Name another organisation.")
        now = self._clock.now()
        licence = replace(
            _drafted(actor, terms, at=now),
            licensee_id=licensee_id,
            shop=None if shop is None else checked_name(shop, whose="a shop"),
            by_link=by_link,
        )
        token = tokens.new_token() if by_link else None
        granted = self._rights.grant(
            licence,
            link_sha256=None if token is None else tokens.digest(token),
            events=told(actor, Action.LICENCE_GRANTED, at=now, detail=outline(licence)),
        )
        return Granted(licence=granted, link_token=token)

    def revoke(self, actor: Actor, licence_id: str) -> Licence:
        """Nobody may use it from now on; its history stays. Once more changes nothing."""
        self._given(actor, licence_id)
        now = self._clock.now()
        return self._rights.revoke_licence(licence_id, at=now, events=told(actor, Action.LICENCE_REVOKED, at=now))

    def extend(self, actor: Actor, licence_id: str, ends_at: datetime | None) -> Licence:
        """Until ``ends_at``; None: without end. Raises InputError when that is earlier, InvalidTransition when it was
        revoked."""
        self._given(actor, licence_id)
        ends_at = checked_time(ends_at, what="the end")
        at = self._clock.now()
        events = told(actor, Action.LICENCE_EXTENDED, at=at, detail={"ends_at": iso(ends_at)})
        return self._rights.extend_licence(licence_id, ends_at, at=at, events=events)

    def confirm_shop(self, actor: Actor, licence_id: str, organisation_id: str) -> Licence:
        """The licensor says which organisation runs the named shop: that one holds the licence from now on.

        Raises NotFound for an organisation that is not there, InvalidTransition when it is not for a shop, another
        organisation was confirmed, it was revoked, or it has ended.
        """
        licence = self._given(actor, licence_id)
        if licence.shop is None:
            raise InvalidTransition(f"{licence_id} is not for a named shop", hint="Only those need to be confirmed.")
        return self._take_up(actor, licence_id, organisation_id, Action.LICENCE_SHOP_CONFIRMED)

    # taking

    def accept_link(self, actor: Actor, token: str) -> Licence:
        """The actor's organisation holds the licence from now on; once more changes nothing.

        Raises NotFound when no licence has this link, InvalidTransition when it is the actor's own, was revoked, or has
        ended.
        """
        actor.require(Scope.LICENCES_READ)
        actor.require(Scope.CHECKS_WRITE)  # so that neither onlookers nor keys that only read bind their organisation
        licence = self._rights.licence_with_link(tokens.digest(token.strip()))
        if licence is None:
            raise NotFound("no licence has this link", hint="Ask whoever gave it to you for the whole link.")
        accepted = self._take_up(actor, licence.licence_id, actor.organisation_id, Action.LICENCE_ACCEPTED)
        return _shown(actor, accepted)

    def _take_up(self, actor: Actor, licence_id: str, organisation_id: str, action: Action) -> Licence:
        now = self._clock.now()
        detail = {"organisation_id": organisation_id}
        events = told(actor, action, at=now, detail=detail, among=[organisation_id])
        return self._rights.take_up_licence(licence_id, organisation_id, at=now, events=events)

    # reading

    def licence(self, actor: Actor, licence_id: str) -> Licence:
        """One that the actor's organisation gave or holds. Who else holds it is shown to the licensor only."""
        actor.require(Scope.LICENCES_READ)
        licence = self._rights.licence(licence_id)
        if actor.organisation_id not in licence.holder_ids | {licence.organisation_id}:
            raise _missing(licence_id)
        return _shown(actor, licence)

    def given(self, actor: Actor, *, after: str = "", limit: int = 100) -> Sequence[Licence]:
        """Those of the actor's organisation, oldest first, behind the licence ``after``. Raises InputError."""
        actor.require(Scope.LICENCES_READ)
        return self._rights.licences_given(actor.organisation_id, after=after, limit=checked_limit(limit))

    def received(self, actor: Actor, *, after: str = "", limit: int = 100) -> Sequence[Licence]:
        """Those that the actor's organisation holds; ended and revoked ones too. As `given`."""
        actor.require(Scope.LICENCES_READ)
        page = self._rights.licences_received(actor.organisation_id, after=after, limit=checked_limit(limit))
        return [_shown(actor, licence) for licence in page]

    def _given(self, actor: Actor, licence_id: str) -> Licence:
        actor.require(Scope.LICENCES_WRITE)
        licence = self._rights.licence(licence_id)
        if licence.organisation_id != actor.organisation_id:
            raise _missing(licence_id)
        return licence

    # the chain of authorisation

    def add_document(self, actor: Actor, licence_id: str, data: bytes, *, title: str) -> LicenceDocument:
        """At the end of the chain: a PDF, a picture or plain text, by its content; kept as it is, and never taken out.

        Raises InputError, UnsupportedFormat, and InvalidTransition when it was revoked or has 50 documents.
        """
        self._given(actor, licence_id)
        now, media_type = self._clock.now(), document_type(data)
        document = LicenceDocument(
            document_id=new_id("doc"),
            licence_id=licence_id,
            position=0,
            title=checked_name(title, whose="a document"),
            media_type=media_type,
            sha256=self._blobs.put(data),
            byte_length=len(data),
            added_at=now,
        )
        detail = {"document_id": document.document_id, "sha256": document.sha256}
        events = told(actor, Action.LICENCE_DOCUMENT_ADDED, at=now, detail=detail)
        return self._rights.add_document(
            document, most=MOST_DOCUMENTS, events=events, store_blob=lambda: self._blobs.put(data)
        )

    def documents(self, actor: Actor, licence_id: str) -> Sequence[LicenceDocument]:
        """The chain of a licence that the actor's organisation gave or holds, in order."""
        self.licence(actor, licence_id)
        return self._rights.documents(licence_id)

    def document(self, actor: Actor, licence_id: str, document_id: str) -> tuple[bytes, str]:
        """The bytes of one of them, and their media type. Raises NotFound, DigestMismatch."""
        for document in self.documents(actor, licence_id):
            if document.document_id == document_id:
                return self._blobs.get(document.sha256), document.media_type
        raise NotFound(f"no document {document_id}", hint="Look at the documents of the licence.")

    # reminders

    def ends_soon(self, licence: Licence, *, at: datetime) -> bool:
        """Whether it is time to extend it, or to do without: it is in force, or will be, and ends within the time that
        reminders come before an end."""
        is_over = licence.state(at) in ("ended", "revoked")
        return not is_over and licence.ends_at is not None and licence.ends_at <= at + self._reminder

    def remind(self) -> int:
        """Tell both sides of licences that end soon, once for each end; how many there were. Asked by the service
        itself, for no actor."""
        reminded = 0
        while found := self._remind_some():
            reminded += len(found)
        return reminded

    def _remind_some(self) -> Sequence[Licence]:
        now = self._clock.now()
        if not self._reminder:
            return []
        return self._rights.remind(at=now, until=now + self._reminder, events=partial(ending, at=now))


def _missing(licence_id: str) -> NotFound:
    return NotFound(f"no licence {licence_id}", hint="Look at the licences you gave and received.")


def _shown(actor: Actor, licence: Licence) -> Licence:
    """Without the others who took it up, unless the actor's organisation gave it."""
    if licence.organisation_id == actor.organisation_id:
        return licence
    own = tuple(holder for holder in licence.holders if holder.organisation_id == actor.organisation_id)
    return replace(licence, holders=own)


def _drafted(actor: Actor, terms: Terms, *, at: datetime) -> Licence:
    """Not stored yet, and for nobody. Raises InputError."""
    work_ids = None if terms.work_ids is None else frozenset(terms.work_ids)
    if work_ids is not None and not 1 <= len(work_ids) <= MOST_WORKS:
        raise InputError(f"a licence names 1 to {MOST_WORKS} works, or all", hint="Leave the works out to mean all.")
    starts_at = checked_time(terms.starts_at, what="the start") or at
    ends_at = checked_time(terms.ends_at, what="the end")
    if ends_at is not None and ends_at <= starts_at:
        raise InputError("the licence would end before it starts", hint="Give a later end.")
    return Licence(
        licence_id=new_id("lic"),
        organisation_id=actor.organisation_id,
        licensor=actor.owner,
        licensee_id=None,
        licensee=None,
        shop=None,
        by_link=False,
        work_ids=work_ids,
        uses=checked_keywords(terms.uses, what="uses"),
        platforms=checked_keywords(terms.platforms, what="platforms"),
        territories=checked_territories(terms.territories),
        starts_at=starts_at,
        ends_at=ends_at,
        note=checked_note(terms.note),
        created_at=at,
        revoked_at=None,
        reminded_at=None,
        revision=1,
    )
