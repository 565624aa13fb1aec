"""Organisations, members, keys and the trail: who may do what to whom, and what is written of it."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from imgguard.errors import (
    ConfigurationError,
    Conflict,
    InputError,
    InvalidTransition,
    NotFound,
    PermissionDenied,
)
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Disclosure, Role, Scope
from imgguard.services.organisations import Organisations
from imgguard.storage.sql.accounts import SqlAccounts
from imgguard.storage.sql.migrate import open_database

House = Any
Acting = Callable[[str], Actor]
ANN, BOB, CARL, DORA = "ann@example.org", "bob@example.org", "carl@example.org", "dora@example.org"
PASSWORD = "correct horse battery"


@pytest.fixture
def studio(house: House) -> House:
    """Bob is the admin of Studio, Carl one of its sellers; Dora is a reviewer at the operator's, where Ann is admin."""
    house.studio, house.bob = house.organisation("Studio", BOB)
    house.carl = house.join(CARL, Role.SELLER, organisation=house.studio)
    house.dora = house.join(DORA, Role.REVIEWER)
    return house


def key_of(house: House, actor: Actor, **options: object) -> Actor:
    return house.identity.actor_of_key(house.keys.issue(actor, "program", **options).secret)  # type: ignore[no-any-return]


class TestOrganisations:
    def test_there_is_no_console_before_the_first(self, house: House, tmp_path: Any) -> None:
        database = open_database(tmp_path / "other" / "imgguard.db")
        empty = Organisations(
            accounts=SqlAccounts(database),
            passwords=house.passwords,
            clock=house.clock,
            invitation_time=timedelta(days=1),
        )
        assert not empty.has_operator()
        with pytest.raises(ConfigurationError, match="no organisation yet"):
            empty.console()
        founded = empty.found("Platform", email=ANN, member_name=None, roles=[Role.ADMIN], password=None)
        assert founded.admin.token is not None
        assert founded.admin.member.name == ANN
        assert empty.console().organisation_id == founded.organisation.organisation_id
        database.close()

    def test_only_administrators_of_the_installation_make_them(self, studio: House, actor: Acting) -> None:
        for stranger in (actor(BOB), actor(CARL), actor(DORA)):
            with pytest.raises(PermissionDenied):
                studio.organisations.create(stranger, "New", email="new@example.org")
            with pytest.raises(PermissionDenied):
                studio.organisations.organisations(stranger)
        ann = actor(ANN)
        with pytest.raises(PermissionDenied, match="key"):
            studio.organisations.create(key_of(studio, ann), "New", email="new@example.org")
        with pytest.raises(PermissionDenied, match="password"):
            studio.organisations.create(ann, "New", email="new@example.org", password=PASSWORD)
        founded = studio.organisations.create(ann, " New ", email="new@example.org", disclosure=Disclosure.CONTACT)
        made = founded.organisation
        assert (made.name, made.disclosure, made.is_operator) == ("New", Disclosure.CONTACT, False)
        assert studio.identity.accept(founded.admin.token, PASSWORD).member.can_administer
        assert [one.name for one in studio.organisations.organisations(ann)] == ["Platform", "Studio", "New"]
        event = studio.trail.events(about=made.organisation_id)[0]
        assert event.parties == {made.organisation_id, ann.organisation_id}
        assert event.detail["took_over_owner"] is False

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": ""},
            {"name": "a\nb"},
            {"name": "x" * 201},
            {"email": "nonsense"},
            {"member_name": "\x00"},
            {"roles": [Role.SELLER]},
            {"roles": []},
            {"password": "short"},
        ],
    )
    def test_what_makes_no_organisation(self, house: House, changes: dict[str, object]) -> None:
        values = {"name": "New", "email": "new@example.org", "password": PASSWORD} | changes
        with pytest.raises(InputError):
            house.organisations.create(house.console, values.pop("name"), **values)
        assert len(list(house.organisations.organisations(house.console))) == 1

    def test_a_name_is_taken_once(self, studio: House) -> None:
        with pytest.raises(Conflict):
            studio.organisations.create(studio.console, "Studio", email="new@example.org")

    def test_finding_one(self, studio: House, actor: Acting) -> None:
        identifier = studio.studio.organisation_id
        for member in (BOB, CARL):
            assert studio.organisations.organisation(actor(member)) == studio.studio
        assert studio.organisations.organisation(actor(ANN), identifier) == studio.studio
        with pytest.raises(NotFound):
            studio.organisations.organisation(actor(CARL), studio.made.organisation_id)
        with pytest.raises(NotFound):
            studio.organisations.organisation(actor(DORA), identifier)
        for name in ("Studio", identifier):
            assert list(studio.organisations.meant(studio.console, name)) == [studio.studio]
        assert len(list(studio.organisations.meant(studio.console, None))) == 2
        with pytest.raises(NotFound):
            studio.organisations.named(studio.console, "Nobody")

    def test_disclosure(self, studio: House, actor: Acting) -> None:
        owner = studio.studio.owner_id
        assert studio.organisations.disclosure_of(owner) == Disclosure.OUTLINE
        assert studio.organisations.disclosure_of("own_without_accounts") == Disclosure.OUTLINE
        with pytest.raises(PermissionDenied):
            studio.organisations.set_disclosure(actor(CARL), Disclosure.FULL)
        with pytest.raises(NotFound):
            studio.organisations.set_disclosure(
                actor(BOB), Disclosure.FULL, organisation_id=studio.made.organisation_id
            )
        studio.organisations.set_disclosure(actor(BOB), Disclosure.FULL)
        assert studio.organisations.disclosure_of(owner) == Disclosure.FULL
        (event,) = [event for event in studio.trail.events() if event.action == "organisation.disclosure_changed"]
        assert (event.object_id, event.detail) == (studio.studio.organisation_id, {"disclosure": "full"})


