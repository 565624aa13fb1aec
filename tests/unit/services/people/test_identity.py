"""Signing in, sessions, invitations, keys: what opens, what does not, and what is told of it."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from imgguard.errors import AuthenticationRequired, InputError, PermissionDenied, RateLimited
from imgguard.registry.access import Actor
from imgguard.registry.accounts import Role, Scope
from imgguard.services import attempts, passwords, tokens
from imgguard.services.passwords import Passwords
from imgguard.storage.sql.accounts import SqlCredentials
from imgguard.storage.sql.migrate import open_database

House = Any
ANN, BOB, PASSWORD, HOME = "ann@example.org", "bob@example.org", "correct horse battery", "203.0.113.7"
OTHER = "another long password"


class TestSigningIn:
    def test_with_the_right_password(self, house: House) -> None:
        signed_in = house.sign_in(" ANN@example.org ")
        assert signed_in.actor.member_id == house.ann.member_id
        assert signed_in.actor.is_operator
        assert house.identity.actor_of_session(signed_in.token) == signed_in.actor
        assert len(signed_in.token) == 52
        assert signed_in.token not in repr(signed_in)
        assert signed_in.csrf_token not in repr(signed_in)
        event = house.trail.events(newest_first=True)[0]
        assert (event.action, event.actor) == ("session.opened", house.ann.member_id)
        assert (event.object_id, event.detail) == (signed_in.session.session_id, {"failures_before": 0})

    def test_an_accent_may_be_typed_in_two_ways(self, house: House) -> None:
        house.members.set_password(house.console, house.ann.member_id, "café au lait, s'il vous plaît")
        assert house.sign_in(ANN, "cafe\u0301 au lait, s'il vous plai\u0302t")

    @pytest.mark.parametrize(
        ("email", "password"),
        [
            (ANN, "wrong"),
            (ANN, ""),
            (ANN, PASSWORD + " "),
            (ANN, "x" * 2000),
            (ANN, "\ud800" * 12),
            ("nobody@example.org", PASSWORD),
            ("", PASSWORD),
            ("\ud800@\x00", PASSWORD),
        ],
    )
    def test_everything_that_is_wrong_is_told_in_the_same_words(self, house: House, email: str, password: str) -> None:
        with pytest.raises(AuthenticationRequired, match="the address or the password is wrong"):
            house.sign_in(email, password)
        assert "session.opened" not in house.actions()

    def test_members_that_cannot(self, house: House) -> None:
        disabled = house.join(BOB, Role.SELLER)
        house.members.disable(house.console, disabled.member_id)
        house.members.invite(house.console, email="carl@example.org", roles=[Role.SELLER])
        for email in (BOB, "carl@example.org"):
            with pytest.raises(AuthenticationRequired, match="address or the password"):
                house.sign_in(email)

    def test_the_same_work_is_done_for_whoever_asks(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        compared = []
        real = Passwords.matches

        def matches(self: Passwords, password: str, password_hash: str | None) -> bool:
            compared.append(password_hash is not None)
            return real(self, password, password_hash)

        monkeypatch.setattr(Passwords, "matches", matches)
        bob = house.join(BOB, Role.SELLER)
        house.members.disable(house.console, bob.member_id)
        for email in (ANN, "nobody@example.org", "nonsense", BOB):
            with pytest.raises(AuthenticationRequired):
                house.sign_in(email, "wrong password")
        assert compared == [True, False, False, False]

    def test_old_parameters_are_replaced(self, house: House) -> None:
        stored = house.credentials.login(ANN).password_hash
        house.identity._passwords = Passwords(passes=2, memory_kib=16, lanes=1)
        house.sign_in(ANN)
        renewed = house.credentials.login(ANN).password_hash
        assert renewed != stored
        assert "m=16,t=2,p=1" in renewed
        house.sign_in(ANN)
        assert house.credentials.login(ANN).password_hash == renewed

    def test_a_password_that_changes_meanwhile_opens_nothing(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = Passwords.matches

        def matches(self: Passwords, password: str, password_hash: str | None) -> bool:
            found = real(self, password, password_hash)
            house.members.set_password(house.console, house.ann.member_id, OTHER)
            return found

        monkeypatch.setattr(Passwords, "matches", matches)
        with pytest.raises(AuthenticationRequired):
            house.sign_in(ANN)
        assert list(house.credentials.sessions(house.ann.member_id)) == []


class TestGuessing:
    def fail(self, house: House, email: str = ANN, *, address: str = HOME) -> None:
        with pytest.raises(AuthenticationRequired):
            house.sign_in(email, "wrong", address=address)

    def refused(self, house: House, email: str = ANN, *, address: str = HOME) -> float:
        with pytest.raises(RateLimited) as caught:
            house.sign_in(email, address=address)
        return caught.value.retry_after

    @pytest.mark.parametrize("email", [ANN, "nobody@example.org"])
    def test_waiting_doubles_whoever_it_is(self, house: House, email: str) -> None:
        for _ in range(6):
            self.fail(house, email)
        for seconds in (1, 2, 4, 8):
            assert self.refused(house, email) == seconds
            assert self.refused(house, email.upper()) == seconds
            house.clock.move(seconds=seconds)
            self.fail(house, email)

    def test_the_right_password_ends_it_after_the_wait(self, house: House) -> None:
        for _ in range(6):
            self.fail(house)
        self.refused(house)
        house.clock.move(seconds=1)
        house.sign_in(ANN)
        assert house.trail.events(newest_first=True)[0].detail == {"failures_before": 6}
        for _ in range(6):
            self.fail(house)

    def test_failing_elsewhere_does_not_keep_a_member_out(self, house: House) -> None:
        for _ in range(6):
            self.fail(house, address="198.51.100.1")
        self.refused(house, address="198.51.100.1")
        house.sign_in(ANN)

    def test_many_machines_guess_no_faster_than_one_a_minute(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert attempts.EMAIL.free == 50
        monkeypatch.setattr(attempts, "EMAIL", replace(attempts.EMAIL, free=5))
        for number in range(13):
            self.fail(house, address=f"198.51.100.{number}")
            house.clock.move(seconds=60)
        self.fail(house, address="198.51.100.200")
        assert self.refused(house, address="198.51.100.201") == 60

    def test_one_password_cannot_be_tried_on_everybody(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        assert attempts.NETWORK.free == 100
        monkeypatch.setattr(attempts, "NETWORK", replace(attempts.NETWORK, free=5))
        for number in range(6):
            self.fail(house, f"{number}@example.org", address="2001:db8:1:2::1")
        assert self.refused(house, "more@example.org", address="2001:db8:1:2:ffff::9") == 1
        self.fail(house, "more@example.org", address="2001:db8:1:3::1")

    def test_it_survives_a_restart_and_is_forgotten_in_the_end(self, house: House) -> None:
        for _ in range(6):
            self.fail(house)
        database = open_database(house.database.path)
        house.identity._credentials = SqlCredentials(database)
        assert self.refused(house) == 1
        house.clock.move(days=2)
        for _ in range(6):
            self.fail(house)
        database.close()

    def test_asking_at_the_same_time_gains_nothing(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        compared = []
        monkeypatch.setattr(Passwords, "matches", lambda *rest: bool(compared.append(rest)))

        def attempt(_number: int) -> str:
            try:
                house.sign_in(ANN, "wrong")
            except (AuthenticationRequired, RateLimited) as error:
                return error.code
            return "open"

        with ThreadPoolExecutor(8) as executor:
            codes = list(executor.map(attempt, range(24)))
        assert len(compared) == codes.count("authentication_required") == 6
        assert codes.count("rate_limited") == 18

    def test_refused_attempts_look_at_no_password(self, house: House) -> None:
        for _ in range(6):
            self.fail(house)
        house.identity._passwords = Mock()
        self.refused(house)
        house.identity._passwords.matches.assert_not_called()

    def test_neither_address_is_written_down(self, house: House) -> None:
        self.fail(house, "secret.name@example.org", address="198.51.100.77")
        connection = sqlite3.connect(house.database.path)
        try:
            rows = connection.execute("SELECT * FROM attempts").fetchall()
        finally:
            connection.close()
        assert len(rows) == 3
        assert "198.51.100" not in str(rows)
        assert "secret" not in str(rows)


class TestSessions:
    def test_idle_and_old_sessions_end(self, house: House) -> None:
        token = house.sign_in(ANN).token
        for _ in range(13):
            house.clock.move(minutes=110)
            assert house.identity.actor_of_session(token)
        house.clock.move(minutes=11)
        with pytest.raises(AuthenticationRequired, match="ended"):
            house.identity.actor_of_session(token)
        token = house.sign_in(ANN).token
        house.clock.move(minutes=120)
        with pytest.raises(AuthenticationRequired, match="ended"):
            house.identity.actor_of_session(token)

    @pytest.mark.parametrize("token", ["", "nonsense", "\ud800", "0" * 52])
    def test_what_is_no_session(self, house: House, token: str) -> None:
        with pytest.raises(AuthenticationRequired):
            house.identity.actor_of_session(token)
        house.identity.sign_out(token)

    def test_signing_out(self, house: House) -> None:
        one, other = house.sign_in(ANN), house.sign_in(ANN)
        house.identity.sign_out(one.token)
        house.identity.sign_out(one.token)
        with pytest.raises(AuthenticationRequired):
            house.identity.actor_of_session(one.token)
        assert house.identity.actor_of_session(other.token)
        assert house.actions().count("session.ended") == 1

    def test_roles_are_those_of_now(self, house: House) -> None:
        bob = house.join(BOB, Role.SELLER)
        token = house.sign_in(BOB).token
        house.members.change(house.console, bob.member_id, roles=[Role.REVIEWER])
        assert house.identity.actor_of_session(token).roles == {Role.REVIEWER}
        house.members.disable(house.console, bob.member_id)
        house.members.enable(house.console, bob.member_id)
        with pytest.raises(AuthenticationRequired):
            house.identity.actor_of_session(token)

    def test_the_last_use_is_written_once_a_minute(self, house: House) -> None:
        token = house.sign_in(ANN).token
        house.identity._credentials = Mock(wraps=house.credentials)
        for seconds in (1, 30, 28):
            house.clock.move(seconds=seconds)
            house.identity.actor_of_session(token)
        house.identity._credentials.touch_session.assert_not_called()
        house.clock.move(seconds=1)
        house.identity.actor_of_session(token)
        house.identity.actor_of_session(token)
        house.identity._credentials.touch_session.assert_called_once()

    def test_a_store_that_cannot_be_written_turns_nobody_away(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        token = house.sign_in(ANN).token
        house.clock.move(minutes=5)
        house.database._busy_seconds = 0.05
        house.database.engine.dispose()
        house.database.engine = house.database._create_engine()
        other = sqlite3.connect(house.database.path, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            assert house.identity.actor_of_session(token)
        finally:
            other.close()
        assert "was not noted" in caplog.text

    def test_forms_of_another_session_are_refused(self, house: House) -> None:
        one, other = house.sign_in(ANN), house.sign_in(ANN)
        assert house.identity.csrf_token(one.token) == one.csrf_token
        house.identity.require_csrf(one.token, one.csrf_token)
        for given in (other.csrf_token, "", "é", one.token):
            with pytest.raises(PermissionDenied):
                house.identity.require_csrf(one.token, given)


class TestPasswords:
    def test_changing_the_own(self, house: House) -> None:
        elsewhere, here = house.sign_in(ANN), house.sign_in(ANN)
        fresh = house.identity.change_password(here.token, PASSWORD, OTHER, address=HOME)
        assert house.identity.actor_of_session(fresh.token).member_id == house.ann.member_id
        for old in (elsewhere, here):
            with pytest.raises(AuthenticationRequired):
                house.identity.actor_of_session(old.token)
        with pytest.raises(AuthenticationRequired):
            house.sign_in(ANN)
        house.sign_in(ANN, OTHER)
        assert house.actions().count("password.set") == 1

    def test_the_present_one_must_be_known(self, house: House) -> None:
        token = house.sign_in(ANN).token
        for _ in range(6):
            with pytest.raises(AuthenticationRequired, match="present password"):
                house.identity.change_password(token, "wrong", OTHER, address=HOME)
        with pytest.raises(RateLimited):
            house.identity.change_password(token, PASSWORD, OTHER, address=HOME)
        with pytest.raises(AuthenticationRequired, match="ended"):
            house.identity.change_password("nonsense", PASSWORD, OTHER, address=HOME)
        with pytest.raises(InputError):
            house.identity.change_password(token, PASSWORD, "short", address=HOME)
        assert house.identity.actor_of_session(token)

    def test_an_invitation(self, house: House) -> None:
        invited = house.members.invite(house.console, email=BOB, name="Bob", roles=[Role.SELLER])
        assert invited.token is not None
        assert invited.token not in repr(invited)
        assert invited.expires_at == house.clock.now() + timedelta(days=3)
        invitee = house.identity.invited(invited.token)
        assert (invitee.member, invitee.organisation, invitee.invited_by) == (invited.member, "Platform", None)
        for bad in ("short", BOB, "BOB@Example.org", "x" * 1025):
            with pytest.raises(InputError):
                house.identity.accept(invited.token, bad)
        assert house.identity.accept(invited.token, PASSWORD).member.has_password
        assert house.sign_in(BOB).actor.name == invited.member.member_id
        for use in (house.identity.invited, lambda token: house.identity.accept(token, OTHER)):
            with pytest.raises(AuthenticationRequired, match="used up"):
                use(invited.token)
        assert house.trail.events(about=invited.member.member_id)[-2].action == "password.set"

    def test_it_says_who_invited_as_long_as_there_is_a_name(self, house: House) -> None:
        admin = house.join("eve@example.org", Role.ADMIN)
        actor = house.sign_in("eve@example.org").actor
        member = house.members.invite(actor, email=BOB, roles=[Role.SELLER]).member
        token = house.members.reset(actor, member.member_id).token or ""
        house.members.change(actor, admin.member_id, name="Eve")
        assert house.identity.invited(token).invited_by == "Eve"
        house.members.erase(house.console, admin.member_id)
        assert house.identity.invited(token).invited_by is None

    def test_of_a_disabled_organisation_nobody_is_invited(self, house: House) -> None:
        shop, admin = house.organisation("Shop", "shop@example.org")
        token = house.members.reset(house.console, admin.member_id).token or ""
        house.organisations.disable(house.console, shop.organisation_id)
        with pytest.raises(AuthenticationRequired, match="unknown, used up"):
            house.identity.invited(token)
        house.organisations.enable(house.console, shop.organisation_id)
        assert house.identity.invited(token).organisation == "Shop"

    def test_an_invitation_expires(self, house: House) -> None:
        invited = house.members.invite(house.console, email=BOB, roles=[Role.SELLER])
        house.clock.move(days=3)
        with pytest.raises(AuthenticationRequired):
            house.identity.accept(invited.token, PASSWORD)
        again = house.members.reset(house.console, invited.member.member_id)
        assert house.identity.accept(again.token, PASSWORD)

    def test_two_cannot_accept_the_same_one(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        invited = house.members.invite(house.console, email=BOB, roles=[Role.SELLER])
        real = Passwords.hash

        def slow(self: Passwords, password: str) -> str:
            monkeypatch.setattr(Passwords, "hash", real)
            house.identity.accept(invited.token, PASSWORD)
            return real(self, password)

        monkeypatch.setattr(Passwords, "hash", slow)
        with pytest.raises(AuthenticationRequired):
            house.identity.accept(invited.token, OTHER)
        house.sign_in(BOB)

    def test_a_reset_ends_sessions_when_it_is_accepted(self, house: House) -> None:
        token = house.sign_in(ANN).token
        reset = house.members.reset(house.console, house.ann.member_id)
        assert house.identity.actor_of_session(token)
        house.sign_in(ANN)
        house.identity.accept(reset.token, OTHER)
        with pytest.raises(AuthenticationRequired):
            house.identity.actor_of_session(token)


class TestKeys:
    def test_a_key_stands_for_its_maker(self, house: House, actor: Callable[[str], Actor]) -> None:
        house.join(BOB, Role.RIGHTS_HOLDER)
        issued = house.keys.issue(actor(BOB), "feed", scopes=[Scope.CHECKS_WRITE])
        found = house.identity.actor_of_key(issued.secret)
        assert (found.key_id, found.member_id, found.scopes) == (
            issued.key.key_id,
            issued.key.member_id,
            {Scope.CHECKS_WRITE},
        )
        assert house.credentials.key(issued.key.key_id).last_used_at == house.clock.now()
        house.clock.move(seconds=59)
        house.identity.actor_of_key(issued.secret)
        assert house.credentials.key(issued.key.key_id).last_used_at < house.clock.now()
        house.clock.move(seconds=1)
        house.identity.actor_of_key(issued.secret)
        assert house.credentials.key(issued.key.key_id).last_used_at == house.clock.now()

    def test_it_shrinks_and_rests_with_its_maker(self, house: House, actor: Callable[[str], Actor]) -> None:
        bob = house.join(BOB, Role.RIGHTS_HOLDER)
        secret = house.keys.issue(actor(BOB), "feed").secret
        assert Scope.REFERENCES_WRITE in house.identity.actor_of_key(secret).scopes
        house.members.change(house.console, bob.member_id, roles=[Role.SELLER])
        assert house.identity.actor_of_key(secret).scopes == {
            Scope.CHECKS_READ,
            Scope.CHECKS_WRITE,
            Scope.PACKETS_READ,
            Scope.PACKETS_WRITE,
            Scope.LICENCES_READ,
            Scope.ORGANISATION_READ,
        }
        house.members.change(house.console, bob.member_id, roles=[Role.ADMIN])
        assert house.identity.actor_of_key(secret).scopes == {Scope.ORGANISATION_READ}
        house.members.disable(house.console, bob.member_id)
        with pytest.raises(AuthenticationRequired, match="disabled"):
            house.identity.actor_of_key(secret)
        house.members.enable(house.console, bob.member_id)
        assert house.identity.actor_of_key(secret)
        house.members.erase(house.console, bob.member_id)
        with pytest.raises(AuthenticationRequired, match="not an API key"):
            house.identity.actor_of_key(secret)

    def test_it_ends(self, house: House, actor: Callable[[str], Actor]) -> None:
        person = actor(ANN)
        short = house.keys.issue(person, "short", lifetime=timedelta(hours=1))
        forever = house.keys.issue(person, "forever", lifetime=None)
        house.clock.move(hours=1)
        with pytest.raises(AuthenticationRequired, match="expired"):
            house.identity.actor_of_key(short.secret)
        house.clock.move(days=10_000)
        assert house.identity.actor_of_key(forever.secret)
        house.keys.revoke(house.console, forever.key.key_id)
        with pytest.raises(AuthenticationRequired, match="revoked"):
            house.identity.actor_of_key(forever.secret)

    @pytest.mark.parametrize("secret", ["", "nonsense", "imgguard_x_y_z", "\ud800"])
    def test_what_is_no_key(self, house: House, secret: str) -> None:
        with pytest.raises(AuthenticationRequired, match="not an API key"):
            house.identity.actor_of_key(secret)
        with pytest.raises(AuthenticationRequired):
            house.identity.actor_of_key(tokens.new_secret("key_" + "0" * 26))


def test_secrets_are_in_no_file(house: House, actor: Callable[[str], Actor]) -> None:
    signed_in = house.sign_in(ANN)
    issued = house.keys.issue(signed_in.actor, "feed")
    invited = house.members.invite(house.console, email=BOB, roles=[Role.SELLER])
    files = b"".join(file.read_bytes() for file in house.database.path.parent.iterdir())
    secret = issued.secret.split("_")[2]
    for trace in (signed_in.token, signed_in.csrf_token, secret, invited.token, PASSWORD):
        assert trace.encode() not in files
    assert house.identity.actor_of_key(issued.secret)


class TestPasswordRules:
    @pytest.mark.parametrize("password", ["x" * 12, "x" * 1024, "é" * 12, "zwölf Zeichen"])
    def test_accepted(self, password: str) -> None:
        assert passwords.accepted(password, email=ANN) == password

    @pytest.mark.parametrize("password", ["", "x" * 11, "x" * 1025, "e\u0301" * 11, ANN, ANN.upper(), f" {ANN} "])
    def test_refused(self, password: str) -> None:
        with pytest.raises(InputError):
            passwords.accepted(password, email=ANN)

    def test_the_digest_says_how_it_was_made(self) -> None:
        assert Passwords()._nobody.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        cheap = Passwords(passes=1, memory_kib=8, lanes=1)
        digest = cheap.hash("x" * 12)
        assert cheap.matches("x" * 12, digest)
        assert not cheap.matches("y" * 12, digest)
        assert not cheap.matches("x" * 12, "rubbish")
        assert not cheap.is_outdated(digest)
        assert Passwords().is_outdated(digest)
        assert not cheap.is_outdated(cheap._nobody)

    def test_few_are_computed_at_the_same_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from imgguard.errors import Overloaded

        monkeypatch.setattr(passwords, "_PATIENCE_SECONDS", 0.01)
        cheap = Passwords(passes=1, memory_kib=8, lanes=1)
        with cheap._slot(), cheap._slot(), pytest.raises(Overloaded):
            cheap.hash("x" * 12)
        assert cheap.hash("x" * 12)
