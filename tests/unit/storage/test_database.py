"""The database file: migrations, privacy, and everything that can be wrong with a disk."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, text, update

from imgguard.errors import ConfigurationError, StoreUnavailable
from imgguard.fingerprint.fingerprint import Descriptor, DescriptorKind
from imgguard.ports import StoredFinding
from imgguard.registry.ids import new_id
from imgguard.registry.records import Content
from imgguard.storage.locks import file_lock
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.schema import HEAD, findings, metadata, organisations

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def content(data: bytes) -> Content:
    return Content(
        number=0,
        sha256=hashlib.sha256(data).hexdigest(),
        byte_length=len(data),
        pixel_digest="d" * 64,
        media_type="image/png",
        width=1,
        height=1,
        decoder="pillow",
        decoder_version="13",
        declared_times="[]",
    )


def keypoints(data: bytes) -> Descriptor:
    return Descriptor(
        kind=DescriptorKind.KEYPOINTS, algorithm="sift", version="opencv 5", weights_sha256=None, data=data
    )


def register(catalogue: SqlCatalogue, data: bytes = b"picture", *, file: str = "a.jpg") -> str:
    reference = catalogue.add_reference("ann", content(data), [keypoints(data)], file=file, at=NOW)
    return reference.reference_id


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "imgguard.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = open_database(path, busy_seconds=1)
    yield opened
    opened.close()


@pytest.fixture
def catalogue(path: Path) -> Iterator[SqlCatalogue]:
    opened = SqlCatalogue.open(path, busy_seconds=0.2)
    yield opened
    opened.close()


class TestMigrations:
    def test_they_lead_to_the_tables_of_the_schema(self, database: Database) -> None:
        with database.read() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []
            assert context.get_current_revision() == HEAD

    def test_head_is_the_newest_one(self) -> None:
        config = Config()
        config.set_main_option("script_location", "imgguard.storage.sql:migrations")
        assert ScriptDirectory.from_config(config).get_heads() == [HEAD]

    def test_opening_a_current_store_does_not_import_alembic(self, path: Path) -> None:
        SqlCatalogue.open(path).close()
        program = (
            "import sys, pathlib; from imgguard.storage.sql.catalogue import SqlCatalogue;"
            f"SqlCatalogue.open(pathlib.Path({str(path)!r})).close(); assert 'alembic' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", program], check=True)

    def test_processes_may_open_a_fresh_store_at_once(self, path: Path) -> None:
        program = (
            "import pathlib; from imgguard.storage.sql.catalogue import SqlCatalogue; input();"
            f"opened = SqlCatalogue.open(pathlib.Path({str(path)!r})); print(opened.statistics()['owners']);"
            "opened.close()"
        )
        command = [sys.executable, "-W", "error", "-c", program]
        started = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in started:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, out, err) == (0, "0\n", "")

    def test_a_store_of_a_newer_release_is_left_alone(self, path: Path, database: Database) -> None:
        with database.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(ConfigurationError, match="9999"):
            SqlCatalogue.open(path)


class TestSettings:
    def test_every_connection_is_durable_and_strict(self, database: Database) -> None:
        with database.read() as connection:
            found = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
            }
        expected = {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "secure_delete": 1,
            "busy_timeout": 1000,
        }
        assert found == expected

    def test_nobody_else_may_read_the_files(self, path: Path, catalogue: SqlCatalogue) -> None:
        register(catalogue)
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}

    def test_a_finding_cannot_be_changed_even_by_us(self, database: Database) -> None:
        made = StoredFinding(finding_id=new_id("fnd"), created_at=NOW, file="q", query_sha256="a" * 64, document="{}")
        SqlCatalogue(database).add_finding(made, query_expires_at=None)
        with pytest.raises(StoreUnavailable, match="cannot be changed"), database.write() as connection:
            connection.execute(update(findings).values(document="other"))
        assert SqlCatalogue(database).finding(made.finding_id) == made

    def test_a_naive_time_is_a_bug(self, catalogue: SqlCatalogue) -> None:
        with pytest.raises(ValueError, match="zone"):
            catalogue.begin_generation("a" * 64, at=NOW.replace(tzinfo=None))


class TestErasure:
    def test_erased_bytes_are_in_no_file_of_the_database(self, path: Path, catalogue: SqlCatalogue) -> None:
        secret = os.urandom(5_000)
        kept = register(catalogue, b"kept" * 2_000, file="kept.jpg")
        gone = register(catalogue, secret, file="holiday-in-ravenna.jpg")
        salt = _salt(path, gone)
        assert _anywhere(path.parent, secret[1000:1040])
        catalogue.erase(gone, at=NOW)
        for trace in (secret[1000:1040], secret[-40:], b"ravenna", salt, content(secret).sha256.encode()[:30]):
            expected = trace == content(secret).sha256.encode()[:30]  # queued, until the blob is deleted
            assert bool(_anywhere(path.parent, trace)) == expected
        catalogue.delete_blobs(lambda digest: None)
        catalogue.close()
        assert not _anywhere(path.parent, content(secret).sha256.encode()[:30])
        assert catalogue.reference(kept).file == "kept.jpg"

    def test_the_name_of_an_owner_goes_with_the_last_reference(self, path: Path, catalogue: SqlCatalogue) -> None:
        made = catalogue.add_reference("Ottilie Rosenzweig", content(b"x"), [], file="a", at=NOW)
        assert _anywhere(path.parent, b"Rosenzweig")
        catalogue.erase(made.reference_id, at=NOW)
        catalogue.close()
        assert not _anywhere(path.parent, b"Rosenzweig")

    def test_an_organisation_keeps_its_name(self, database: Database) -> None:
        catalogue = SqlCatalogue(database)
        made = catalogue.add_reference("Studio", content(b"x"), [], file="a", at=NOW)
        values = {"organisation_id": "org_1", "disclosure": "full", "is_operator": True, "created_at": NOW}
        with database.write() as connection:
            connection.execute(insert(organisations).values(owner_id=made.owner_id, **values))
        assert catalogue.erase(made.reference_id, at=NOW).owner is None
        assert catalogue.owner("Studio") is not None


def _salt(path: Path, reference_id: str) -> bytes:
    connection = sqlite3.connect(path)
    try:
        (salt,) = connection.execute("SELECT salt FROM refs WHERE reference_id = ?", [reference_id]).fetchone()
    finally:
        connection.close()
    assert len(salt) == 32
    return bytes(salt)


def _anywhere(folder: Path, trace: bytes) -> list[str]:
    return [file.name for file in folder.iterdir() if trace in file.read_bytes()]


class TestTrouble:
    def test_a_locked_database(self, path: Path, catalogue: SqlCatalogue) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="locked"):
                register(catalogue)
            assert catalogue.statistics()["references"] == 0  # readers are not held up
        finally:
            other.close()
        assert register(catalogue)

    def test_a_full_disk(self, catalogue: SqlCatalogue) -> None:
        made = register(catalogue)
        catalogue._database.pragma("user_version")
        with catalogue._database.read() as connection:
            used = connection.execute(text("PRAGMA page_count")).scalar_one()
        catalogue._database.pragma(f"max_page_count = {used + 2}")
        with pytest.raises(StoreUnavailable, match="full"):
            register(catalogue, os.urandom(1_000_000))
        assert catalogue.statistics()["references"] == 1
        assert catalogue.reference(made).reference_id == made

    def test_a_write_that_the_system_refuses(self, path: Path) -> None:
        """In a process of its own, since the limit cannot be lifted again by everybody."""
        SqlCatalogue.open(path).close()
        program = f"""
