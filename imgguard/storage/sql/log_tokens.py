"""The TokenStore port on a database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from imgguard.ports.stamping import SELF_ISSUED_URL, CheckpointToken, Stamp, TokenState, Waiting
from imgguard.ports.transparency import StampedBy, StoredCheckpoint
from imgguard.provenance.notes import NoteSignature
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import log_checkpoints, log_cosignatures, log_tokens

_LONGEST_ERROR = 500

_table = log_tokens.c
_is_first = _table.renews.is_(None)
_is_waiting = _table.state == TokenState.WAITING
_is_stamped = _table.state == TokenState.STAMPED


def _token(row: Row[Any]) -> CheckpointToken:
    stamp = None
    if row.token is not None:
        stamp = Stamp(token=row.token, gen_time=row.gen_time, expires_at=row.expires_at)
    return CheckpointToken(
        token_id=row.token_id,
        size=row.size,
        url=row.url,
        authority=row.authority,
        renews=row.renews,
        state=TokenState(row.state),
        tries=row.tries,
        next_at=row.next_at,
        error=row.error,
        stamp=stamp,
        covered_by=row.covered_by,
    )


def wait(connection: Connection, size: int, authorities: Sequence[StampedBy], *, at: datetime) -> None:
    """The checkpoint of ``size`` leaves waits for their tokens; inside the transaction of the checkpoint.

    With an authority that is down it takes the place of the one that waits: it is asked when that one would have been.
    """
    for authority in authorities:
        before = connection.execute(_newest(authority.url)).one_or_none()
        _begin(
            connection,
            size=size,
            by=authority,
            tries=0 if before is None else before.tries,
            next_at=at if before is None else before.next_at,
            error=None if before is None else before.error,
        )


def _begin(connection: Connection, *, size: int, by: StampedBy, next_at: datetime, **values: object) -> int:
    row = {"tries": 0, **values, "size": size, "url": by.url, "authority": by.name, "next_at": next_at}
    made = insert(log_tokens).values({**row, "state": TokenState.WAITING}).returning(_table.token_id)
    return int(connection.execute(made).scalar_one())


def _newest(url: str) -> Any:
    waiting = select(log_tokens).where(_is_waiting, _table.url == url, _is_first)
    return waiting.order_by(_table.size.desc()).limit(1)


class SqlTokens:
    """See `imgguard.ports.TokenStore` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # waiting

    def prepare(self, authorities: Sequence[StampedBy], *, at: datetime, again: bool = False) -> None:
        urls = [one.url for one in authorities]
        others = _is_waiting & _table.url.not_in(urls)
        with self._database.read() as connection:
            newest, missing = _missing(connection, authorities)
            is_any = connection.execute(select(_table.token_id).where(others).limit(1)).first() is not None
        if not (missing or is_any or again):
            return
        with self._database.write() as connection:
            connection.execute(delete(log_tokens).where(others))
            newest, missing = _missing(connection, authorities)
            wait(connection, newest, missing, at=at)
            if again:
                refused = (_table.size == newest) & (_table.state == TokenState.REFUSED) & _table.url.in_(urls)
                connection.execute(update(log_tokens).where(refused).values(state=TokenState.WAITING, next_at=at))

    def newest_waiting(self, url: str) -> CheckpointToken | None:
        with self._database.read() as connection:
            row = connection.execute(_newest(url)).one_or_none()
        return None if row is None else _token(row)

    def renewal(
        self, authorities: Sequence[StampedBy], *, ends_before: datetime, at: datetime
    ) -> CheckpointToken | None:
        with self._database.read() as connection:
            found = _renewal_in_hand(connection, at)
            due = None if found is not None else _to_renew(connection, ends_before, at)
        if found is not None or due is None or not authorities:
            return None if found is None else _token(found)
        by = next((one for one in authorities if one.url == due.url), authorities[0])
        with self._database.write() as connection:
            found = _renewal_in_hand(connection, at)
            if found is None:
                late = _is_waiting & _table.renews.is_not(None)
                connection.execute(delete(log_tokens).where(late))
                made = _begin(connection, size=due.size, by=by, next_at=at, renews=due.token_id)
                found = connection.execute(select(log_tokens).where(_table.token_id == made)).one()
            return _token(found)

    def claim(self, token_id: int, *, due: datetime | None, until: datetime) -> bool:
        mine = [_table.token_id == token_id, _is_waiting]
        if due is not None:
            mine.append(_table.next_at <= due)
        with self._database.write() as connection:
            return connection.execute(update(log_tokens).where(*mine).values(next_at=until)).rowcount == 1

    # ending

    def stamped(self, token_id: int, stamp: Stamp, *, by: StampedBy) -> bool:
        values = {"token": stamp.token, "gen_time": stamp.gen_time, "expires_at": stamp.expires_at, "error": None}
        values |= {"state": TokenState.STAMPED, "url": by.url, "authority": by.name}
        mine = update(log_tokens).where(_table.token_id == token_id, _is_waiting).values(values)
        with self._database.write() as connection:
            row = connection.execute(mine.returning(_table.size, _table.renews)).one_or_none()
            if row is None:
                return False
            if row.renews is None:
                before = _is_waiting & _is_first & (_table.url == by.url) & (_table.size < row.size)
                covered = {"state": TokenState.COVERED, "covered_by": row.size, "error": None}
                connection.execute(update(log_tokens).where(before).values(covered))
            return True

    def put_off(self, token_id: int, *, next_at: datetime, error: str, by: StampedBy | None = None) -> None:
        values: dict[Any, object] = {"tries": _table.tries + 1, "next_at": next_at, "error": error[:_LONGEST_ERROR]}
        if by is not None:
            values |= {"url": by.url, "authority": by.name}
        self._change(_table.token_id == token_id, values)

    def refused(self, token_id: int, *, next_at: datetime, error: str) -> None:
        mine = update(log_tokens).where(_table.token_id == token_id, _is_waiting)
        mine = mine.values(state=TokenState.REFUSED, tries=_table.tries + 1, error=error[:_LONGEST_ERROR])
        with self._database.write() as connection:
            row = connection.execute(mine.returning(_table.size, _table.url)).one_or_none()
            if row is not None:
                before = _is_waiting & _is_first & (_table.url == row.url) & (_table.size < row.size)
                connection.execute(update(log_tokens).where(before).values(next_at=next_at))

    def _change(self, which: ColumnElement[bool], values: dict[Any, object]) -> None:
        with self._database.write() as connection:
            connection.execute(update(log_tokens).where(which, _is_waiting).values(values))

    # looking

    def chain(self, token_id: int) -> Sequence[CheckpointToken]:
        with self._database.read() as connection:
            found: list[CheckpointToken] = []
            wanted: int | None = token_id
            while wanted is not None:
                row = connection.execute(select(log_tokens).where(_table.token_id == wanted, _is_stamped)).one()
                found.append(_token(row))
                wanted = row.renews
        return found[::-1]

    def chains(self, size: int) -> Sequence[Sequence[CheckpointToken]]:
        statement = select(log_tokens).where(_table.size == size, _is_stamped).order_by(_table.token_id)
        with self._database.read() as connection:
            tokens = [_token(row) for row in connection.execute(statement)]
        following = {one.renews: one for one in tokens if one.renews is not None}
        found = [[one] for one in tokens if one.renews is None]
        for chain in found:
            while (after := following.get(chain[-1].token_id)) is not None:
                chain.append(after)
        return found

    def of_checkpoint(self, size: int) -> Sequence[CheckpointToken]:
        statement = select(log_tokens).where(_table.size == size, _is_first).order_by(_table.token_id)
        with self._database.read() as connection:
            return [_token(row) for row in connection.execute(statement)]

    def stamped_checkpoint(self, position: int) -> StoredCheckpoint | None:
        statement = select(log_checkpoints).join(log_tokens, _table.size == log_checkpoints.c.size)
        statement = statement.where(_is_stamped, _is_first, _table.size > position).order_by(_table.size).limit(1)
        with self._database.read() as connection:
            for which in (_table.url != SELF_ISSUED_URL, _table.url == SELF_ISSUED_URL):
                row = connection.execute(statement.where(which)).one_or_none()
                if row is not None:
                    return StoredCheckpoint(**row._mapping)
        return None

    def waiting(self) -> Waiting:
        statement = select(func.count(), func.min(log_checkpoints.c.signed_at)).select_from(log_tokens)
        statement = statement.join(log_checkpoints, _table.size == log_checkpoints.c.size).where(_is_waiting, _is_first)
        with self._database.read() as connection:
            count, since = connection.execute(statement).one()
        return Waiting(count=count, since=since)

    # witnesses

    def add_cosignatures(self, size: int, cosignatures: Sequence[NoteSignature], *, at: datetime) -> None:
        columns = log_cosignatures.c
        with self._database.write() as connection:
            for one in cosignatures:
                key = {"size": size, "witness": one.name, "key_id": one.key_id}
                same = [columns[name] == value for name, value in key.items()]
                if connection.execute(select(columns.size).where(*same)).first() is None:
                    connection.execute(insert(log_cosignatures).values({**key, "line": one.line, "collected_at": at}))

    def cosignatures(self, size: int) -> Sequence[str]:
        columns = log_cosignatures.c
        statement = select(columns.line).where(columns.size == size).order_by(columns.collected_at, columns.witness)
        with self._database.read() as connection:
            return list(connection.execute(statement).scalars())


