"""What every implementation of Accounts, Credentials and AuditTrail keeps to. One so far: SQLite."""

import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from imgguard.errors import Conflict, InvalidTransition, NotFound
from imgguard.ports import Accounts, AuditTrail, Catalogue, Credentials, NewCredential
from imgguard.registry.accounts import Disclosure, Member, Organisation, Role
from imgguard.registry.ids import new_id
from imgguard.registry.throttling import Limit
from imgguard.storage.sql.accounts import SqlAccounts, SqlAuditTrail, SqlCredentials
from imgguard.storage.sql.catalogue import SqlCatalogue
from imgguard.storage.sql.migrate import open_database

from . import people, stores
from .people import ADMIN, HASH, OTHER_HASH, WITH_PASSWORD, digest, event
from .stores import LATER, NOON

SELLER = frozenset({Role.SELLER})
LIMIT = Limit(free=2, longest=timedelta(seconds=60), memory=timedelta(hours=1))


@dataclass(frozen=True, kw_only=True)
class House:
    """The ports, on one database."""

    accounts: Accounts
    credentials: Credentials
    trail: AuditTrail
    catalogue: Catalogue

    def found(
        self,
        name: str = "Ann's",
        email: str = "ann@example.org",
        *,
        first: bool = True,
        credential: NewCredential = WITH_PASSWORD,
    ) -> tuple[Organisation, Member]:
        organisation_id = new_id("org")
        admin = people.member(organisation_id, email)
        made = self.accounts.add_organisation(
            organisation_id,
            name,
            admin,
            credential,
            disclosure=Disclosure.OUTLINE,
            first=first,
            event=event(organisation_id, organisation_id),
        )
        return made, self.accounts.member(admin.member_id)

    def join(self, organisation: Organisation, email: str, *, roles: frozenset[Role] = SELLER) -> Member:
        made = people.member(organisation.organisation_id, email, roles=roles)
        return self.accounts.add_member(made, WITH_PASSWORD, event=event(organisation.organisation_id))

    def open(self, member: Member, name: str = "token", **changes: object) -> bool:
        values = {"verified_hash": HASH, "new_hash": None, "forgive": {}, "event": event(member.organisation_id)}
        return self.credentials.open_session(people.session(member.member_id), digest(name), **values | changes)  # type: ignore[arg-type]

    def events(self) -> list[str]:
        return [found.event_id for found in self.trail.events(limit=1000)]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing in it; do not change it."""
    path = tmp_path_factory.mktemp("empty") / "imgguard.db"
    open_database(path).close()
    return path


@pytest.fixture(params=["sqlite"])
def house(empty: Path, tmp_path: Path) -> Iterator[House]:
    database = open_database(Path(shutil.copy(empty, tmp_path)))
    yield House(
        accounts=SqlAccounts(database),
        credentials=SqlCredentials(database),
        trail=SqlAuditTrail(database),
        catalogue=SqlCatalogue(database),
    )
    database.close()


class TestOrganisations:
    def test_the_first_one_operates_the_installation(self, house: House) -> None:
        assert house.accounts.operator() is None
        made, admin = house.found()
        assert made.is_operator
        assert house.accounts.operator() == made == house.accounts.organisation(made.organisation_id)
        assert (made.name, made.disclosure, made.created_at) == ("Ann's", Disclosure.OUTLINE, NOON)
        other, _ = house.found("Bob's", "bob@example.org", first=False)
        assert not other.is_operator
        assert list(house.accounts.organisations()) == [made, other]
        assert list(house.accounts.organisations(after=made.organisation_id, limit=1)) == [other]
        assert (admin.roles, admin.has_password) == (ADMIN, True)

    def test_there_is_one_first(self, house: House) -> None:
        with pytest.raises(Conflict, match="no organisation yet"):
            house.found(first=False)
        house.found()
        with pytest.raises(Conflict, match="already"):
            house.found("Bob's", "bob@example.org")

    def test_it_is_an_owner(self, house: House) -> None:
        made, _ = house.found()
        owner = house.catalogue.owner("Ann's")
        assert owner is not None
        assert owner.owner_id == made.owner_id
        assert house.accounts.organisation_of_owner(owner.owner_id) == made
        assert house.accounts.organisation_named("Ann's") == made
        assert house.accounts.organisation_named("nobody") is None
        assert house.accounts.organisation_of_owner("own_none") is None
        assert house.trail.events()[0].detail == {"took_over_owner": False}

    def test_it_takes_over_the_owner_of_its_name(self, house: House) -> None:
        data = b"red shirt"
        begun = house.catalogue.begin_generation(stores.WEIGHTS, at=NOON)
        house.catalogue.activate_generation(begun.generation_id, at=NOON)
        before = house.catalogue.add_reference(
            "Ann's", stores.content(data), stores.descriptors(data), file="a.jpg", at=NOON
        )
        made, _ = house.found()
        assert made.owner_id == before.owner_id
        assert house.trail.events()[0].detail == {"took_over_owner": True}

    def test_nothing_is_left_of_one_that_failed(self, house: House) -> None:
        house.found()
        before = house.events()
        with pytest.raises(Conflict, match="named"):
            house.found("Ann's", "bob@example.org", first=False)
        with pytest.raises(Conflict, match="belongs to a member"):
            house.found("Bob's", "ann@example.org", first=False)
        assert house.catalogue.owner("Bob's") is None
        assert len(house.accounts.organisations()) == 1
        assert house.accounts.member_with_email("bob@example.org") is None
        assert house.events() == before

    def test_disclosure(self, house: House) -> None:
        made, _ = house.found()
        changed = house.accounts.set_disclosure(
            made.organisation_id, Disclosure.FULL, event=event(made.organisation_id)
        )
        assert changed == replace(made, disclosure=Disclosure.FULL)
        assert house.accounts.organisation(made.organisation_id) == changed
        before = house.events()
        house.accounts.set_disclosure(made.organisation_id, Disclosure.FULL, event=event(made.organisation_id))
        assert house.events() == before

    def test_what_is_not_there(self, house: House) -> None:
        for look in (house.accounts.organisation, house.accounts.member, house.accounts.members, house.credentials.key):
            with pytest.raises(NotFound):
                look("nothing")
        with pytest.raises(NotFound):
            house.accounts.set_disclosure("nothing", Disclosure.FULL, event=event("nothing"))
        with pytest.raises(NotFound):
            house.accounts.add_member(people.member("nothing"), WITH_PASSWORD, event=event("nothing"))


class TestMembers:
    def test_a_member_is_read_back_as_it_was_given(self, house: House) -> None:
        made, ann = house.found()
        bob = house.join(made, "bob@example.org", roles=frozenset(Role))
        assert house.accounts.member(bob.member_id) == bob
        assert (bob.email, bob.name, bob.roles, bob.created_at) == ("bob@example.org", "Ann", frozenset(Role), NOON)
        assert list(house.accounts.members(made.organisation_id)) == [ann, bob]
        assert list(house.accounts.members(made.organisation_id, after=ann.member_id, limit=5)) == [bob]

    def test_times_of_another_zone_come_back_as_utc(self, house: House) -> None:
        made, _ = house.found()
        elsewhere = replace(
            people.member(made.organisation_id, "bob@example.org"),
            created_at=NOON.astimezone(timezone(timedelta(hours=5))),
        )
        added = house.accounts.add_member(elsewhere, WITH_PASSWORD, event=event(made.organisation_id))
        assert added.created_at == NOON
        assert added.created_at.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("same", ["ANN@Example.ORG", "ann@example.org"])
    def test_an_address_belongs_to_one_member(self, house: House, same: str) -> None:
        made, ann = house.found()
        assert house.accounts.member_with_email(same) == ann
        before = house.events()
        with pytest.raises(Conflict):
            house.join(made, same)
        assert house.events() == before

    def test_accents_may_be_written_in_two_ways(self, house: House) -> None:
        made, _ = house.found()
        jose = house.join(made, "josé@example.org")
        decomposed = unicodedata.normalize("NFD", "JOSÉ@example.org")
        assert house.accounts.member_with_email(decomposed) == jose
        assert jose.email == "josé@example.org"

    def test_change(self, house: House) -> None:
        made, ann = house.found()
        told = event(made.organisation_id)
        changed = house.accounts.change_member(
            ann.member_id, name="Anna", roles=frozenset({Role.ADMIN, Role.SELLER}), event=told
        )
        assert changed == replace(ann, name="Anna", roles=frozenset({Role.ADMIN, Role.SELLER}))
        assert house.accounts.member(ann.member_id) == changed
        assert house.events()[-1] == told.event_id
        before = house.events()
        assert house.accounts.change_member(ann.member_id, name="Anna", event=event(made.organisation_id)) == changed
        assert house.events() == before

    def test_disabled_members_have_no_sessions_and_can_come_back(self, house: House) -> None:
        made, _ = house.found()
        bob = house.join(made, "bob@example.org")
        assert house.open(bob)
        gone = house.accounts.disable_member(bob.member_id, at=LATER, event=event(made.organisation_id))
        assert gone == replace(bob, disabled_at=LATER)
        assert not gone.is_enabled
        assert house.credentials.session(digest("token")) is None
        assert not house.open(bob)
        before = house.events()
        assert house.accounts.disable_member(bob.member_id, at=NOON, event=event(made.organisation_id)) == gone
        assert house.events() == before
        assert house.accounts.enable_member(bob.member_id, event=event(made.organisation_id)) == bob
        assert house.open(bob)
        with pytest.raises(NotFound):
            house.accounts.enable_member("mem_none", event=event(made.organisation_id))


class TestTheLastAdmin:
    def attempts(self, house: House, member: Member) -> Iterator[object]:
        """Every way to lose an admin."""
        told = event(member.organisation_id)
        yield lambda: house.accounts.change_member(member.member_id, roles=SELLER, event=told)
        yield lambda: house.accounts.disable_member(member.member_id, at=LATER, event=told)
        yield lambda: house.accounts.erase_member(member.member_id, at=LATER, forget=[], event=told)

    @pytest.mark.parametrize("way", range(3))
    def test_stays(self, house: House, way: int) -> None:
        made, ann = house.found()
        house.join(made, "bob@example.org")
        elsewhere, _ = house.found("Bob's", "carl@example.org", first=False)
        invited = people.member(made.organisation_id, "dora@example.org")
        house.accounts.add_member(
            invited,
            NewCredential(invitation=people.invitation(invited.member_id), token_sha256=digest("dora")),
            event=event(made.organisation_id),
        )
        assert house.open(ann)
        before = house.events()
        with pytest.raises(InvalidTransition, match="last admin"):
            list(self.attempts(house, ann))[way]()  # type: ignore[operator]
        assert house.accounts.member(ann.member_id) == ann
        assert house.credentials.session(digest("token")) is not None
        assert house.events() == before
        assert elsewhere

    @pytest.mark.parametrize("way", range(3))
    def test_may_go_when_there_is_another(self, house: House, way: int) -> None:
        made, ann = house.found()
        house.join(made, "bob@example.org", roles=ADMIN)
        list(self.attempts(house, ann))[way]()  # type: ignore[operator]
        assert not house.accounts.member(ann.member_id).can_administer

    def test_an_organisation_whose_first_admin_was_only_invited_can_drop_that_one(self, house: House) -> None:
        house.found()
        made, admin = house.found("Bob's", "bob@example.org", first=False, credential=NewCredential())
        assert not admin.can_administer
        house.accounts.erase_member(admin.member_id, at=LATER, forget=[], event=event(made.organisation_id))


class TestErasing:
    def test_a_tombstone_stays(self, house: House) -> None:
        made, _ = house.found()
        bob = house.join(made, "bob@example.org")
        told = event(made.organisation_id)
        house.open(bob)
        house.credentials.add_key(people.key(bob), digest("secret"), event=told)
        again = event(made.organisation_id)
        house.credentials.add_invitation(people.invitation(bob.member_id), digest("invitation"), event=again)
        for subject in ("pair:b:1", "pair:c:1"):
            house.credentials.admit({subject: replace(LIMIT, free=0)}, at=NOON)
        tombstone = house.accounts.erase_member(
            bob.member_id, at=LATER, forget=["pair:b:"], event=event(made.organisation_id)
        )
        assert tombstone == replace(bob, email=None, name=None, roles=frozenset(), has_password=False, erased_at=LATER)
        assert house.accounts.member(bob.member_id) == tombstone
        assert house.credentials.session(digest("token")) is None
        assert house.credentials.key_with_secret(digest("secret")) is None
        assert house.credentials.keys(made.organisation_id) == []
        assert house.credentials.invited(digest("invitation"), at=NOON) is None
        assert house.credentials.admit({"pair:b:1": LIMIT}, at=NOON) is None
        assert house.credentials.admit({"pair:c:1": LIMIT}, at=NOON) is not None

    def test_the_address_is_free_again(self, house: House) -> None:
        made, _ = house.found()
        bob = house.join(made, "bob@example.org")
        house.accounts.erase_member(bob.member_id, at=LATER, forget=[], event=event(made.organisation_id))
        assert house.accounts.member_with_email("bob@example.org") is None
        assert house.join(made, "bob@example.org").member_id != bob.member_id

    def test_nothing_leads_back(self, house: House) -> None:
        made, _ = house.found()
        bob = house.join(made, "bob@example.org")
        told = event(made.organisation_id)
        house.accounts.erase_member(bob.member_id, at=LATER, forget=[], event=told)
        before = house.events()
        for attempt in (
            lambda: house.accounts.change_member(bob.member_id, name="Bob", event=told),
            lambda: house.accounts.disable_member(bob.member_id, at=LATER, event=told),
            lambda: house.accounts.enable_member(bob.member_id, event=told),
            lambda: house.accounts.erase_member(bob.member_id, at=LATER, forget=[], event=told),
            lambda: house.credentials.set_password(bob.member_id, HASH, event=told),
            lambda: house.credentials.add_invitation(people.invitation(bob.member_id), digest("x"), event=told),
            lambda: house.credentials.add_key(people.key(bob), digest("x"), event=told),
        ):
            with pytest.raises(InvalidTransition):
                attempt()
        assert house.events() == before


class TestPasswords:
    def test_an_invitation_is_good_for_one_password(self, house: House) -> None:
        made, _ = house.found()
        bob = people.member(made.organisation_id, "bob@example.org")
        begin = NewCredential(invitation=people.invitation(bob.member_id), token_sha256=digest("invitation"))
        assert not house.accounts.add_member(bob, begin, event=event(made.organisation_id)).has_password
        found = house.credentials.invited(digest("invitation"), at=NOON)
        assert found is not None
        assert (found.member.member_id, found.organisation) == (bob.member_id, made)
        assert found.invitation == people.invitation(bob.member_id)
        told = event(made.organisation_id)
        accepted = house.credentials.accept_invitation(digest("invitation"), HASH, at=NOON, event=told)
        assert accepted is not None
        assert accepted.has_password
        login = house.credentials.login("BOB@example.org")
        assert login is not None
        assert (login.member, login.password_hash) == (accepted, HASH)
        assert HASH not in repr(login)
        before = house.events()
        assert house.credentials.accept_invitation(digest("invitation"), OTHER_HASH, at=NOON, event=told) is None
        assert house.events() == before

    def test_an_invitation_ends(self, house: House) -> None:
        made, ann = house.found()
        house.credentials.add_invitation(
            people.invitation(ann.member_id), digest("one"), event=event(made.organisation_id)
        )
        assert house.credentials.invited(digest("one"), at=LATER) is None
        assert (
            house.credentials.accept_invitation(digest("one"), OTHER_HASH, at=LATER, event=event(made.organisation_id))
            is None
        )
        house.credentials.add_invitation(
            people.invitation(ann.member_id), digest("two"), event=event(made.organisation_id)
        )
        assert house.credentials.invited(digest("one"), at=NOON) is None
        two = house.credentials.invited(digest("two"), at=NOON)
        assert two is not None
        assert two.member == ann
        assert house.credentials.invited(digest("three"), at=NOON) is None

    def test_a_disabled_member_is_not_invited(self, house: House) -> None:
        made, _ = house.found()
        bob, told = house.join(made, "bob@example.org"), event(made.organisation_id)
        house.credentials.add_invitation(people.invitation(bob.member_id), digest("one"), event=told)
        house.accounts.disable_member(bob.member_id, at=NOON, event=event(made.organisation_id))
        assert house.credentials.invited(digest("one"), at=NOON) is None
        for attempt in (
            lambda: house.credentials.add_invitation(people.invitation(bob.member_id), digest("two"), event=told),
            lambda: house.credentials.add_key(people.key(bob), digest("two"), event=told),
        ):
            with pytest.raises(InvalidTransition, match="disabled"):
                attempt()

    def test_a_new_password_ends_what_the_old_one_opened(self, house: House) -> None:
        made, ann = house.found()
        house.open(ann)
        house.credentials.add_invitation(
            people.invitation(ann.member_id), digest("one"), event=event(made.organisation_id)
        )
        assert house.credentials.set_password(ann.member_id, OTHER_HASH, event=event(made.organisation_id)) == ann
        assert house.credentials.session(digest("token")) is None
        assert house.credentials.invited(digest("one"), at=NOON) is None
        assert not house.open(ann)
        assert house.open(ann, verified_hash=OTHER_HASH)
        assert house.credentials.login("nobody@example.org") is None


class TestSessions:
    def test_a_session_stands_for_its_member(self, house: House) -> None:
        made, ann = house.found()
        assert house.open(ann)
        grant = house.credentials.session(digest("token"))
        assert grant is not None
        assert (grant.member, grant.organisation) == (ann, made)
        assert (grant.session.created_at, grant.session.seen_at) == (NOON, NOON)
        assert list(house.credentials.sessions(ann.member_id)) == [grant.session]
        house.credentials.touch_session(grant.session.session_id, at=LATER)
        assert house.credentials.session(digest("token")) == replace(
            grant, session=replace(grant.session, seen_at=LATER)
        )
        house.credentials.end_session(digest("token"), event=event(made.organisation_id))
        before = house.events()
        house.credentials.end_session(digest("token"), event=event(made.organisation_id))
        assert house.events() == before
        assert house.credentials.session(digest("token")) is None

    def test_the_digest_is_replaced_with_the_session(self, house: House) -> None:
        _, ann = house.found()
        assert house.open(ann, new_hash=OTHER_HASH)
        login = house.credentials.login("ann@example.org")
        assert login is not None
        assert login.password_hash == OTHER_HASH

    def test_those_that_have_expired_are_dropped(self, house: House) -> None:
        made, ann = house.found()
        house.open(ann)
        late = replace(people.session(ann.member_id), created_at=LATER, expires_at=LATER + timedelta(hours=1))
        assert house.credentials.open_session(
            late, digest("late"), verified_hash=HASH, new_hash=None, forgive={}, event=event(made.organisation_id)
        )
        assert list(house.credentials.sessions(ann.member_id)) == [replace(late, seen_at=NOON)]

    def test_expired_things_are_forgotten(self, house: House) -> None:
        made, ann = house.found()
        house.open(ann)
        house.credentials.add_invitation(
            people.invitation(ann.member_id), digest("one"), event=event(made.organisation_id)
        )
        house.credentials.admit({"a": LIMIT}, at=NOON)
        house.credentials.forget_expired(now=NOON)
        assert house.credentials.session(digest("token")) is not None
        house.credentials.forget_expired(now=LATER)
        assert house.credentials.session(digest("token")) is None
        assert house.credentials.invited(digest("one"), at=NOON) is None
        house.credentials.forget_expired(now=LATER)


class TestKeys:
    def test_a_key_is_read_back_as_it_was_given(self, house: House) -> None:
        made, ann = house.found()
        key = people.key(ann)
        house.credentials.add_key(key, digest("secret"), event=event(made.organisation_id))
        assert house.credentials.key(key.key_id) == key
        grant = house.credentials.key_with_secret(digest("secret"))
        assert grant is not None
        assert (grant.key, grant.member, grant.organisation) == (key, ann, made)
        assert house.credentials.key_with_secret(digest("other")) is None
        house.credentials.touch_key(key.key_id, at=LATER)
        assert house.credentials.key(key.key_id) == replace(key, last_used_at=LATER)

    def test_keys_are_listed(self, house: House) -> None:
        made, ann = house.found()
        bob = house.join(made, "bob@example.org")
        keys = [people.key(ann), people.key(bob), people.key(ann)]
        for number, key in enumerate(keys):
            house.credentials.add_key(key, digest(str(number)), event=event(made.organisation_id))
        assert list(house.credentials.keys(made.organisation_id)) == keys
        assert list(house.credentials.keys(made.organisation_id, member_id=bob.member_id)) == keys[1:2]
        assert house.credentials.keys("org_none") == []

    def test_revoked_once(self, house: House) -> None:
        made, ann = house.found()
        key = people.key(ann)
        house.credentials.add_key(key, digest("secret"), event=event(made.organisation_id))
        revoked = house.credentials.revoke_key(key.key_id, at=LATER, event=event(made.organisation_id))
        assert revoked == replace(key, revoked_at=LATER)
        before = house.events()
        assert house.credentials.revoke_key(key.key_id, at=NOON, event=event(made.organisation_id)) == revoked
        assert house.events() == before
        with pytest.raises(NotFound):
            house.credentials.revoke_key("key_none", at=NOON, event=event(made.organisation_id))


class TestAttempts:
    def test_waiting_grows_and_is_forgotten(self, house: House) -> None:
        admit = house.credentials.admit
        assert [admit({"a": LIMIT}, at=NOON) for _ in range(3)] == [None] * 3
        assert admit({"a": LIMIT}, at=NOON) == NOON + timedelta(seconds=1)
        assert admit({"b": LIMIT}, at=NOON) is None
        at = NOON + timedelta(seconds=1)
        assert admit({"a": LIMIT}, at=at) is None
        assert admit({"a": LIMIT}, at=at) == at + timedelta(seconds=2)
        assert admit({"a": LIMIT}, at=NOON + timedelta(hours=2)) is None
        assert admit({"a": LIMIT}, at=NOON + timedelta(hours=2)) is None

    def test_who_must_wait_is_not_counted(self, house: House) -> None:
        admit = house.credentials.admit
        strict = replace(LIMIT, free=0)
        assert admit({"strict": strict}, at=NOON) is None
        for _ in range(10):
            assert admit({"strict": strict, "lax": LIMIT}, at=NOON) == NOON + timedelta(seconds=1)
        assert [admit({"lax": LIMIT}, at=NOON) for _ in range(3)] == [None] * 3

    def test_success_forgives(self, house: House) -> None:
        _, ann = house.found()
        for _ in range(3):
            assert house.credentials.admit({"mine": LIMIT, "shared": LIMIT}, at=NOON) is None
        assert house.open(ann, forgive={"mine": True, "shared": False})
        assert house.trail.events()[-1].detail == {"failures_before": 2}
        assert house.credentials.admit({"mine": LIMIT}, at=NOON) is None
        later = NOON + timedelta(seconds=1)
        assert house.credentials.admit({"shared": LIMIT}, at=later) is None
        # The third failure, not the fourth: one was taken back.
        assert house.credentials.admit({"shared": LIMIT}, at=later) == later + timedelta(seconds=1)


class TestAuditTrail:
    def test_an_event_is_read_back_as_it_was_given(self, house: House) -> None:
        made, ann = house.found()
        told = replace(
            event(made.organisation_id, "key_1", actor=ann.member_id, roles=["admin"], count=3), key_id="key_2"
        )
        house.trail.record(told)
        assert house.trail.events()[-1] == told

    def test_pages(self, house: House) -> None:
        made, _ = house.found()
        told = [event(made.organisation_id, f"thing {n}") for n in range(5)]
        for one in reversed(told):  # the order is that of the trail, whatever the ids say
            house.trail.record(one)
        expected = told[::-1]
        begin = house.trail.events(limit=1)[0].event_id
        assert list(house.trail.events(after=begin, limit=2)) == expected[:2]
        assert list(house.trail.events(after=expected[1].event_id, limit=9)) == expected[2:]
        assert list(house.trail.events(newest_first=True, limit=2)) == told[:2]
        assert list(house.trail.events(newest_first=True, after=told[1].event_id, limit=2)) == told[2:4]
        assert house.trail.events(after=told[0].event_id) == []
        with pytest.raises(NotFound):
            house.trail.events(after="evt_none")

    def test_only_what_concerns_a_party_or_a_thing(self, house: House) -> None:
        ann, _ = house.found()
        bob, _ = house.found("Bob's", "bob@example.org", first=False)
        both = event(ann.organisation_id, "ref_1", actor="mem_1", parties=frozenset({bob.organisation_id}))
        mine = event(ann.organisation_id, "ref_2", actor="mem_2")
        for one in (both, mine):
            house.trail.record(one)
        assert list(house.trail.events(party=bob.organisation_id))[1:] == [both]
        assert list(house.trail.events(party=ann.organisation_id))[1:] == [both, mine]
        assert list(house.trail.events(about="ref_2")) == [mine]
        assert list(house.trail.events(about="mem_1")) == [both]
        assert house.trail.events(about="mem_1", party="org_none") == []
        with pytest.raises(NotFound):
            house.trail.events(party=bob.organisation_id, after=mine.event_id)
