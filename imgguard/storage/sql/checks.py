"""Who had what checked: rows, and the CheckStore port."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, or_, select

from imgguard.errors import InvalidTransition, NotFound
from imgguard.fingerprint.fingerprint import DescriptorKind
from imgguard.ports import Asker, Capture, MadeCheck, NewCheck, Original, StoredFinding
from imgguard.registry.accounts import AuditEvent, Disclosure
from imgguard.registry.records import ReferenceStatus
from imgguard.storage.sql import audit, captures, job_rows, log, packets, references
from imgguard.storage.sql import queries as queries_rows
from imgguard.storage.sql.contents import STATEMENT_NUMBERS, is_searchable
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import (
    checks,
    contents,
    decisions,
    descriptors,
    findings,
    organisations,
    queries,
    refs,
    standings,
)

made: Select[Any] = (
    select(
        *findings.columns,
        checks.c.organisation_id,
        organisations.c.owner_id,
        checks.c.member_id,
        checks.c.key_id,
        checks.c.intended_use,
        checks.c.kept_until,
        queries.c.expires_at,
    )
    .outerjoin(checks, checks.c.finding_id == findings.c.finding_id)
    .outerjoin(organisations, organisations.c.organisation_id == checks.c.organisation_id)
    .outerjoin(queries, queries.c.query_sha256 == findings.c.query_sha256)
)

_hashes: Select[Any] = (
    select(contents.c.number, descriptors.c.data)
    .join(descriptors, descriptors.c.content_number == contents.c.number)
    .where(descriptors.c.kind == DescriptorKind.PDQ, is_searchable)
)


def add(connection: Connection, finding_id: str, check: NewCheck, *, kept_until: datetime) -> None:
    """Who asked for the finding, which is stored in the same transaction, where its picture was fetched, and the event
    that tells of it."""
    connection.execute(
        insert(checks).values(
            finding_id=finding_id,
            organisation_id=check.organisation_id,
            member_id=check.member_id,
            key_id=check.key_id,
            intended_use=check.intended_use,
            kept_until=kept_until,
        )
    )
    if check.standings:
        rows = [
            {"finding_id": finding_id, "reference_id": reference_id, "document": document}
            for reference_id, document in check.standings.items()
        ]
        connection.execute(insert(standings), rows)
    if check.capture is not None:
        captures.add(connection, finding_id, check.capture)
    audit.record(connection, check.event)


def of_rows(connection: Connection, rows: Sequence[Row[Any]]) -> list[MadeCheck]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for some in batched([row.finding_id for row in rows], STATEMENT_NUMBERS):
        for row in connection.execute(select(standings).where(standings.c.finding_id.in_(some))):
            found[row.finding_id][row.reference_id] = row.document
    fetched = captures.of(connection, [row.finding_id for row in rows])
    return [_record(row, found.get(row.finding_id, {}), fetched.get(row.finding_id)) for row in rows]


def _record(row: Row[Any], stood: Mapping[str, str], capture: Capture | None) -> MadeCheck:
    names = [column.name for column in findings.columns]
    asker = None
    if row.organisation_id is not None:
        asker = Asker(
            organisation_id=row.organisation_id,
            owner_id=row.owner_id,
            member_id=row.member_id,
            key_id=row.key_id,
            intended_use=row.intended_use,
        )
    finding = StoredFinding(**{name: row._mapping[name] for name in names})
    return MadeCheck(finding=finding, asker=asker, standings=stood, kept_until=_kept_until(row), capture=capture)


def _decided(connection: Connection, finding_ids: Collection[str]) -> set[str]:
    chosen = select(decisions.c.finding_id).where(decisions.c.finding_id.in_(finding_ids))
    return set(connection.execute(chosen.distinct()).scalars())


def _erase(connection: Connection, finding_id: str, *, at: datetime) -> None:
    query_sha256 = queries_rows.finding(connection, finding_id).query_sha256
    job_rows.forget_names(connection, [finding_id])
    log.close(connection, finding_id)
    captures.forget(connection, finding_id)
    packets.erase_about(connection, finding_id, at=at)
    for table in (standings, checks, findings):
        connection.execute(delete(table).where(table.c.finding_id == finding_id))
    if connection.execute(select(findings.c.finding_id).where(findings.c.query_sha256 == query_sha256)).first() is None:
        queries_rows.release_blob(connection, query_sha256, at=at)


def _kept_until(row: Row[Any]) -> datetime | None:
    """As long as it was to be kept for this asker, and not as long as it is for others who have asked since."""
    own: datetime | None = row.kept_until
    kept: datetime | None = row.expires_at
    return kept if kept is None or own is None else min(own, kept)


class SqlChecks:
    """See `imgguard.ports.CheckStore` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check(self, finding_id: str) -> MadeCheck:
        with self._database.read() as connection:
            rows = connection.execute(made.where(findings.c.finding_id == finding_id)).all()
            if not rows:
                raise NotFound(f"no finding {finding_id}", hint="Look at the checks you have made.")
            return of_rows(connection, rows)[0]

    def checks(
        self, *, organisation_id: str | None = None, after: str = "", limit: int = 1000, newest_first: bool = False
    ) -> Sequence[MadeCheck]:
        # The key of the table that is searched, so that its index gives the order.
        order = findings.c.finding_id if organisation_id is None else checks.c.finding_id
        statement = made.order_by(order.desc() if newest_first else order).limit(limit)
        if organisation_id is not None:
            statement = statement.where(checks.c.organisation_id == organisation_id)
        if after:
            statement = statement.where(order < after if newest_first else order > after)
        with self._database.read() as connection:
            return of_rows(connection, connection.execute(statement).all())

    def erase(self, finding_id: str, *, at: datetime, event: AuditEvent) -> None:
        with self._database.write() as connection:
            queries_rows.finding(connection, finding_id)
            if _decided(connection, [finding_id]):
                raise InvalidTransition(
                    f"somebody decided about a match of {finding_id}, and refers to it",
                    hint="It stays as long as that does.",
                )
            _erase(connection, finding_id, at=at)
            audit.record(connection, event)
        self._database.scrub()

    def erase_undecided(
        self, finding_ids: Sequence[str], *, at: datetime, event: Callable[[str], AuditEvent]
    ) -> Sequence[str]:
        with self._database.write() as connection:
            decided = _decided(connection, finding_ids)
            gone = [finding_id for finding_id in finding_ids if finding_id not in decided]
            for finding_id in gone:
                _erase(connection, finding_id, at=at)
                audit.record(connection, event(finding_id))
        self._database.scrub()
        return gone

    def named(self, finding_ids: Collection[str]) -> Sequence[MadeCheck]:
        found: list[MadeCheck] = []
        with self._database.read() as connection:
            for some in batched(sorted(set(finding_ids)), STATEMENT_NUMBERS):
                statement = made.where(findings.c.finding_id.in_(some)).order_by(findings.c.finding_id)
                found += of_rows(connection, connection.execute(statement).all())
        return found

    def originals(self, reference_ids: Collection[str]) -> Mapping[str, Original]:
        statement = references.reference_rows.add_columns(
            contents.c.width, contents.c.height, contents.c.credentials, organisations.c.disclosure
        ).outerjoin(organisations, organisations.c.owner_id == refs.c.owner_id)
        found: dict[str, Original] = {}
        with self._database.read() as connection:
            for some in batched(sorted(set(reference_ids)), STATEMENT_NUMBERS):
                for row in connection.execute(statement.where(refs.c.reference_id.in_(some))):
                    found[row.reference_id] = Original(
                        reference=references.record_of(row),
                        disclosure=Disclosure(row.disclosure or Disclosure.OUTLINE),
                        size=None if row.width is None else (row.width, row.height),
                        credentials=row.credentials,
                    )
        return found

    def perceptual_hashes(self, *, after: int = 0, limit: int = 10_000) -> Sequence[tuple[int, bytes]]:
        statement = _hashes.where(contents.c.number > after).order_by(contents.c.number).limit(limit)
        with self._database.read() as connection:
            return [(row.number, row.data) for row in connection.execute(statement)]

    def perceptual_hashes_of(self, numbers: Collection[int]) -> Sequence[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        with self._database.read() as connection:
            for some in batched(sorted(set(numbers)), STATEMENT_NUMBERS):
                rows = connection.execute(_hashes.where(contents.c.number.in_(some)).order_by(contents.c.number))
                found += [(row.number, row.data) for row in rows]
        return found

    def shown_references(
        self, numbers: Collection[int], *, owner_id: str, policies: Collection[Disclosure]
    ) -> Sequence[tuple[int, str]]:
        policy = func.coalesce(organisations.c.disclosure, Disclosure.OUTLINE)
        statement = (
            select(refs.c.content_number, refs.c.reference_id)
            .outerjoin(organisations, organisations.c.owner_id == refs.c.owner_id)
            .where(refs.c.status == ReferenceStatus.ACTIVE)
            .where(or_(refs.c.owner_id == owner_id, policy.in_(sorted(policies))))
        )
        found: list[tuple[int, str]] = []
        with self._database.read() as connection:
            for some in batched(sorted(set(numbers)), STATEMENT_NUMBERS):
                rows = connection.execute(statement.where(refs.c.content_number.in_(some)))
                found += [(row.content_number, row.reference_id) for row in rows]
        return found