def _missing(connection: Connection, authorities: Sequence[StampedBy]) -> tuple[int, list[StampedBy]]:
    """The size of the newest checkpoint, and whom it was never asked of. Of an empty log nobody is asked."""
    newest = connection.execute(select(func.max(log_checkpoints.c.size))).scalar_one() or 0
    known = set(connection.execute(select(_table.url).where(_table.size == newest, _is_first)).scalars())
    return newest, [one for one in authorities if newest and one.url not in known]


def _renewal_in_hand(connection: Connection, at: datetime) -> Row[Any] | None:
    """None also for one that has come too late."""
    old = log_tokens.alias()
    statement = select(log_tokens).join(old, old.c.token_id == _table.renews)
    return connection.execute(statement.where(_is_waiting, old.c.expires_at > at).limit(1)).one_or_none()


def _to_renew(connection: Connection, ends_before: datetime, at: datetime) -> Row[Any] | None:
    renewed = select(_table.renews).where(_table.renews.is_not(None), _is_stamped)
    statement = select(log_tokens).where(_is_stamped, _table.expires_at > at, _table.expires_at < ends_before)
    statement = statement.where(_table.token_id.not_in(renewed))
    return connection.execute(statement.order_by(_table.size.desc(), _table.token_id).limit(1)).one_or_none()
