"""What a witness has to remember: the latest checkpoint of each log that it was about to cosign. One SQLite file.

Looking and storing are one transaction, which holds the write lock from its beginning: of two submissions at the same
time, also by two processes, the second sees what the first has stored. A commit is on the disk when it returns.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from imgguard.errors import ConfigurationError, StoreUnavailable
from imgguard.provenance.merkle import EMPTY_ROOT
from imgguard.provenance.notes import VerifierKey

BUSY_SECONDS = 5.0
"""How long a transaction waits for another one; each takes a few fsyncs."""

_APPLICATION = 0x77746E73
_VERSION = 1
_FILE_MODE = 0o600

_SCHEMA = f"""
BEGIN IMMEDIATE;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
CREATE TABLE IF NOT EXISTS identity (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    vkey TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS logs (
    origin TEXT PRIMARY KEY,
    size INTEGER NOT NULL CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    checkpoint BLOB NOT NULL,
    seconds INTEGER NOT NULL CHECK (seconds >= 0)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS logs_only_grow BEFORE UPDATE ON logs
WHEN NEW.size < OLD.size OR NEW.seconds < OLD.seconds OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN SELECT RAISE(ABORT, 'a log only grows'); END;
CREATE TRIGGER IF NOT EXISTS logs_are_not_forgotten BEFORE DELETE ON logs
BEGIN SELECT RAISE(ABORT, 'a log is not forgotten'); END;
COMMIT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Of one log: its latest checkpoint, as a note with the signatures that were verified, and when it was cosigned,
    in seconds since 1970, UTC."""

    size: int
    root: bytes
    checkpoint: bytes = field(repr=False)
    seconds: int


NOTHING = Seen(size=0, root=EMPTY_ROOT, checkpoint=b"", seconds=0)
"""Of a log that was never cosigned."""


class WitnessState:
    """Thread safe. Every call raises StoreUnavailable when the file cannot be read or written."""

    def __init__(self, path: Path) -> None:
        """An existing file. Raises ConfigurationError for one that is something else."""
        self._path = path
        with self._connected() as connection:
            application, version = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
            )
        if application != _APPLICATION or version != _VERSION:
            raise ConfigurationError(
                f"{path} is not the state of a witness, or not of this version of imgguard",
                hint="Restore the file, or begin with an empty folder and another name.",
            )

    @classmethod
    def make(cls, path: Path) -> "WitnessState":
        """A new one, which remembers nothing; what a process left that ended while it made one is finished."""
        try:
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE))
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be made: {error.strerror}") from error
        with _connected(path) as connection:
            if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
                connection.executescript(_SCHEMA)
        return cls(path)

    def vkey(self) -> str | None:
        """That of the witness; None before it was given one."""
        with self._connected() as connection:
            row = connection.execute("SELECT vkey FROM identity").fetchone()
        return None if row is None else str(row[0])

    def set_vkey(self, key: VerifierKey) -> None:
        """For good: there is no second time."""
        with self._connected() as connection:
            connection.execute("INSERT INTO identity (only_row, vkey) VALUES (1, ?)", (key.text,))

    def seen(self) -> dict[str, Seen]:
        """By the origin of the log, in their order."""
        with self._connected() as connection:
            rows = connection.execute("SELECT origin, size, root, checkpoint, seconds FROM logs ORDER BY origin")
            return {origin: _seen(rest) for origin, *rest in rows}

    def advance(self, origin: str, decide: Callable[[Seen], Seen]) -> Seen:
        """Store what ``decide`` makes of the latest that was seen, unless it raises: then nothing changes.

        What is returned is on the disk.
        """
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            row = connection.execute(
                "SELECT size, root, checkpoint, seconds FROM logs WHERE origin = ?", (origin,)
            ).fetchone()
            held = NOTHING if row is None else _seen(row)
            new = decide(held)
            if new == held:  # asked for again within a second: nothing to write
                return held
            connection.execute(
                "INSERT INTO logs (origin, size, root, checkpoint, seconds) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, "
                "checkpoint = excluded.checkpoint, seconds = excluded.seconds",
                (origin, new.size, new.root, new.checkpoint, new.seconds),
            )
            connection.execute("COMMIT")
        return new

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with _connected(self._path) as connection:
            yield connection


def _seen(row: list[object]) -> Seen:
    size, root, checkpoint, seconds = row
    assert isinstance(size, int)
    assert isinstance(seconds, int)
    assert isinstance(root, bytes)
    assert isinstance(checkpoint, bytes)
    return Seen(size=size, root=root, checkpoint=checkpoint, seconds=seconds)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of its own, which rolls back what was not committed. Never makes the file."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
        try:
            # With FULL, a power cut right after a commit could bring the journal back, and with it the former state.
            connection.execute("PRAGMA synchronous = EXTRA")
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreUnavailable(f"the state of the witness, {path}, cannot be read or written: {error}") from error
