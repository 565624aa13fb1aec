"""The IdempotencyKeys port on a database."""

import json
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, insert, select, update

from imgguard.errors import Conflict, IdempotencyMismatch
from imgguard.ports import StoredAnswer
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import idempotency_keys

_UNANSWERED = 0


def _mine(organisation_id: str, key: str) -> ColumnElement[bool]:
    return and_(idempotency_keys.c.organisation_id == organisation_id, idempotency_keys.c.key == key)


def _claimed(organisation_id: str, key: str, request_sha256: str) -> ColumnElement[bool]:
    return and_(
        _mine(organisation_id, key),
        idempotency_keys.c.request_sha256 == request_sha256,
        idempotency_keys.c.status == _UNANSWERED,
    )


class SqlIdempotencyKeys:
    """See `imgguard.ports.IdempotencyKeys` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self, organisation_id: str, key: str, *, request_sha256: str, now: datetime, until: datetime
    ) -> StoredAnswer | None:
        with self._database.write() as connection:
            connection.execute(delete(idempotency_keys).where(idempotency_keys.c.expires_at <= now))
            row = connection.execute(select(idempotency_keys).where(_mine(organisation_id, key))).one_or_none()
            if row is None:
                connection.execute(
                    insert(idempotency_keys).values(
                        organisation_id=organisation_id,
                        key=key,
                        request_sha256=request_sha256,
                        status=_UNANSWERED,
                        headers="{}",
                        body="",
                        expires_at=until,
                    )
                )
                return None
        if row.request_sha256 != request_sha256:
            raise IdempotencyMismatch("this Idempotency-Key was sent with another request before")
        if row.status == _UNANSWERED:
            raise Conflict("the same request is being answered", hint="Send it again in a moment.")
        return StoredAnswer(status=row.status, headers=json.loads(row.headers), body=row.body)

    def finish(
        self, organisation_id: str, key: str, *, request_sha256: str, answer: StoredAnswer, until: datetime
    ) -> None:
        with self._database.write() as connection:
            connection.execute(
                update(idempotency_keys)
                .where(_claimed(organisation_id, key, request_sha256))
                .values(
                    status=answer.status,
                    headers=json.dumps(dict(answer.headers), sort_keys=True),
                    body=answer.body,
                    expires_at=until,
                )
            )

    def release(self, organisation_id: str, key: str, *, request_sha256: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(idempotency_keys).where(_claimed(organisation_id, key, request_sha256)))
