"""The anchors of checkpoints, as they are stored: who is asked about what, and what is never changed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DatabaseError

from imgguard.errors import ImgguardError
from imgguard.ports import Anchor, AnchorState, AnchorStore, StampedBy, StoredCheckpoint
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.log_anchors import SqlAnchors
from imgguard.storage.sql.log_store import SqlLog
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.schema import log_anchors

from .stores import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE, TWO = StampedBy("https://one.example", "one.example"), StampedBy("https://two.example", "two.example")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "imgguard.db")
    yield opened
    opened.close()


@pytest.fixture
def anchors(database: Database) -> AnchorStore:
    return SqlAnchors(database)


def checkpoint(database: Database, size: int) -> None:
    made = StoredCheckpoint(size=size, root=bytes(32), note=b"note %d" % size, signed_at=NOON)
    SqlLog(database).add_checkpoint(made)


def prepare(anchors: AnchorStore, *calendars: StampedBy, at: datetime = NOON) -> None:
    anchors.prepare(calendars, at=at, since=at - DAY)


def only(anchors: AnchorStore, size: int) -> Anchor:
    (found,) = anchors.of_checkpoint(size)
    return found


def test_of_an_empty_log_nobody_is_asked(database: Database, anchors: AnchorStore) -> None:
    prepare(anchors, ONE)
    checkpoint(database, 0)
    prepare(anchors, ONE)
    assert anchors.newest() == []


def test_a_checkpoint_a_day_is_handed_in(database: Database, anchors: AnchorStore) -> None:
    checkpoint(database, 3)
    prepare(anchors, ONE, TWO)
    assert [(one.url, one.state) for one in anchors.newest()] == [(ONE.url, "waiting"), (TWO.url, "waiting")]
    for one in anchors.newest():
        anchors.keep(one.anchor_id, b"file", state=AnchorState.PROMISED, next_at=NOON)
    checkpoint(database, 4)
    prepare(anchors, ONE, TWO, at=NOON + DAY - HOUR)
    assert anchors.of_checkpoint(4) == []
    prepare(anchors, ONE, TWO, at=NOON + DAY)
    prepare(anchors, ONE, TWO, at=NOON + DAY)
    assert len(anchors.of_checkpoint(4)) == 2
    assert len(anchors.of_checkpoint(3)) == 2


def test_nothing_new_is_not_handed_in_again(database: Database, anchors: AnchorStore) -> None:
    checkpoint(database, 3)
    prepare(anchors, ONE)
    anchors.keep(only(anchors, 3).anchor_id, b"file", state=AnchorState.ATTESTED, next_at=NOON)
    prepare(anchors, ONE, at=NOON + 9 * DAY)
    assert only(anchors, 3).state is AnchorState.ATTESTED


def test_a_newer_checkpoint_takes_the_place_of_one_that_waits(database: Database, anchors: AnchorStore) -> None:
    checkpoint(database, 3)
    prepare(anchors, ONE)
    anchors.put_off(only(anchors, 3).anchor_id, next_at=NOON + 5 * HOUR, error="down")
    checkpoint(database, 4)
    prepare(anchors, ONE, at=NOON + HOUR)
    assert anchors.of_checkpoint(3) == []
    moved = only(anchors, 4)
    assert (moved.tries, moved.next_at, moved.begun_at, moved.error) == (1, NOON + 5 * HOUR, NOON, "down")


def test_nothing_waits_for_a_calendar_that_is_named_no_more(database: Database, anchors: AnchorStore) -> None:
    checkpoint(database, 3)
    prepare(anchors, ONE, TWO)
    anchors.keep(anchors.newest()[1].anchor_id, b"file", state=AnchorState.PROMISED, next_at=NOON)
    prepare(anchors)
    assert [(one.url, one.state) for one in anchors.newest()] == [(TWO.url, "promised")]
    assert anchors.waiting([ONE.url]).since is None
    assert (anchors.waiting([TWO.url]).count, anchors.waiting([TWO.url]).since) == (1, NOON)


def test_who_claims_first_asks(database: Database, anchors: AnchorStore) -> None:
    checkpoint(database, 3)
    prepare(anchors, ONE)
    anchor = only(anchors, 3)
    assert anchors.claim(anchor.anchor_id, due=NOON, until=NOON + HOUR)
    assert not anchors.claim(anchor.anchor_id, due=NOON, until=NOON + HOUR)
    assert anchors.due(ONE.url, at=NOON, limit=9) == []
    assert anchors.claim(anchor.anchor_id, due=None, until=NOON + HOUR)
    assert anchors.claim(anchor.anchor_id, due=NOON + HOUR, until=NOON + 2 * HOUR)


def test_the_newest_comes_first_and_what_is_attested_is_not_due(database: Database, anchors: AnchorStore) -> None:
    for day, size in enumerate((3, 4, 5, 6)):
        checkpoint(database, size)
        prepare(anchors, ONE, at=NOON + day * DAY)
        if size < 6:
            anchors.keep(only(anchors, size).anchor_id, b"file", state=AnchorState.PROMISED, next_at=NOON)
    anchors.keep(only(anchors, 4).anchor_id, b"file", state=AnchorState.ATTESTED, next_at=NOON)
    assert [one.size for one in anchors.due(ONE.url, at=None, limit=9)] == [6, 5, 3]
    assert [one.size for one in anchors.due(ONE.url, at=NOON, limit=9)] == [5, 3]
    assert [one.size for one in anchors.due(ONE.url, at=None, limit=1)] == [6]
    assert anchors.due(TWO.url, at=None, limit=9) == []


def test_a_leaf_has_the_oldest_anchor_that_is_attested_or_else_promised(
    database: Database, anchors: AnchorStore
) -> None:
    for day, (size, state) in enumerate(((3, "promised"), (5, "promised"), (7, "attested"), (9, "attested"))):
        checkpoint(database, size)
        prepare(anchors, ONE, at=NOON + day * DAY)
        anchors.keep(only(anchors, size).anchor_id, b"file", state=AnchorState(state), next_at=NOON)
    checkpoint(database, 11)
    prepare(anchors, ONE, at=NOON + 5 * DAY)

    def size_for(position: int) -> int | None:
        found = anchors.anchored_checkpoint(position)
        return None if found is None else found.size

    assert [size_for(position) for position in (0, 6, 7, 8, 9, 10)] == [7, 7, 9, 9, None, None]
    anchors.keep(only(anchors, 11).anchor_id, b"file", state=AnchorState.PROMISED, next_at=NOON)
    assert [size_for(position) for position in (8, 9, 10, 11)] == [9, 11, 11, None]


def test_what_is_attested_never_changes(database: Database, anchors: AnchorStore) -> None:
    checkpoint(database, 3)
    prepare(anchors, ONE)
    anchor = only(anchors, 3)
    anchors.keep(anchor.anchor_id, b"file", state=AnchorState.ATTESTED, next_at=NOON)
    kept = only(anchors, 3)
    anchors.keep(anchor.anchor_id, b"other", state=AnchorState.PROMISED, next_at=NOON)
    anchors.put_off(anchor.anchor_id, next_at=NOON, error="late")
    assert not anchors.claim(anchor.anchor_id, due=None, until=NOON)
    assert only(anchors, 3) == kept
    for statement in (update(log_anchors).values(ots=b"other"), delete(log_anchors)):
        with pytest.raises((ImgguardError, DatabaseError)), database.write() as connection:
            connection.execute(statement)
    assert only(anchors, 3) == kept
