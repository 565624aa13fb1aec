"""The services of people and rights on a database of their own, with a clock that can be moved and cheap passwords."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imgguard.registry.access import Actor
from imgguard.registry.accounts import Member, Organisation, Role
from imgguard.services.audit import Audit
from imgguard.services.identity import Identity, SignedIn
from imgguard.services.keys import Keys
from imgguard.services.members import Members
from imgguard.services.organisations import Organisations
from imgguard.services.passwords import Passwords
from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail, SqlCredentials
from imgguard.storage.sql.engine import Database
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.sign_ins import SqlSignIns

PASSWORD = "correct horse battery"
HOME = "203.0.113.7"


@dataclass
class MovableClock:
    time: datetime = datetime(2026, 5, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass(kw_only=True)
class House:
    """All services; ``made`` is the operator's organisation, whose admin is Ann."""

    database: Database
    clock: MovableClock = field(default_factory=MovableClock)
    passwords: Passwords = field(default_factory=lambda: Passwords(passes=1, memory_kib=8, lanes=1))

    def __post_init__(self) -> None:
        self.accounts = SqlAccounts(self.database)
        self.credentials = SqlCredentials(self.database)
        self.sign_ins = SqlSignIns(self.database)
        self.trail = SqlAuditTrail(self.database)
        time = timedelta(days=3)
        self.identity = Identity(
            accounts=self.accounts,
            credentials=self.credentials,
            passwords=self.passwords,
            clock=self.clock,
            idle=timedelta(hours=2),
            longest=timedelta(hours=24),
        )
        self.organisations = Organisations(
            accounts=self.accounts, passwords=self.passwords, clock=self.clock, invitation_time=time
        )
        self.members = Members(
            accounts=self.accounts,
            credentials=self.credentials,
            sign_ins=self.sign_ins,
            trail=self.trail,
            passwords=self.passwords,
            clock=self.clock,
            invitation_time=time,
        )
        self.keys = Keys(accounts=self.accounts, credentials=self.credentials, clock=self.clock)
        self.audit = Audit(trail=self.trail)
        if not self.organisations.has_operator():
            self.organisations.found(
                "Platform", email="ann@example.org", member_name="Ann", roles=[Role.ADMIN], password=PASSWORD
            )
        self.made: Organisation = self.organisations.organisation(self.console)
        (self.ann,) = self.members.members(self.console)

    @property
    def console(self) -> Actor:
        return self.organisations.console()

    def organisation(self, name: str, email: str) -> tuple[Organisation, Member]:
        founded = self.organisations.create(self.console, name, email=email, password=PASSWORD)
        return founded.organisation, founded.admin.member

    def join(self, email: str, *roles: Role, organisation: Organisation | None = None) -> Member:
        chosen = None if organisation is None else organisation.organisation_id
        return self.members.invite(
            self.console, email=email, roles=roles, organisation_id=chosen, password=PASSWORD
        ).member

    def sign_in(self, email: str, password: str = PASSWORD, *, address: str = HOME) -> SignedIn:
        return self.identity.sign_in(email, password, address=address)

    def actions(self) -> list[str]:
        return [event.action for event in self.trail.events(limit=1000)]


@pytest.fixture(scope="session")
def made_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the first organisation; do not change it."""
    path = tmp_path_factory.mktemp("house") / "imgguard.db"
    database = open_database(path)
    House(database=database)
    database.close()
    return path


@pytest.fixture
def house(made_house: Path, tmp_path: Path) -> Iterator[House]:
    """A copy of it."""
    (tmp_path / "home").mkdir()
    database = open_database(Path(shutil.copy(made_house, tmp_path / "home")))
    yield House(database=database)
    database.close()


@pytest.fixture
def actor(house: House) -> Callable[[str], Actor]:
    """The actor of a member, by its address."""
    return lambda email: house.sign_in(email).actor
