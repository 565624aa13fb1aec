"""What every implementation of SignIns keeps to. One so far: SQLite."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from imgguard.errors import InvalidTransition, NotFound
from imgguard.ports import Accounts, AuditTrail, Credentials, NewCredential, PendingSignIn, SignIns
from imgguard.registry.accounts import Disclosure, LinkedIdentity, Member, Role
from imgguard.registry.ids import new_id
from imgguard.registry.throttling import Limit
from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail, SqlCredentials
from imgguard.storage.sql.migrate import open_database
from imgguard.storage.sql.sign_ins import SqlSignIns

from . import people
from .people import ADMIN, OTHER_HASH, WITH_PASSWORD, digest, event
from .stores import LATER, NOON

ISSUER = "https://login.example.org"
PENDING = PendingSignIn(
    browser_sha256=digest("browser"), nonce="n", code_verifier="v", return_to="/?a=b", expires_at=LATER
)
NO_PASSWORD = NewCredential()


@dataclass(frozen=True, kw_only=True)
class House:
    """The ports, on one database, with an organisation whose admin is Ann."""

    sign_ins: SignIns
    accounts: Accounts
    credentials: Credentials
    trail: AuditTrail
    ann: Member

    def join(
        self, email: str, credential: NewCredential = WITH_PASSWORD, *, roles: frozenset[Role] = frozenset()
    ) -> Member:
        made = people.member(self.ann.organisation_id, email, roles=roles or frozenset({Role.SELLER}))
        if credential is NO_PASSWORD:
            invitation = people.invitation(made.member_id)
            credential = NewCredential(invitation=invitation, token_sha256=digest(made.member_id))
        return self.accounts.add_member(made, credential, event=self.event())

    def event(self) -> people.AuditEvent:
        return event(self.ann.organisation_id)

    def link(self, member: Member, subject: str = "one", *, issuer: str = ISSUER, email: str | None = None) -> bool:
        return self.sign_ins.link(
            identity(member, subject, issuer=issuer), email=email or member.email or "", event=self.event()
        )

    def open(self, member: Member, subject: str = "one", name: str = "token", **forgive: bool) -> bool:
        return self.sign_ins.open_session(
            people.session(member.member_id),
            digest(name),
            issuer=ISSUER,
            subject=subject,
            forgive=forgive,
            event=self.event(),
        )

    def told(self) -> int:
        return len(self.trail.events(limit=1000))


def identity(member: Member, subject: str = "one", *, issuer: str = ISSUER) -> LinkedIdentity:
    return LinkedIdentity(issuer=issuer, subject=subject, member_id=member.member_id, created_at=NOON)


@pytest.fixture(params=["sqlite"])
def house(tmp_path: Path) -> Iterator[House]:
    database = open_database(tmp_path / "imgguard.db")
    accounts, organisation_id = SqlAccounts(database), new_id("org")
    admin = people.member(organisation_id)
    accounts.add_organisation(
        organisation_id,
        "Ann's",
        admin,
        WITH_PASSWORD,
        disclosure=Disclosure.OUTLINE,
        first=True,
        event=event(organisation_id),
    )
    yield House(
        sign_ins=SqlSignIns(database),
        accounts=accounts,
        credentials=SqlCredentials(database),
        trail=SqlAuditTrail(database),
        ann=accounts.member(admin.member_id),
    )
    database.close()


class TestPending:
    def test_it_is_read_back_once(self, house: House) -> None:
        house.sign_ins.begin(digest("state"), PENDING)
        assert house.sign_ins.take(digest("other"), at=NOON) is None
        assert house.sign_ins.take(digest("state"), at=NOON) == PENDING
        assert house.sign_ins.take(digest("state"), at=NOON) is None

    def test_of_many_at_once_one_gets_it(self, house: House) -> None:
        house.sign_ins.begin(digest("state"), PENDING)
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda _: house.sign_ins.take(digest("state"), at=NOON), range(8)))
        assert taken.count(PENDING) == 1
        assert taken.count(None) == 7

    def test_its_time_ends(self, house: House) -> None:
        house.sign_ins.begin(digest("state"), PENDING)
        assert house.sign_ins.take(digest("state"), at=LATER) is None
        assert house.sign_ins.take(digest("state"), at=NOON) is None

    def test_it_is_forgotten_with_what_has_expired(self, house: House) -> None:
        house.sign_ins.begin(digest("state"), PENDING)
        house.sign_ins.begin(digest("newer"), replace(PENDING, expires_at=LATER + timedelta(seconds=1)))
        house.credentials.forget_expired(now=LATER)
        assert house.sign_ins.take(digest("state"), at=NOON) is None
        assert house.sign_ins.take(digest("newer"), at=NOON) is not None

    def test_secrets_are_not_shown(self) -> None:
        shown = repr(replace(PENDING, nonce="secret", code_verifier="secret"))
        assert "secret" not in shown


class TestLinking:
    def test_an_identity_is_a_members(self, house: House) -> None:
        bob = house.join("bob@example.org")
        assert house.sign_ins.member_of(ISSUER, "one") is None
        assert house.link(bob)
        linked = replace(bob, is_linked=True)
        assert house.sign_ins.member_of(ISSUER, "one") == house.accounts.member(bob.member_id) == linked
        assert house.sign_ins.member_of(ISSUER, "ONE") is None
        assert house.sign_ins.member_of(f"{ISSUER}/", "one") is None
        assert list(house.sign_ins.identities(bob.member_id)) == [identity(bob)]
        assert house.sign_ins.identities(house.ann.member_id) == []
        assert house.accounts.member_with_email("bob@example.org") == linked
        assert linked in house.accounts.members(bob.organisation_id)
        login = house.credentials.login("bob@example.org")
        assert login is not None
        assert login.member == linked

    def test_each_member_and_each_identity_once(self, house: House) -> None:
        bob, eve = house.join("bob@example.org"), house.join("eve@example.org")
        assert house.link(bob)
        before = house.told()
        assert not house.link(bob)
        assert not house.link(bob, "two")
        assert not house.link(eve, "one")
        assert house.told() == before
        # Another provider is another matter.
        assert house.link(bob, issuer="https://other.example")
        assert house.link(eve, "one", issuer="https://third.example")
        assert [one.issuer for one in house.sign_ins.identities(bob.member_id)] == [ISSUER, "https://other.example"]

    def test_two_members_at_once(self, house: House) -> None:
        all_of_them = [house.join(f"m{number}@example.org") for number in range(6)]
        before = house.told()
        with ThreadPoolExecutor(6) as pool:
            linked = list(pool.map(house.link, all_of_them))
        assert linked.count(True) == 1
        winner = all_of_them[linked.index(True)]
        assert house.sign_ins.member_of(ISSUER, "one") == replace(winner, is_linked=True)
        assert house.told() == before + 1

    def test_two_identities_at_once(self, house: House) -> None:
        bob = house.join("bob@example.org")
        with ThreadPoolExecutor(6) as pool:
            linked = list(pool.map(lambda number: house.link(bob, f"subject {number}"), range(6)))
        assert linked.count(True) == len(house.sign_ins.identities(bob.member_id)) == 1

    def test_only_by_the_address_of_now(self, house: House) -> None:
        bob = house.join("bob@example.org")
        assert not house.link(bob, email="eve@example.org")
        assert house.link(bob, email="BOB@Example.org")

    def test_neither_disabled_nor_erased_members(self, house: House) -> None:
        bob = house.join("bob@example.org")
        house.accounts.disable_member(bob.member_id, at=NOON, event=house.event())
        assert not house.link(bob)
        house.accounts.erase_member(bob.member_id, at=NOON, forget=[], event=house.event())
        assert not house.link(bob)

    def test_an_invitation_is_used_up_where_there_is_no_password(self, house: House) -> None:
        bob, eve = house.join("bob@example.org", NO_PASSWORD), house.join("eve@example.org")
        for member in (bob, eve):
            house.credentials.add_invitation(
                people.invitation(member.member_id), digest(str(member.email)), event=house.event()
            )
        assert house.link(bob)
        assert house.link(eve, "two")
        assert house.credentials.invited(digest("bob@example.org"), at=NOON) is None
        # She has a password, which somebody means her to renew.
        assert house.credentials.invited(digest("eve@example.org"), at=NOON) is not None

    def test_neither_a_member_whose_invitation_is_over(self, house: House) -> None:
        bob = house.join("bob@example.org", NO_PASSWORD)
        late = replace(identity(bob), created_at=LATER)
        assert not house.sign_ins.link(late, email="bob@example.org", event=house.event())
        assert house.link(bob)

    def test_nor_again_without_another_invitation(self, house: House) -> None:
        bob = house.join("bob@example.org", NO_PASSWORD)
        assert house.link(bob)
        house.sign_ins.unlink(bob.member_id, event=house.event())
        assert not house.link(bob)
        house.credentials.add_invitation(people.invitation(bob.member_id), digest("again"), event=house.event())
        assert house.link(bob)

    def test_a_password_can_come_later(self, house: House) -> None:
        bob = house.join("bob@example.org", NO_PASSWORD)
        house.link(bob)
        house.credentials.add_invitation(people.invitation(bob.member_id), digest("one"), event=house.event())
        accepted = house.credentials.accept_invitation(digest("one"), OTHER_HASH, at=NOON, event=house.event())
        assert accepted == replace(bob, has_password=True, is_linked=True)


class TestSessions:
    def test_one_is_opened_for_the_identity(self, house: House) -> None:
        bob = house.join("bob@example.org", NO_PASSWORD)
        assert not house.open(bob)
        house.link(bob)
        assert house.open(bob)
        grant = house.credentials.session(digest("token"))
        assert grant is not None
        assert grant.member == replace(bob, is_linked=True)
        before = house.told()
        assert not house.open(bob, "two", "again")
        assert not house.open(house.ann, "one", "again")
        house.accounts.disable_member(bob.member_id, at=NOON, event=house.event())
        assert not house.open(bob, name="again")
        assert house.credentials.session(digest("again")) is None
        assert house.told() == before + 1

    def test_beginning_is_forgiven(self, house: House) -> None:
        house.link(house.ann)
        limit = Limit(free=1, longest=timedelta(seconds=60), memory=timedelta(hours=1))
        assert house.credentials.admit({"begun": limit}, at=NOON) is None
        assert house.open(house.ann, begun=False)
        assert house.credentials.admit({"begun": limit}, at=NOON) is None


class TestUnlinking:
    def test_identities_and_sessions_go(self, house: House) -> None:
        bob = house.join("bob@example.org")
        house.link(bob)
        house.link(bob, issuer="https://other.example")
        house.open(bob)
        assert house.sign_ins.unlink(bob.member_id, event=house.event()) == bob
        assert house.sign_ins.identities(bob.member_id) == []
        assert house.credentials.session(digest("token")) is None
        before = house.told()
        assert house.sign_ins.unlink(bob.member_id, event=house.event()) == bob
        assert house.told() == before
        assert house.link(house.ann)

    def test_an_admin_who_can_sign_in_stays(self, house: House) -> None:
        bob = house.join("bob@example.org", NO_PASSWORD, roles=ADMIN)
        assert (bob.state, bob.can_administer) == ("invited", False)
        with pytest.raises(InvalidTransition, match="last admin"):
            house.accounts.disable_member(house.ann.member_id, at=NOON, event=house.event())
        house.link(bob)
        assert house.accounts.member(bob.member_id).state == "active"
        house.accounts.disable_member(house.ann.member_id, at=NOON, event=house.event())
        before = house.told()
        for attempt in (
            lambda: house.sign_ins.unlink(bob.member_id, event=house.event()),
            lambda: house.accounts.disable_member(bob.member_id, at=NOON, event=house.event()),
            lambda: house.accounts.change_member(bob.member_id, roles=frozenset(), event=house.event()),
            lambda: house.accounts.erase_member(bob.member_id, at=NOON, forget=[], event=house.event()),
        ):
            with pytest.raises(InvalidTransition, match="last admin"):
                attempt()
        assert house.sign_ins.member_of(ISSUER, "one") == house.accounts.member(bob.member_id)
        assert house.told() == before

    def test_nobody_there(self, house: House) -> None:
        with pytest.raises(NotFound):
            house.sign_ins.unlink("mem_none", event=house.event())
        bob = house.join("bob@example.org")
        house.accounts.erase_member(bob.member_id, at=NOON, forget=[], event=house.event())
        with pytest.raises(InvalidTransition, match="erased"):
            house.sign_ins.unlink(bob.member_id, event=house.event())

    def test_erasing_takes_the_identity_along(self, house: House) -> None:
        bob = house.join("bob@example.org")
        house.link(bob)
        tombstone = house.accounts.erase_member(bob.member_id, at=LATER, forget=[], event=house.event())
        assert not tombstone.is_linked
        assert house.sign_ins.member_of(ISSUER, "one") is None
        # The person can come again, as another member.
        again = house.join("bob@example.org")
        assert house.link(again)
