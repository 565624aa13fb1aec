"""The Rights port on a database: one method, one transaction, its events in it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from imgguard.ports.rights import Events
from imgguard.registry.accounts import AuditEvent
from imgguard.registry.decisions import Decision
from imgguard.registry.licences import Licence, LicenceDocument
from imgguard.storage.sql import audit, decisions, licences, log_events, queries
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import licences as licence_table


def _tell(connection: Connection, licence: Licence, events: Events) -> None:
    for event in events(licence):
        audit.record(connection, event)


class SqlRights:
    """See `imgguard.ports.Rights` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # licences

    def grant(self, licence: Licence, *, link_sha256: str | None, events: Events) -> Licence:
        with self._database.write() as connection:
            granted = licences.add(connection, licence, link_sha256=link_sha256)
            log_events.licence(connection, granted, "granted", at=granted.created_at)
            _tell(connection, granted, events)
            return granted

    def licence(self, licence_id: str) -> Licence:
        with self._database.read() as connection:
            return licences.get(connection, licence_id)

    def licence_with_link(self, link_sha256: str) -> Licence | None:
        with self._database.read() as connection:
            return licences.find(connection, licence_table.c.link_sha256 == link_sha256)

    def licences_given(self, organisation_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Licence]:
        mine = licence_table.c.organisation_id == organisation_id
        with self._database.read() as connection:
            return licences.page(connection, mine, after=after, limit=limit)

    def licences_received(self, organisation_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Licence]:
        with self._database.read() as connection:
            return licences.page(connection, licences.held_by(organisation_id), after=after, limit=limit)

    def licences_held(
        self, organisation_id: str, *, owner_ids: Collection[str], work_ids: Collection[str]
    ) -> Mapping[str, Sequence[Licence]]:
        with self._database.read() as connection:
            return licences.held(connection, organisation_id, owner_ids=owner_ids, work_ids=work_ids)

    def revoke_licence(self, licence_id: str, *, at: datetime, events: Events) -> Licence:
        with self._database.write() as connection:
            after, is_change = licences.revoke(connection, licence_id, at=at)
            if is_change:
                log_events.licence(connection, after, "revoked", at=at)
                _tell(connection, after, events)
            return after

    def extend_licence(self, licence_id: str, ends_at: datetime | None, *, at: datetime, events: Events) -> Licence:
        with self._database.write() as connection:
            after, is_change = licences.extend(connection, licence_id, ends_at)
            if is_change:
                log_events.licence(connection, after, "extended", at=at)
                _tell(connection, after, events)
            return after

    def take_up_licence(self, licence_id: str, organisation_id: str, *, at: datetime, events: Events) -> Licence:
        with self._database.write() as connection:
            after, is_change = licences.take_up(connection, licence_id, organisation_id, at=at)
            if is_change:
                _tell(connection, after, events)
            return after

    def remind(self, *, at: datetime, until: datetime, events: Events, limit: int = 100) -> Sequence[Licence]:
        with self._database.read() as connection:
            if not licences.ending(connection, after=at, until=until, limit=1):
                return []
        with self._database.write() as connection:
            found = licences.ending(connection, after=at, until=until, limit=limit)
            reminded = [licences.mark_reminded(connection, licence, at=at) for licence in found]
            for licence in reminded:
                _tell(connection, licence, events)
            return reminded

    # the chain of authorisation

    def add_document(
        self, document: LicenceDocument, *, most: int, events: Events, store_blob: Callable[[], object] | None = None
    ) -> LicenceDocument:
        with self._database.write() as connection:
            placed, licence = licences.add_document(connection, document, most=most)
            queries.cancel_deletion(connection, document.sha256)
            if store_blob is not None:
                store_blob()
            _tell(connection, licence, events)
            return placed

    def documents(self, licence_id: str) -> Sequence[LicenceDocument]:
        with self._database.read() as connection:
            return licences.documents(connection, licence_id)

    # decisions

    def decide(self, decision: Decision, *, event: AuditEvent) -> None:
        with self._database.write() as connection:
            decisions.add(connection, decision)
            audit.record(connection, event)

    def decision(self, decision_id: str) -> Decision:
        with self._database.read() as connection:
            return decisions.get(connection, decision_id)

    def decisions(self, *, owner_id: str | None = None, after: str = "", limit: int = 1000) -> Sequence[Decision]:
        with self._database.read() as connection:
            return decisions.page(connection, decisions.about_owner(owner_id), after=after, limit=limit)

    def retract_decision(self, decision_id: str, *, at: datetime, event: AuditEvent) -> Decision:
        with self._database.write() as connection:
            after, is_change = decisions.retract(connection, decision_id, at=at)
            if is_change:
                audit.record(connection, event)
            return after

    def decisions_about(
        self, reference_ids: Collection[str], *, query_sha256: str, query_pixel_digest: str
    ) -> Mapping[str, Sequence[Decision]]:
        with self._database.read() as connection:
            return decisions.about(
                connection, reference_ids, query_sha256=query_sha256, query_pixel_digest=query_pixel_digest
            )
