"""Which member a proven identity is, with a provider that says what a test has it say."""

import base64
import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from imgguard.errors import (
    IdentityProviderUnavailable,
    IdentityUnknown,
    ImgguardError,
    NotFound,
    PermissionDenied,
    RateLimited,
    SignInExpired,
    SignInRefused,
)
from imgguard.ports import ProvenIdentity
from imgguard.registry.accounts import Role, Session
from imgguard.services import attempts
from imgguard.services.single_sign_on import LIFETIME, CameBack, SingleSignOn

from .conftest import HOME, PASSWORD, House

ISSUER, HERE = "https://login.example.org", "https://imgguard.example.org/back"
BOB = ProvenIdentity(issuer=ISSUER, subject="bob", email="bob@example.org", is_email_verified=True)


@dataclass
class FakeProvider:
    """``said`` is whom it says somebody to be, or an error."""

    said: ProvenIdentity | ImgguardError = BOB
    issuer: str = ISSUER
    sent: list[dict[str, str]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)

    def authorisation_url(self, **sent: str) -> str:
        if isinstance(self.said, IdentityProviderUnavailable):
            raise self.said
        self.sent.append(sent)
        return f"{ISSUER}/authorize"

    def identify(self, code: str, **asked: str) -> ProvenIdentity:
        self.asked.append({"code": code, **asked})
        if isinstance(self.said, ImgguardError):
            raise self.said
        return self.said


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def sign_on(house: House, provider: FakeProvider) -> SingleSignOn:
    return made(house, provider)


def made(house: House, provider: FakeProvider | None) -> SingleSignOn:
    return SingleSignOn(
        provider=provider,
        sign_ins=house.sign_ins,
        accounts=house.accounts,
        credentials=house.credentials,
        clock=house.clock,
        longest=timedelta(hours=24),
    )


def out_and_back(sign_on: SingleSignOn, provider: FakeProvider, **changes: str) -> tuple[Session, str]:
    begun = sign_on.begin(return_to="/x", redirect_uri=HERE, address=HOME)
    values = {"state": provider.sent[-1]["state"], "code": "the code"} | changes
    browser_token = values.pop("browser_token", begun.browser_token)
    signed_in, return_to = sign_on.finish(
        CameBack(**values), browser_token=browser_token, redirect_uri=HERE, address=HOME
    )
    return signed_in.session, return_to


