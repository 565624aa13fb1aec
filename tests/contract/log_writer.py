"""A process whose children are killed: each appends leaves and publishes them, and dies at the next step of the way.

python -m log_writer HOME

A step is a sync or a rename of a file, a commit of the database; a child dies before it or right after it. After each
death the log is looked at as the next process would, and everything that is wrong with it is printed.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

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

LEAVES = 20
MOST_STEPS = 200
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return NOW


def opened(home: Path) -> tuple[Database, SqlLog, LocalLogFiles, Transparency]:
    database = open_database(home / "imgguard.db")
    store, files = SqlLog(database), LocalLogFiles(home / "log")
    keys = LogKeys(store=store, read_key=lambda: None, origin="log.example.org", clock=Clock())
    return (
        database,
        store,
        files,
        Transparency(
            store=store, files=files, keys=keys, tokens=SqlTokens(database), anchors=SqlAnchors(database), clock=Clock()
        ),
    )


def dying_at(steps: int, *, after: bool, database: Database) -> None:
    """From now on this process dies at that step."""
    done = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*given: Any) -> Any:
            nonlocal done
            done += 1
            if done == steps and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*given)
            if done == steps:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counting

    os.fsync = counted(os.fsync)
    Path.replace = counted(Path.replace)  # type: ignore[method-assign]
    event.listen(database.engine, "commit", counted(lambda _connection: None))


def work(home: Path, steps: int, *, after: bool) -> None:
    database, _, _, transparency = opened(home)
    dying_at(steps, after=after, database=database)
    for _ in range(2):
        with database.write() as connection:
            for _ in range(LEAVES):
                record = event_record(Kind.CLAIM, subject="clm", occurred_at="2026-03-01T12:00:00Z")
                log.append(connection, record, object_id="clm", owner_id=None, at=NOW)
        transparency.publish()


def look(home: Path, *, closely: bool) -> None:
    """As it was left, and after the next process has published; ``closely`` derives everything anew."""
    database, store, files, transparency = opened(home)
    transparency.check()
    assert store.size() % LEAVES == 0, "leaves of half a transaction"
    transparency.publish()
    for problem in examine(store, files).problems if closely else ():
        print("problem:", problem)
    database.close()


def main(home: Path) -> None:
    deaths = 0
    for steps in range(1, MOST_STEPS):
        for after in (False, True):
            child = os.fork()
            if child == 0:
                work(home, steps, after=after)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            look(home, closely=steps % 8 == 0 or os.WIFEXITED(status))
            deaths += os.WIFSIGNALED(status)
        if os.WIFEXITED(status):
            break
    database, store, _, _ = opened(home)
    print("deaths:", deaths, "leaves:", store.size(), "checkpoints:", len(store.checkpoints()))
    database.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
