"""The Traces port on a database."""

from collections.abc import Sequence

from sqlalchemy import select

from imgguard.ports import Job, MadeCheck, PacketRow
from imgguard.registry.claims import AttachedProof, Statement
from imgguard.registry.decisions import Decision
from imgguard.storage.sql import checks as check_rows
from imgguard.storage.sql import claims as claim_rows
from imgguard.storage.sql import decisions as decision_rows
from imgguard.storage.sql import job_rows
from imgguard.storage.sql import packets as packet_rows
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.schema import checks, decisions, jobs, packets, reference_claims, reference_proofs


class SqlTraces:
    """See `imgguard.ports.Traces` for the contract of each method."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def checks(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[MadeCheck]:
        mine = checks.c.member_id == member_id, checks.c.finding_id > after
        statement = check_rows.made.where(*mine).order_by(checks.c.finding_id).limit(limit)
        with self._database.read() as connection:
            return check_rows.of_rows(connection, connection.execute(statement).all())

    def jobs(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Job]:
        statement = select(jobs).where(jobs.c.member_id == member_id, jobs.c.job_id > after)
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(jobs.c.job_id).limit(limit))
            return [job_rows.job_of(row) for row in rows]

    def statements(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Statement]:
        mine = reference_claims.c.member_id == member_id
        with self._database.read() as connection:
            return claim_rows.statements(connection, mine, after=after, limit=limit)

    def proofs(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[AttachedProof]:
        mine = reference_proofs.c.member_id == member_id
        with self._database.read() as connection:
            return claim_rows.proofs(connection, mine, after=after, limit=limit)

    def decisions(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[Decision]:
        mine = decisions.c.member_id == member_id
        with self._database.read() as connection:
            return decision_rows.page(connection, mine, after=after, limit=limit)

    def packets(self, member_id: str, *, after: str = "", limit: int = 1000) -> Sequence[PacketRow]:
        mine = packets.c.member_id == member_id
        with self._database.read() as connection:
            return packet_rows.page(connection, mine, after=after, limit=limit)
