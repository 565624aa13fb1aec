"""Bring a store to the newest schema when it is opened; nobody has to know that migrations exist."""

from pathlib import Path

from sqlalchemy import inspect, text

from imgguard.errors import ConfigurationError
from imgguard.storage.locks import file_lock
from imgguard.storage.sql.engine import Database, prepare_file
from imgguard.storage.sql.schema import HEAD

BUSY_SECONDS = 30.0
"""How long a writer queues behind others. Most hold the lock for milliseconds. A registration compares the stored bytes
while it has it, and writes them again if they were deleted meanwhile: up to a second for the largest files allowed."""


def open_database(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> Database:
    """The database at ``path``, created or migrated as needed. Raises StoreUnavailable, ConfigurationError."""
    prepare_file(path)
    database = Database(path, busy_seconds=busy_seconds)
    try:
        if _revision(database) != HEAD:
            # Two processes may open a fresh store at once: the second waits, then finds nothing left to do.
            with file_lock(path.with_name(path.name + ".lock")):
                if _revision(database) != HEAD:
                    _upgrade(database)
    except BaseException:
        database.close()
        raise
    return database


def _revision(database: Database) -> str | None:
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if found is not None and found > HEAD:
        raise ConfigurationError(
            f"the store at {database.path} has schema {found}, this imgguard knows {HEAD} at most",
            hint="Use the newer imgguard that last opened this store.",
        )
    return found


def _upgrade(database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "imgguard.storage.sql:migrations")
    database.pragma("journal_mode=WAL")  # stays with the file
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
