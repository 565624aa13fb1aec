"""Connections and transactions, and the one place where database errors become ours."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from imgguard.errors import StoreUnavailable
from imgguard.storage.folders import make_folder

BREATH = 0.02
"""Seconds between two transactions of many: who waits for the lock looks for it now and then, and must find it free."""

_BEGIN = "imgguard_begin"


@contextmanager
def translated_errors() -> Iterator[None]:
    """Locked, full, read-only, damaged, unreachable: StoreUnavailable. A mistake of the caller stays what it was."""
    try:
        yield
    except DBAPIError as error:
        raise StoreUnavailable(f"the database refused: {error.orig}") from error
    except StatementError as error:  # a value that a column does not take, before the database saw it
        raise error.orig or error from None
    except (sqlite3.Error, PoolTimeout) as error:
        raise StoreUnavailable(f"the database cannot be reached: {error}") from error


class Database:
    """One SQLite file. Readers never block and are never blocked (WAL); writers queue for ``busy_seconds``."""

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self.engine = self._create_engine()

    def _create_engine(self) -> Engine:
        url = URL.create("sqlite+pysqlite", database=str(self.path))
        engine = create_engine(url, connect_args={"timeout": self._busy_seconds})
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of one moment."""
        with translated_errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Takes the write lock at once: a transaction that reads first and upgrades later can fail as stale."""
        with (
            translated_errors(),
            self.engine.connect().execution_options(**{_BEGIN: "IMMEDIATE"}) as connection,
            connection.begin(),
        ):
            yield connection

    def pragma(self, text: str) -> None:
        """Run a PRAGMA that must not be inside a transaction."""
        with translated_errors(), self.engine.connect().execution_options(**{_BEGIN: None}) as connection:
            connection.exec_driver_sql(f"PRAGMA {text}")

    def scrub(self) -> None:
        """Move everything from the write-ahead log into the database file and empty the log.

        With ``secure_delete`` this removes erased bytes from both files. A reader in the middle of a transaction can
        hold it up; then the next scrub, of which closing the store is one, finishes it.
        """
        self.pragma("wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with suppress(StoreUnavailable):
            self.scrub()
        self.engine.dispose()


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    # Python's own implicit BEGIN would come too late for a consistent read; _begin sends it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA synchronous=FULL")  # a commit that returned survives power loss
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")  # erased means overwritten, not unlinked
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    kind = connection.get_execution_options().get(_BEGIN, "DEFERRED")
    if kind is not None:
        connection.exec_driver_sql(f"BEGIN {kind}")


def prepare_file(path: Path) -> None:
    """Create the folder and the empty database, readable by their owner only; SQLite gives the log the same mode.

    A database that is there is not touched: to close any descriptor of it would drop the locks that this process holds
    through others (POSIX), and the next process to leave would delete the log with what was committed.
    """
    try:
        make_folder(path.parent)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"cannot open {path}: {error.strerror}") from error