def test_what_is_sent_out_comes_back_to_the_provider(
    house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    house.join("bob@example.org", Role.SELLER)
    assert out_and_back(sign_on, provider)[1] == "/x"
    sent, asked = provider.sent[0], provider.asked[0]
    assert asked.keys() == {"code", "code_verifier", "nonce", "redirect_uri"}
    assert (asked["nonce"], asked["redirect_uri"]) == (sent["nonce"], sent["redirect_uri"])
    digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode() == sent["code_challenge"] + "="
    assert 43 <= len(asked["code_verifier"]) <= 128  # RFC 7636, section 4.1
    assert len({sent["state"], sent["nonce"], asked["code_verifier"]}) == 3


def test_nothing_secret_is_stored_or_shown(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    begun = sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    state = provider.sent[0]["state"]
    with house.database.engine.connect() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM sign_ins").all())
    assert state not in stored
    assert begun.browser_token not in stored + repr(begun)


def test_the_session_is_like_any_other(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = house.join("bob@example.org", Role.SELLER)
    begun = sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    back = CameBack(state=provider.sent[0]["state"], code="c", issuer=ISSUER)
    signed_in, _ = sign_on.finish(back, browser_token=begun.browser_token, redirect_uri=HERE, address=HOME)
    assert signed_in.actor.member_id == bob.member_id
    assert house.identity.actor_of_session(signed_in.token) == signed_in.actor
    house.identity.require_csrf(signed_in.token, signed_in.csrf_token)
    assert signed_in.session.expires_at - signed_in.session.created_at == timedelta(hours=24)
    house.clock.move(hours=2)
    with pytest.raises(ImgguardError, match="has ended"):
        house.identity.actor_of_session(signed_in.token)


def test_the_address_is_compared_as_everywhere(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    member = house.join("Straße@example.org", Role.SELLER)
    provider.said = replace(BOB, email=" STRASSE@example.org ")
    assert out_and_back(sign_on, provider)[0].member_id == member.member_id


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "nobody@example.org"},
        {"email": None},
        {"email": ""},
        {"email": "bob"},
        {"is_email_verified": False},
        {"is_email_verified": 1},
        {"is_email_verified": "true"},
    ],
    ids=str,
)
def test_who_is_nobody_here(
    changes: dict[str, object], house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    bob = house.join("bob@example.org", Role.SELLER)
    before = house.actions()
    provider.said = replace(BOB, **changes)
    with pytest.raises(IdentityUnknown) as caught:
        out_and_back(sign_on, provider)
    assert (caught.value.detail, caught.value.advice) == (
        "no account here goes with this sign-in",
        IdentityUnknown.hint,
    )
    assert house.sign_ins.identities(bob.member_id) == []
    assert house.actions() == before


def test_who_is_known_needs_no_address_any_more(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = house.join("bob@example.org", Role.SELLER)
    house.join("eve@example.org", Role.SELLER)
    out_and_back(sign_on, provider)
    for changes in ({"email": None}, {"is_email_verified": False}, {"email": "eve@example.org"}):
        provider.said = replace(BOB, **changes)
        assert out_and_back(sign_on, provider)[0].member_id == bob.member_id
    assert house.actions().count("identity.linked") == 1


def test_an_address_that_passed_to_another_person_there(
    house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    house.join("bob@example.org", Role.SELLER)
    out_and_back(sign_on, provider)
    provider.said = replace(BOB, subject="another bob")
    with pytest.raises(IdentityUnknown):
        out_and_back(sign_on, provider)


def test_another_provider_is_linked_besides(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = house.join("bob@example.org", Role.SELLER)
    out_and_back(sign_on, provider)
    other = FakeProvider(said=replace(BOB, issuer="https://new.example"), issuer="https://new.example")
    assert out_and_back(made(house, other), other)[0].member_id == bob.member_id
    assert len(house.sign_ins.identities(bob.member_id)) == 2


def test_disabled_and_erased_members(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = house.join("bob@example.org", Role.SELLER)
    house.members.disable(house.console, bob.member_id)
    with pytest.raises(IdentityUnknown):
        out_and_back(sign_on, provider)
    house.members.enable(house.console, bob.member_id)
    out_and_back(sign_on, provider)
    house.members.disable(house.console, bob.member_id)
    with pytest.raises(IdentityUnknown):
        out_and_back(sign_on, provider)
    house.members.erase(house.console, bob.member_id)
    with pytest.raises(IdentityUnknown):
        out_and_back(sign_on, provider)


def test_the_first_time_in_two_windows_at_once(house: House, provider: FakeProvider) -> None:
    bob, sign_on = house.join("bob@example.org", Role.SELLER), made(house, provider)
    begun = [sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME) for _ in range(6)]

    def finish(number: int) -> str:
        back = CameBack(state=provider.sent[number]["state"], code="c")
        token = begun[number].browser_token
        return sign_on.finish(back, browser_token=token, redirect_uri=HERE, address=HOME)[0].session.member_id

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(finish, range(6))) == {bob.member_id}
    assert house.actions().count("identity.linked") == 1
    assert house.actions().count("session.opened") == 6


def test_events_hold_no_personal_data(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = house.join("bob@example.org", Role.SELLER)
    session, _ = out_and_back(sign_on, provider)
    linked, opened = house.trail.events(limit=1000)[-2:]
    assert (linked.action, linked.object_id, linked.actor) == ("identity.linked", bob.member_id, bob.member_id)
    assert linked.detail == {"issuer": ISSUER}
    assert (opened.action, opened.object_id, opened.detail) == ("session.opened", session.session_id, {"by": "oidc"})


# ways back that are not taken


def test_another_browser(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    house.join("bob@example.org", Role.SELLER)
    for token in ("", "x", "é", "\ud800"):
        with pytest.raises(SignInExpired):
            out_and_back(sign_on, provider, browser_token=token)
    assert provider.asked == []


def test_a_state_of_nobody(sign_on: SingleSignOn, provider: FakeProvider) -> None:
    for state in ("", "x", "\ud800"):
        with pytest.raises(SignInExpired):
            out_and_back(sign_on, provider, state=state)
    assert provider.asked == []


def test_too_late(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    house.join("bob@example.org", Role.SELLER)
    for late in (True, False):
        begun = sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
        back = CameBack(state=provider.sent[-1]["state"], code="c")
        house.clock.time += LIFETIME - timedelta(seconds=0 if late else 1)
        if late:
            with pytest.raises(SignInExpired):
                sign_on.finish(back, browser_token=begun.browser_token, redirect_uri=HERE, address=HOME)
        else:
            sign_on.finish(back, browser_token=begun.browser_token, redirect_uri=HERE, address=HOME)


@pytest.mark.parametrize(
    "changes",
    [{"error": "access_denied"}, {"error": ""}, {"code": ""}, {"code": "x" * 4097}, {"issuer": "https://evil.example"}],
    ids=lambda value: str(value)[:40],
)
def test_no_proper_answer(changes: dict[str, str], sign_on: SingleSignOn, provider: FakeProvider) -> None:
    with pytest.raises(SignInRefused):
        out_and_back(sign_on, provider, **changes)
    assert provider.asked == []
    with pytest.raises(SignInExpired):  # and the state is used up
        out_and_back(sign_on, provider, state=provider.sent[0]["state"])


def test_the_reason_is_in_the_log_and_names_nobody(
    house: House, sign_on: SingleSignOn, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.said = SignInRefused("the token does not hold: aud")
    with pytest.raises(SignInRefused), caplog.at_level(logging.WARNING):
        out_and_back(sign_on, provider)
    provider.said = BOB
    with pytest.raises(IdentityUnknown), caplog.at_level(logging.WARNING):
        out_and_back(sign_on, provider)
    assert "does not hold: aud" in caplog.text
    assert "no member has the address" in caplog.text
    assert "bob" not in caplog.text


def test_a_provider_that_is_down_leaves_nothing_behind(
    house: House, sign_on: SingleSignOn, provider: FakeProvider
) -> None:
    provider.said = IdentityProviderUnavailable("down")
    with pytest.raises(IdentityProviderUnavailable):
        sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    with house.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sign_ins").scalar_one() == 0
    assert house.sign_in("ann@example.org").actor.member_id == house.ann.member_id


def test_without_a_provider(house: House) -> None:
    sign_on = made(house, None)
    assert not sign_on.is_set_up
    with pytest.raises(NotFound):
        sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    with pytest.raises(NotFound):
        sign_on.finish(CameBack(state="x"), browser_token="", redirect_uri=HERE, address=HOME)


def test_beginning_is_limited_for_each_network(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    house.join("bob@example.org", Role.SELLER)
    for _ in range(3):  # who comes back does not count
        out_and_back(sign_on, provider)
    for _ in range(attempts.BEGUN.free + 1):
        sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    with pytest.raises(RateLimited) as caught:
        sign_on.begin(return_to="/", redirect_uri=HERE, address=HOME)
    assert caught.value.retry_after == 1
    sign_on.begin(return_to="/", redirect_uri=HERE, address="198.51.100.1")
    house.sign_in("ann@example.org")


# letting go


def test_who_may_unlink(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob, eve = house.join("bob@example.org", Role.SELLER), house.join("eve@example.org", Role.SELLER)
    _, stranger = house.organisation("Shop", "shop@example.org")
    out_and_back(sign_on, provider)
    with pytest.raises(PermissionDenied):
        house.members.unlink(house.sign_in("eve@example.org").actor, bob.member_id)
    with pytest.raises(NotFound):
        house.members.unlink(house.sign_in("shop@example.org").actor, bob.member_id)
    admin = house.sign_in("ann@example.org").actor
    with pytest.raises(PermissionDenied, match="API key"):
        house.members.unlink(replace(admin, key_id="key_1"), bob.member_id)
    assert house.accounts.member(bob.member_id).is_linked
    assert not house.members.unlink(house.sign_in("bob@example.org").actor, bob.member_id).is_linked
    out_and_back(sign_on, provider)
    assert not house.members.unlink(admin, bob.member_id).is_linked
    assert house.actions().count("identity.unlinked") == 2
    assert eve.member_id != stranger.member_id


def test_a_member_without_a_password(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    invited = house.members.invite(house.console, email="bob@example.org", roles=[Role.ADMIN])
    assert (invited.member.state, invited.member.can_administer) == ("invited", False)
    out_and_back(sign_on, provider)
    member = house.accounts.member(invited.member.member_id)
    assert (member.state, member.has_password, member.can_administer) == ("active", False, True)
    with pytest.raises(ImgguardError, match="unknown, used up"):
        house.identity.accept(invited.token or "", PASSWORD)
    # With a password no other way in opens: there is none to be guessed.
    with pytest.raises(ImgguardError, match="wrong"):
        house.sign_in("bob@example.org", "")


def test_what_is_exported(house: House, sign_on: SingleSignOn, provider: FakeProvider) -> None:
    bob = house.join("bob@example.org", Role.SELLER)
    out_and_back(sign_on, provider)
    exported = house.members.export(house.console, bob.member_id)
    (identity,) = exported["identities"]  # type: ignore[misc]
    assert (identity["issuer"], identity["subject"]) == (ISSUER, "bob")
    assert exported["member"]["is_linked"] is True  # type: ignore[index]