class TestMembers:
    def test_who_sees_whom(self, studio: House, actor: Acting) -> None:
        for member in (BOB, CARL):
            assert list(studio.members.members(actor(member))) == [studio.bob, studio.carl]
            assert studio.members.member(actor(member), studio.carl.member_id) == studio.carl
            with pytest.raises(NotFound):
                studio.members.member(actor(member), studio.ann.member_id)
            with pytest.raises(NotFound):
                list(studio.members.members(actor(member), organisation_id=studio.made.organisation_id))
        with pytest.raises(NotFound):
            studio.members.member(actor(DORA), studio.carl.member_id)
        assert studio.members.member(actor(ANN), studio.carl.member_id) == studio.carl
        with pytest.raises(PermissionDenied):
            studio.members.with_email(actor(BOB), ANN)
        assert studio.members.with_email(actor(ANN), " CARL@example.org") == studio.carl
        with pytest.raises(NotFound):
            studio.members.with_email(actor(ANN), "nobody@example.org")

    def test_who_invites(self, studio: House, actor: Acting) -> None:
        for stranger in (actor(CARL), actor(DORA), key_of(studio, actor(BOB))):
            with pytest.raises(PermissionDenied):
                studio.members.invite(stranger, email="new@example.org", roles=[Role.SELLER])
            with pytest.raises(PermissionDenied):
                studio.members.reset(stranger, studio.carl.member_id)
        with pytest.raises(PermissionDenied, match="password"):
            studio.members.invite(actor(BOB), email="new@example.org", roles=[Role.SELLER], password=PASSWORD)
        with pytest.raises(PermissionDenied, match="password"):
            studio.members.set_password(actor(BOB), studio.carl.member_id, PASSWORD)
        with pytest.raises(NotFound):
            studio.members.invite(
                actor(BOB), email="new@example.org", roles=[Role.ADMIN], organisation_id=studio.made.organisation_id
            )
        with pytest.raises(NotFound):
            studio.members.reset(actor(BOB), studio.ann.member_id)
        with pytest.raises(Conflict):
            studio.members.invite(actor(BOB), email=ANN, roles=[Role.SELLER])
        with pytest.raises(InputError):
            studio.members.invite(actor(BOB), email="new@example.org", roles=[])
        invited = studio.members.invite(actor(BOB), email="new@example.org", name=" New ", roles=[Role.SELLER])
        assert (invited.member.name, invited.member.state) == ("New", "invited")
        assert invited.member.organisation_id == studio.studio.organisation_id

    @pytest.mark.parametrize("change", ["disable", "enable", "erase", "export", "change"])
    def test_who_changes_whom(self, studio: House, actor: Acting, change: str) -> None:
        def act(by: Actor, whom: Any) -> object:
            options = {"roles": [Role.REVIEWER]} if change == "change" else {}
            return getattr(studio.members, change)(by, whom.member_id, **options)

        before = len([action for action in studio.actions() if action.startswith("member.")])
        for stranger in (actor(CARL), actor(DORA)):
            with pytest.raises(PermissionDenied):
                act(stranger, studio.bob)
        with pytest.raises(NotFound):
            act(actor(BOB), studio.dora)
        if change == "change":
            with pytest.raises(PermissionDenied, match="key"):
                act(key_of(studio, actor(BOB)), studio.carl)
        assert len([action for action in studio.actions() if action.startswith("member.")]) == before
        act(actor(BOB), studio.carl)
        told = [event for event in studio.trail.events(about=studio.carl.member_id) if event.actor != "console"]
        expected = 0 if change == "enable" else 1  # enabled already: nothing was changed
        assert len([event for event in told if event.action.startswith("member.")]) == expected

    def test_a_key_with_the_scope_can_let_people_go(self, studio: House, actor: Acting) -> None:
        program = key_of(studio, actor(BOB), scopes=[Scope.ORGANISATION_WRITE])
        assert not studio.members.disable(program, studio.carl.member_id).is_enabled
        event = studio.trail.events(newest_first=True)[0]
        assert (event.actor, event.key_id) == (studio.bob.member_id, program.key_id)
        powerless = key_of(studio, actor(BOB), scopes=[Scope.ORGANISATION_READ])
        with pytest.raises(PermissionDenied):
            studio.members.enable(powerless, studio.carl.member_id)

    def test_the_own_name(self, studio: House, actor: Acting) -> None:
        carl = actor(CARL)
        assert studio.members.change(carl, studio.carl.member_id, name=" Karl ").name == "Karl"
        with pytest.raises(PermissionDenied):
            studio.members.change(carl, studio.carl.member_id, roles=[Role.ADMIN])
        with pytest.raises(PermissionDenied):
            studio.members.change(carl, studio.bob.member_id, name="Bobby")
        with pytest.raises(PermissionDenied):
            studio.members.change(key_of(studio, carl), studio.carl.member_id, name="Program")
        with pytest.raises(InputError):
            studio.members.change(carl, studio.carl.member_id, name=" ")
        with pytest.raises(InputError):
            studio.members.change(studio.console, studio.carl.member_id, roles=[])

    def test_the_operator_is_a_party_where_it_acts(self, studio: House, actor: Acting) -> None:
        studio.members.disable(actor(ANN), studio.carl.member_id)
        event = studio.trail.events(newest_first=True)[0]
        assert event.organisation_id == studio.studio.organisation_id
        assert event.parties == {studio.studio.organisation_id, studio.made.organisation_id}


