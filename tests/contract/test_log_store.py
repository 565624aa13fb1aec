"""Every change that the log is to have is a leaf, in the transaction of the change."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import delete, insert, text, update

from imgguard.errors import DuplicateReference, NotFound, StoreUnavailable
from imgguard.provenance.leaves import Opening, open_leaf, parse_leaf
from imgguard.provenance.merkle import leaf_hash
from imgguard.provenance.records import Kind, Record, event_record
from imgguard.registry.records import Reference
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.engine import Database, prepare_file
from imgguard.storage.sql.log_store import SqlLog
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.schema import counters, log_leaves, log_openings

from . import stores
from .stores import LATER, NOON

RED, BLUE = b"red shirt", b"blue shirt"

_OLD_CONTENT = "INSERT INTO contents VALUES (1, :digest, 5, :digest, 'image/png', 4, 3, 'pillow', '13', '[]')"
_OLD_REFERENCE = (
    "INSERT INTO refs (reference_id, owner_id, work_id, content_number, file, salt, status, registered_at)"
    " VALUES ('ref_1', 'own_1', 'wrk_1', 1, 'a.jpg', :salt, 'active', :at)"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "home" / "imgguard.db")
    yield opened
    opened.close()


@pytest.fixture
def catalogue(database: Database) -> SqlCatalogue:
    return SqlCatalogue(database)


@pytest.fixture
def log(database: Database) -> SqlLog:
    return SqlLog(database)


def register(catalogue: SqlCatalogue, data: bytes, *, owner: str = "ann") -> Reference:
    return catalogue.add_reference(owner, stores.content(data), stores.descriptors(data), file="a.jpg", at=NOON)


def opened(log: SqlLog, position: int) -> tuple[Opening, Record]:
    leaf, opening = log.openings(position, limit=1)[0]
    assert opening is not None
    return opening, open_leaf(leaf.leaf, opening)


class TestRegistering:
    def test_the_leaf_opens_to_what_was_handed_in(self, catalogue: SqlCatalogue, log: SqlLog) -> None:
        made = register(catalogue, RED)
        leaf = log.leaf_about(made.reference_id)
        assert (leaf.position, leaf.kind, leaf.owner_id, leaf.logged_at) == (
            0,
            Kind.REGISTRATION,
            made.owner_id,
            NOON,
        )
        assert leaf.leaf_hash == leaf_hash(leaf.leaf)
        assert parse_leaf(leaf.leaf).received_at == "2026-03-01T12:00:00Z"
        opening, record = opened(log, 0)
        content = stores.content(RED)
        assert record.body["reference_id"] == made.reference_id
        assert record.body["file"] == {"sha256": content.sha256, "bytes": len(RED), "format": "image/png"}
        assert record.body["pixels"]["sha256"] == content.pixel_digest
        assert record.body["metadata"] == {"file_name": "a.jpg", "declared_times": []}
        assert opening.claimant is not None
        assert record.body["claimant"] == {"name": "ann", "public_key": opening.claimant.public_key.hex()}

    def test_an_owner_keeps_the_key_and_another_has_another(self, catalogue: SqlCatalogue, log: SqlLog) -> None:
        for data, owner in ((RED, "ann"), (BLUE, "ann"), (RED, "bob")):
            register(catalogue, data, owner=owner)
        first, second, third = (opened(log, position)[1].claimant_key for position in range(3))
        assert first == second
        assert first != third

    def test_what_is_not_registered_is_not_logged(self, catalogue: SqlCatalogue, log: SqlLog) -> None:
        register(catalogue, RED)
        with pytest.raises(DuplicateReference):
            register(catalogue, RED)

        def fail() -> None:
            raise OSError("the disk is full")

        with pytest.raises(OSError, match="full"):
            catalogue.add_reference("bob", stores.content(BLUE), [], file="b", at=NOON, store_blob=fail)
        assert log.size() == 1
        register(catalogue, BLUE)
        assert [leaf.position for leaf in log.leaves(0, limit=10)] == [0, 1]


class TestEnding:
    def test_a_withdrawal_is_signed_by_the_owner(self, catalogue: SqlCatalogue, log: SqlLog) -> None:
        made = register(catalogue, RED)
        catalogue.withdraw(made.reference_id, at=LATER)
        opening, record = opened(log, 1)
        assert record.kind is Kind.WITHDRAWAL
        assert record.body == {
            "subject": made.reference_id,
            "occurred_at": "2026-03-02T12:00:00Z",
            "facts": {"event": "withdrawn"},
        }
        assert opening.claimant is not None
        assert opening.claimant.public_key == opened(log, 0)[1].claimant_key

    def test_erasing_destroys_every_opening_and_leaves_every_leaf(
        self, catalogue: SqlCatalogue, log: SqlLog, database: Database
    ) -> None:
        made, kept = register(catalogue, RED), register(catalogue, BLUE)
        before = log.leaves(0, limit=10)
        catalogue.withdraw(made.reference_id, at=LATER)
        salt = opened(log, 0)[0].salt
        catalogue.erase(made.reference_id, at=LATER)
        assert log.leaves(0, limit=2) == before
        assert [opening is None for _, opening in log.openings(0, limit=10)] == [True, False, True, False]
        opening, record = opened(log, 3)
        assert (record.body["subject"], record.body["facts"]) == (made.reference_id, {"event": "erased"})
        assert opening.claimant is None
        assert opened(log, 1)[1].body["reference_id"] == kept.reference_id
        assert salt not in database.path.read_bytes()

    def test_the_keys_of_an_owner_go_with_the_name(self, catalogue: SqlCatalogue, log: SqlLog) -> None:
        made = register(catalogue, RED)
        key = opened(log, 0)[1].claimant_key
        catalogue.erase(made.reference_id, at=LATER)
        with catalogue._database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM claimant_keys")).scalar_one() == 0
        register(catalogue, BLUE)
        assert opened(log, 2)[1].claimant_key != key


class TestWhatIsLogged:
    def test_it_cannot_be_changed_even_by_us(self, catalogue: SqlCatalogue, database: Database) -> None:
        register(catalogue, RED)
        with database.write() as connection:
            connection.execute(delete(log_openings))
        for statement in (update(log_leaves).values(leaf=b""), delete(log_leaves)):
            with pytest.raises(StoreUnavailable, match="cannot be changed"), database.write() as connection:
                connection.execute(statement)

    def test_the_latest_leaf_of_a_kind_is_found(self, catalogue: SqlCatalogue, log: SqlLog) -> None:
        made = register(catalogue, RED)
        catalogue.withdraw(made.reference_id, at=LATER)
        catalogue.erase(made.reference_id, at=LATER)
        assert log.leaf_about(made.reference_id).kind is Kind.REGISTRATION
        assert log.leaf_about(made.reference_id, Kind.WITHDRAWAL).position == 2
        assert log.counts() == {"registration": 1, "withdrawal": 2}
        with pytest.raises(NotFound):
            log.leaf_about(made.reference_id, Kind.DECISION)
        with pytest.raises(NotFound):
            log.leaf_about("ref_other")


class TestStoresFromBefore:
    def forget_leaves(self, database: Database) -> None:
        """As the migration finds a store of the release before."""
        with database.write() as connection:
            connection.execute(text("DROP TRIGGER log_leaves_no_delete"))
            connection.execute(delete(log_openings))
            connection.execute(delete(log_leaves))
            connection.execute(update(counters).where(counters.c.name == "log_leaves").values(value=0))
            connection.execute(update(counters).where(counters.c.name == "log_backlog").values(value=1))

    def test_their_active_references_get_leaves_of_today(
        self, catalogue: SqlCatalogue, database: Database, log: SqlLog
    ) -> None:
        first, gone = register(catalogue, RED), register(catalogue, BLUE)
        catalogue.erase(gone.reference_id, at=NOON)
        self.forget_leaves(database)
        new = register(catalogue, b"since")
        assert list(log.without_leaf()) == [first.reference_id]
        assert log.log_earlier(at=LATER) == 1
        assert [one.object_id for one in log.leaves(0, limit=9)] == [new.reference_id, first.reference_id]
        assert parse_leaf(log.leaf_about(first.reference_id).leaf).received_at == "2026-03-02T12:00:00Z"
        assert log.log_earlier(at=LATER) == 0
        assert list(log.without_leaf()) == []

    def test_the_migration_sees_whether_there_are_any(self, tmp_path: Path) -> None:
        config = Config()
        config.set_main_option("script_location", "imgguard.storage.sql:migrations")
        for name, is_any in (("empty", False), ("used", True)):
            path = tmp_path / name / "imgguard.db"
            prepare_file(path)
            database = Database(path, busy_seconds=1)
            with database.write() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "0004")
                if is_any:
                    at = {"at": "2025-01-01 00:00:00.000000"}
                    connection.execute(text("INSERT INTO owners VALUES ('own_1', 'ann', :at)"), at)
                    connection.execute(text("INSERT INTO works VALUES ('wrk_1', 'own_1', 'a', :at)"), at)
                    connection.execute(text(_OLD_CONTENT), {"digest": "d" * 64})
                    connection.execute(text(_OLD_REFERENCE), {**at, "salt": bytes(32)})
            database.close()
            migrated = open_database(path)
            assert SqlLog(migrated).log_earlier(at=LATER) == int(is_any)
            assert SqlLog(migrated).size() == int(is_any)
            migrated.close()

    def test_one_that_cannot_be_logged_does_not_hold_up_the_others(
        self, catalogue: SqlCatalogue, database: Database, log: SqlLog, caplog: pytest.LogCaptureFixture
    ) -> None:
        broken, whole = register(catalogue, RED), register(catalogue, BLUE)
        self.forget_leaves(database)
        with database.write() as connection:
            digest = {"digest": stores.content(RED).sha256}
            connection.execute(text("UPDATE contents SET pixel_digest = 'md5' WHERE sha256 = :digest"), digest)
        assert log.log_earlier(at=LATER) == 1
        assert log.leaf_about(whole.reference_id).position == 0
        assert broken.reference_id in caplog.text


def test_what_changes_nothing_here_gets_a_leaf_that_nobody_signs(log: SqlLog) -> None:
    record = event_record(Kind.PACKET, subject="pkt_1", occurred_at="2026-03-01T12:00:00Z")
    assert [log.append(record, object_id="pkt_1", at=NOON) for _ in range(2)] == [0, 1]
    opening, found = opened(log, 1)
    assert (found, opening.claimant) == (record, None)
    assert log.leaf_about("pkt_1", Kind.PACKET).position == 1


def test_no_opening_is_without_a_leaf(database: Database) -> None:
    with pytest.raises(StoreUnavailable), database.write() as connection:
        connection.execute(insert(log_openings).values(position=7, salt=b"", record=b""))
