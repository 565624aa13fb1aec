"""The AnchorStore port on a database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from imgguard.ports.anchoring import Anchor, AnchorState
from imgguard.ports.stamping import Waiting
from imgguard.ports.transparency import StampedBy, StoredCheckpoint
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import log_anchors, log_checkpoints

_LONGEST_ERROR = 500

_table = log_anchors.c
_is_waiting = _table.state == AnchorState.WAITING
_is_open = _table.state != AnchorState.ATTESTED


def _anchor(row: Row[Any]) -> Anchor:
    return Anchor(
        anchor_id=row.anchor_id,
        size=row.size,
        url=row.url,
        calendar=row.calendar,
        state=AnchorState(row.state),
        begun_at=row.begun_at,
        tries=row.tries,
        next_at=row.next_at,
        error=row.error,
        file=row.ots,
    )


class SqlAnchors:
    """See `imgguard.ports.AnchorStore` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # waiting

    def prepare(self, calendars: Sequence[StampedBy], *, at: datetime, since: datetime) -> None:
        others = _is_waiting & _table.url.not_in([one.url for one in calendars])
        with self._database.read() as connection:
            newest = _newest_size(connection)
            missing = any(_is_missing(connection, one, newest, since) for one in calendars)
            is_any = connection.execute(select(_table.anchor_id).where(others).limit(1)).first() is not None
        if not (missing or is_any):
            return
        with self._database.write() as connection:
            connection.execute(delete(log_anchors).where(others))
            newest = _newest_size(connection)
            for calendar in calendars:
                if _is_missing(connection, calendar, newest, since):
                    _begin(connection, calendar, newest, at)

    def due(self, url: str, *, at: datetime | None, limit: int) -> Sequence[Anchor]:
        statement = select(log_anchors).where(_is_open, _table.url == url).limit(limit)
        if at is not None:
            statement = statement.where(_table.next_at <= at)
        statement = statement.order_by(_table.size.desc())
        with self._database.read() as connection:
            return [_anchor(row) for row in connection.execute(statement)]

    def claim(self, anchor_id: int, *, due: datetime | None, until: datetime) -> bool:
        mine = [_table.anchor_id == anchor_id, _is_open]
        if due is not None:
            mine.append(_table.next_at <= due)
        with self._database.write() as connection:
            return connection.execute(update(log_anchors).where(*mine).values(next_at=until)).rowcount == 1

    # ending

    def keep(self, anchor_id: int, file: bytes, *, state: AnchorState, next_at: datetime) -> None:
        self._change(anchor_id, {"ots": file, "state": state, "next_at": next_at, "tries": 0, "error": None})

    def put_off(self, anchor_id: int, *, next_at: datetime, error: str | None) -> None:
        shown = None if error is None else error[:_LONGEST_ERROR]
        self._change(anchor_id, {"tries": _table.tries + 1, "next_at": next_at, "error": shown})

    def _change(self, anchor_id: int, values: dict[str, object]) -> None:
        mine = update(log_anchors).where(_table.anchor_id == anchor_id, _is_open)
        with self._database.write() as connection:
            connection.execute(mine.values(values))

    # looking

    def of_checkpoint(self, size: int) -> Sequence[Anchor]:
        statement = select(log_anchors).where(_table.size == size).order_by(_table.anchor_id)
        with self._database.read() as connection:
            return [_anchor(row) for row in connection.execute(statement)]

    def newest(self) -> Sequence[Anchor]:
        largest = select(func.max(_table.size)).scalar_subquery()
        statement = select(log_anchors).where(_table.size == largest).order_by(_table.anchor_id)
        with self._database.read() as connection:
            return [_anchor(row) for row in connection.execute(statement)]

    def anchored_checkpoint(self, position: int) -> StoredCheckpoint | None:
        statement = select(log_checkpoints).join(log_anchors, _table.size == log_checkpoints.c.size)
        statement = statement.where(_table.size > position).order_by(_table.size).limit(1)
        with self._database.read() as connection:
            for state in (AnchorState.ATTESTED, AnchorState.PROMISED):
                row = connection.execute(statement.where(_table.state == state)).one_or_none()
                if row is not None:
                    return StoredCheckpoint(**row._mapping)
        return None

    def waiting(self, urls: Sequence[str]) -> Waiting:
        statement = select(func.count(), func.min(_table.begun_at)).where(_is_open, _table.url.in_(urls))
        with self._database.read() as connection:
            count, since = connection.execute(statement).one()
        return Waiting(count=count, since=since)


def _newest_size(connection: Connection) -> int:
    return connection.execute(select(func.max(log_checkpoints.c.size))).scalar_one() or 0


def _last(connection: Connection, calendar: StampedBy) -> Row[Any] | None:
    statement = select(log_anchors).where(_table.url == calendar.url).order_by(_table.size.desc()).limit(1)
    return connection.execute(statement).one_or_none()


def _is_missing(connection: Connection, calendar: StampedBy, newest: int, since: datetime) -> bool:
    """Whether that calendar is to be asked about the checkpoint of ``newest`` leaves."""
    last = _last(connection, calendar)
    if last is None or last.size >= newest:
        return last is None and newest > 0
    return bool(last.state == AnchorState.WAITING or last.begun_at <= since)


def _begin(connection: Connection, calendar: StampedBy, newest: int, at: datetime) -> None:
    """In place of an older checkpoint about which it has not answered it is asked when it would have been then."""
    row: dict[str, object] = {"tries": 0, "begun_at": at, "next_at": at, "error": None}
    before = _last(connection, calendar)
    if before is not None and before.state == AnchorState.WAITING:
        row = {name: getattr(before, name) for name in row}
        connection.execute(delete(log_anchors).where(_table.anchor_id == before.anchor_id))
    row |= {"size": newest, "url": calendar.url, "calendar": calendar.name, "state": AnchorState.WAITING}
    connection.execute(insert(log_anchors).values(row))