class TestPersonalData:
    def test_a_member_exports_its_own(self, studio: House, actor: Acting) -> None:
        carl = actor(CARL)
        issued = studio.keys.issue(carl, "Carl's telephone")
        data = json.loads(json.dumps(studio.members.export(carl, studio.carl.member_id)))
        assert data["member"]["email"] == CARL
        assert data["member"]["organisation"] == "Studio"
        assert data["member"]["roles"] == ["seller"]
        assert [key["name"] for key in data["keys"]] == ["Carl's telephone"]
        assert len(data["sessions"]) == 1
        assert [event["action"] for event in data["events"]] == [
            "member.added",
            "session.opened",
            "key.issued",
            "member.exported",
        ]
        text = json.dumps(data)
        assert issued.secret not in text
        assert "argon2" not in text
        with pytest.raises(PermissionDenied):
            studio.members.export(key_of(studio, carl), studio.carl.member_id)

    def test_a_member_erases_itself(self, studio: House, actor: Acting) -> None:
        carl = actor(CARL)
        with pytest.raises(PermissionDenied):
            studio.members.erase(key_of(studio, carl), studio.carl.member_id)
        gone = studio.members.erase(carl, studio.carl.member_id)
        assert (gone.email, gone.name, gone.state) == (None, None, "erased")
        assert gone in list(studio.members.members(actor(BOB)))
        text = str(studio.trail.events(limit=1000))
        assert CARL not in text
        with pytest.raises(InvalidTransition):
            studio.members.erase(studio.console, studio.carl.member_id)
        exported = studio.members.export(actor(BOB), studio.carl.member_id)
        assert (exported["sessions"], exported["keys"]) == ([], [])
        with pytest.raises(InvalidTransition, match="last admin"):
            studio.members.erase(actor(BOB), studio.bob.member_id)

    def test_no_event_names_anybody(self, studio: House, actor: Acting) -> None:
        studio.members.change(actor(BOB), studio.carl.member_id, name="Carl the Great", roles=[Role.REVIEWER])
        studio.keys.issue(actor(CARL), "Carl's telephone")
        for event in studio.trail.events(limit=1000):
            for trace in ("@", "Carl", "telephone", "203.0.113"):
                assert trace not in str(event)