import os, pathlib, resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_database import register
from imgguard.errors import StoreUnavailable
from imgguard.storage.blobs import LocalBlobStore
from imgguard.storage.sql.catalogue import SqlCatalogue
catalogue = SqlCatalogue.open(pathlib.Path({str(path)!r}))
blobs = LocalBlobStore(pathlib.Path({str(path.parent / "originals")!r}))
first = register(catalogue, b"small")
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
for attempt in (lambda: register(catalogue, os.urandom(2_000_000)), lambda: blobs.put(os.urandom(2_000_000))):
    try:
        attempt()
    except StoreUnavailable as error:
        print(error.code)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
temporary = {str(path.parent / "originals" / ".tmp")!r}
print(catalogue.statistics()["references"], list(blobs.digests()), os.listdir(temporary))
second = register(catalogue, os.urandom(2_000_000))
catalogue.close()
"""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        assert done.stdout == "store_unavailable\nstore_unavailable\n1 [] []\n"

    @pytest.mark.parametrize("damage", [lambda data: b"not a database" * 1000, lambda data: data[:100] + bytes(5000)])
    def test_a_damaged_file(self, path: Path, damage: Callable[[bytes], bytes]) -> None:
        SqlCatalogue.open(path).close()
        path.write_bytes(damage(path.read_bytes()))
        with pytest.raises(StoreUnavailable):
            SqlCatalogue.open(path)

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "home").write_text("a file")
        with pytest.raises(StoreUnavailable):
            SqlCatalogue.open(tmp_path / "home" / "imgguard.db")
        with pytest.raises(StoreUnavailable), file_lock(tmp_path / "home" / "lock"):
            pass

    def test_a_store_that_may_only_be_read(self, path: Path, tmp_path: Path) -> None:
        """Opened by another account, when the tests run as root, whom permissions do not stop."""
        opened = SqlCatalogue.open(path)
        register(opened)
        opened.close()
        for file in path.parent.iterdir():
            file.chmod(0o444)
        program = f"""
