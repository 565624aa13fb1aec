"""Accounts in the database file: the way there from older stores, what cannot be rewritten, what erasing leaves."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import delete, insert, text, update
from sqlalchemy.sql.dml import UpdateBase

from imgguard.errors import StoreUnavailable
from imgguard.ports import NewCredential
from imgguard.registry.accounts import Action, AuditEvent, Disclosure, Member, Organisation, Role
from imgguard.registry.ids import new_id
from imgguard.storage.sql import audit, references
from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.engine import Database, prepare_file
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.schema import (
    audit_events,
    audit_parties,
    contents,
    counters,
    index_changes,
    members,
    organisations,
    owners,
    queries,
    refs,
    works,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def event(organisation_id: str) -> AuditEvent:
    return AuditEvent(
        event_id=new_id("evt"),
        at=NOW,
        actor="console",
        key_id=None,
        organisation_id=organisation_id,
        action=Action.ORGANISATION_CREATED,
        object_id=organisation_id,
        parties=frozenset({organisation_id}),
        detail={},
    )


def member(organisation_id: str, email: str, name: str) -> Member:
    return Member(
        member_id=new_id("mem"),
        organisation_id=organisation_id,
        email=email,
        name=name,
        roles=frozenset({Role.ADMIN}),
        has_password=False,
        created_at=NOW,
        disabled_at=None,
        erased_at=None,
    )


def found(database: Database, name: str = "Ann's") -> Organisation:
    organisation_id = new_id("org")
    return SqlAccounts(database).add_organisation(
        organisation_id,
        name,
        member(organisation_id, "ann@example.org", "Ann"),
        NewCredential(password_hash="$argon2id$x"),
        disclosure=Disclosure.OUTLINE,
        first=True,
        event=event(organisation_id),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "imgguard.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = open_database(path, busy_seconds=1)
    yield opened
    opened.close()


def make_store_of(path: Path, revision: str) -> None:
    """Empty."""
    prepare_file(path)
    database = open_at(path)
    config = Config()
    config.set_main_option("script_location", "imgguard.storage.sql:migrations")
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    database.close()


def open_at(path: Path) -> Database:
    """As it is: not migrated."""
    database = Database(path, busy_seconds=1)
    database.pragma("journal_mode=WAL")
    return database


def make_store_of_0001(path: Path) -> None:
    """With an owner, a reference, and a history of the index."""
    make_store_of(path, "0001")
    database = open_at(path)
    with database.write() as connection:
        there = {row.name for row in connection.execute(text("PRAGMA table_info(contents)"))}
        values: dict[str, object] = dict.fromkeys(there, "x")
        values |= {"number": 7, "sha256": "a" * 64, "byte_length": 1, "width": 1, "height": 1}
        connection.execute(insert(contents).values(values))
        connection.execute(insert(owners).values(owner_id="own_1", name="Ann's", created_at=NOW))
        connection.execute(insert(works).values(work_id="wrk_1", owner_id="own_1", created_at=NOW))
        connection.execute(
            insert(refs).values(
                reference_id="ref_1",
                owner_id="own_1",
                work_id="wrk_1",
                content_number=7,
                file="a.jpg",
                salt=b"salt",
                status="active",
                registered_at=NOW,
            )
        )
        connection.execute(insert(index_changes).values(number=7, sequence=1, present=1))
        connection.execute(update(counters).values(value=1))
    database.close()


_OLD_FINDING = """
    INSERT INTO findings (finding_id, file, query_sha256, document, created_at)
    VALUES (:id, 'q.jpg', 'checked', '{}', :at)