class TestKeys:
    def test_no_more_than_fifty_that_are_valid(self, studio: House, actor: Acting) -> None:
        issued = [studio.keys.issue(actor(CARL), f"key {number}") for number in range(50)]
        with pytest.raises(InvalidTransition, match="50 valid keys"):
            studio.keys.issue(actor(CARL), "one more")
        studio.keys.issue(actor(BOB), "another member's")
        studio.keys.revoke(actor(CARL), issued[0].key.key_id)
        assert studio.keys.issue(actor(CARL), "in its place")

    def test_who_makes_them(self, studio: House, actor: Acting) -> None:
        carl = actor(CARL)
        issued = studio.keys.issue(carl, " feed ")
        assert (issued.key.name, issued.key.member_id) == ("feed", studio.carl.member_id)
        assert issued.key.scopes == carl.scopes
        assert issued.key.expires_at == studio.clock.now() + timedelta(days=365)
        assert issued.secret.startswith(issued.key.prefix)
        assert issued.secret not in repr(issued)
        with pytest.raises(PermissionDenied, match="references:write"):
            studio.keys.issue(carl, "x", scopes=[Scope.REFERENCES_WRITE, Scope.CHECKS_READ])
        with pytest.raises(PermissionDenied, match="key"):
            studio.keys.issue(studio.identity.actor_of_key(issued.secret), "x")
        with pytest.raises(PermissionDenied, match="another member"):
            studio.keys.issue(actor(BOB), "x", member_id=studio.carl.member_id)
        for options in ({"scopes": []}, {"lifetime": timedelta()}, {"lifetime": timedelta(days=-1)}):
            with pytest.raises(InputError):
                studio.keys.issue(carl, "x", **options)
        with pytest.raises(InputError):
            studio.keys.issue(carl, "")

    def test_the_console_makes_them_for_members(self, studio: House) -> None:
        issued = studio.keys.issue(studio.console, "quickstart", member_id=studio.carl.member_id)
        assert studio.identity.actor_of_key(issued.secret).member_id == studio.carl.member_id
        event = studio.trail.events(about=issued.key.key_id)[0]
        assert (event.actor, event.detail["member_id"]) == ("console", studio.carl.member_id)
        assert event.organisation_id == studio.studio.organisation_id
        with pytest.raises(InputError):
            studio.keys.issue(studio.console, "nobody's")
        studio.members.disable(studio.console, studio.carl.member_id)
        with pytest.raises(InvalidTransition):
            studio.keys.issue(studio.console, "x", member_id=studio.carl.member_id)

    def test_who_sees_and_revokes_them(self, studio: House, actor: Acting) -> None:
        carls, bobs = studio.keys.issue(actor(CARL), "1").key, studio.keys.issue(actor(BOB), "2").key
        anns = studio.keys.issue(actor(ANN), "3").key
        assert list(studio.keys.keys(actor(CARL))) == [carls]
        assert list(studio.keys.keys(actor(BOB))) == [carls, bobs]
        assert list(studio.keys.keys(actor(DORA))) == []
        assert list(studio.keys.keys(actor(ANN), organisation_id=studio.studio.organisation_id)) == [carls, bobs]
        with pytest.raises(NotFound):
            studio.keys.keys(actor(BOB), organisation_id=studio.made.organisation_id)
        for stranger, key in ((CARL, bobs), (DORA, carls), (BOB, anns), (DORA, anns)):
            with pytest.raises(NotFound):
                studio.keys.revoke(actor(stranger), key.key_id)
        now = studio.clock.now()
        assert studio.keys.revoke(actor(CARL), carls.key_id) == replace(carls, revoked_at=now)
        assert studio.keys.revoke(actor(ANN), bobs.key_id).revoked_at == now
        assert studio.keys.revoke(actor(BOB), bobs.key_id).revoked_at == now
        assert studio.actions().count("key.revoked") == 2

    def test_a_key_revokes_itself(self, studio: House, actor: Acting) -> None:
        program = key_of(studio, actor(CARL), scopes=[Scope.CHECKS_READ])
        assert studio.keys.revoke(program, program.key_id or "").revoked_at is not None