import os, pathlib
from imgguard.errors import StoreUnavailable
from imgguard.storage.sql.catalogue import SqlCatalogue
if os.getuid() == 0:
    os.setegid(65534); os.seteuid(65534)
try:
    SqlCatalogue.open(pathlib.Path({str(path)!r}))
except StoreUnavailable as error:
    print(error.code)
"""
        path.parent.chmod(0o555)
        for folder in (tmp_path, *list(tmp_path.parents)[:2]):
            folder.chmod(folder.stat().st_mode | 0o055)
        try:
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        finally:
            path.parent.chmod(0o700)
        assert (done.stdout, done.stderr) == ("store_unavailable\n", "")


def test_threads_share_one_catalogue(catalogue: SqlCatalogue, path: Path) -> None:
    patient = SqlCatalogue.open(path)
    failures: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for n in range(20):
                register(patient, f"{thread} {n}".encode())
                patient.statistics()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[n]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert patient.statistics()["references"] == 120
    assert len({change.sequence for change in patient.index_changes(0)}) == 120
    patient.close()


def test_ids_increase_even_within_a_millisecond_and_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [new_id("ref") for _ in range(1000)]
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    made += [new_id("ref") for _ in range(1000)]
    assert made == sorted(set(made))
    assert {len(one) for one in made} == {30}


def test_opening_a_store_twice_in_one_process_loses_nothing(tmp_path: Path) -> None:
    """Closing a descriptor of the file drops all locks that the process holds on it: see `prepare_file`."""
    path = tmp_path / "store.sqlite3"
    visit = (
        "import sys; from pathlib import Path; from sqlalchemy import text\n"
        "from imgguard.storage.sql.migrate import open_database\n"
        "database = open_database(Path(sys.argv[1]))\n"
        "with database.read() as connection:\n"
        "    print(connection.execute(text('SELECT count(*) FROM owners')).scalar_one())\n"
        "database.close()\n"
    )

    def seen_elsewhere() -> int:
        done = subprocess.run([sys.executable, "-c", visit, path], check=True, capture_output=True, text=True)
        return int(done.stdout)

    def add(name: str) -> None:
        with first.write() as connection:
            connection.execute(
                text("INSERT INTO owners (owner_id, name, created_at) VALUES (:name, :name, '2026-01-01')"),
                {"name": name},
            )

    first = open_database(path)
    with first.read() as connection:
        connection.execute(text("SELECT count(*) FROM owners")).scalar_one()
    second = open_database(path)
    assert seen_elsewhere() == 0
    add("a")
    assert seen_elsewhere() == 1
    add("b")
    assert seen_elsewhere() == 2
    second.close()
    first.close()
