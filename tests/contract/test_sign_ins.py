"""What every implementation of SignIns keeps to. One so far: SQLite."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from imgguard.errors import InvalidTransition, NotFound
from imgguard.ports import Accounts, AuditTrail, Credentials, NewCredential, PendingSignIn, Proof, SignIns
from imgguard.registry.accounts import Action, Disclosure, LinkedIdentity, Member, Role
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

    def invite(self, member: Member) -> Proof:
        """Instead of any earlier invitation."""
        token_sha256 = digest(new_id("x"))
        self.credentials.add_invitation(people.invitation(member.member_id), token_sha256, event=self.event())
        return Proof(by="invitation", token_sha256=token_sha256)

    def link(self, member: Member, subject: str = "one", *, issuer: str = ISSUER, proof: Proof | None = None) -> bool:
        """By a new invitation, unless there is another ``proof``."""
        proof = proof or self.invite(member)
        told = event(self.ann.organisation_id, action=Action.IDENTITY_LINKED)
        return self.sign_ins.link(identity(member, subject, issuer=issuer), proof=proof, event=told)

    def is_open(self, proof: Proof) -> bool:
        return self.credentials.invited(proof.token_sha256, at=NOON) is not None

    def links(self) -> int:
        """How many the trail tells of."""
        return [one.action for one in self.trail.events(limit=1000)].count(Action.IDENTITY_LINKED)

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

    def test_with_what_shows_who_it_is(self, house: House) -> None:
        for proof in (
            Proof(by="invitation", token_sha256=digest("one")),
            Proof(by="session", token_sha256=digest("2")),
        ):
            house.sign_ins.begin(digest("state"), replace(PENDING, proof=proof))
            assert house.sign_ins.take(digest("state"), at=NOON) == replace(PENDING, proof=proof)

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
        assert not house.link(bob)
        assert not house.link(bob, "two")
        invitation = house.invite(eve)
        assert not house.link(eve, "one", proof=invitation)
        assert house.is_open(invitation)
        assert house.links() == 1
        # Another provider is another matter.
        assert house.link(bob, issuer="https://other.example")
        assert house.link(eve, "one", issuer="https://third.example")
        assert [one.issuer for one in house.sign_ins.identities(bob.member_id)] == [ISSUER, "https://other.example"]

    def test_two_members_at_once(self, house: House) -> None:
        all_of_them = [house.join(f"m{number}@example.org") for number in range(6)]
        with ThreadPoolExecutor(6) as pool:
            linked = list(pool.map(house.link, all_of_them))
        assert linked.count(True) == 1
        winner = all_of_them[linked.index(True)]
        assert house.sign_ins.member_of(ISSUER, "one") == replace(winner, is_linked=True)
        assert house.links() == 1

    def test_two_identities_at_once(self, house: House) -> None:
        bob = house.join("bob@example.org")
        proof = house.invite(bob)
        with ThreadPoolExecutor(6) as pool:
            linked = list(pool.map(lambda number: house.link(bob, f"subject {number}", proof=proof), range(6)))
        assert linked.count(True) == len(house.sign_ins.identities(bob.member_id)) == 1

    def test_an_invitation_shows_whose_it_is_and_is_used_up(self, house: House) -> None:
        bob, eve = house.join("bob@example.org", NO_PASSWORD), house.join("eve@example.org")
        proof = house.invite(bob)
        assert house.sign_ins.proven(proof, at=NOON) == bob
        assert not house.link(eve, proof=proof)
        assert house.is_open(proof)
        assert house.link(bob, proof=proof)
        assert not house.is_open(proof)
        assert house.sign_ins.proven(proof, at=NOON) is None
        # With a password too: it was this very token that was used.
        theirs = house.invite(eve)
        assert house.link(eve, "two", proof=theirs)
        assert not house.is_open(theirs)
        assert house.accounts.member(eve.member_id).has_password

    def test_an_invitation_that_is_over(self, house: House) -> None:
        bob = house.join("bob@example.org", NO_PASSWORD)
        proof = house.invite(bob)
        late = replace(identity(bob), created_at=LATER)
        assert house.sign_ins.proven(proof, at=LATER) is None
        assert not house.sign_ins.link(late, proof=proof, event=house.event())
        assert house.link(bob, proof=proof)

    def test_an_invitation_that_was_replaced(self, house: House) -> None:
        bob = house.join("bob@example.org", NO_PASSWORD)
        old, new = house.invite(bob), house.invite(bob)
        assert house.sign_ins.proven(old, at=NOON) is None
        assert not house.link(bob, proof=old)
        assert house.is_open(new)
        assert house.link(bob, proof=new)

    def test_an_invitation_that_set_a_password_meanwhile(self, house: House) -> None:
        bob = house.join("bob@example.org", NO_PASSWORD)
        proof = house.invite(bob)
        house.credentials.accept_invitation(proof.token_sha256, OTHER_HASH, at=NOON, event=house.event())
        assert not house.link(bob, proof=proof)

    def test_a_session_shows_whose_it_is(self, house: House) -> None:
        bob, eve = house.join("bob@example.org"), house.join("eve@example.org")
        session = people.session(bob.member_id)
        house.credentials.open_session(
            session, digest("token"), verified_hash=people.HASH, new_hash=None, forgive={}, event=house.event()
        )
        proof = Proof(by="session", token_sha256=digest("token"))
        assert house.sign_ins.proven(proof, at=NOON) == bob
        assert house.sign_ins.proven(proof, at=session.expires_at) is None
        assert house.sign_ins.proven(replace(proof, by="invitation"), at=NOON) is None
        assert not house.link(eve, proof=proof)
        invitation = house.invite(bob)
        assert house.link(bob, proof=proof)
        # It has to do with a password.
        assert house.is_open(invitation)
        house.credentials.end_session(digest("token"), event=house.event())
        assert not house.link(bob, issuer="https://other.example", proof=proof)

    def test_neither_disabled_nor_erased_members(self, house: House) -> None:
        bob = house.join("bob@example.org")
        proof = house.invite(bob)
        house.accounts.disable_member(bob.member_id, at=NOON, event=house.event())
        assert house.sign_ins.proven(proof, at=NOON) is None
        assert not house.link(bob, proof=proof)
        house.accounts.erase_member(bob.member_id, at=NOON, forget=[], event=house.event())
        assert not house.link(bob, proof=proof)

    def test_nobody_of_a_disabled_organisation(self, house: House) -> None:
        organisation_id = new_id("org")
        carl = people.member(organisation_id, "carl@example.org")
        house.accounts.add_organisation(
            organisation_id,
            "Carl's",
            carl,
            WITH_PASSWORD,
            disclosure=Disclosure.OUTLINE,
            first=False,
            event=event(organisation_id),
        )
        proof = house.invite(carl)
        house.accounts.disable_organisation(organisation_id, at=NOON, event=event(organisation_id))
        assert house.sign_ins.proven(proof, at=NOON) is None
        assert not house.link(carl, proof=proof)
        house.accounts.enable_organisation(organisation_id, event=event(organisation_id))
        assert house.link(carl, proof=proof)

    def test_nor_again_without_another_invitation(self, house: House) -> None:
        bob = house.join("bob@example.org", NO_PASSWORD)
        proof = house.invite(bob)
        assert house.link(bob, proof=proof)
        house.sign_ins.unlink(bob.member_id, event=house.event())
        assert not house.link(bob, proof=proof)
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