class TestAudit:
    def test_who_reads_what(self, studio: House, actor: Acting) -> None:
        mine, theirs = studio.studio.organisation_id, studio.made.organisation_id
        for stranger in (actor(CARL), actor(DORA), key_of(studio, actor(BOB), scopes=[Scope.ORGANISATION_READ])):
            with pytest.raises(PermissionDenied):
                studio.audit.events(stranger)
        bob, ann = actor(BOB), actor(ANN)
        assert all(mine in event.parties for event in studio.audit.events(bob))
        assert list(studio.audit.events(bob)) == list(studio.audit.events(ann, organisation_id=mine))
        assert list(studio.audit.events(ann, limit=1000)) == list(studio.trail.events(limit=1000))
        with pytest.raises(NotFound):
            studio.audit.events(bob, organisation_id=theirs)
        hidden = studio.audit.events(ann, about=studio.ann.member_id)[0]
        with pytest.raises(NotFound):
            studio.audit.events(bob, after=hidden.event_id)
        assert studio.audit.events(bob, about=studio.ann.member_id) == []

    def test_pages(self, studio: House, actor: Acting) -> None:
        ann = actor(ANN)
        every = list(studio.trail.events(limit=1000))
        for limit in (0, -1, 1001):
            with pytest.raises(InputError):
                studio.audit.events(ann, limit=limit)
        assert list(studio.audit.events(ann, after=every[1].event_id, limit=2)) == every[2:4]
        assert list(studio.audit.all_events(ann)) == every
        assert list(studio.audit.all_events(ann, newest=3)) == every[:-4:-1]
        assert list(studio.audit.all_events(ann, newest=10_000)) == every[::-1]
        assert list(studio.audit.all_events(ann, about="nothing")) == []

    def test_every_change_is_told_with_its_place_and_its_actor(self, studio: House, actor: Acting) -> None:
        for event in studio.trail.events(limit=1000):
            assert event.organisation_id in event.parties
            assert event.at == studio.clock.now()
            assert event.event_id.startswith("evt_")


def test_a_name_is_the_same_however_it_was_typed(house: House) -> None:
    decomposed = unicodedata.normalize("NFD", "Müller Fotografie")
    made, _ = house.organisation(decomposed, "mueller@example.org")
    assert made.name == "Müller Fotografie"
    assert house.organisations.named(house.console, decomposed) == made
    with pytest.raises(Conflict):
        house.organisation("Müller Fotografie", "other@example.org")
