"""A log on a real database and real files, with leaves that tell of nothing in particular."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imgguard.ports import StampedBy
from imgguard.provenance.records import Kind, event_record
from imgguard.services.log_examination import examine
from imgguard.services.log_keys import LogKeys
from imgguard.services.transparency import Transparency
from imgguard.storage.log_files import LocalLogFiles
from imgguard.storage.sql import log
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.log_anchors import SqlAnchors
from imgguard.storage.sql.log_store import SqlLog
from imgguard.storage.sql.log_tokens import SqlTokens
from imgguard.storage.sql.migrate import open_database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class Books:
    """Everything that there is of one log."""

    home: Path
    database: Database
    origin: str | None = "log.example.org"
    key: Ed25519PrivateKey | None = None
    authorities: tuple[StampedBy, ...] = ()

    @property
    def store(self) -> SqlLog:
        return SqlLog(self.database)

    @property
    def files(self) -> LocalLogFiles:
        return LocalLogFiles(self.home / "log")

    @property
    def log(self) -> Transparency:
        """As a process that has just begun makes it."""
        keys = LogKeys(store=self.store, read_key=lambda: self.key, origin=self.origin, clock=FixedClock())
        return Transparency(
            store=self.store,
            files=self.files,
            keys=keys,
            tokens=SqlTokens(self.database),
            anchors=SqlAnchors(self.database),
            clock=FixedClock(),
            authorities=self.authorities,
        )

    def append(self, count: int) -> None:
        with self.database.write() as connection:
            for _ in range(count):
                number = self._number()
                record = event_record(Kind.CLAIM, subject=number, occurred_at="2026-03-01T12:00:00Z")
                log.append(connection, record, object_id=number, owner_id=None, at=NOW)

    _made: int = 0

    def _number(self) -> str:
        self._made += 1
        return f"clm_{self._made - 1}"

    def problems(self) -> list[str]:
        return examine(self.store, self.files).problems

    def tree(self) -> dict[str, bytes]:
        """All files that are given out."""
        root = self.home / "log"
        files = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
        return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    database = open_database(tmp_path / "imgguard.db")
    yield Books(tmp_path, database)
    database.close()