"""


class TestMigration:
    def test_a_store_of_0001_keeps_everything(self, path: Path) -> None:
        make_store_of_0001(path)
        database = open_database(path)
        try:
            catalogue = SqlCatalogue(database)
            (reference,) = catalogue.references()
            assert (reference.owner, reference.file) == ("Ann's", "a.jpg")
            assert [change.number for change in catalogue.index_changes(0)] == [7]
            assert catalogue.index_state().sequence == 1
            made = found(database)
            assert made.owner_id == reference.owner_id
            with database.read() as connection:
                counted = {row.name: row.value for row in connection.execute(counters.select())}
            # The reference that was there waits for its leaf.
            assert counted == {"index_changes": 1, "audit_events": 1, "log_leaves": 0, "log_backlog": 1}
        finally:
            database.close()

    def test_a_query_of_0008_is_kept_since_it_was_first_checked(self, path: Path) -> None:
        make_store_of(path, "0008")
        with open_at(path).write() as connection:
            for number, at in enumerate(("2026-03-02", "2026-03-01", "2026-03-03")):
                values = {"id": f"fnd_{number}", "at": f"{at} 12:00:00.000000"}
                connection.execute(text(_OLD_FINDING), values)
            for query in ("checked", "unknown"):
                values = {"query": query, "at": "2026-06-01 12:00:00.000000"}
                connection.execute(text("INSERT INTO queries (query_sha256, expires_at) VALUES (:query, :at)"), values)
        with open_database(path).read() as connection:
            kept = {row.query_sha256: row.kept_since for row in connection.execute(queries.select())}
        assert kept == {
            "checked": datetime(2026, 3, 1, 12, tzinfo=UTC),
            "unknown": datetime(2026, 6, 1, 12, tzinfo=UTC),  # an erasure takes it along
        }

    def test_a_failed_migration_leaves_the_old_store(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from alembic import op

        make_store_of_0001(path)
        real = op.create_table

        def fails(name: str, *rest: object, **options: object) -> object:
            if name == "audit_events":
                raise StoreUnavailable("no space")
            return real(name, *rest, **options)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(op, "create_table", fails)
            with pytest.raises(StoreUnavailable, match="no space"):
                open_database(path)
        with open_database(path).read() as connection:
            assert connection.execute(refs.select()).one().file == "a.jpg"


class TestRules:
    @pytest.mark.parametrize(
        "statement",
        [
            update(audit_events).values(actor="nobody"),
            delete(audit_events),
            update(audit_parties).values(sequence=9),
            delete(audit_parties),
        ],
        ids=str,
    )
    def test_the_trail_can_only_grow(self, database: Database, statement: UpdateBase) -> None:
        found(database)
        before = list(SqlAuditTrail(database).events())
        with pytest.raises(StoreUnavailable, match="can only grow"), database.write() as connection:
            connection.execute(statement)
        assert list(SqlAuditTrail(database).events()) == before

    def test_there_is_one_operator(self, database: Database) -> None:
        made = found(database)
        with database.write() as connection:
            owner = references.ensure_owner(connection, "Bob's", NOW)
        values = {"organisation_id": "org_2", "owner_id": owner.owner_id, "disclosure": "full", "created_at": NOW}
        with pytest.raises(StoreUnavailable, match="UNIQUE"), database.write() as connection:
            connection.execute(insert(organisations).values(is_operator=True, **values))
        assert list(SqlAccounts(database).organisations()) == [made]

    def test_a_tombstone_holds_no_name(self, database: Database) -> None:
        found(database)
        with pytest.raises(StoreUnavailable, match="tombstone"), database.write() as connection:
            connection.execute(update(members).values(erased_at=NOW))

    def test_a_member_begins_with_an_address(self, database: Database) -> None:
        made = found(database)
        nameless = member(made.organisation_id, "x@example.org", "X")
        object.__setattr__(nameless, "email", None)
        with pytest.raises(ValueError, match="address"):
            SqlAccounts(database).add_member(nameless, NewCredential(), event=event(made.organisation_id))


def test_a_page_longer_than_a_statement_names_all_parties(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    made, trail = found(database), SqlAuditTrail(database)
    for _ in range(6):
        trail.record(event(made.organisation_id))
    monkeypatch.setattr(audit, "STATEMENT_NUMBERS", 2)
    page = trail.events()
    assert len(page) == 7
    assert {one.parties for one in page} == {frozenset({made.organisation_id})}


def test_an_erased_member_is_in_no_file_of_the_database(path: Path, database: Database) -> None:
    made = found(database)
    accounts = SqlAccounts(database)
    gone = member(made.organisation_id, "Rosalind.Ravenna@example.org", "Rosalind of Ravenna")
    accounts.add_member(gone, NewCredential(password_hash="$argon2id$ravenna"), event=event(made.organisation_id))
    traces = [b"Rosalind", b"rosalind", b"avenna", b"$argon2id$ravenna"]
    assert all(_anywhere(path.parent, trace) for trace in traces)
    accounts.erase_member(gone.member_id, at=NOW, forget=[], event=event(made.organisation_id))
    assert [trace for trace in traces if _anywhere(path.parent, trace)] == []
    with database.read() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


def _anywhere(folder: Path, trace: bytes) -> bool:
    return any(trace in file.read_bytes() for file in folder.iterdir())
